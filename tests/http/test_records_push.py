"""Records pushed by a company's systems: one by one, all or none, or each line by itself."""

import json
from typing import Any

import pytest
from attrs import evolve

from portal_adapters.contract.builders import COMPANY, OTHER_COMPANY
from portal_http.settings import SettingsRefused, settings_of
from tests.http.world import UNLIMITED, Reply, World, bearer, code, full_world, places

NDJSON = {"Content-Type": "application/x-ndjson"}
AMOUNTS = {"currency": "EUR", "subtotal": "10.00", "tax": "0.00", "total": "10.00"}
INVOICE: dict[str, Any] = {
    "client_id": "northwind",
    "number": "2026-77",
    "kind": "invoice",
    "state": "posted",
    "issued_on": "2026-03-01",
    **AMOUNTS,
    "lines": [],
}


def client(record_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "client", "company_id": COMPANY, "id": record_id, "name": record_id, **more}


def invoice(record_id: str, **more: Any) -> dict[str, Any]:
    return {"type": "invoice", "company_id": COMPANY, "id": record_id, **INVOICE, **more}


def put(world: World, path: str, record: Reply, **asked: Any) -> Reply:
    return world.staff("PUT", f"/records/{path}", json=record, **asked)


def post(world: World, *records: Any, query: str = "", headers: dict[str, str] | None = None, **asked: Any) -> Reply:
    content = b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in records)
    return world.staff("POST", f"/records{query}", content=content, headers=NDJSON | (headers or {}), **asked)


def numbers(world: World) -> list[str]:
    rows = world.http.get(f"{world.link()}/invoices").json()["data"]
    return sorted(row["number"] for row in rows)


def audited(world: World) -> list[Any]:
    return [each["details"] for each in world.staff("GET", "/audit?action=records.imported").json()["data"]]


def test_a_record_is_created_then_unchanged_then_updated(world: World) -> None:
    answers = [
        put(world, "invoice/I-77", INVOICE),
        put(world, "invoice/I-77", {"type": "invoice", "company_id": COMPANY, "id": "I-77", **INVOICE}),
        put(world, "invoice/I-77", {**INVOICE, "number": "2026-78"}),
    ]

    assert [each.status_code for each in answers] == [201, 200, 200]
    assert [each.json()["data"] for each in answers] == [
        {"type": "invoice", "id": "I-77", "outcome": outcome} for outcome in ("created", "unchanged", "updated")
    ]
    assert "2026-78" in numbers(world)
    assert audited(world) == [{"invoice": {"updated": 1}}, {"invoice": {"created": 1}}]


@pytest.mark.parametrize(
    "path,record,wrong",
    [
        ("invoice/I-77", {**INVOICE, "type": "order"}, ["/type"]),
        ("invoice/I-77", {**INVOICE, "company_id": OTHER_COMPANY, "id": "I-78"}, ["/company_id", "/id"]),
        ("invoice/I-77", {**INVOICE, "id": 77}, ["/id"]),
        ("invoice/I-77", {**INVOICE, "deleted": True}, ["/deleted"]),
        ("invoice/I-77", {**INVOICE, "colour": "red", "total": "10.001"}, ["/colour", "/total"]),
        ("invoice/I-77", {**INVOICE, "total": 10}, ["/total"]),
        ("invoice/I-77", {**INVOICE, "client_id": "nobody"}, ["/client_id"]),
        ("invoice/I1", {**INVOICE, "client_id": "contoso"}, ["/client_id"]),
        ("invoice/I-77", {**INVOICE, "order_id": "none"}, ["/order_id"]),
        ("company/umbrella", {"name": "U", "timezone": "UTC", "currency": "EUR"}, ["/company_id"]),
        ("invoice/I-77", [], [""]),
    ],
)
def test_a_record_that_is_wrong_is_refused_by_its_fields(
    world: World, path: str, record: Reply, wrong: list[str]
) -> None:
    before = numbers(world)

    answer = put(world, path, record)

    assert places(answer) == wrong
    assert (numbers(world), audited(world)) == (before, [])
    assert all("line" not in each for each in answer.json()["errors"])


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"lines": [}',
        b'{"lines": ' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"total": ' + b"9" * 400 + b"}",
        b'{"name": "\xff"}',
        b'{"total": NaN}',
    ],
)
def test_what_is_no_json_is_refused(world: World, content: bytes) -> None:
    answer = world.staff("PUT", "/records/client/x", content=content, headers={"Content-Type": "application/json"})

    assert (answer.status_code, code(answer)) == (400, "invalid_json")


