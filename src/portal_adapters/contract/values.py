"""What goes in comes out: every field of every fact, to the last letter, minor unit and microsecond."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    COMPANY,
    EUR,
    JPY,
    KWD,
    NOW,
    SCOPE,
    TODAY,
    a_client,
    a_company,
    a_credit_note,
    a_delivery,
    a_grant,
    a_line,
    a_payment,
    a_quote,
    a_refund,
    a_secret,
    a_ticket,
    an_invoice,
    an_order,
    an_order_line,
    credited,
    day,
    eur,
    moment,
    paid,
)
from portal_adapters.contract.feeding import prepare
from portal_core.domain.access import DocumentRef, DocumentType, Permission, Use
from portal_core.domain.deliveries import DeliveryLine, DeliveryState
from portal_core.domain.feedback import Party, Reply
from portal_core.domain.filters import TicketFilter
from portal_core.domain.ids import DeliveryId, OrderId, QuoteId
from portal_core.domain.invoices import Adjustment, Instalment, PaymentState
from portal_core.domain.lines import Line, LineKind
from portal_core.domain.money import LARGEST_MINOR, Currency, Money
from portal_core.domain.payments import PaymentRecordState
from portal_core.domain.quotes import QuoteState
from portal_core.domain.records import Fact, ref_of
from portal_core.ports import Transactions

WORDS = "Grüße, 你好 \U0001f600 שלום e\u0301? 'quoted' \"twice\" %s \\ ;-- <b>&amp;\nsecond line"
LONG = "\U0001f600" * 10_000
LINES = (
    Line(id="s", kind=LineKind.SECTION, description=WORDS),
    a_line("1", unit_price=Decimal("0.000000000000000001"), discount_percent=Decimal("33.30")),
    a_line("2", quantity=Decimal("-999999999999999999.9"), unit=None, subtotal=None, total=eur("-0.01")),
    Line(id="n", kind=LineKind.NOTE, description="n" * 2_000),
)
ORDER_LINES = (
    an_order_line("10", delivered_quantity=Decimal("1.50"), invoiced_quantity=None),
    an_order_line("9", kind=LineKind.NOTE, quantity=None),
)
LATER = datetime(2026, 3, 15, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-8)))

FULL: tuple[Fact, ...] = (
    a_company(
        name=WORDS,
        timezone=ZoneInfo("Pacific/Auckland"),
        currency=KWD,
        locale="ar_KW",
        email="post@example.com",
        phone="+965 1",
        website="https://example.com/?a=1#b",
        address="1 Street\nTown",
        payment_instructions=LONG,
        accent_colour="#00ff7f",
        logo=bytes(range(256)) * 400,
        footer=WORDS,
    ),
    a_client(name=WORDS, email="client@example.com", locale="de"),
    a_quote(
        "Q.~:_-9",
        number=WORDS,
        recorded_state=QuoteState.CANCELLED,
        revision=2**31 - 1,
        issued_on=date(1970, 1, 1),
        valid_until=date(9999, 12, 31),
        lines=LINES,
        notes=LONG,
        terms=WORDS,
        order_id=OrderId("O1"),
    ),
    an_order("O1", client_reference=WORDS, quote_id=QuoteId("Q.~:_-9"), lines=ORDER_LINES),
    a_delivery(
        "D" * 128,
        state=DeliveryState.DELIVERED,
        order_id=OrderId("O1"),
        carrier_name=WORDS,
        tracking_number="JJD 0001/2",
        tracking_url="https://example.com/track?n=1",
        scheduled_on=None,
        shipped_at=NOW,
        delivered_at=LATER,
        lines=(
            DeliveryLine(description=WORDS, quantity=Decimal("1.000"), delivered_quantity=Decimal(0)),
            DeliveryLine(order_line_id="10", description="a", quantity=Decimal(1), delivered_quantity=Decimal(1)),
        ),
    ),
    a_delivery("D1", state=DeliveryState.DRAFT, backorder_of=DeliveryId("D" * 128), lines=()),
    an_invoice(
        "I1",
        eur("100.00"),
        stated_payment_state=PaymentState.REVERSED,
        reference=WORDS,
        order_id=OrderId("O1"),
        payment_url="https://example.com/pay",
        payment_instructions=WORDS,
        lines=LINES,
        instalments=(
            Instalment(due_on=day(30), amount=eur("60.00")),
            Instalment(due_on=day(10), amount=eur("40.00")),
        ),
        adjustments=(
            Adjustment(amount=eur("1.00"), reason=WORDS, adjusted_on=TODAY),
            Adjustment(amount=eur("1.00"), reason="again", adjusted_on=TODAY),
        ),
    ),
    a_credit_note("C1", eur("30.00"), allocations=(credited("I1", eur("2.00"), on=TODAY), credited("I1", eur("1.00")))),
    a_payment(
        "P1",
        Money(5_000, JPY),
        state=PaymentRecordState.IN_PROCESS,
        method="SEPA",
        reference=WORDS,
        allocations=(
            paid("I1", eur("20.00"), using=Money(3_000, JPY), on=TODAY),
            paid("I1", eur("10.00"), using=Money(1_500, JPY)),
        ),
    ),
    a_refund("R1", eur("1.00"), allocations=(paid("C1", eur("1.00"), using=eur("1.00")),)),
)


class ValuesContract:
    """Round trips."""

    @pytest.mark.parametrize("fact", FULL, ids=lambda fact: f"{ref_of(fact).type.value}-{fact.id[:8]}")
    def test_every_field_of_a_fact_is_kept(self, transactions: Transactions, fact: Fact) -> None:
        prepare(transactions, *FULL)

        with transactions.begin() as store:
            found = store.facts.find(COMPANY, [ref_of(fact)])

        assert found == {ref_of(fact): fact}

    def test_a_fact_is_replaced_whole(self, transactions: Transactions) -> None:
        prepare(transactions, *FULL)
        bare: list[Fact] = [
            a_company(),
            a_client(),
            a_quote("Q.~:_-9", lines=()),
            an_order("O1", lines=()),
            a_delivery("D" * 128, lines=()),
            an_invoice("I1"),
            a_credit_note("C1"),
            a_payment("P1"),
            a_refund("R1"),
        ]

        prepare(transactions, *bare)

        with transactions.begin() as store:
            assert store.facts.find(COMPANY, [ref_of(fact) for fact in bare]) == {ref_of(fact): fact for fact in bare}

    def test_companies_and_clients_are_read_as_they_were_saved(self, transactions: Transactions) -> None:
        company, client = FULL[:2]
        prepare(transactions, company, client)

        with transactions.begin() as store:
            assert store.companies.get(COMPANY) == company
            assert store.clients.get(COMPANY, SCOPE.client_id) == client

    def test_decimals_keep_the_places_they_were_given(self, transactions: Transactions) -> None:
        numbers = [Decimal(text) for text in ("2.50", "2.5", "-0.10", "1000", "0.000000000000000001", "0")]
        quote = a_quote(lines=tuple(a_line(str(place), quantity=each) for place, each in enumerate(numbers)))
        prepare(transactions, quote)

        with transactions.begin() as store:
            found = store.quotes.get(SCOPE, quote.id)

        assert found is not None
        assert [str(line.quantity) for line in found.lines] == [str(each) for each in numbers]
        assert found.document_sha256() == quote.document_sha256()

    @pytest.mark.parametrize("unit", [EUR, JPY, KWD], ids=lambda unit: unit.code)
    @pytest.mark.parametrize("minor", [LARGEST_MINOR, -LARGEST_MINOR, 2**53 + 1, 0, 1, -1])
    def test_money_is_kept_to_the_last_minor_unit(self, transactions: Transactions, unit: Currency, minor: int) -> None:
        money = Money(minor, unit)
        quote = a_quote("Q1", money, tax=money)
        prepare(
            transactions, quote, an_invoice("I1", Money(abs(minor), unit)), a_payment("P1", Money(abs(minor), unit))
        )

        with transactions.begin() as store:
            found = store.quotes.get(SCOPE, quote.id)
            balances = store.balances.get(SCOPE, on=TODAY)

        assert found is not None
        assert (found.total, found.subtotal, found.tax) == (money, money, money)
        assert [(each.outstanding, each.credit) for each in balances] == [(Money(abs(minor), unit),) * 2]
        assert {type(each.outstanding.minor) for each in balances} == {int}

    def test_moments_are_kept_to_the_microsecond_wherever_they_were_told(self, transactions: Transactions) -> None:
        prepare(transactions)
        grant = a_grant(
            created_at=LATER,
            expires_at=moment(86_400),
            secrets=(a_secret(created_at=LATER, dies_at=LATER + timedelta(microseconds=1)),),
        )
        with transactions.begin() as store:
            store.grants.add(grant)
            store.links.touch([Use(COMPANY, grant.id, LATER)])

        with transactions.begin() as store:
            found = store.grants.get(COMPANY, grant.id)

        assert found == evolve(grant, last_used_at=LATER)

    def test_every_field_of_a_grant_is_kept(self, transactions: Transactions) -> None:
        prepare(transactions, *FULL)
        grant = a_grant(
            label=WORDS,
            permissions=frozenset({Permission.VIEW_QUOTES, Permission.SUBMIT_FEEDBACK}),
            documents=frozenset({DocumentRef(DocumentType.QUOTE, "Q.~:_-9"), DocumentRef(DocumentType.ORDER, "O1")}),
            revoked_at=NOW,
            last_used_at=NOW,
            secrets=(a_secret(2, dies_at=moment(5)), a_secret(1)),
        )
        plain = a_grant("G2", permissions=frozenset(), documents=frozenset())

        with transactions.begin() as store:
            store.grants.add(grant)
            store.grants.add(plain)

        with transactions.begin() as store:
            assert store.grants.get(COMPANY, grant.id) == grant
            assert store.grants.get(COMPANY, plain.id) == plain

    def test_every_field_of_a_ticket_is_kept(self, transactions: Transactions) -> None:
        prepare(transactions)
        ticket = a_ticket(
            subject="s" * 200,
            message=LONG,
            rating=5,
            document=DocumentRef(DocumentType.DELIVERY, "D1"),
            replies=(
                Reply(by=Party.STAFF, message=WORDS, created_at=moment(9)),
                Reply(by=Party.CLIENT, message="1", created_at=moment(3)),
            ),
        )
        with transactions.begin() as store:
            store.tickets.add(ticket)

        with transactions.begin() as store:
            assert store.tickets.get(COMPANY, ticket.id, TicketFilter()) == ticket
