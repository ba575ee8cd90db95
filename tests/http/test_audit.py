"""Who did what, when and from where: every call of staff's that changes something, and every decision."""

from typing import Any

import pytest
from attrs import evolve

from portal_adapters.contract.builders import COMPANY, NOW, OTHER_COMPANY
from portal_http.api.table import STAFF_ENDPOINTS
from portal_http.endpoints import BASE, StaffEndpoint
from portal_http.options import Options
from tests.http.world import UNLIMITED, Reply, World, bearer, full_world, places

PDF = b"%PDF-1.7 an invoice %%EOF"
DELIVERY = {"client_id": "northwind", "number": "D-2", "state": "shipped", "lines": []}
CLIENT_LINE = b'{"type": "client", "company_id": "acme", "id": "northwind", "name": "Northwind Traders"}'

WRITES = [
    pytest.param(each, id=f"{each.method} {each.path.removeprefix(BASE)}")
    for each in STAFF_ENDPOINTS
    if each.method != "GET"
]

# What is asked of each, and what the audit log says of it, the newest first.
ACTS: dict[str, tuple[str, dict[str, Any] | bytes | None, list[str]]] = {
    "POST /tokens": ("", {"client_id": "northwind"}, ["token.issued"]),
    "PATCH /tokens/{token_id}": ("", {"permissions": {"view_orders": False}}, ["token.changed"]),
    "POST /tokens/{token_id}/rotate": ("", {}, ["token.rotated"]),
    "DELETE /tokens/{token_id}": ("", None, ["token.revoked"]),
    "DELETE /tokens": ("?client_id=northwind", None, ["token.all_revoked", "token.revoked"]),
    "POST /feedback/{feedback_id}/replies": ("", {"message": "So it is.", "close": True}, ["feedback.closed"]),
    "PUT /invoices/{invoice_id}/pdf": ("", PDF, ["file.attached"]),
    "DELETE /invoices/{invoice_id}/pdf": ("", None, ["file.removed"]),
    "POST /tokens/{token_id}/send": ("", {"send_to": "ada@example.com"}, ["token.sent"]),
    "PUT /records/{record_type}/{record_id}": ("", DELIVERY, ["records.imported"]),
    "DELETE /records/{record_type}/{record_id}": ("", None, ["records.imported"]),
    "POST /records": ("", CLIENT_LINE, ["records.imported"]),
    "POST /webhooks": ("", {"url": "https://hooks.example/in"}, ["webhook.created"]),
    "PATCH /webhooks/{webhook_id}": ("", {"enabled": False}, ["webhook.changed"]),
    "DELETE /webhooks/{webhook_id}": ("", None, ["webhook.removed"]),
    "POST /webhooks/{webhook_id}/rotate": ("", {}, ["webhook.rotated"]),
    "POST /webhooks/{webhook_id}/test": ("", {}, ["webhook.tested"]),
    "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/replay": ("", {}, ["webhook.replayed"]),
}


def entries(world: World, query: str = "", **asked: Any) -> list[Reply]:
    answer = world.staff("GET", f"/audit{query}", **asked)
    assert answer.status_code == 200, answer.text
    data: list[Reply] = answer.json()["data"]
    assert answer.json()["meta"]["total"] >= len(data)
    return data


def issue(world: World, **headers: str) -> Reply:
    return world.staff("POST", "/tokens", json={"client_id": "northwind"}, headers=headers).json()["data"]


def ids_in(world: World) -> dict[str, str]:
    webhook = world.staff("POST", "/webhooks", json={"url": "https://hooks.example/in"}).json()["data"]["id"]
    return {
        "token_id": issue(world)["id"],
        "feedback_id": "T1",
        "invoice_id": "I1",
        "record_type": "delivery",
        "record_id": "D2",
        "webhook_id": webhook,
        "delivery_id": world.staff("POST", f"/webhooks/{webhook}/test", json={}).json()["data"]["id"],
    }