def test_a_name_that_comes_twice_is_refused(world: World) -> None:
    content = b'{"name": "A", "name": "B"}'

    answer = world.staff("PUT", "/records/client/x", content=content, headers={"Content-Type": "application/json"})

    assert places(answer) == ["/name"]


def test_there_are_no_records_of_other_types_and_impossible_ids(world: World) -> None:
    answers = [
        put(world, "decision/D-1", {}),
        put(world, "invoice/a%20b", INVOICE),
        world.staff("DELETE", "/records/feedback/T1"),
        world.staff("DELETE", "/records/invoice/none"),
    ]

    assert [code(each) for each in answers] == ["not_found"] * 4


def test_the_companys_own_record_is_pushed_like_any_other(world: World) -> None:
    answer = put(world, f"company/{COMPANY}", {"name": "Acme", "timezone": "UTC", "currency": "EUR"})

    assert answer.json()["data"] == {"type": "company", "id": COMPANY, "outcome": "updated"}
    assert code(world.staff("DELETE", f"/records/company/{COMPANY}")) == "still_needed"


def test_a_company_may_push_itself_its_clients_and_leave() -> None:
    world, token = World(), bearer("new")
    record = {"type": "company", "id": "new", "name": "New", "timezone": "UTC", "currency": "EUR"}
    theirs = {**client("C"), "company_id": "new"}

    answers = [
        put(world, "client/C", {"name": "C"}, token=token),
        post(world, theirs, record, query="?atomic=false", token=token),
        post(world, theirs, record, token=token),
        world.staff("DELETE", "/records/client/C", token=token),
        world.staff("DELETE", "/records/company/new", token=token),
        world.staff("DELETE", "/records/company/new", token=token),
    ]

    assert places(answers[0]) == ["/company_id"]
    assert answers[1].json()["data"]["counts"] == {"company": {"created": 1}}
    assert answers[1].json()["data"]["lines"][0]["errors"][0]["pointer"] == "/company_id"
    assert answers[2].json()["data"]["counts"] == {"client": {"created": 1}, "company": {"unchanged": 1}}
    assert [each.status_code for each in answers[3:]] == [204, 204, 404]


def test_a_record_is_deleted_unless_something_needs_it(world: World) -> None:
    put(world, "invoice/I-77", INVOICE)

    refused = [world.staff("DELETE", f"/records/{each}") for each in ("invoice/I1", "client/northwind", "order/O1")]
    deleted = world.staff("DELETE", "/records/invoice/I-77")

    assert [(each.status_code, code(each)) for each in refused] == [(409, "still_needed")] * 3
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert "2026-77" not in numbers(world)
    assert audited(world) == [{"invoice": {"deleted": 1}}, {"invoice": {"created": 1}}]


def test_a_decided_quote_is_not_deleted(world: World) -> None:
    world.http.post(f"{world.link()}/quotes/Q1/accept", json={})

    answer = world.staff("DELETE", "/records/quote/Q1")

    assert (answer.status_code, code(answer)) == (409, "still_needed")


