"""Refusals: each with its code, in the order of the contract, and hostile input that is no more than refused."""

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from portal_adapters.contract.builders import a_token
from portal_core.domain.access import Permission
from portal_http.options import Options
from tests.http.world import BASE, World, bearer, code, full_world, places

JSON = {"Content-Type": "application/json"}


def test_nothing_is_found_at_paths_that_there_are_not(world: World) -> None:
    link = world.link()

    for path in (
        "/",
        "//",
        "/api",
        BASE,
        BASE + "/",
        BASE + "/view",
        BASE + "/view/",
        link + "/",
        link + "/quotes/",
        link + "//quotes",
        link + "/quotes/Q1/accept/now",
        link + "/tokens",
        link + "/quotes%2FQ1",
        link + "/qüotes",
        BASE + "/tokens/",
        BASE + "/nothing",
        "/healthz/",
        "/openapi.json/x",
    ):
        answer = world.http.get(path, follow_redirects=False)
        assert (answer.status_code, code(answer)) == (404, "not_found"), path


def test_a_path_takes_its_own_methods_alone_and_says_which(world: World) -> None:
    link = world.link()

    for method, path, allowed in (
        ("POST", link, "GET, HEAD"),
        ("OPTIONS", link + "/quotes", "GET, HEAD"),
        ("GET", link + "/quotes/Q1/accept", "POST"),
        ("PUT", BASE + "/tokens", "DELETE, GET, HEAD, POST"),
        ("DELETE", link + "/feedback", "GET, HEAD, POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("BREW", BASE + "/tokens/x", "DELETE, GET, HEAD, PATCH"),
    ):
        answer = world.http.request(method, path)
        assert (answer.status_code, code(answer), answer.headers["allow"]) == (405, "method_not_allowed", allowed)


def test_dead_tokens_are_all_alike_to_the_byte(world: World) -> None:
    expired, revoked = world.token(), world.token()
    world.pass_time(days=100)
    world.staff("DELETE", "/tokens?client_id=northwind")
    tokens = [expired, revoked, a_token(7), "cpt_" + "0" * 49, "x", "..%2F", "%00", "cpt_" + "é" * 49, "a" * 3_000]

    answers = [
        world.http.request(method, f"{BASE}/view/{token}{path}", headers=headers)
        for token in tokens
        for method, path in (("GET", ""), ("GET", "/quotes?bad=1"), ("GET", "/quotes/Q1"), ("POST", "/feedback"))
        for headers in ({}, JSON)
    ]

    assert {(each.status_code, each.content, tuple(sorted(each.headers.items()))) for each in answers} == {
        (404, answers[0].content, tuple(sorted(answers[0].headers.items())))
    }
    assert not [name for name in answers[0].headers if "ratelimit" in name or name == "retry-after"]


def test_a_head_is_a_get_without_its_body(world: World) -> None:
    for path in (world.link() + "/quotes/Q1", BASE + "/view/x", "/healthz", "/docs"):
        got, head = world.http.get(path), world.http.head(path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert dict(head.headers) == dict(got.headers)


def test_everything_under_a_token_carries_the_same_guards(world: World) -> None:
    link = world.link()

    for answer in (world.http.get(link), world.http.get(link + "/quotes/none"), world.http.get(BASE + "/view/x/y")):
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "access-control-allow-origin" not in answer.headers


def test_checks_come_in_the_order_of_the_contract() -> None:
    world = full_world(Options(writes_per_minute=4, guesses_per_minute=0))
    token, withheld = world.token(), world.token(without=[Permission.ACCEPT_QUOTES])
    accept = "/quotes/none/accept?unknown=1"
    plain = {"Content-Type": "text/plain", "If-Match": "nonsense"}
    large: dict[str, Any] = {"content": b"[" * 70_000, "headers": plain}
    text: dict[str, Any] = {"content": b"[", "headers": plain}
    broken: dict[str, Any] = {"content": b"[", "headers": {**plain, **JSON}}
    wrong: dict[str, Any] = {"content": b'{"name": 1}', "headers": {**plain, **JSON, "Idempotency-Key": "k"}}

    def ask(whose: str, path: str = accept, **more: Any) -> str:
        return code(world.http.post(f"{BASE}/view/{whose}{path}", **more))

    assert ask("dead", "/nothing", **large) == "not_found"
    assert ask("dead", "/quotes", **large) == "method_not_allowed"
    assert ask("dead", **large) == "not_found"
    assert ask(withheld, **large) == "permission_denied"
    assert ask(token, **large) == "payload_too_large"
    assert ask(token, **text) == "unsupported_media_type"
    assert ask(token, **broken) == "invalid_json"
    assert ask(token, **wrong) == "invalid_input"
    assert ask(token, **large) == "rate_limited"
    assert ask(token, "/nothing", **large) == "not_found"


def test_what_is_wrong_comes_before_what_is_not_there_and_that_before_what_moved_on(world: World) -> None:
    link = world.link() + "/quotes"

    assert code(world.http.post(link + "/none/accept", json={"name": ""})) == "invalid_input"
    assert code(world.http.post(link + "/none/accept", headers={"If-Match": '"9"'})) == "not_found"
    world.http.post(link + "/Q1/accept")
    assert code(world.http.post(link + "/Q1/decline", headers={"If-Match": '"9"'})) == "moved_on"
    assert code(world.http.post(link + "/Q1/accept", headers={"If-Match": '"9"'})) == "moved_on"
    assert world.http.post(link + "/Q1/accept", headers={"If-Match": '"1"'}).status_code == 200
    assert code(world.http.post(link + "/Q1/decline", headers={"If-Match": '"1"'})) == "already_decided"


def test_staff_are_known_before_their_body_is_read(world: World) -> None:
    large: dict[str, Any] = {"content": b"[" * 70_000, "headers": {"Content-Type": "text/plain"}}

    assert code(world.http.post(BASE + "/nothing", **large)) == "not_found"
    assert code(world.http.put(BASE + "/tokens", **large)) == "method_not_allowed"
    assert code(world.http.post(BASE + "/tokens", **large)) == "unauthorized"
    assert code(world.staff("POST", "/tokens", token=bearer(scope=""), **large)) == "permission_denied"
    assert code(world.staff("POST", "/tokens", **large)) == "payload_too_large"
    assert code(world.staff("PATCH", "/tokens/none", json={"label": ""})) == "invalid_input"
    assert code(world.staff("PATCH", "/tokens/none", json={"label": "x"})) == "not_found"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b" ",
        b"nonsense",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b'{"message": NaN}',
        b'{"message": 1e999}',
        b'{"message": "\\ud800"}',
        b'{"message": "\xed\xa0\x80"}',
        b'{"rating": ' + b"9" * 5_000 + b"}",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"[" * 1_000 + b"]" * 1_000,
        b"{'message': 'x'}",
    ],
)
def test_what_is_no_json_is_refused(world: World, content: bytes) -> None:
    answer = world.http.post(world.link() + "/feedback", content=content, headers=JSON)

    assert (answer.status_code, code(answer)) in {(400, "invalid_json"), (422, "invalid_input")}
    if not content.startswith(b"[" * 1_000 + b"]"):
        assert answer.status_code == 400