@pytest.mark.parametrize("endpoint", WRITES)
def test_what_staff_change_is_in_the_audit_log(endpoint: StaffEndpoint) -> None:
    world = full_world(evolve(UNLIMITED, mail=True))
    tail = endpoint.path.removeprefix(BASE)
    query, body, expected = ACTS[f"{endpoint.method} {tail}"]
    path = tail.format_map(ids_in(world))
    if path.endswith("/pdf"):
        world.staff("PUT", path, content=PDF, headers={"Content-Type": "application/pdf"})
    told = len(entries(world))
    as_file = {} if endpoint.upload is None else {"Content-Type": endpoint.upload.media_types[0]}

    answer = world.staff(
        endpoint.method,
        path + query,
        token=bearer(subject="ada@example.com"),
        headers={"User-Agent": "desk/1", **as_file},
        **({} if body is None else {"content" if isinstance(body, bytes) else "json": body}),
    )

    fresh = entries(world)[:-told]
    assert answer.status_code == endpoint.result.status
    assert sorted(each["action"] for each in fresh) == sorted(expected)
    for each in fresh:
        assert each["actor"] == {"type": "staff", "id": "ada@example.com", "token_hint": None}
        about = None if each["target"]["type"] in {"webhook", "company"} else "northwind"
        assert (each["user_agent"], each["client_id"]) == ("desk/1", about)
        assert each["created_at"] == NOW.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("page", [False, True], ids=["by the API", "on a page"])
@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_a_decision_is_in_the_audit_log(world: World, answer: str, page: bool) -> None:  # noqa: FBT001 - a parameter
    issued = issue(world)
    headers = {"User-Agent": "A phone", "Sec-Fetch-Site": "same-origin"}
    if page:
        form = {"answer": answer, "revision": "1", "name": "Lena Fischer", "consent": "yes"}
        done = world.http.post(f"/p/{issued['token']}/quotes/Q1", data=form, headers=headers, follow_redirects=False)
    else:
        done = world.http.post(f"{BASE}/view/{issued['token']}/quotes/Q1/{answer}", json={}, headers=headers)

    entry = entries(world)[0]
    decision = world.staff("GET", "/decisions").json()["data"][0]
    assert done.status_code in {200, 303}, done.text
    assert entry["action"] == f"quote.{answer.removesuffix('e')}ed"
    assert entry["actor"] == {"type": "client", "id": issued["id"], "token_hint": issued["token"][-4:]}
    assert entry["target"] == {"type": "quote", "id": "Q1"}
    assert entry["details"] == {"decision_id": decision["id"], "revision": 1}
    assert (entry["ip"], entry["user_agent"]) == (decision["ip"], "A phone")
    assert "Lena" not in str(entry)


def test_a_repeated_request_is_in_the_audit_log_once(world: World) -> None:
    token_id = issue(world, **{"Idempotency-Key": "1"})["id"]

    issue(world, **{"Idempotency-Key": "1"})
    for _ in range(2):
        world.staff("POST", f"/tokens/{token_id}/rotate", json={}, headers={"Idempotency-Key": "2"})
        world.staff("DELETE", f"/tokens/{token_id}")

    assert [each["action"] for each in entries(world)] == ["token.revoked", "token.rotated", "token.issued"]


def test_a_refused_request_leaves_no_entry(world: World) -> None:
    token_id = issue(world)["id"]

    answers = [
        world.staff("POST", "/tokens", json={"client_id": "nobody"}),
        world.staff("PATCH", f"/tokens/{token_id}", json={"expires_at": "2020-01-01T00:00:00Z"}),
        world.staff("DELETE", f"/tokens/{token_id}", token=bearer(scope="portal:read")),
        world.staff("DELETE", f"/tokens/{token_id}", token=bearer(OTHER_COMPANY)),
        world.staff("POST", "/feedback/none/replies", json={"message": "x"}),
    ]

    assert [each.status_code for each in answers] == [422, 422, 403, 404, 404]
    assert [each["action"] for each in entries(world)] == ["token.issued"]