def test_lines_come_in_any_order_and_a_second_time_change_nothing(world: World) -> None:
    gone = {"type": "client", "company_id": COMPANY, "id": "gone", "deleted": True}
    lines = [invoice("I-77", client_id="new"), b"", client("new"), gone]

    first, second = post(world, *lines), post(world, *lines)

    assert first.json()["data"]["counts"] == {
        "client": {"created": 1, "unchanged": 1},
        "invoice": {"created": 1},
    }
    assert first.json()["data"]["refused"] == 0
    assert [(each["line"], each["type"], each["id"], each["outcome"]) for each in first.json()["data"]["lines"]] == [
        (1, "invoice", "I-77", "created"),
        (3, "client", "new", "created"),
        (4, "client", "gone", "unchanged"),
    ]
    assert {each["outcome"] for each in second.json()["data"]["lines"]} == {"unchanged"}
    assert audited(world) == [{"client": {"created": 1}, "invoice": {"created": 1}}]


WRONG_LINES = [
    client("new"),
    b"{",
    invoice("I-77", client_id="new", total="1.234", colour="red"),
    {**client("else"), "company_id": OTHER_COMPANY},
    client("new", name="Again"),
    [],
    invoice("I-78", client_id="new", order_id="none"),
    invoice("I-79", client_id="new"),
]


def test_all_or_nothing_is_kept_and_every_line_that_is_wrong_is_named(world: World) -> None:
    answer = post(world, *WRONG_LINES)

    assert (answer.status_code, code(answer)) == (422, "invalid_input")
    assert [(each["line"], each["pointer"]) for each in answer.json()["errors"]] == [
        (2, ""),
        (3, "/total"),
        (3, "/colour"),
        (4, "/company_id"),
        (5, "/id"),
        (6, ""),
    ]
    assert code(world.staff("DELETE", "/records/client/new")) == "not_found"
    assert audited(world) == []


def test_what_only_the_store_tells_is_named_by_its_line_and_nothing_is_kept(world: World) -> None:
    answer = post(world, client("new"), invoice("I-77", client_id="new", order_id="none"), query="?atomic=true")

    assert [(each["line"], each["pointer"]) for each in answer.json()["errors"]] == [(2, "/order_id")]
    assert code(world.staff("DELETE", "/records/client/new")) == "not_found"


def test_each_line_by_itself_passes_over_those_that_are_wrong(world: World) -> None:
    answer = post(world, *WRONG_LINES, query="?atomic=false")

    data = answer.json()["data"]
    assert (answer.status_code, data["refused"]) == (200, 6)
    assert data["counts"] == {"client": {"created": 1}, "invoice": {"created": 1}}
    assert [
        (each["line"], each["outcome"], [fault["pointer"] for fault in each["errors"]]) for each in data["lines"]
    ] == [
        (1, "created", []),
        (2, None, [""]),
        (3, None, ["/total", "/colour"]),
        (4, None, ["/company_id"]),
        (5, None, ["/id"]),
        (6, None, [""]),
        (7, None, ["/order_id"]),
        (8, "created", []),
    ]
    assert [data["lines"][index]["type"] for index in (1, 4)] == [None, "client"]
    assert audited(world) == [{"client": {"created": 1}, "invoice": {"created": 1}}]


def test_a_line_by_itself_is_judged_by_what_is_kept(world: World) -> None:
    answer = post(
        world,
        {**invoice("I1", total="1.00", subtotal="1.00")},
        {"type": "order", "company_id": COMPANY, "id": "O1", "deleted": True},
        {"type": "company", "id": COMPANY, "deleted": True},
        {"type": "invoice", "company_id": COMPANY, "id": "none", "deleted": True},
        {"type": "delivery", "company_id": COMPANY, "id": "D2", "deleted": True},
        query="?atomic=false",
    )

    outcomes = [each["outcome"] for each in answer.json()["data"]["lines"]]
    assert outcomes == [None, None, None, "unchanged", "deleted"]


def test_a_payment_in_another_currency_is_read_by_its_invoice(world: World) -> None:
    payment = {
        "type": "payment",
        "company_id": COMPANY,
        "id": "P-77",
        "client_id": "northwind",
        "number": "P-77",
        "state": "paid",
        "received_on": "2026-03-02",
        "currency": "USD",
        "amount": "11.00",
        "allocations": [{"invoice_id": "I-77", "amount": "10.00", "payment_amount": "11.00"}],
    }

    alone = post(world, payment, query="?atomic=false")
    together = post(world, payment, invoice("I-77"))

    assert alone.json()["data"]["lines"][0]["errors"][0]["pointer"] == "/allocations/0/invoice_id"
    assert together.json()["data"]["counts"] == {"invoice": {"created": 1}, "payment": {"created": 1}}