@pytest.mark.parametrize("content", [b"[]", b'"x"', b"null", b"1"])
def test_a_body_that_is_no_object_is_refused(world: World, content: bytes) -> None:
    assert places(world.http.post(world.link() + "/feedback", content=content, headers=JSON)) == [""]


@pytest.mark.parametrize(
    "body,wrong",
    [
        ({}, ["/message", "/subject"]),
        ({"subject": " ", "message": "x"}, ["/subject"]),
        ({"subject": "x" * 201, "message": "x" * 10_001}, ["/message", "/subject"]),
        ({"subject": "x", "message": "a\u0000b"}, ["/message"]),
        ({"subject": "x\u001b[2J", "message": "x"}, ["/subject"]),
        ({"subject": "x", "message": "x", "rating": 6}, ["/rating"]),
        ({"subject": "x", "message": "x", "rating": "5"}, ["/rating"]),
        ({"subject": "x", "message": "x", "rating": True}, ["/rating"]),
        ({"subject": "x", "message": "x", "rating": 1.5}, ["/rating"]),
        ({"subject": "x", "message": "x", "category": "rant"}, ["/category"]),
        ({"subject": "x", "message": "x", "document": "Q1"}, ["/document"]),
        ({"subject": "x", "message": "x", "document": {"type": "quote"}}, ["/document/id"]),
        (
            {"subject": "x", "message": "x", "document": {"type": "client", "id": "a b"}},
            ["/document/id", "/document/type"],
        ),
    ],
)
def test_feedback_that_breaks_a_rule_is_refused_at_every_fault(
    world: World, body: dict[str, Any], wrong: list[str]
) -> None:
    assert places(world.http.post(world.link() + "/feedback", json=body)) == wrong


@pytest.mark.parametrize(
    "body,wrong",
    [
        ({"name": ""}, ["/name"]),
        ({"title": " \n"}, ["/title"]),
        ({"purchase_order": "x" * 201}, ["/purchase_order"]),
        ({"email": "nobody"}, ["/email"]),
        ({"email": "a@" + "b" * 253}, ["/email"]),
        ({"comment": "x" * 2_001}, ["/comment"]),
        ({"revision": 0}, ["/revision"]),
        ({"revision": "1"}, ["/revision"]),
        ({"reason": "x"}, ["/reason"]),
        ({"signature": "x"}, ["/signature"]),
    ],
)
def test_an_acceptance_that_breaks_a_rule_is_refused(world: World, body: dict[str, Any], wrong: list[str]) -> None:
    link = world.link()

    assert places(world.http.post(link + "/quotes/Q1/accept", json=body)) == wrong
    assert world.http.get(link + "/quotes/Q1").json()["data"]["state"] == "sent"


