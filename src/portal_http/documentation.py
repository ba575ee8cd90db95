"""The documentation: the OpenAPI document, and a page that shows it and sends requests, without any other host."""

from functools import cache, partial
from importlib.resources import files

from portal_http.answers import JSON_TYPE, Answer, Header, encoded
from portal_http.api.table import CLIENT_ENDPOINTS, STAFF_ENDPOINTS
from portal_http.endpoints import Endpoint, OpenEndpoint, Result
from portal_http.health import ENDPOINTS as HEALTH_ENDPOINTS
from portal_http.keys import ENDPOINTS as KEY_ENDPOINTS
from portal_http.openapi import openapi_document
from portal_http.services import Services

DOCUMENTED: tuple[Endpoint, ...] = (*CLIENT_ENDPOINTS, *STAFF_ENDPOINTS, *HEALTH_ENDPOINTS, *KEY_ENDPOINTS)
"""What the document describes: everything but itself and its page."""

_POLICY: Header = (
    b"content-security-policy",
    (
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
)
_REFERRER: Header = (b"referrer-policy", b"same-origin")

_ASSETS = {
    "/docs": ("index.html", b"text/html; charset=utf-8"),
    "/docs/page.css": ("page.css", b"text/css; charset=utf-8"),
    "/docs/page.js": ("page.js", b"text/javascript; charset=utf-8"),
}


@cache
def document_of(public_url: str) -> bytes:
    """Return the OpenAPI document of a portal at an address, as JSON."""
    return encoded(openapi_document(DOCUMENTED, server=public_url.rstrip("/")))


async def show_document(services: Services) -> Answer:
    """Answer with the OpenAPI document."""
    return Answer(200, document_of(services.options.public_url), [JSON_TYPE])


async def show_asset(_: Services, *, name: str, kind: bytes) -> Answer:
    """Answer with a part of the page."""
    return Answer(200, _asset(name), [(b"content-type", kind), _POLICY, _REFERRER])


@cache
def _asset(name: str) -> bytes:
    return (files("portal_http") / "docs_page" / name).read_bytes()


def _shown(path: str, name: str, kind: bytes) -> OpenEndpoint:
    run = partial(show_asset, name=name, kind=kind)
    return OpenEndpoint(method="GET", path=path, run=run, summary="The documentation", result=Result("bare"))


ENDPOINTS: tuple[OpenEndpoint, ...] = (
    OpenEndpoint(
        method="GET",
        path="/openapi.json",
        run=show_document,
        summary="The OpenAPI document",
        result=Result("bare"),
    ),
    *(_shown(path, name, kind) for path, (name, kind) in _ASSETS.items()),
)
