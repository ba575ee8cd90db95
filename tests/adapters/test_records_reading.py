"""What a line of records may say, and how it is told what is wrong with it."""

import base64
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_adapters.records.reading import read_line
from portal_core.domain.agreement import Claim
from portal_core.domain.companies import Company
from portal_core.domain.deliveries import Delivery
from portal_core.domain.errors import InvalidInput
from portal_core.domain.ids import InvoiceId
from portal_core.domain.invoices import Invoice, PaymentState
from portal_core.domain.money import Money, currency
from portal_core.domain.orders import Order
from portal_core.domain.payments import Payment
from portal_core.domain.quotes import Quote
from portal_core.domain.records import RecordRef, RecordType
from portal_core.use_cases.records import Deletion, Upsert

PNG = b"\x89PNG\r\n\x1a\n"
LINE: dict[str, Any] = {"id": "1", "kind": "item", "description": "Board", "quantity": "2.50", "total": "10.00"}
NOTE: dict[str, Any] = {"id": "2", "kind": "note", "description": "Cut to size"}
OWNED: dict[str, Any] = {"company_id": "acme", "client_id": "C-7", "id": "X-1", "number": "No. 1"}
SUMS: dict[str, Any] = {"currency": "EUR", "subtotal": "10.00", "tax": "0.00", "total": "10.00"}

RECORDS: dict[str, dict[str, Any]] = {
    "company": {"id": "acme", "name": "Acme", "timezone": "Europe/Dublin", "currency": "EUR"},
    "client": {"company_id": "acme", "id": "C-7", "name": "Byte & Sons"},
    "quote": {**OWNED, **SUMS, "state": "sent", "issued_on": "2026-11-01", "lines": [LINE, NOTE]},
    "order": {
        **OWNED,
        **SUMS,
        "state": "done",
        "ordered_on": "2026-11-01",
        "delivery_status": "none",
        "lines": [{**LINE, "delivered_quantity": "2"}, NOTE],
    },
    "delivery": {
        **OWNED,
        "state": "ready",
        "lines": [{"description": "Board", "quantity": "2", "delivered_quantity": "0"}],
    },
    "invoice": {
        **OWNED,
        **SUMS,
        "kind": "invoice",
        "state": "posted",
        "issued_on": "2026-11-01",
        "lines": [LINE, NOTE],
        "instalments": [{"due_on": "2026-12-01", "amount": "10.00"}],
    },
    "payment": {
        **OWNED,
        "currency": "EUR",
        "state": "paid",
        "received_on": "2026-11-02",
        "amount": "10.00",
        "allocations": [{"invoice_id": "I-1", "amount": "10.00"}],
    },
}


def a_line(kind: str, /, **changes: Any) -> bytes:
    return orjson.dumps({"type": kind, **RECORDS[kind], **changes})


def fact_of(line: bytes) -> Any:  # noqa: ANN401 - a fact of the type that the line says
    change = read_line(line).change
    assert isinstance(change, Upsert)
    return change.fact


def pointers(line: bytes) -> list[str | None]:
    with pytest.raises(InvalidInput) as refused:
        read_line(line)
    return [each.pointer for each in refused.value.problems]


@pytest.mark.parametrize("kind", RECORDS)
def test_the_least_that_a_record_must_say_is_enough(kind: str) -> None:
    line = read_line(a_line(kind))

    assert line.company_id == "acme"
    assert line.client_id == (None if kind == "company" else "C-7")


@pytest.mark.parametrize("kind", RECORDS)
def test_every_required_field_is_asked_for(kind: str) -> None:
    optional = {"instalments"}
    for name in RECORDS[kind].keys() - optional:
        without = {key: value for key, value in RECORDS[kind].items() if key != name}
        assert pointers(orjson.dumps({"type": kind, **without})) == [f"/{name}"]
        assert pointers(a_line(kind, **{name: None})) == [f"/{name}"]


@pytest.mark.parametrize("kind", RECORDS)
def test_unknown_fields_are_refused(kind: str) -> None:
    assert pointers(a_line(kind, colour="red")) == ["/colour"]
    assert pointers(a_line(kind, **{"a/b~c": 1})) == ["/a~1b~0c"]


@pytest.mark.parametrize("kind", RECORDS)
def test_every_field_that_is_wrong_is_named(kind: str) -> None:
    names = set(RECORDS[kind]) - {"lines", "allocations", "instalments"}
    everything = a_line(kind, **dict.fromkeys(names, 1))

    assert {f"/{name}" for name in names} - set(pointers(everything)) <= {"/subtotal", "/tax", "/total", "/amount"}


