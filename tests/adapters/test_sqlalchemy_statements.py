"""How many statements an answer takes does not depend on how many rows it has, and none of them reads a whole table."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve, frozen
from sqlalchemy import Connection, Engine, event

from portal_adapters.contract.builders import (
    CLIENT,
    COMPANY,
    NOW,
    SCOPE,
    TODAY,
    a_client,
    a_company,
    a_credit_note,
    a_delivery,
    a_grant,
    a_key,
    a_payment,
    a_quote,
    a_secret,
    a_ticket,
    an_answer,
    an_event,
    an_invoice,
    an_order,
    credited,
    day,
    eur,
    moment,
    paid,
)
from portal_adapters.contract.feeding import feed
from portal_adapters.contract.mint import CountingMint
from portal_adapters.sqlalchemy import SqlTransactions, store_on
from portal_adapters.sqlalchemy.engine import READING
from portal_core.domain.access import DocumentRef, DocumentType, GrantState, Scope
from portal_core.domain.feedback import Party, Reply
from portal_core.domain.filters import (
    DecisionFilter,
    DeliveryFilter,
    GrantFilter,
    InvoiceFilter,
    OrderFilter,
    QuoteFilter,
    TicketFilter,
)
from portal_core.domain.ids import DeliveryId, EventId, InvoiceId, OrderId, PaymentId, QuoteId, TicketId
from portal_core.domain.invoices import PaymentState
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import QuoteState
from portal_core.domain.records import Fact, RecordRef, RecordType
from portal_core.ports import Store
from tests.adapters.stores import sqlite_store

MANY = 130
EVERYTHING = frozenset(DocumentType)
NARROWED = Scope(COMPANY, CLIENT, frozenset(DocumentRef(kind, "1") for kind in DocumentType))

Ask = Callable[[Store], Any]


def newest(sort: str, **changes: Any) -> Listing:
    return Listing(sort=sort, **changes)


READS: dict[str, tuple[int, Ask]] = {
    "link": (1, lambda store: store.links.open(a_secret().digest, at=NOW)),
    "company": (1, lambda store: store.companies.get(COMPANY)),
    "client": (1, lambda store: store.clients.get(COMPANY, CLIENT)),
    "quote": (1, lambda store: store.quotes.get(SCOPE, QuoteId("1"))),
    "order": (3, lambda store: store.orders.get(SCOPE, OrderId("1"))),
    "delivery": (1, lambda store: store.deliveries.get(SCOPE, DeliveryId("1"))),
    "invoice": (2, lambda store: store.invoices.get(SCOPE, InvoiceId("1"))),
    "credit note": (3, lambda store: store.invoices.get(SCOPE, InvoiceId("C1"))),
    "payment": (2, lambda store: store.payments.get(SCOPE, PaymentId("1"))),
    "quotes": (2, lambda store: store.quotes.page(SCOPE, newest("issued_on"), QuoteFilter(), on=TODAY)),
    "orders": (2, lambda store: store.orders.page(SCOPE, newest("ordered_on"), OrderFilter())),
    "invoices": (2, lambda store: store.invoices.page(SCOPE, newest("issued_on"), InvoiceFilter(), on=TODAY)),
    "payments": (3, lambda store: store.payments.page(SCOPE, newest("received_on"))),
    "invoices whose total is known": (
        1,
        lambda store: store.invoices.page(SCOPE, newest("issued_on", total=7), InvoiceFilter(), on=TODAY),
    ),
    "balances": (1, lambda store: store.balances.get(SCOPE, on=TODAY)),
    "account": (
        3,
        lambda store: store.accounts.periods(SCOPE, unit=None, since=None, until=None, on=TODAY, most=5_000),
    ),
    "grants": (2, lambda store: store.grants.page(COMPANY, newest("created_at"), GrantFilter(), at=NOW)),
    "decisions": (2, lambda store: store.decisions.page(COMPANY, newest("created_at"), DecisionFilter())),
    "tickets": (3, lambda store: store.tickets.page(COMPANY, newest("created_at"), TicketFilter())),
    "ticket": (2, lambda store: store.tickets.get(COMPANY, TicketId("1"), TicketFilter(client_id=CLIENT))),
    "events": (2, lambda store: store.events.page(COMPANY, after=None, limit=100)),
    "events after one": (3, lambda store: store.events.page(COMPANY, after=EventId("1"), limit=100)),
    "answer": (1, lambda store: store.answers.find(a_key(), since=NOW)),
}

# The newest deliveries have a day; where there are too few of those, a second statement adds those without.
SOMETIMES_ONE_MORE: dict[str, tuple[int, Ask]] = {
    "deliveries": (3, lambda store: store.deliveries.page(SCOPE, newest("scheduled_on"), DeliveryFilter())),
    "invoices by due day": (
        3,
        lambda store: store.invoices.page(SCOPE, newest("due_on"), InvoiceFilter(), on=TODAY),
    ),
    "dashboard": (
        6,
        lambda store: store.dashboards.get(SCOPE, on=TODAY, shown=EVERYTHING, balances=True),
    ),
}

NARROW_READS: dict[str, Ask] = {
    "quotes of a state": lambda store: store.quotes.page(
        SCOPE, newest("issued_on"), QuoteFilter(states=frozenset({QuoteState.SENT})), on=TODAY
    ),
    "quotes of a number": lambda store: store.quotes.page(
        SCOPE, newest("issued_on", number="N-1"), QuoteFilter(), on=TODAY
    ),
    "orders by number": lambda store: store.orders.page(SCOPE, newest("number"), OrderFilter()),
    "invoices of a payment state": lambda store: store.invoices.page(
        SCOPE, newest("issued_on"), InvoiceFilter(payment_states=frozenset({PaymentState.REVERSED})), on=TODAY
    ),
    "overdue invoices": lambda store: store.invoices.page(
        SCOPE, newest("issued_on"), InvoiceFilter(overdue=True), on=TODAY
    ),
    "invoices of a month": lambda store: store.invoices.page(
        SCOPE, newest("issued_on", since=day(-31), until=TODAY), InvoiceFilter(), on=TODAY
    ),
    "invoices of a narrowed link": lambda store: store.invoices.page(
        NARROWED, newest("issued_on"), InvoiceFilter(), on=TODAY
    ),
    "grants of a client": lambda store: store.grants.page(
        COMPANY,
        newest("created_at"),
        GrantFilter(client_id=CLIENT, states=frozenset({GrantState.ACTIVE})),
        at=NOW,
    ),
    "decisions on a quote": lambda store: store.decisions.page(
        COMPANY, newest("created_at"), DecisionFilter(quote_id=QuoteId("1"))
    ),
    "tickets about documents": lambda store: store.tickets.page(
        COMPANY, newest("created_at"), TicketFilter(client_id=CLIENT, documents=NARROWED.documents)
    ),
    "ledger": lambda store: store.intake.ledger(COMPANY, CLIENT, [RecordRef(RecordType.INVOICE, "1")]),
    "facts": lambda store: store.facts.find(COMPANY, [RecordRef(kind, "1") for kind in RecordType]),
    "all facts of a client": lambda store: list(store.facts.each(COMPANY, CLIENT)),
}


@frozen
class Asked:
    """A statement and its parameters, as the driver got them."""

    statement: str
    parameters: Any


@pytest.fixture(scope="module")
def engines() -> Generator[dict[int, Engine]]:
    """Give a store with one row of each kind, and one with many; they are only read."""
    with ExitStack() as open_stores:
        yield {rows: open_stores.enter_context(_filled(rows)) for rows in (1, MANY)}


@pytest.mark.parametrize("name", READS)
def test_an_answer_takes_as_many_statements_for_many_rows_as_for_one(engines: dict[int, Engine], name: str) -> None:
    statements, ask = READS[name]

    assert [len(asked(engines[rows], ask)) for rows in (1, MANY)] == [statements, statements]


@pytest.mark.parametrize("name", SOMETIMES_ONE_MORE)
def test_a_list_by_a_day_that_may_be_missing_takes_one_statement_more_at_most(
    engines: dict[int, Engine], name: str
) -> None:
    statements, ask = SOMETIMES_ONE_MORE[name]

    assert [len(asked(engines[rows], ask)) for rows in (1, MANY)] == [statements, statements - 1]


@pytest.mark.parametrize("name", [*READS, *SOMETIMES_ONE_MORE, *NARROW_READS])
def test_nothing_is_read_through(engines: dict[int, Engine], name: str) -> None:
    steps = plan_of(engines[MANY], name)

    assert steps
    assert [step for step in steps if reads_through(step)] == []


@pytest.mark.parametrize("name", ["quotes", "orders", "invoices", "payments", "deliveries", "orders by number"])
def test_a_list_comes_sorted_from_its_index(engines: dict[int, Engine], name: str) -> None:
    assert [step for step in plan_of(engines[MANY], name) if "TEMP B-TREE" in step] == []


def test_a_page_deep_in_a_list_starts_in_the_index(engines: dict[int, Engine]) -> None:
    def second_page(store: Store) -> None:
        first = store.invoices.page(SCOPE, newest("issued_on", total=0), InvoiceFilter(), on=TODAY)
        store.invoices.page(SCOPE, newest("issued_on", total=0, after=first.next), InvoiceFilter(), on=TODAY)

    _, second = asked(engines[MANY], second_page)

    assert any("(issued_on,id)<(?,?)" in step for step in plan(engines[MANY], second))


def asked(engine: Engine, ask: Ask) -> list[Asked]:
    """Return the statements that a question takes."""
    with _reading(engine) as connection, _listened(connection) as heard:
        ask(store_on(connection, CountingMint()))
    return heard[1:]  # after BEGIN


def plan(engine: Engine, each: Asked) -> list[str]:
    """Return how SQLite goes about a statement."""
    with _reading(engine) as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each.statement}", each.parameters)
        return [row.detail for row in rows]


def plan_of(engine: Engine, name: str) -> list[str]:
    """Return how SQLite goes about all statements of a question."""
    ask = NARROW_READS.get(name) or (READS | SOMETIMES_ONE_MORE)[name][1]
    return [step for each in asked(engine, ask) for step in plan(engine, each)]


def reads_through(step: str) -> bool:
    """Tell whether a step reads all rows of a table, or all that a company has of them.

    A list for staff does begin at the company's youngest, and a company has one row; what is covered by an index
    is a count or the last position.
    """
    if step.startswith("SCAN portal_"):
        return True
    allowed = ("portal_companies", "_by_age ", "COVERING INDEX")
    return step.endswith("(company_id=?)") and not any(each in step for each in allowed)


def _reading(engine: Engine) -> Connection:
    return engine.connect().execution_options(**{READING: True})


@contextmanager
def _filled(rows: int) -> Generator[Engine]:
    with sqlite_store(CountingMint()) as transactions:
        assert isinstance(transactions, SqlTransactions)
        with transactions.begin() as store:
            feed(store, a_company(), a_client(), *_documents(rows))
            _happenings(store, rows)
        yield transactions.engine


@contextmanager
def _listened(connection: Connection) -> Generator[list[Asked]]:
    heard: list[Asked] = []

    def hear(_c: object, _cursor: object, statement: str, parameters: object, _context: object, _many: object) -> None:
        heard.append(Asked(statement, parameters))

    event.listen(connection, "before_cursor_execute", hear)
    yield heard
    event.remove(connection, "before_cursor_execute", hear)


def _documents(rows: int) -> list[Fact]:
    facts: list[Fact] = []
    for place in range(1, rows + 1):
        own, on = f"{place}", day(-place)
        facts += (
            a_quote(own, issued_on=on, order_id=OrderId(own)),
            an_order(own, ordered_on=on, quote_id=QuoteId(own)),
            a_delivery(own, scheduled_on=on, order_id=OrderId("1")),
            an_invoice(own, issued_on=on, due_on=on, order_id=OrderId("1")),
            a_payment(own, received_on=on, allocations=(paid("1", eur("0.50")), paid(own, eur("1.00")))),
        )
    given = tuple(credited(f"{place}", eur("0.10")) for place in range(1, rows + 1))
    return [*facts, a_credit_note("C1", allocations=given)]


def _happenings(store: Store, rows: int) -> None:
    for place in range(1, rows + 1):
        own, at = f"{place}", moment(-place)
        store.grants.add(a_grant(own, created_at=at, secrets=(a_secret(place), a_secret(1000 + place))))
        store.events.append(an_event(own))
        ticket = a_ticket(own, created_at=at)
        replies = tuple(Reply(by=Party.STAFF, message="Soon.", created_at=at + timedelta(1)) for _ in range(place % 3))
        store.tickets.add(evolve(ticket, replies=(*replies, Reply(by=Party.CLIENT, message="And?", created_at=at))))
        store.answers.keep(a_key(own), an_answer(), since=NOW)
