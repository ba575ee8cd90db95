"""Bounds on what is read, and the judgement of forms, wherever the portal stands."""

import pytest
from attrs import evolve
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.rate_limits import rate_limits
from portal_http.app import create_app
from portal_http.incoming import LARGEST_HEAD, MOST_FIELDS
from portal_http.runners import InlineRunner
from portal_http.settings import settings_of
from tests.http.world import AUDIENCE, BASE, KEY, UNLIMITED, World, code


def test_a_request_has_a_hundred_header_fields_and_32_kib_in_them_and_no_more(world: World) -> None:
    link = world.link()
    few = [(f"x-{number}", "y") for number in range(MOST_FIELDS - 10)]

    assert world.http.get(link, headers=few).status_code == 200
    assert world.http.get(link, headers={"x": "y" * (LARGEST_HEAD - 1_000)}).status_code == 200
    for headers in ([*few, *few], [("x", "y" * LARGEST_HEAD)], [("y" * LARGEST_HEAD, "x")]):
        answer = world.http.get(link, headers=headers)
        assert (answer.status_code, code(answer)) == (431, "fields_too_large")
        assert world.http.get(link.replace(f"{BASE}/view", "/p"), headers=headers).status_code == 431


def test_a_path_that_cannot_be_sent_back_is_answered_all_the_same(world: World) -> None:
    token = world.token()

    for path in (f"/p/{token}/quotes/%ed%a0%80", f"/p/{token}/%ff", f"{BASE}/view/{token}/quotes/%ed%a0%80"):
        assert world.http.get(path).status_code == 404


ACCEPTED, FOREIGN = 422, 403
"""An empty form of our own is read and found incomplete; one from another site is not read."""


@pytest.mark.parametrize(
    "headers,status",
    [
        ({"Sec-Fetch-Site": "same-origin"}, ACCEPTED),
        ({"Sec-Fetch-Site": "none"}, ACCEPTED),
        ({"Sec-Fetch-Site": "same-site"}, FOREIGN),
        ({"Sec-Fetch-Site": "cross-site"}, FOREIGN),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://portal.example"}, FOREIGN),
        # Old browsers, and all of them where there is no TLS, send Origin alone.
        ({"Origin": "https://portal.example"}, ACCEPTED),
        ({"Origin": "HTTPS://Portal.Example"}, ACCEPTED),
        ({"Origin": "http://inside:8000"}, ACCEPTED),
        ({"Origin": "https://inside:8000"}, ACCEPTED),
        ({"Origin": "https://portal.example:8443"}, FOREIGN),
        ({"Origin": "https://portal.example.evil.example"}, FOREIGN),
        ({"Origin": "https://evil.example"}, FOREIGN),
        ({"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"}, FOREIGN),
        ({"Origin": "ftp://inside:8000"}, FOREIGN),
        ({"Origin": "null"}, FOREIGN),
        ({"Origin": ""}, FOREIGN),
        ({"Origin": "http://["}, FOREIGN),
        ({"Origin": "https://portal.example/shop"}, FOREIGN),
        ({}, ACCEPTED),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/shop/portal"])
def test_a_form_is_judged_alike_behind_a_proxy_and_below_a_prefix(
    world: World, prefix: str, headers: dict[str, str], status: int
) -> None:
    """The proxy speaks TLS and asks for another host: what the browser sees is the public address."""
    app = portal_at(world, f"https://portal.example{prefix}")
    host = TestClient(Starlette(routes=[Mount(prefix, app=app)]) if prefix else app, base_url="http://inside:8000")

    answer = host.post(f"{prefix}/p/{world.token()}/feedback", data={"subject": ""}, headers=headers)

    assert answer.status_code == status


@pytest.mark.parametrize("host,origin", [("portal.example:443", "https"), ("portal.example:80", "http")])
def test_a_port_that_is_the_usual_one_makes_no_other_site(world: World, host: str, origin: str) -> None:
    client = TestClient(world.app)
    headers = {"Host": host, "Origin": f"{origin}://portal.example"}

    assert client.post(f"/p/{world.token()}/feedback", data={"subject": ""}, headers=headers).status_code == ACCEPTED


@pytest.mark.parametrize(
    "given,kept",
    [
        ("https://Portal.Example/", "https://portal.example"),
        ("https://portal.example:443/shop/", "https://portal.example/shop"),
        ("http://portal.example:80", "http://portal.example"),
        ("http://portal.example:443", "http://portal.example:443"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_the_public_address_is_kept_as_browsers_spell_it(given: str, kept: str) -> None:
    assert settings_of({}, {"PORTAL_PUBLIC_URL": given}).public_url == kept


def portal_at(world: World, public_url: str) -> Starlette:
    return create_app(
        InlineRunner(world.transactions),
        clock=world.clock,
        admins=admin_tokens(key=KEY, audience=AUDIENCE),
        limits=rate_limits("memory://"),
        options=evolve(UNLIMITED, public_url=public_url),
    )