@pytest.mark.parametrize(
    "kind, field, value",
    [
        ("company", "id", "a/b"),
        ("company", "id", ".."),
        ("company", "id", "x" * 129),
        ("company", "name", ""),
        ("company", "name", " \n "),
        ("company", "name", "x" * 201),
        ("company", "name", "tab\there"),
        ("company", "timezone", "Europe/Atlantis"),
        ("company", "timezone", "../etc/passwd"),
        ("company", "timezone", "Europe"),
        ("company", "currency", "XYZ"),
        ("company", "currency", "eur"),
        ("company", "locale", "english"),
        ("company", "email", "nobody"),
        ("company", "website", "ftp://acme.example"),
        ("company", "website", "https://user@acme.example"),
        ("company", "website", "javascript:alert(1)"),
        ("company", "accent_colour", "#12345"),
        ("company", "accent_colour", "red"),
        ("company", "logo", "%%%"),
        ("company", "logo", base64.b64encode(b"GIF89a").decode()),
        ("company", "logo", base64.b64encode(PNG + bytes(100 * 1024)).decode()),
        ("company", "address", "x" * 2_001),
        ("client", "locale", "en US"),
        ("quote", "state", "expired"),
        ("quote", "state", "open"),
        ("quote", "revision", 0),
        ("quote", "revision", True),
        ("quote", "revision", "2"),
        ("quote", "revision", 1.0),
        ("quote", "issued_on", "2026-11-31"),
        ("quote", "issued_on", "20261101"),
        ("quote", "issued_on", "2026-W45-1"),
        ("quote", "issued_on", "2026-11-01T00:00:00Z"),
        ("quote", "total", 10),
        ("quote", "total", 10.0),
        ("quote", "total", "10.001"),
        ("quote", "total", "1e3"),
        ("quote", "total", "NaN"),
        ("quote", "total", "1 000.00"),
        ("quote", "total", "9" * 30),
        ("quote", "currency", "EURO"),
        ("quote", "lines", {}),
        ("order", "delivery_status", "lost"),
        ("delivery", "shipped_at", "2026-11-01T10:00:00"),
        ("delivery", "shipped_at", "2026-11-01"),
        ("delivery", "shipped_at", "2026-11-01T25:00:00Z"),
        ("delivery", "shipped_at", "0001-01-01T00:00:00+01:00"),
        ("delivery", "tracking_url", "//track.example.com"),
        ("delivery", "carrier_name", "x" * 201),
        ("invoice", "kind", "receipt"),
        ("invoice", "total", "-10.00"),
        ("invoice", "payment_state", "open"),
        ("invoice", "allocations", [{"invoice_id": "I-2", "amount": "1.00"}]),
        ("payment", "amount", "-1.00"),
        ("payment", "kind", "tip"),
    ],
)
def test_a_wrong_value_is_named(kind: str, field: str, value: object) -> None:
    assert f"/{field}" in pointers(a_line(kind, **{field: value}))


@pytest.mark.parametrize(
    "kind, changes, pointer",
    [
        ("quote", {"lines": [{**LINE, "quantity": 2}]}, "/lines/0/quantity"),
        ("quote", {"lines": [LINE, {**NOTE, "total": "1.00"}]}, "/lines/1/total"),
        ("quote", {"lines": [LINE, LINE]}, "/lines/1/id"),
        ("quote", {"lines": [{**LINE, "invoiced_quantity": "1"}]}, "/lines/0/invoiced_quantity"),
        ("quote", {"lines": ["Board"]}, "/lines/0"),
        ("quote", {"lines": [{**LINE, "discount_percent": "ten"}]}, "/lines/0/discount_percent"),
        ("delivery", {"lines": [{"description": "Board", "quantity": "2"}]}, "/lines/0/delivered_quantity"),
        ("invoice", {"instalments": [{"due_on": "2026-12-01", "amount": "9.99"}]}, "/instalments"),
        ("invoice", {"kind": "credit_note"}, "/instalments"),
        (
            "invoice",
            {"adjustments": [{"amount": "-1.00", "reason": "x", "adjusted_on": "2026-12-01"}]},
            "/adjustments/0/amount",
        ),
        ("payment", {"allocations": [{"invoice_id": "I-1", "amount": "-1.00"}]}, "/allocations/0/amount"),
        (
            "payment",
            {"allocations": [{"invoice_id": "I-1", "amount": "-1.00", "payment_amount": "1.00"}]},
            "/allocations/0/amount",
        ),
        (
            "payment",
            {"allocations": [{"invoice_id": "I-1", "amount": "1.00", "payment_amount": "1.001"}]},
            "/allocations/0/payment_amount",
        ),
    ],
)
def test_a_wrong_part_is_named_by_its_place(kind: str, changes: dict[str, Any], pointer: str) -> None:
    assert pointers(a_line(kind, **changes)) == [pointer]


