"""What is wrong with other portals, one test for each kind: here it is not."""

import asyncio
import hashlib
import socket
import time
from typing import Any

import pytest

from portal_adapters.contract.builders import a_quote, a_token
from portal_core.domain.access import DocumentType, Permission
from portal_core.domain.quotes import QuoteState
from portal_http.app import ENDPOINTS
from portal_http.options import Options
from tests.http.world import BASE, Reply, World, code, full_world, places
from tests.security.asking import JSON, ask

CONSENT = {"revision": "1", "name": "Ada", "consent": "yes", "answer": "accept"}


def quote_of(world: World, link: str) -> Reply:
    return world.http.get(f"{link}/quotes/Q1").json()["data"]


def test_a_status_endpoint_that_stores_any_string(world: World) -> None:
    """A quote's state follows from a decision; no call takes one, and no decision takes a state."""
    link = world.link()

    for method in ("PUT", "PATCH", "POST"):
        for path in ("/quotes/Q1", "/quotes/Q1/state", "/quotes/Q1/status", "/orders/O1", "/invoices/I1"):
            answer = world.http.request(method, link + path, json={"state": "owned", "status": "owned"})
            assert answer.status_code in {404, 405}
    for path in ("/quotes/Q1/accept", "/quotes/Q1/decline"):
        for name in ("state", "status", "answer", "decided_at"):
            assert places(world.http.post(link + path, json={name: "owned"})) == [f"/{name}"]
    assert quote_of(world, link)["state"] == "sent"


def test_expiry_checked_on_the_page_but_not_on_the_json_of_the_same_token(world: World) -> None:
    token = world.token()
    places_of_it = [f"/p/{token}", f"/p/{token}/quotes/Q1", f"/p/{token}/logo", f"{BASE}/view/{token}"]
    places_of_it += [
        endpoint.path.replace("{token}", token).replace("{quote_id}", "Q1")
        for endpoint in ENDPOINTS
        if "{token}" in endpoint.path
    ]
    world.pass_time(days=91)

    for path in places_of_it:
        for method in ("GET", "POST"):
            answer = world.http.request(method, path)
            assert answer.status_code in {404, 405}, (method, path)
    assert {world.http.get(path).status_code for path in places_of_it[:4]} == {404}


def test_approval_by_get(world: World) -> None:
    """Mail scanners open every link they find, and decide nothing by that."""
    token = world.token()

    for path in (f"/p/{token}/quotes/Q1", f"{BASE}/view/{token}/quotes/Q1"):
        for query in ("", "?accept=1", "?answer=accept&name=Ada&consent=yes&revision=1", "?_method=POST"):
            for method in ("GET", "HEAD"):
                world.http.request(method, path + query, headers={"X-HTTP-Method-Override": "POST"})
    for action in ("accept", "decline"):
        assert world.http.get(f"{BASE}/view/{token}/quotes/Q1/{action}").status_code == 405
    assert quote_of(world, f"{BASE}/view/{token}")["decision"] is None
    assert world.staff("GET", "/decisions").json()["data"] == []


def test_a_signed_proposal_that_is_refused_later(world: World) -> None:
    link = world.link()
    world.http.post(f"{link}/quotes/Q1/accept", json={"name": "Ada"})

    answer = world.http.post(f"{link}/quotes/Q1/decline", json={"reason": "No."})

    assert (answer.status_code, code(answer)) == (409, "already_decided")
    assert quote_of(world, link)["state"] == "accepted"


def test_parallel_signatures_that_all_succeed(world: World) -> None:
    """Six answers at once, half of them the opposite: one of the two stands, and there is one event."""
    world.feed(*(a_quote(f"R{number}", recorded_state=QuoteState.SENT) for number in range(20)))
    link = world.link()

    async def race(quote: str) -> list[int]:
        paths = [f"{link}/quotes/{quote}/{('accept', 'decline')[number % 2]}" for number in range(6)]
        answers = await asyncio.gather(*(ask(world.app, "POST", path, headers=JSON, body=b"{}") for path in paths))
        return sorted(int(answer.status) for answer in answers)

    for number in range(20):
        assert asyncio.run(race(f"R{number}")) == [200, 200, 200, 409, 409, 409]
    events = world.staff("GET", "/events?limit=100").json()["data"]
    assert sum(each["type"].startswith("quote.") for each in events) == 20


def test_a_documents_link_that_opens_everything(world: World) -> None:
    token = world.token(documents=[(DocumentType.QUOTE, "Q1")])
    link = f"{BASE}/view/{token}"

    assert world.http.get(f"{link}/quotes/Q1").status_code == 200
    for path in ("orders/O1", "invoices/I1", "payments/P1", "deliveries/D1"):
        assert world.http.get(f"{link}/{path}").status_code == 404
        assert world.http.get(f"/p/{token}/{path}").status_code == 404
    for path in ("orders", "invoices", "payments", "deliveries"):
        assert world.http.get(f"{link}/{path}").json()["data"] == []
    assert "balances" not in world.http.get(f"{link}/dashboard").json()["data"]
    assert code(world.http.get(f"{link}/statement")) == "permission_denied"