@pytest.mark.parametrize(
    "kind,good",
    [
        ("application/json", True),
        ("Application/JSON; charset=UTF-8", True),
        ('application/json;charset="utf-8"', True),
        ("application/json; charset=latin-1", False),
        ("application/problem+json", False),
        ("text/plain", False),
        ("application/x-www-form-urlencoded", False),
        ("", False),
    ],
)
def test_a_body_is_json_and_says_so(world: World, kind: str, good: bool) -> None:  # noqa: FBT001 - a parameter of the test
    answer = world.http.post(world.link() + "/quotes/Q1/accept", content=b"{}", headers={"Content-Type": kind})

    assert answer.status_code == (200 if good else 415)
    assert good or code(answer) == "unsupported_media_type"


def test_a_compressed_body_is_not_read(world: World) -> None:
    headers = {**JSON, "Content-Encoding": "gzip"}

    assert code(world.http.post(world.link() + "/feedback", content=b"{}", headers=headers)) == "unsupported_media_type"


def test_a_body_of_64_kib_is_read_and_no_byte_more_even_if_it_comes_in_pieces(world: World) -> None:
    link = world.link() + "/quotes/Q1/accept"

    def pieces() -> Iterator[bytes]:
        for _ in range(200):
            yield b" " * 1_024

    fits = world.http.post(link, content=b"{}" + b" " * (64 * 1_024 - 2), headers=JSON)
    too_much = world.http.post(link, content=b"{}" + b" " * (64 * 1_024 - 1), headers=JSON)
    in_pieces = world.http.post(link, content=pieces(), headers=JSON)

    assert fits.status_code == 200
    assert (too_much.status_code, code(too_much)) == (413, "payload_too_large")
    assert (in_pieces.status_code, code(in_pieces)) == (413, "payload_too_large")


@pytest.mark.parametrize(
    "record", ["none", "%00", "a%20b", "%ff", "%zz", "é", "x" * 129, "..;", "Q1%0a", "-", "%2e%2e"]
)
@pytest.mark.parametrize("kind", ["quotes", "orders", "invoices", "payments", "deliveries", "feedback"])
def test_an_id_that_cannot_be_one_is_not_found(world: World, kind: str, record: str) -> None:
    answer = world.http.get(f"{world.link()}/{kind}/{record}")

    assert (answer.status_code, code(answer)) == (404, "not_found")


@pytest.mark.parametrize(
    "query", ["%00", "%zz", "%ff=%ff", "=", "&&", "limit=%ff", "limit=\ud7ff", "a=1&" * 2_000, ";", "limit[]=1"]
)
def test_a_query_that_makes_no_sense_is_refused_or_passed_over(world: World, query: str) -> None:
    answer = world.http.get(f"{world.link()}/quotes?{query}")

    assert answer.status_code in {200, 422}


@pytest.mark.parametrize(
    "host,good",
    [
        ("portal.example", True),
        ("PORTAL.example:8443", True),
        ("a.b.example", True),
        ("b.example", False),
        ("evil.example", False),
        ("portal.example.evil", False),
        ("portal.example@evil", False),
        ("portal.example/x", False),
        ("portal example", False),
        ("portal.example:", False),
        ("portal.example:x", False),
        ("", False),
        ("[::1", False),
    ],
)
def test_a_host_that_is_malformed_or_not_allowed_is_refused(host: str, good: bool) -> None:  # noqa: FBT001 - a parameter of the test
    world = full_world(Options(allowed_hosts=("portal.example", "*.b.example")))

    for path in ("/healthz", BASE + "/view/x", "/nothing"):
        answer = world.http.get(path, headers={"Host": host})
        refused = (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
        assert refused != good
        assert good or code(answer) == "invalid_host"


def test_any_well_formed_host_will_do_unless_some_are_named(world: World) -> None:
    for host, status in (("anything.example", 200), ("[2001:db8::1]:80", 200), ("a b", 400), ("a\tb", 400)):
        assert world.http.get("/healthz", headers={"Host": host}).status_code == status


def test_the_portal_can_be_mounted_under_any_prefix(world: World) -> None:
    token = world.token()

    with TestClient(Starlette(routes=[Mount("/shop/portal", app=world.app)])) as host:
        assert host.get(f"/shop/portal{BASE}/view/{token}/quotes").status_code == 200
        assert host.get("/shop/portal/healthz").json() == {"status": "ok"}
        assert host.get(f"/shop/portal{BASE}/nothing").headers["content-type"] == "application/problem+json"


def test_health_is_told_apart_from_readiness(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (world.http.get("/healthz").status_code, world.http.get("/readyz").status_code) == (200, 200)

    monkeypatch.setattr(type(world.transactions), "begin", None)

    answer = world.http.get("/readyz")
    assert (answer.status_code, code(answer), answer.headers["retry-after"]) == (503, "busy", "1")
    assert world.http.get("/healthz").status_code == 200


def test_what_should_not_happen_is_answered_and_logged_without_the_token(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    token = world.token()

    def fail(*_: object) -> None:
        raise RuntimeError(f"with {token}")

    monkeypatch.setattr(type(world.transactions), "begin", fail)
    answer = world.http.get(f"{BASE}/view/{token}/quotes")

    assert (answer.status_code, code(answer)) == (500, "internal_error")
    assert token not in answer.text
    assert token not in caplog.text
    assert "RuntimeError" in caplog.text
    assert f"{BASE}/view/[token]/quotes" in caplog.text