@pytest.mark.parametrize(
    "line, pointer",
    [
        (b"[]", ""),
        (b"null", ""),
        (b'{"type": "company"', ""),
        (b'{"type": NaN}', ""),
        (b'{"type": "company", "name": "\xff"}', ""),
        (b"{}", "/type"),
        (b'{"type": "ticket"}', "/type"),
        (b'{"type": ["quote"]}', "/type"),
        (b'{"type": "decision", "id": "D-1"}', "/type"),
        (b'{"type": "feedback", "id": "F-1"}', "/type"),
    ],
)
def test_what_is_no_record_is_refused(line: bytes, pointer: str) -> None:
    assert pointers(line) == [pointer]


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"client","company_id":"acme","id":"C-7","id":"C-8","name":"Byte"}',
        '{"type": "client", "company_id": "acme", "id": "C-7", "id" : "C-8", "name": "Byte"}',
        '{"type": "client", "company_id": "acme", "id": "C-7", "id"\t:"C-8", "name": "Byte"}',
        '{"type": "client", "company_id": "acme", "id": "C-7", "id"\r:"C-8", "name": "Byte"}',
        '{"type": "client", "company_id": "acme", "id": "C-7", "id": "C-8", "name": "a \\":\\" b"}',
        json.dumps(RECORDS["quote"] | {"type": "quote"}).replace('"quantity"', '"id": "9", "quantity"'),
    ],
)
def test_a_name_that_comes_twice_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="'id' comes more than once"):
        read_line(text.encode())


@pytest.mark.parametrize("name", ['":":', 'quoted " here', 'a":"b', "back\\slash"])
def test_what_only_looks_like_a_repeated_name_is_none(name: str) -> None:
    assert fact_of(json.dumps({"type": "client", **RECORDS["client"], "name": name}).encode()).name == name


def test_a_company_with_everything() -> None:
    company: Company = fact_of(
        a_line(
            "company",
            locale="pt-BR",
            email="a@acme.example",
            phone="",
            website="https://acme.example/x",
            address=" 1 Quay\r\nDublin ",
            accent_colour="#1A5fb4",
            logo=base64.b64encode(PNG).decode(),
            footer=None,
        )
    )

    assert (company.timezone.key, company.currency.code, company.locale) == ("Europe/Dublin", "EUR", "pt-BR")
    assert company.address == "1 Quay\nDublin"
    assert company.phone is None
    assert company.logo == PNG


def test_amounts_take_the_decimals_of_their_currency() -> None:
    yen: Quote = fact_of(a_line("quote", currency="JPY", subtotal="359.0", tax="0.00", total="359", lines=[]))
    dinars: Quote = fact_of(a_line("quote", currency="KWD", subtotal="1.5", tax="0", total="-1.500", lines=[]))

    assert (yen.subtotal, yen.total) == (Money(359, currency("JPY")), Money(359, currency("JPY")))
    assert (dinars.subtotal.minor, dinars.total.minor) == (1_500, -1_500)


def test_quantities_and_prices_keep_the_decimals_that_they_are_given() -> None:
    order: Order = fact_of(a_line("order", lines=[{**LINE, "unit_price": "0.012500", "delivered_quantity": "2"}]))

    (line,) = order.lines
    assert (str(line.quantity), str(line.unit_price)) == ("2.50", "0.012500")
    assert line.delivered_quantity == Decimal(2)


def test_moments_are_kept_in_utc() -> None:
    delivery: Delivery = fact_of(
        a_line("delivery", shipped_at="2026-11-01T01:30:00.25+02:00", scheduled_on="2026-11-01")
    )

    assert delivery.shipped_at == datetime(2026, 10, 31, 23, 30, 0, 250_000, tzinfo=UTC)
    assert delivery.scheduled_on == date(2026, 11, 1)


def test_text_is_trimmed_and_composed() -> None:
    assert fact_of(a_line("client", name=" Cafe\u0301 ")).name == "Café"


def test_a_quote_tells_whether_it_stated_its_revision() -> None:
    silent, stated = read_line(a_line("quote")).change, read_line(a_line("quote", revision=3)).change

    assert isinstance(silent, Upsert)
    assert isinstance(stated, Upsert)
    assert (silent.revision_stated, stated.revision_stated) == (False, True)
    assert isinstance(stated.fact, Quote)
    assert stated.fact.revision == 3


