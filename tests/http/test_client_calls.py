"""Every call of a client, answered."""

import hashlib
import json
from typing import Any

import pytest

from portal_adapters.contract.builders import SCOPE, a_quote, an_invoice, day, eur
from portal_core.domain.access import DocumentType, Permission
from tests.http.world import Reply, World, code, places

EUR = "EUR"


def money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": EUR}


def read(world: World, path: str, **asked: Any) -> Reply:
    answer = world.http.get(world.link(**asked) + path)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_view_tells_whose_link_it_is_and_what_it_may_do(world: World) -> None:
    data = read(world, "", without=[Permission.VIEW_ORDERS])["data"]

    assert data["client"] == {"id": "northwind", "name": "Client northwind"}
    assert data["company"] == {"id": "acme", "name": "Company acme"}
    assert data["permissions"] == {each.value: each is not Permission.VIEW_ORDERS for each in Permission}
    assert data["expires_at"].endswith("Z")


def test_the_dashboard_shows_the_newest_of_each_kind_and_the_balances(world: World) -> None:
    data = read(world, "/dashboard")["data"]

    assert {kind: {each["id"] for each in rows} for kind, rows in data["recent"].items()} == {
        "quotes": {"Q1"},
        "orders": {"O1"},
        "invoices": {"I1", "C1"},
        "deliveries": {"D1", "D2"},
    }
    [balance] = data["balances"]
    assert balance["outstanding"] == money("50.00")
    assert balance["credit"] == money("25.00")  # 15.00 open on the credit note, 10.00 of the payment
    assert balance["net"] == money("25.00")


@pytest.mark.parametrize(
    "permission,section",
    [
        (Permission.VIEW_QUOTES, "quotes"),
        (Permission.VIEW_ORDERS, "orders"),
        (Permission.VIEW_INVOICES, "invoices"),
        (Permission.VIEW_DELIVERIES, "deliveries"),
    ],
)
def test_the_dashboard_leaves_out_what_the_link_may_not_view(
    world: World, permission: Permission, section: str
) -> None:
    data = read(world, "/dashboard", without=[permission])["data"]

    assert section not in data["recent"]
    assert len(data["recent"]) == 3
    assert ("balances" in data) == (permission is not Permission.VIEW_INVOICES)


def test_a_quote_is_shown_with_its_lines_and_its_revision_as_entity_tag(world: World) -> None:
    answer = world.http.get(world.link() + "/quotes/Q1")

    data = answer.json()["data"]
    assert answer.headers["etag"] == '"1"'
    assert data["state"] == "sent"
    assert data["decision"] is None
    assert data["order_id"] == "O1"
    assert data["lines"][0]["quantity"] == "2.50"
    assert data["lines"][0]["unit_price"] == "40.0000"
    assert data["lines"][0]["subtotal"] == money("100.00")


@pytest.mark.parametrize("name", ["Ada \u202eecalevoL", "A\u200bda"])
def test_a_name_that_reads_as_another_one_signs_nothing(world: World, name: str) -> None:
    link = world.link()

    answers = [world.http.post(f"{link}/quotes/Q1/{wish}", json={"name": name}) for wish in ("accept", "decline")]

    assert [answer.status_code for answer in answers] == [422, 422]
    assert answers[0].json()["errors"] == [{"pointer": "/name", "detail": "must not contain hidden characters"}]


