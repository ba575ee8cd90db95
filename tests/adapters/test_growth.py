"""What is asked most examines no more rows of a client who has ten times as many documents."""

import asyncio
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Connection, Engine, event, text

from portal_adapters.contract.builders import (
    NOW,
    SCOPE,
    TODAY,
    a_client,
    a_company,
    a_delivery,
    a_grant,
    a_payment,
    a_quote,
    a_secret,
    a_token,
    an_invoice,
    an_order,
    day,
    eur,
    paid,
)
from portal_adapters.contract.feeding import feed
from portal_adapters.contract.mint import CountingMint
from portal_adapters.sqlalchemy import SqlGlances, SqlTransactions, store_on
from portal_adapters.sqlalchemy.direct import Reading
from portal_adapters.sqlalchemy.engine import READING
from portal_adapters.sqlalchemy.joined import SIZES, joined, parameters_for
from portal_adapters.sqlalchemy.records import AnyRow
from portal_core.domain.access import DocumentRef, DocumentType
from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.ids import OrderId, QuoteId
from portal_core.domain.paging import Listing, Position
from portal_core.domain.records import Fact
from portal_core.domain.tokens import digest_of
from tests.adapters.stores import postgres_store, sqlite_store
from tests.adapters.test_sqlalchemy_statements import READS

FEW, MANY = 100, 1_000
OPEN = 30
"""How many invoices are open, of however many: each falls due on a day of its own, and balances read a row for each."""

MOST = 1.3

Look: TypeAlias = Callable[[SqlGlances], Any]


QUESTIONS = (
    *("link", "quote", "order", "delivery", "invoice", "payment"),
    *("quotes", "orders", "deliveries", "invoices", "payments", "balances", "dashboard", "first page"),
)


def _document(kind: DocumentType) -> Look:
    return lambda glances: glances.document(digest_of(a_token()), DocumentRef(kind, "1"), at=NOW)


GLANCES: Mapping[str, Look] = {
    "dashboard": lambda glances: glances.dashboard(digest_of(a_token()), at=NOW),
    "first page": lambda glances: glances.first_page(digest_of(a_token()), at=NOW),
    "invoices": lambda glances: glances.invoices(digest_of(a_token()), at=NOW, limit=25),
    **{f"one {kind}": _document(kind) for kind in DocumentType},
}


def _fill(transactions: SqlTransactions, rows: int) -> None:
    with transactions.begin() as store:
        feed(store, a_company(), a_client(), *(fact for place in range(rows) for fact in _documents(place)))
        store.grants.add(a_grant(secrets=(a_secret(),)))


def _documents(place: int) -> Sequence[Fact]:
    own, on, total = f"{place}", day(-place), eur("10.00")
    given = eur("1.00") if place < OPEN else total
    return (
        a_quote(own, issued_on=on, order_id=OrderId(own)),
        an_order(own, ordered_on=on, quote_id=QuoteId(own)),
        a_delivery(own, scheduled_on=on, order_id=OrderId(own)),
        an_invoice(own, total, issued_on=on, due_on=on, order_id=OrderId(own)),
        a_payment(own, given, received_on=on, allocations=(paid(own, given),)),
    )


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engines(request: pytest.FixtureRequest) -> Generator[Mapping[int, Engine]]:
    opened = sqlite_store if request.param == "sqlite" else postgres_store
    with ExitStack() as stores:
        filled = dict[int, Engine]()
        for rows in (FEW, MANY):
            transactions = stores.enter_context(opened(CountingMint()))
            _fill(transactions, rows)
            with transactions.engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
            filled[rows] = transactions.engine
        yield filled


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_examines_no_more_of_a_client_who_has_more(engines: Mapping[int, Engine], name: str) -> None:
    few, many = (_examined(engines[rows], lambda on: READS[name](store_on(on, CountingMint()))) for rows in engines)

    assert 0 < many <= MOST * few


# What a statement for several is joined by is written as text, which SQLAlchemy does not see.
@pytest.mark.filterwarnings("ignore:SELECT statement has a cartesian product")
@pytest.mark.parametrize("name", GLANCES)
def test_a_glance_examines_no_more_of_a_client_who_has_more(engines: Mapping[int, Engine], name: str) -> None:
    def look(connection: Connection) -> None:
        async def alone(statement: Reading, parameters: Mapping[str, Any]) -> Sequence[AnyRow]:
            return connection.execute(statement, parameters).all()

        async def together(statement: Reading, parameters: Mapping[str, Any]) -> Sequence[AnyRow]:
            several = [parameters] * SIZES[0]
            return await alone(joined(statement, len(several)), parameters_for(several, len(several)))

        # SQLite is asked for one at a time.
        for fetch in (alone,) if connection.dialect.name == "sqlite" else (alone, together):
            assert asyncio.run(GLANCES[name](SqlGlances(fetch))).seen is not None

    few, many = (_examined(engines[rows], look) for rows in engines)

    assert 0 < many <= MOST * few


def test_a_page_deep_in_a_list_examines_no_more_than_one_at_its_beginning(engines: Mapping[int, Engine]) -> None:
    def invoices(listing: Listing) -> Callable[[Connection], Any]:
        return lambda on: store_on(on, CountingMint()).invoices.page(SCOPE, listing, InvoiceFilter(), on=TODAY)

    pages = (Listing(sort="issued_on", total=MANY, after=Position(day(-place), f"{place}")) for place in (24, 900))
    beginning, deep = (_examined(engines[MANY], invoices(each)) for each in pages)

    assert 0 < deep <= MOST * beginning


def test_without_its_index_a_list_examines_all_that_a_client_has(engines: Mapping[int, Engine]) -> None:
    def invoices(on: Connection) -> None:
        READS["invoices"](store_on(on, CountingMint()))

    with engines[MANY].connect() as connection:
        kept = _examined_on(connection, invoices)
        connection.execute(text("DROP INDEX portal_invoices_by_day"))
        without = _examined_on(connection, invoices)
        connection.rollback()

    assert without > 10 * kept


def _examined(engine: Engine, ask: Callable[[Connection], Any]) -> int:
    """Return how much a database looks at: rows on PostgreSQL, steps of its program on SQLite."""
    with engine.connect().execution_options(**{READING: True}) as connection:
        return _examined_on(connection, ask)


def _examined_on(connection: Connection, ask: Callable[[Connection], Any]) -> int:
    if connection.dialect.name == "sqlite":
        return _steps(connection, ask)
    asked = list[tuple[str, Any]]()
    event.listen(connection, "before_cursor_execute", lambda *heard: asked.append((heard[2], heard[3])))
    ask(connection)
    return sum(map(sum, (_rows(connection, *each) for each in list(asked))))


def _steps(connection: Connection, ask: Callable[[Connection], Any]) -> int:
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    ask(connection)
    driver: Any = connection.connection.dbapi_connection
    driver.set_progress_handler(count, 1)
    ask(connection)
    driver.set_progress_handler(None, 1)
    return steps


def _rows(connection: Connection, statement: str, parameters: Any) -> Iterator[int]:  # noqa: ANN401 - the driver's
    explained = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
    return _rows_of(explained[0]["Plan"])


def _rows_of(node: Mapping[str, Any]) -> Iterator[int]:
    if "Relation Name" in node:
        left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        yield round((node["Actual Rows"] + left_out) * node["Actual Loops"])
    for each in node.get("Plans", ()):
        yield from _rows_of(each)