def test_the_audit_log_names_the_address_that_trusted_proxies_vouch_for() -> None:
    world = full_world(Options(trusted_proxies=("192.0.2.0/24",)))
    headers = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}

    for peer in ("192.0.2.1", "203.0.113.1"):
        world.http = type(world.http)(world.app, client=(peer, 4000), headers=headers)
        issue(world)

    assert sorted(each["ip"] for each in entries(world)) == ["198.51.100.7", "203.0.113.1"]


def test_a_token_that_somebody_sends_where_their_name_belongs_is_not_kept(world: World) -> None:
    secret = issue(world)["token"]

    world.staff(
        "POST",
        "/tokens",
        json={"client_id": "northwind"},
        token=bearer(subject=f"robot {secret}"),
        headers={"User-Agent": f"robot {secret}"},
    )

    entry = entries(world)[0]
    assert (entry["actor"]["id"], entry["user_agent"]) == ("robot [token]", "robot [token]")
    assert secret not in str(entries(world))


def test_the_audit_log_is_read_in_pages_newest_first(world: World) -> None:
    ids = []
    for _ in range(5):
        world.pass_time(seconds=1)
        ids.append(issue(world)["id"])

    first = world.staff("GET", "/audit?limit=3").json()
    second = world.staff("GET", f"/audit?limit=3&cursor={first['meta']['cursor']}").json()

    assert [each["target"]["id"] for each in (*first["data"], *second["data"])] == ids[::-1]
    assert (first["meta"]["total"], first["meta"]["hasMore"], second["meta"]["cursor"]) == (5, True, None)
    assert [each["target"]["id"] for each in entries(world, "?order=asc")] == ids


def test_the_audit_log_is_filtered(world: World) -> None:
    first = issue(world)
    world.pass_time(days=1)
    world.staff("DELETE", f"/tokens/{first['id']}", token=bearer(subject="Ada, the first"))
    world.staff("POST", "/feedback/T1-n/replies", json={"message": "x"})

    def found(query: str) -> list[str]:
        return [each["action"] for each in entries(world, query)]

    assert found("?actor=Ada%2C%20the%20first") == ["token.revoked"]
    assert found("?action=token.issued,token.revoked") == ["token.revoked", "token.issued"]
    assert found("?client_id=contoso") == ["feedback.replied"]
    assert found(f"?target_id={first['id']}") == ["token.revoked", "token.issued"]
    assert found(f"?to={NOW.date()}") == ["token.issued"]
    assert sorted(found("?from=2026-03-16&to=2026-03-16")) == ["feedback.replied", "token.revoked"]
    assert found("?from=2026-03-17") == []
    assert found("?actor=nobody") == []


@pytest.mark.parametrize(
    "query,wrong",
    [
        ("?actor=", "actor"),
        ("?actor=a%00b", "actor"),
        (f"?actor={'x' * 256}", "actor"),
        ("?action=token.stolen", "action"),
        ("?client_id=..", "client_id"),
        ("?target_id=a/b", "target_id"),
        ("?from=yesterday", "from"),
        ("?from=2026-02-02&to=2026-02-01", "from"),
        ("?sort=actor", "sort"),
        ("?limit=101", "limit"),
        ("?cursor=x", "cursor"),
        ("?number=1", "number"),
        ("?actor=a&actor=b", "actor"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused(world: World, query: str, wrong: str) -> None:
    assert places(world.staff("GET", f"/audit{query}")) == [wrong]


def test_a_cursor_holds_for_its_filters_alone(world: World) -> None:
    for _ in range(2):
        issue(world)
    cursor = world.staff("GET", "/audit?limit=1").json()["meta"]["cursor"]

    assert places(world.staff("GET", f"/audit?limit=1&actor=somebody&cursor={cursor}")) == ["cursor"]
    assert places(world.staff("GET", f"/audit?cursor={cursor}", token=bearer(OTHER_COMPANY))) == ["cursor"]


def test_readers_may_read_the_audit_log_and_nobody_may_change_it(world: World) -> None:
    issue(world)

    assert entries(world, token=bearer(COMPANY, scope="portal:read"))
    assert [world.staff(each, "/audit").status_code for each in ("POST", "PUT", "PATCH", "DELETE")] == [405] * 4
