"""Every answer takes one statement, however many rows it has, and none reads a whole table."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import pytest
from attrs import frozen
from sqlalchemy import Connection, Engine, event

from portal_adapters.contract.builders import (
    CLIENT,
    COMPANY,
    NOW,
    SCOPE,
    TODAY,
    a_key,
    a_secret,
    day,
)
from portal_adapters.contract.mint import CountingMint
from portal_adapters.sqlalchemy import SqlTransactions, store_on
from portal_adapters.sqlalchemy.engine import READING
from portal_core.domain.access import DocumentRef, DocumentType, GrantState, Scope
from portal_core.domain.audit import AuditAction
from portal_core.domain.dashboard import PagePart
from portal_core.domain.filters import (
    AuditFilter,
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
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Store
from tests.adapters.plenty import MANY, fill
from tests.adapters.stores import postgres_store, sqlite_store

EVERYTHING = frozenset(DocumentType)
NARROWED = Scope(COMPANY, CLIENT, frozenset(DocumentRef(kind, "1") for kind in DocumentType))

Ask = Callable[[Store], Any]


def newest(sort: str, **changes: Any) -> Listing:
    return Listing(sort=sort, **changes)


READS: dict[str, Ask] = {
    "link": lambda store: store.links.open(a_secret().digest, at=NOW),
    "company": lambda store: store.companies.get(COMPANY),
    "client": lambda store: store.clients.get(COMPANY, CLIENT),
    "quote": lambda store: store.quotes.get(SCOPE, QuoteId("1")),
    "order": lambda store: store.orders.get(SCOPE, OrderId("1")),
    "delivery": lambda store: store.deliveries.get(SCOPE, DeliveryId("1")),
    "invoice": lambda store: store.invoices.get(SCOPE, InvoiceId("1")),
    "credit note": lambda store: store.invoices.get(SCOPE, InvoiceId("C1")),
    "payment": lambda store: store.payments.get(SCOPE, PaymentId("1")),
    "quotes": lambda store: store.quotes.page(SCOPE, newest("issued_on"), QuoteFilter(), on=TODAY),
    "orders": lambda store: store.orders.page(SCOPE, newest("ordered_on"), OrderFilter()),
    "invoices": lambda store: store.invoices.page(SCOPE, newest("issued_on"), InvoiceFilter(), on=TODAY),
    "payments": lambda store: store.payments.page(SCOPE, newest("received_on")),
    "invoices whose total is known": lambda store: store.invoices.page(
        SCOPE, newest("issued_on", total=7), InvoiceFilter(), on=TODAY
    ),
    "balances": lambda store: store.balances.get(SCOPE, on=TODAY),
    "account": lambda store: store.accounts.periods(SCOPE, unit=None, since=None, until=None, on=TODAY, most=5_000),
    "grants": lambda store: store.grants.page(COMPANY, newest("created_at"), GrantFilter(), at=NOW),
    "decisions": lambda store: store.decisions.page(COMPANY, newest("created_at"), DecisionFilter()),
    "tickets": lambda store: store.tickets.page(COMPANY, newest("created_at"), TicketFilter()),
    "ticket": lambda store: store.tickets.get(COMPANY, TicketId("1"), TicketFilter(client_id=CLIENT)),
    "audit log": lambda store: store.audit.page(COMPANY, newest("created_at"), AuditFilter()),
    "events": lambda store: store.events.page(COMPANY, after=None, limit=100),
    "events after one": lambda store: store.events.page(COMPANY, after=EventId("1"), limit=100),
    "answer": lambda store: store.answers.find(a_key(), since=NOW),
    "deliveries": lambda store: store.deliveries.page(SCOPE, newest("scheduled_on"), DeliveryFilter()),
    "invoices by due day": lambda store: store.invoices.page(SCOPE, newest("due_on"), InvoiceFilter(), on=TODAY),
    "dashboard": lambda store: store.dashboards.get(SCOPE, on=TODAY, shown=EVERYTHING, balances=True),
    "first page": lambda store: store.dashboards.first_page(SCOPE, on=TODAY, parts=frozenset(PagePart)),
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
    "first page of a narrowed link": lambda store: store.dashboards.first_page(
        NARROWED, on=TODAY, parts=frozenset(PagePart)
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
    "audit log of a link": lambda store: store.audit.page(
        COMPANY, newest("created_at"), AuditFilter(target_id="1", actions=frozenset({AuditAction.TOKEN_REVOKED}))
    ),
    "audit log of a client, today": lambda store: store.audit.page(
        COMPANY, newest("created_at", since=TODAY, until=TODAY), AuditFilter(client_id=CLIENT)
    ),
    "audit log of somebody": lambda store: store.audit.page(COMPANY, newest("created_at"), AuditFilter(actor="ada")),
    "tickets about documents": lambda store: store.tickets.page(
        COMPANY, newest("created_at"), TicketFilter(client_id=CLIENT, documents=NARROWED.documents)
    ),
}

INTAKE_READS: dict[str, Ask] = {
    "ledger": lambda store: store.intake.ledger(COMPANY, CLIENT, [RecordRef(RecordType.INVOICE, "1")]),
    "facts": lambda store: store.facts.find(COMPANY, [RecordRef(kind, "1") for kind in RecordType]),
    "all facts of a client": lambda store: list(store.facts.each(COMPANY, CLIENT)),
}


QUESTIONS = READS | NARROW_READS | INTAKE_READS


@frozen
class Asked:
    """A statement and its parameters, as the driver got them."""

    statement: str
    parameters: Any


@pytest.fixture(scope="module")
def engines() -> Generator[dict[int, Engine]]:
    """Give a SQLite store with one row of each kind, and one with many; they are only read."""
    with ExitStack() as stores:
        yield {rows: stores.enter_context(_filled(sqlite_store(CountingMint()), rows)) for rows in (1, MANY)}


@pytest.fixture(scope="module")
def postgres_engines() -> Generator[dict[int, Engine]]:
    """Give the same on PostgreSQL."""
    with ExitStack() as stores:
        yield {rows: stores.enter_context(_filled(postgres_store(CountingMint()), rows)) for rows in (1, MANY)}


@pytest.mark.parametrize("name", [*READS, *NARROW_READS])
def test_an_answer_takes_one_statement(engines: dict[int, Engine], name: str) -> None:
    assert [len(asked(engines[rows], QUESTIONS[name])) for rows in (1, MANY)] == [1, 1]


@pytest.mark.postgres
@pytest.mark.parametrize("name", [*READS, *NARROW_READS])
def test_an_answer_takes_one_statement_on_postgres(postgres_engines: dict[int, Engine], name: str) -> None:
    assert [len(asked(postgres_engines[rows], QUESTIONS[name])) for rows in (1, MANY)] == [1, 1]


@pytest.mark.parametrize("known", [None, 7])
def test_what_was_counted_once_is_not_counted_again(engines: dict[int, Engine], known: int | None) -> None:
    listing = newest("issued_on", total=known)

    (only,) = asked(
        engines[1], lambda store: store.invoices.page(SCOPE, listing, InvoiceFilter(overdue=True), on=TODAY)
    )

    assert ("count(*)" in only.statement) is (known is None)


@pytest.mark.parametrize("name", [*READS, *NARROW_READS, *INTAKE_READS])
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
    return [each for each in heard if each.statement != "BEGIN"]


def plan(engine: Engine, each: Asked) -> list[str]:
    """Return how SQLite goes about a statement."""
    with _reading(engine) as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each.statement}", each.parameters)
        return [row.detail for row in rows]


def plan_of(engine: Engine, name: str) -> list[str]:
    """Return how SQLite goes about all statements of a question."""
    return [step for each in asked(engine, QUESTIONS[name]) for step in plan(engine, each)]


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
def _filled(opened: AbstractContextManager[SqlTransactions], rows: int) -> Generator[Engine]:
    with opened as transactions:
        fill(transactions, rows)
        yield transactions.engine


@contextmanager
def _listened(connection: Connection) -> Generator[list[Asked]]:
    heard: list[Asked] = []

    def hear(_c: object, _cursor: object, statement: str, parameters: object, _context: object, _many: object) -> None:
        heard.append(Asked(statement, parameters))

    event.listen(connection, "before_cursor_execute", hear)
    yield heard
    event.remove(connection, "before_cursor_execute", hear)