def test_an_accepted_quote_can_be_checked_against_the_digest_of_what_was_agreed_to(world: World) -> None:
    link = world.link()

    answer = world.http.post(link + "/quotes/Q1/accept", json={"name": " Ada ", "comment": "  "})

    data = answer.json()["data"]
    assert (answer.status_code, answer.headers["etag"], data["state"]) == (200, '"1"', "accepted")
    assert data["decision"]["answer"] == "accepted"
    assert (data["decision"]["name"], data["decision"]["comment"]) == ("Ada", None)
    agreed = {name: data[name] for name in data.keys() - {"state", "decision", "decided_at", "order_id"}}
    canonical = json.dumps(agreed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert data["decision"]["document_sha256"] == hashlib.sha256(canonical.encode()).hexdigest()
    assert world.http.get(link + "/quotes/Q1").json()["data"] == data


def test_a_quote_is_declined_with_a_reason_and_then_not_accepted(world: World) -> None:
    link = world.link()

    declined = world.http.post(link + "/quotes/Q1/decline", json={"reason": "too dear"})
    again = world.http.post(link + "/quotes/Q1/decline", json={"reason": "too dear"})
    opposite = world.http.post(link + "/quotes/Q1/accept", json={})

    assert declined.json()["data"]["decision"]["reason"] == "too dear"
    assert (again.status_code, again.json()) == (200, declined.json())
    assert (opposite.status_code, code(opposite)) == (409, "already_decided")


def test_an_expired_quote_is_not_open(world: World) -> None:
    world.feed(a_quote("Q2", valid_until=day(-1)))

    answer = world.http.post(world.link() + "/quotes/Q2/accept")

    assert (answer.status_code, code(answer)) == (409, "not_open")


def test_the_revision_that_was_seen_must_be_the_current_one(world: World) -> None:
    link = world.link() + "/quotes/Q1/accept"
    world.feed(a_quote("Q1", revision=3))

    old = world.http.post(link, headers={"If-Match": '"2"'}, json={})
    stated = world.http.post(link, json={"revision": 2})
    disagreeing = world.http.post(link, headers={"If-Match": '"3"'}, json={"revision": 2})
    agreeing = world.http.post(link, headers={"If-Match": '"3"'}, json={"revision": 3})

    assert (old.status_code, code(old), old.json()["revision"]) == (412, "moved_on", 3)
    assert (stated.status_code, stated.json()["revision"]) == (412, 3)
    assert places(disagreeing) == ["/revision"]
    assert (agreeing.status_code, agreeing.headers["etag"]) == (200, '"3"')


@pytest.mark.parametrize("tag", ["3", "*", 'W/"1"', '"0"', '"1", "2"', '""', '"1'])
def test_a_malformed_if_match_is_refused(world: World, tag: str) -> None:
    answer = world.http.post(world.link() + "/quotes/Q1/accept", headers={"If-Match": tag}, json={})

    assert places(answer) == ["If-Match"]


def test_evidence_holds_the_address_of_the_socket_and_the_user_agent(world: World) -> None:
    headers = {"X-Forwarded-For": "203.0.113.9", "User-Agent": "x" * 900}

    world.http.post(world.link() + "/quotes/Q1/accept", json={"title": "CEO"}, headers=headers)

    [decision] = world.staff("GET", "/decisions").json()["data"]
    assert decision["title"] == "CEO"
    assert decision["ip"] is None  # the socket of a test has none, and nobody vouches for the header
    assert decision["user_agent"] == "x" * 500
    assert decision["consent_text"] == "I accept quote N-Q1, revision 1, for 119.00 EUR."


def test_an_order_is_shown_with_its_deliveries_and_invoices(world: World) -> None:
    data = read(world, "/orders/O1")["data"]

    assert [each["id"] for each in data["deliveries"]] == ["D1", "D2"]
    assert data["deliveries"][1]["backorder_of"] == "D1"
    assert [each["id"] for each in data["invoices"]] == ["I1"]
    assert (data["lines"][0]["delivered_quantity"], data["lines"][0]["invoiced_quantity"]) == ("2", "0")
    assert data["quote_id"] == "Q1"
    assert "invoices" not in read(world, "/orders/O1", without=[Permission.VIEW_INVOICES])["data"]


def test_an_invoice_is_shown_with_what_settled_it(world: World) -> None:
    data = read(world, "/invoices/I1")["data"]

    assert data["payment_state"] == "partial"
    assert data["amount_due"] == money("50.00")
    assert data["instalments"] == [{"due_on": "2026-03-15", "amount": money("100.00"), "amount_due": money("50.00")}]
    assert sorted((each["source"], each["source_id"], each["amount"]["amount"]) for each in data["allocations"]) == [
        ("credit_note", "C1", "10.00"),
        ("payment", "P1", "40.00"),
    ]
    assert "allocations" not in read(world, "/invoices/I1", without=[Permission.VIEW_PAYMENTS])["data"]


def test_a_credit_note_is_shown_with_what_it_settled_and_what_was_paid_back(world: World) -> None:
    data = read(world, "/invoices/C1")["data"]

    assert (data["kind"], data["amount_due"], data["instalments"]) == ("credit_note", money("15.00"), [])
    assert data["allocations"] == [
        {"invoice_id": "I1", "invoice_number": "N-I1", "amount": money("10.00"), "allocated_on": None}
    ]
    assert [(each["source"], each["source_id"]) for each in data["settlements"]] == [("payment", "R1")]
    withheld = read(world, "/invoices/C1", without=[Permission.VIEW_PAYMENTS])["data"]
    assert {"allocations", "settlements"}.isdisjoint(withheld)


def test_a_payment_is_shown_with_what_it_paid(world: World) -> None:
    data = read(world, "/payments/P1")["data"]

    assert data["unallocated"] == money("10.00")
    assert data["allocations"] == [{"invoice_id": "I1", "invoice_number": "N-I1", "amount": money("40.00")}]
    assert {each["id"]: each for each in read(world, "/payments")["data"]}["P1"] == data


def test_a_delivery_is_shown_with_its_order(world: World) -> None:
    data = read(world, "/deliveries/D1")["data"]

    assert (data["order_id"], data["order_number"]) == ("O1", "N-O1")
    assert data["lines"][0] == {
        "order_line_id": None,
        "description": "Box",
        "quantity": "5",
        "delivered_quantity": "0",
        "unit": "piece",
    }


def test_a_statement_is_one_record_for_a_currency_and_a_list_without(world: World) -> None:
    one, many = read(world, "/statement?currency=EUR")["data"], read(world, "/statement")

    assert many == {"data": [one], "meta": {"total": 1, "limit": 100, "cursor": None, "hasMore": False}}
    assert one["opening"] == money("0.00")
    assert one["closing"] == money("25.00")
    assert {each["type"] for each in one["lines"]} == {"invoice", "credit_note", "payment", "refund"}
    assert all((each["debit"] is None) != (each["credit"] is None) for each in one["lines"])


def test_a_statement_of_the_past_has_no_aging(world: World) -> None:
    data = read(world, "/statement?currency=EUR&to=2026-03-14")["data"]

    assert (data["from"], data["to"], data["aging"], data["lines"]) == ("2025-03-14", "2026-03-14", None, [])


def test_feedback_is_given_listed_and_answered(world: World) -> None:
    link = world.link()
    said = {"subject": "Late", "message": "Where?", "category": "problem", "rating": 2}

    given = world.http.post(link + "/feedback", json={**said, "document": {"type": "order", "id": "O1"}})
    path = f"{link}/feedback/{given.json()['data']['id']}"
    replied = world.http.post(path + "/replies", json={"message": "Still waiting"})

    assert given.status_code == 201
    assert given.json()["data"]["document"] == {"type": "order", "id": "O1"}
    assert (replied.status_code, replied.json()["data"]["replies"][0]["by"]) == (201, "client")
    assert world.http.get(path).json() == replied.json()
    assert len(world.http.get(link + "/feedback").json()["data"]) == 2


def test_feedback_about_a_document_that_is_not_visible_is_refused(world: World) -> None:
    said = {"subject": "?", "message": "?"}

    for document in ({"type": "quote", "id": "Q1-n"}, {"type": "quote", "id": "Q-draft"}):
        answer = world.http.post(world.link() + "/feedback", json={**said, "document": document})
        assert places(answer) == ["/document/id"]


def test_a_closed_conversation_takes_no_replies(world: World) -> None:
    world.staff("POST", "/feedback/T1/replies", json={"message": "Done", "close": True})

    answer = world.http.post(world.link() + "/feedback/T1/replies", json={"message": "No!"})

    assert (answer.status_code, code(answer)) == (409, "not_open")


def test_a_narrowed_link_shows_its_documents_and_no_way_to_others(world: World) -> None:
    narrowed = {"documents": [(DocumentType.ORDER, "O1"), (DocumentType.INVOICE, "I1"), (DocumentType.PAYMENT, "P1")]}

    order = read(world, "/orders/O1", **narrowed)["data"]
    invoice = read(world, "/invoices/I1", **narrowed)["data"]
    dashboard = read(world, "/dashboard", **narrowed)["data"]

    assert (order["quote_id"], order["deliveries"]) == (None, [])
    assert [each["id"] for each in order["invoices"]] == ["I1"]
    assert [each["source"] for each in invoice["allocations"]] == ["payment"]
    assert dashboard["recent"]["quotes"] == []
    assert "balances" not in dashboard
    assert read(world, "/quotes", **narrowed)["data"] == []
    answer = world.http.get(world.link(**narrowed) + "/statement?nonsense=1")
    assert (answer.status_code, code(answer)) == (403, "permission_denied")
    assert world.http.get(world.link(**narrowed) + "/quotes/Q1").status_code == 404


def test_a_narrowed_link_hides_the_ids_that_its_documents_name(world: World) -> None:
    narrowed = {"documents": [(DocumentType.QUOTE, "Q1"), (DocumentType.DELIVERY, "D2"), (DocumentType.PAYMENT, "P1")]}

    delivery = read(world, "/deliveries/D2", **narrowed)["data"]

    assert (delivery["order_id"], delivery["order_number"], delivery["backorder_of"]) == (None, None, None)
    assert read(world, "/quotes/Q1", **narrowed)["data"]["order_id"] is None
    assert read(world, "/payments/P1", **narrowed)["data"]["allocations"] == []


def test_lists_are_paged_without_gaps_or_repeats(world: World) -> None:
    world.feed(
        *(an_invoice(f"X{n}", eur("1.00"), issued_on=day(-n % 3), due_on=None if n % 2 else day(n)) for n in range(7))
    )
    link = world.link() + "/invoices"

    for sort in ("issued_on", "due_on", "number"):
        for order in ("asc", "desc"):
            whole = world.http.get(f"{link}?sort={sort}&order={order}&limit=100").json()
            seen: list[Any] = []
            cursor: str | None = ""
            while cursor is not None:
                more = f"&cursor={cursor}" if cursor else ""
                page = world.http.get(f"{link}?sort={sort}&order={order}&limit=2{more}").json()
                assert page["meta"]["hasMore"] == (page["meta"]["cursor"] is not None)
                assert page["meta"]["total"] == 9
                cursor = page["meta"]["cursor"]
                seen += page["data"]
            assert seen == whole["data"]


def test_a_cursor_belongs_to_its_list_filters_sort_order_and_client(world: World) -> None:
    world.feed(*(a_quote(f"X{n}") for n in range(3)))
    link, other = world.link(), world.link(scope=SCOPE)
    cursor = world.http.get(link + "/quotes?limit=1&state=sent,accepted").json()["meta"]["cursor"]

    good = world.http.get(f"{other}/quotes?limit=2&state=accepted,sent&order=desc&cursor={cursor}")

    assert good.status_code == 200
    for query in ("quotes?", "quotes?state=sent&", "quotes?state=sent,accepted&sort=number&", "orders?", "invoices?"):
        assert places(world.http.get(f"{link}/{query}cursor={cursor}")) == ["cursor"]
    forged = cursor[:-4] + "AAAA"
    for bad in ("x", "%00", "W10", forged, "A" * 20_000):
        assert places(world.http.get(f"{link}/quotes?limit=1&state=sent,accepted&cursor={bad}")) == ["cursor"]


@pytest.mark.parametrize(
    "path,wrong",
    [
        ("/quotes?state=draft", ["state"]),
        ("/quotes?state=", ["state"]),
        ("/quotes?state=sent,", ["state"]),
        ("/quotes?state=sent&state=sent", ["state"]),
        ("/quotes?status=sent", ["status"]),
        ("/quotes?limit=0", ["limit"]),
        ("/quotes?limit=101", ["limit"]),
        ("/quotes?limit=1e1", ["limit"]),
        ("/quotes?limit=%D9%A1", ["limit"]),
        ("/quotes?sort=total", ["sort"]),
        ("/quotes?order=down", ["order"]),
        ("/quotes?from=2026-02-30", ["from"]),
        ("/quotes?from=20260101", ["from"]),
        ("/quotes?from=2026-02-02&to=2026-02-01", ["from"]),
        ("/quotes?number=%00", ["number"]),
        ("/quotes?x=1&state=y&limit=z", ["limit", "state", "x"]),
        ("/orders?delivery_status=late", ["delivery_status"]),
        ("/invoices?overdue=yes", ["overdue"]),
        ("/invoices?kind=draft", ["kind"]),
        ("/invoices?payment_state=unpaid", ["payment_state"]),
        ("/deliveries?state=draft", ["state"]),
        ("/payments?state=paid", ["state"]),
        ("/feedback?number=1", ["number"]),
        ("/statement?currency=XYZ", ["currency"]),
        ("/statement?from=2026-02-02&to=2026-02-01", ["from"]),
        ("/statement?limit=5", ["limit"]),
        ("/dashboard?limit=5", ["limit"]),
        ("/quotes/Q1?x=", ["x"]),
        ("?x=1", ["x"]),
    ],
)
def test_a_parameter_that_is_not_understood_is_refused(world: World, path: str, wrong: list[str]) -> None:
    assert places(world.http.get(world.link() + path)) == wrong


@pytest.mark.parametrize(
    "query,found",
    [
        ("quotes?number=N-Q1", {"Q1"}),
        ("quotes?number=Q1", set[str]()),
        ("quotes?state=sent", {"Q1"}),
        ("quotes?state=expired,declined", set[str]()),
        ("quotes?from=2026-03-15&to=2026-03-15", {"Q1"}),
        ("quotes?to=2026-03-14", set[str]()),
        ("invoices?kind=credit_note", {"C1"}),
        ("invoices?payment_state=partial", {"I1"}),
        ("invoices?overdue=false", {"I1"}),
        ("invoices?overdue=true", set[str]()),
        ("orders?state=confirmed,done&delivery_status=pending", {"O1"}),
        ("deliveries?state=ready", {"D1", "D2"}),
        ("payments?sort=number&order=asc", {"P1", "R1"}),
    ],
)
def test_lists_are_filtered(world: World, query: str, found: set[str]) -> None:
    assert {each["id"] for each in read(world, f"/{query}")["data"]} == found
