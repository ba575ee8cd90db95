"""The header fields of the contract, on every route of the API and the pages, whatever the answer is."""

import itertools
from collections.abc import Iterator

import pytest

from portal_http.api.table import CLIENT_ENDPOINTS, STAFF_ENDPOINTS
from portal_http.app import ENDPOINTS
from portal_http.endpoints import BASE, OpenEndpoint
from portal_http.options import Options
from portal_http.pages.asked import Section
from tests.http.world import Reply, World, bearer, full_world

UNDER_A_TOKEN = {
    "cache-control": "private, no-store",
    "referrer-policy": "same-origin",
    "x-robots-tag": "noindex",
    "x-content-type-options": "nosniff",
}
PAGES = ["", *(f"/{each.value}" for each in Section), "/quotes/Q1", "/orders/O1", "/invoices/I1", "/feedback/T1", "/no"]
NEVER = ("access-control-allow-origin", "server", "x-powered-by", "via", "location")
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def filled(path: str, **parts: str) -> str:
    known = {"{token}": parts.get("token", "x"), "{quote_id}": "Q1", "{order_id}": "O1", "{invoice_id}": "I1"}
    more = {"{payment_id}": "P1", "{delivery_id}": "D1", "{feedback_id}": "T1", "{token_id}": "x", "{decision_id}": "x"}
    return "/".join({**known, **more}.get(segment, segment) for segment in path.split("/"))


def ways(world: World, methods: set[str], path: str) -> Iterator[Reply]:
    """Yield answers of as many kinds as one path has."""
    for method in (*sorted(methods), "HEAD", "PUT", "BREW"):
        for query, kind, content in itertools.product(
            ("", "?unknown=1"), (JSON, FORM, "text/plain"), (b"", b"{", b"{}")
        ):
            body = content if method in {"POST", "PATCH", "PUT"} else None
            headers = {"Content-Type": kind} if body is not None else {}
            yield world.http.request(method, path + query, content=body, headers=headers, follow_redirects=False)
            if body is None:
                break
    yield world.http.get(path, headers={"Host": "a b"})
    yield world.http.get(path, headers=[(f"X-{each}", "y") for each in range(200)])
    yield world.http.post(path, content=b" " * 70_000, headers={"Content-Type": JSON})


def is_guarded(answer: Reply) -> None:
    told = f"{answer.request.method} {answer.request.url.path} {answer.status_code}"
    for name, value in UNDER_A_TOKEN.items():
        assert answer.headers.get(name) == value, f"{told}: {name}"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'"), told
    assert "frame-ancestors 'none'" in policy, told
    assert "unsafe" not in policy, told
    assert len(answer.headers.get_list("cache-control")) == 1, told


def test_everything_under_a_token_is_guarded_by_the_same_fields(world: World) -> None:
    statuses: set[int] = set()
    token, dead = world.token(), "cpt_" + "0" * 49
    narrow = world.token(without=("view_quotes", "view_orders"))  # type: ignore[arg-type] # names do
    paths = [f"{BASE}/view/{{token}}/no", *(endpoint.path for endpoint in CLIENT_ENDPOINTS)]
    for each, whose in itertools.product(dict.fromkeys(paths), (token, narrow, dead)):
        methods = {endpoint.method for endpoint in CLIENT_ENDPOINTS if endpoint.path == each}
        for answer in ways(world, methods, filled(each, token=whose)):
            is_guarded(answer)
            statuses.add(answer.status_code)

    assert statuses >= {200, 400, 403, 404, 405, 409, 413, 415, 422, 431}


def test_every_page_is_guarded_by_them_too(world: World) -> None:
    statuses: set[int] = set()
    token, dead = world.token(), "cpt_" + "0" * 49
    for path, whose in itertools.product(PAGES, (token, dead)):
        for answer in ways(world, {"GET", "POST"}, f"/p/{whose}{path}"):
            if "location" in answer.headers:
                assert answer.headers["location"].startswith(f"/p/{token}")
            is_guarded(answer)
            statuses.add(answer.status_code)

    assert statuses >= {200, 400, 404, 405, 413, 415, 422, 431}


@pytest.mark.parametrize("options", [Options(reads_per_minute=1, writes_per_minute=1, guesses_per_minute=1)])
def test_refusals_for_asking_too_often_are_guarded_too(options: Options) -> None:
    world = full_world(options)
    token = world.token()
    for path in (f"{BASE}/view/{token}", f"{BASE}/view/x", f"/p/{token}", "/p/x"):
        answers = [world.http.get(path) for _ in range(3)]
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) >= 1
        for answer in answers:
            is_guarded(answer)


def test_failures_are_guarded_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    token = world.token()
    monkeypatch.setattr(type(world.transactions), "begin", None)

    for path in (f"{BASE}/view/{token}/quotes", f"/p/{token}/quotes"):
        answer = world.http.get(path)
        assert answer.status_code == 500
        is_guarded(answer)


def test_what_staff_ask_is_not_kept_by_anybody(world: World) -> None:
    for endpoint in STAFF_ENDPOINTS:
        for headers in ({}, {"Authorization": f"Bearer {bearer()}"}):
            answer = world.http.request(endpoint.method, filled(endpoint.path), headers=headers)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"


def test_nothing_tells_of_the_software_or_opens_it_to_other_sites(world: World) -> None:
    token = world.token()
    for endpoint in ENDPOINTS:
        path = filled(endpoint.path, token=token)
        answer = world.http.request(endpoint.method, path, headers={"Origin": "https://evil.example"})
        assert not [name for name in NEVER if name in answer.headers], path
        assert answer.headers["x-content-type-options"] == "nosniff", path
        if isinstance(endpoint, OpenEndpoint) and answer.headers["content-type"].startswith("text/html"):
            assert answer.headers["content-security-policy"].startswith("default-src 'none'"), path
