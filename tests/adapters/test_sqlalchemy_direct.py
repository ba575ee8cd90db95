"""The short way to the driver says what the plain way says, row by row and refusal by refusal."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import DBAPIError

from portal_adapters.contract.builders import NOW, TODAY, a_secret, a_token
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions
from portal_adapters.sqlalchemy.direct import DIRECT, fetch, one
from portal_adapters.sqlalchemy.engine import READING
from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres_async
from portal_adapters.sqlalchemy.schema import grants
from portal_adapters.sqlalchemy.store import store_on
from portal_core.domain.access import Visit
from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.invoices import InvoiceKind
from portal_core.domain.paging import INVOICE_SORTS, Listing, Page
from portal_core.ports import Store
from portal_core.use_cases.access import open_link
from portal_core.use_cases.dashboard import read_dashboard
from portal_core.use_cases.invoices import list_invoices
from tests.adapters.plenty import fill
from tests.adapters.stores import postgres_database, postgres_engine, sqlite_store

Work = Callable[[Connection], Any]
Ask = Callable[[Work, bool], Any]


@contextmanager
def _on_sqlite() -> Generator[Ask]:
    with sqlite_store(RandomMint()) as transactions:
        fill(transactions, 30)

        def ask(work: Work, direct: bool) -> Any:  # noqa: ANN401, FBT001 - the answer of any work; a parameter of the test
            options = {READING: True, **({DIRECT: True} if direct else {})}
            with transactions.engine.connect().execution_options(**options) as connection:
                return work(connection)

        yield ask


@contextmanager
def _on_postgres() -> Generator[Ask]:
    with postgres_database() as url:
        with postgres_engine(url) as engine:
            fill(SqlTransactions(engine, RandomMint()), 30)

        def ask(work: Work, direct: bool) -> Any:  # noqa: ANN401, FBT001 - as above
            return asyncio.run(run(work, {DIRECT: True} if direct else {}))

        async def run(work: Work, options: dict[str, bool]) -> Any:  # noqa: ANN401 - as above
            reading = open_postgres_async(url)
            try:
                async with reading.execution_options(isolation_level="AUTOCOMMIT", **options).connect() as connection:
                    return await connection.run_sync(work)
            finally:
                await reading.dispose()

        yield ask


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def ask(request: pytest.FixtureRequest) -> Generator[Ask]:
    with {"sqlite": _on_sqlite, "postgres": _on_postgres}[request.param]() as ask:
        yield ask


def _visit(store: Store) -> Visit:
    return open_link(store, a_token(1), now=NOW)


def _two_pages(store: Store) -> tuple[Page[Any], Page[Any]]:
    visit, listing = _visit(store), Listing(sort=INVOICE_SORTS[0], limit=7)
    first = list_invoices(store, visit, listing, InvoiceFilter(), now=NOW)
    rest = Listing(sort=INVOICE_SORTS[0], after=first.next, total=first.total)
    return first, list_invoices(store, visit, rest, InvoiceFilter(overdue=True), now=NOW)


READS: dict[str, Callable[[Store], Any]] = {
    "a link": _visit,
    "a dead link": lambda store: store.links.open(a_secret(99).digest, at=NOW),
    "the dashboard": lambda store: read_dashboard(store, _visit(store), now=NOW),
    "two pages": _two_pages,
    "a list of kinds": lambda store: list_invoices(
        store,
        _visit(store),
        Listing(sort="due_on"),
        InvoiceFilter(kinds=frozenset({InvoiceKind.CREDIT_NOTE, InvoiceKind.INVOICE})),
        now=NOW,
    ),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_both_ways_say_the_same(ask: Ask, read: Callable[[Store], Any]) -> None:
    plain, direct = (ask(lambda each: read(store_on(each, RandomMint())), way) for way in (False, True))

    assert direct == plain


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_they_are_two_ways(ask: Ask, read: Callable[[Store], Any]) -> None:
    def seen_by_sqlalchemy(connection: Connection) -> list[str]:
        seen: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *about: seen.append(about[2]))
        read(store_on(connection, RandomMint()))
        return seen

    plain, direct = (ask(seen_by_sqlalchemy, way) for way in (False, True))

    assert plain
    assert not direct


def test_rows_are_alike_in_every_value_and_by_name(ask: Ask) -> None:
    statement = select(*grants.c, grants.c.label.is_(None).label("bare"), func.count().over().label("all_of_them"))
    plain, direct = (ask(lambda each: fetch(each, statement.order_by(grants.c.id), {}), way) for way in (False, True))

    assert [row._asdict() for row in direct] == [row._asdict() for row in plain]
    assert type(direct[0].created_at) is type(plain[0].created_at)
    assert direct[0].bare is plain[0].bare


def test_what_the_driver_refuses_is_told_by_the_plain_way(ask: Ask) -> None:
    broken = select(func.there_is_no_such_function(TODAY.year))

    for direct in (False, True):
        with pytest.raises(DBAPIError, match="there_is_no_such_function"):
            ask(lambda each: fetch(each, broken, {}), direct)


@pytest.mark.postgres
def test_what_ends_a_transaction_of_postgresql_s_is_told_as_it_was() -> None:
    broken = select(func.there_is_no_such_function(TODAY.year))

    with postgres_database() as url, asyncio.Runner() as loop:
        runner = GreenletRunner(open_postgres_async(url), RandomMint(), lambda connection, _: cast("Store", connection))
        try:
            with pytest.raises(Exception, match=r"function .* does not exist"):
                loop.run(runner.write(lambda connection: one(cast("Connection", connection), broken, {})))
        finally:
            loop.run(runner.close())