def test_tokens_that_never_expire_and_cannot_be_revoked(world: World) -> None:
    asked: dict[str, Any] = {"client_id": "northwind"}

    issued = world.staff("POST", "/tokens", json=asked).json()["data"]
    for never in ("9999-12-31T23:59:59Z", "2000-01-01T00:00:00Z"):
        assert places(world.staff("POST", "/tokens", json={**asked, "expires_at": never})) == ["/expires_at"]
    link = f"{BASE}/view/{issued['token']}"

    assert issued["expires_at"] is not None
    assert world.http.get(link).status_code == 200
    assert world.staff("DELETE", f"/tokens/{issued['id']}").status_code == 204
    assert world.http.get(link).status_code == 404
    assert world.http.get(f"/p/{issued['token']}").status_code == 404


def test_an_evidence_address_out_of_a_raw_x_forwarded_for(world: World) -> None:
    http = type(world.http)(world.app, client=("198.51.100.1", 4000))
    claims = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}

    http.post(f"{world.link()}/quotes/Q1/accept", headers=claims)

    assert world.staff("GET", "/decisions").json()["data"][0]["ip"] == "198.51.100.1"


def test_an_answer_that_reveals_who_exists(world: World) -> None:
    """Tokens that once were and tokens that never were get the same bytes, and so do other people's records."""
    revoked = world.token()
    world.staff("DELETE", "/tokens?client_id=northwind")
    guessed, mistyped = a_token(99), revoked[:-1] + ("0" if revoked[-1] != "0" else "1")
    link = world.link()

    for form in ("/p/{}", f"{BASE}/view/{{}}", f"{BASE}/view/{{}}/quotes/Q1"):
        answers = [world.http.get(form.format(token)) for token in (revoked, guessed, mistyped, "x")]
        assert len({(each.status_code, each.content, tuple(sorted(each.headers.items()))) for each in answers}) == 1
    other, none = (world.http.get(f"{link}/quotes/{name}").text.replace(name, "") for name in ("Q1-n", "Q9-n"))
    assert other == none


def test_tokens_kept_in_clear(world: World) -> None:
    token = world.token()
    digest = hashlib.sha256(token.encode()).digest()
    with world.transaction() as store:
        (secret,) = store.links.open(digest, at=world.clock()).grant.secrets

    kept = repr(world.transactions)
    assert repr(digest) in kept
    assert token not in kept
    assert token[4:-6] not in kept
    assert secret.digest == digest
    assert secret.hint == token[-4:]


@pytest.mark.parametrize("name", ["", " ", "\n", "\u200b", "\u2800", "x" * 201, "x" * 100_000])
def test_an_empty_name_or_a_hundred_thousand_characters_accepted_as_a_signature(world: World, name: str) -> None:
    link = world.link()
    token = link.rpartition("/")[2]
    started = time.monotonic()

    answer = world.http.post(f"{link}/quotes/Q1/accept", json={"name": name})
    page = world.http.post(f"/p/{token}/quotes/Q1", data={**CONSENT, "name": name})

    assert answer.status_code in {413, 422}
    assert page.status_code in {413, 422}
    assert time.monotonic() - started < 2
    assert quote_of(world, link)["decision"] is None
    assert world.http.post(f"/p/{token}/quotes/Q1", data=CONSENT, follow_redirects=False).status_code == 303


def test_papers_and_mail_made_inside_the_accept_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accepting writes to the store and does nothing else: no other host is spoken to, and it takes no time."""
    link = world.link()
    app = world.app

    def refuse(*_: object) -> None:
        raise AssertionError("another host was spoken to")

    async def accept() -> tuple[int, float]:
        for name in ("connect", "connect_ex", "sendto"):
            monkeypatch.setattr(socket.socket, name, refuse)
        started = time.perf_counter()
        answer = await ask(app, "POST", f"{link}/quotes/Q1/accept", headers=JSON, body=b'{"name": "Ada"}')
        return int(answer.status), time.perf_counter() - started

    status, seconds = asyncio.run(accept())

    assert status == 200
    assert seconds < 0.5


def test_pages_of_megabytes() -> None:
    """A page of 25 documents is small, and brings nothing from elsewhere (tests/browser looks at accessibility)."""
    world = full_world(Options(reads_per_minute=0))
    world.feed(*(a_quote(f"Q{number:03}") for number in range(60)))
    token = world.token(without=[Permission.SUBMIT_FEEDBACK])

    for path in ("", "/quotes", "/quotes/Q1", "/invoices"):
        page = world.http.get(f"/p/{token}{path}")
        assert page.status_code == 200
        assert len(page.content) < 64 * 1024
        for elsewhere in ("<script", 'src="http', "@import", '<link rel="stylesheet" href="http', "<iframe"):
            assert elsewhere not in page.text
