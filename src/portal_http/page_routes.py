"""The routes of the pages as a log may name them."""

from portal_http.incoming import NOWHERE
from portal_http.pages.routes import route_of

_PAGE = "/p/{token}"
_STATIC = "/p/static/{file}"
_NO_PAGE = route_of([""])


def page_route(path: str) -> str:
    """Return what a page's path is made after, without what fills it in."""
    token, *parts = path.strip("/").split("/")[1:] or [""]
    if token == "static":  # noqa: S105 - where a token would stand
        return _STATIC
    route = route_of(parts)
    if route is _NO_PAGE:
        return NOWHERE
    filled = ["{id}"] if route.document_id else []
    return "/".join([_PAGE, *parts[:1], *filled, *parts[2:]])