def test_a_push_that_is_repeated_under_a_key_is_done_once(world: World) -> None:
    key = {"Idempotency-Key": "one"}

    first, again = (post(world, client("new"), headers=key) for _ in range(2))
    other = post(world, client("other"), headers=key)
    otherwise = post(world, client("new"), headers=key, query="?atomic=false")

    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json()["data"]["lines"][0]["outcome"] == "created"
    assert [code(each) for each in (other, otherwise)] == ["idempotency_mismatch"] * 2
    assert len(audited(world)) == 1


def test_more_than_the_limit_is_too_large() -> None:
    world = full_world(evolve(UNLIMITED, largest_records=70_000))
    large = client("large", name="x" * 150)

    answers = [
        post(world, *[client(f"C-{index}", name="x" * 100) for index in range(400)]),
        post(world, *[large] * 400),
        put(world, "client/x", {"name": "x" * 70_000}),
        post(world, b"\n" * 10_001),
        post(world, b"\n" * 1_001, query="?atomic=false"),
    ]

    assert answers[0].status_code == 200
    assert [(each.status_code, code(each)) for each in answers[1:]] == [(413, "payload_too_large")] * 4


def test_a_push_is_about_some_hundred_clients_at_most(world: World) -> None:
    answer = post(world, *[client(f"C-{index}") for index in range(501)])

    assert places(answer) == [""]
    assert "500 clients" in answer.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {"Content-Type": "text/csv"},
        {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"},
    ],
)
def test_other_media_types_are_refused(world: World, headers: dict[str, str]) -> None:
    answer = world.staff("POST", "/records", content=b"{}", headers=headers)

    assert (answer.status_code, code(answer)) == (415, "unsupported_media_type")


def test_json_lines_go_by_two_names(world: World) -> None:
    answer = post(world, client("new"), headers={"Content-Type": "application/jsonl; charset=utf-8"})

    assert answer.status_code == 200


@pytest.mark.parametrize("query", ["?atomic=maybe", "?atomic=", "?dry_run=true", "?atomic=true&atomic=false"])
def test_a_query_that_cannot_be_meant_is_refused(world: World, query: str) -> None:
    assert post(world, client("new"), query=query).status_code == 422


def test_only_administrators_push(world: World) -> None:
    reader = bearer(scope="portal:read")

    answers = [
        put(world, "client/x", {"name": "x"}, token=reader),
        post(world, client("x"), token=reader),
        world.staff("DELETE", "/records/client/northwind", token=reader),
    ]

    assert [(each.status_code, code(each)) for each in answers] == [(403, "permission_denied")] * 3


def test_another_companys_records_stay_as_they_are(world: World) -> None:
    stranger = bearer(OTHER_COMPANY)

    answers = [
        post(world, client("northwind", name="Mine"), token=stranger),
        world.staff("DELETE", "/records/delivery/D2", token=stranger),
        put(world, "delivery/D2", {"client_id": "northwind"}, token=stranger),
    ]

    assert [each.status_code for each in answers] == [422, 404, 422]


def test_a_host_that_does_not_take_records_in_has_no_such_calls() -> None:
    world = World(feeding=False)

    answers = [
        put(world, "client/x", {"name": "x"}),
        post(world, client("x")),
        world.staff("DELETE", "/records/client/x"),
    ]

    assert [code(each) for each in answers] == ["not_found"] * 3


def test_how_much_may_be_pushed_is_a_setting() -> None:
    assert settings_of({}, {"PORTAL_RECORDS_MAX_BYTES": "65536"}).records_max_bytes == 65_536
    with pytest.raises(SettingsRefused, match="PORTAL_RECORDS_MAX_BYTES must be a whole number"):
        settings_of({}, {"PORTAL_RECORDS_MAX_BYTES": "4MB"})