def test_what_an_invoice_states_is_a_claim() -> None:
    line = a_line(
        "invoice",
        payment_state="partial",
        amount_due="4.00",
        instalments=[{"due_on": "2026-12-01", "amount": "10.00", "amount_due": "4.00"}],
    )

    change = read_line(line).change

    assert isinstance(change, Upsert)
    four = Money.parse("4.00", "EUR")
    assert change.claim == Claim(amount_due=four, payment_state=PaymentState.PARTIAL, instalments_due=(four,))


@pytest.mark.parametrize("state, kept", [("paid", None), ("in_payment", "in_payment"), ("reversed", "reversed")])
def test_only_payment_states_that_nothing_else_tells_are_kept(state: str, kept: str | None) -> None:
    posted: Invoice = fact_of(a_line("invoice", payment_state=state))
    draft: Invoice = fact_of(a_line("invoice", payment_state=state, state="draft"))

    assert (posted.stated_payment_state, draft.stated_payment_state) == (kept, None)


def test_an_amount_in_an_invoices_currency_waits_for_the_invoice() -> None:
    line = a_line("payment", allocations=[{"invoice_id": "I-1", "amount": "1500.0", "payment_amount": "10.00"}])
    assert read_line(line).waits_for == [(0, "I-1")]

    known = read_line(line, {InvoiceId("I-1"): currency("JPY")})

    assert isinstance(known.change, Upsert)
    assert isinstance(known.change.fact, Payment)
    (part,) = known.change.fact.allocations
    assert (str(part.amount), str(part.used)) == ("1500 JPY", "10.00 EUR")
    assert not known.waits_for


def test_an_amount_in_an_invoices_currency_has_its_decimals() -> None:
    line = a_line("payment", allocations=[{"invoice_id": "I-1", "amount": "1500.5", "payment_amount": "10.00"}])

    with pytest.raises(InvalidInput, match="more decimals than JPY allows"):
        read_line(line, {InvoiceId("I-1"): currency("JPY")})


def test_a_payment_amount_that_says_nothing_new_is_not_kept() -> None:
    line = a_line("payment", allocations=[{"invoice_id": "I-1", "amount": "10.00", "payment_amount": "10.00"}])

    change = read_line(line, {InvoiceId("I-1"): currency("EUR")}).change

    assert isinstance(change, Upsert)
    assert isinstance(change.fact, Payment)
    assert change.fact.allocations[0].payment_amount is None


def test_less_than_whole_documents_come_without_lines() -> None:
    for kind in ("order", "invoice", "delivery"):
        change = read_line(a_line(kind), whole=False).change
        assert isinstance(change, Upsert)
        assert isinstance(change.fact, Order | Invoice | Delivery)
        assert change.fact.lines == ()
    quote = read_line(a_line("quote"), whole=False).change
    assert isinstance(quote, Upsert)
    assert isinstance(quote.fact, Quote)
    assert quote.fact.lines


@pytest.mark.parametrize("kind", RECORDS)
def test_a_deletion_names_a_record_and_nothing_else(kind: str) -> None:
    gone: dict[str, Any] = {"type": kind, "company_id": "acme", "id": "acme", "deleted": True}

    line = read_line(orjson.dumps(gone))

    assert line.change == Deletion(RecordRef(RecordType(kind), "acme"))
    assert pointers(orjson.dumps({**gone, "name": "x"})) == ["/name"]
    assert pointers(orjson.dumps({**gone, "deleted": False})) == ["/deleted"]
    assert pointers(orjson.dumps({**gone, "deleted": "true"})) == ["/deleted"]


def test_a_companys_company_id_is_its_id() -> None:
    assert fact_of(a_line("company", company_id="acme")).id == "acme"
    assert pointers(a_line("company", company_id="other")) == ["/company_id"]


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(repr).map(str.encode))
def test_no_bytes_do_more_than_be_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        read_line(text)


@given(st.sampled_from(sorted(RECORDS)), st.data())
def test_no_value_does_more_than_be_refused(kind: str, data: st.DataObject) -> None:
    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    )
    field = data.draw(st.sampled_from(sorted(RECORDS[kind])))
    line = json.dumps({"type": kind, **RECORDS[kind], field: data.draw(json_values)}).encode()

    try:
        read_line(line)
    except InvalidInput as refused:
        assert refused.problems  # noqa: PT017 - either is right
