"""The short way of writes leaves behind what the plain way does, and refuses what it refuses."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

import pytest
from attrs import frozen
from sqlalchemy import Engine, event

from portal_adapters.contract.builders import (
    COMPANY,
    NOW,
    SCOPE,
    a_grant,
    a_quote,
    a_visit,
    an_audit_entry,
    an_event,
    evidence,
)
from portal_adapters.contract.feeding import prepare
from portal_adapters.contract.mint import CountingMint
from portal_adapters.sqlalchemy import SqliteRunner, SqlTransactions
from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres_async
from portal_core.domain.access import Use
from portal_core.domain.filters import AuditFilter, DecisionFilter
from portal_core.domain.ids import QuoteId
from portal_core.domain.paging import Listing
from portal_core.ports import Store
from portal_core.use_cases.quotes import accept_quote, decline_quote
from tests.adapters.stores import postgres_database, postgres_engine, sqlite_store

BY_MOMENT = Listing(sort="created_at")

Work: TypeAlias = Callable[[Store], Any]


@frozen
class Way:
    """How work is done, and the statements that SQLAlchemy has executed for it."""

    do: Callable[[Work], Any]
    heard: list[str]


@contextmanager
def _plainly(transactions: SqlTransactions) -> Generator[Way]:
    def do(work: Work) -> Any:  # noqa: ANN401 - whatever the work returns
        with transactions.begin() as store:
            return work(store)

    yield Way(do, _heard(transactions.engine))


@contextmanager
def _shortly_on_sqlite(transactions: SqlTransactions) -> Generator[Way]:
    runner = SqliteRunner(transactions.engine, transactions.mint)
    yield Way(lambda work: asyncio.run(runner.write(work)), _heard(runner.engine))
    runner.close()


@contextmanager
def _shortly_on_postgres(transactions: SqlTransactions) -> Generator[Way]:
    engine = open_postgres_async(transactions.engine.url.render_as_string(hide_password=False))
    runner = GreenletRunner(engine, transactions.mint)
    with asyncio.Runner() as loop:
        yield Way(lambda work: loop.run(runner.write(work)), _heard(engine.sync_engine))
        loop.run(runner.close())


@contextmanager
def _on_postgres() -> Generator[SqlTransactions]:
    with postgres_database() as url, postgres_engine(url) as engine:
        yield SqlTransactions(engine, CountingMint())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def ways(request: pytest.FixtureRequest) -> Generator[tuple[Way, Way]]:
    """Give the plain way and the short one, each to a store of its own with the same records in it."""
    on_sqlite = request.param == "sqlite"
    with ExitStack() as stack:
        stores = [stack.enter_context(sqlite_store(CountingMint()) if on_sqlite else _on_postgres()) for _ in range(2)]
        for each in stores:
            prepare(each, a_quote("Q1"), a_quote("Q2"))
        shortly = _shortly_on_sqlite if on_sqlite else _shortly_on_postgres
        yield stack.enter_context(_plainly(stores[0])), stack.enter_context(shortly(stores[1]))


def test_both_ways_leave_the_same_behind(ways: tuple[Way, Way]) -> None:
    plain, short = (_everything_after(way, _decide_and_tell) for way in ways)

    assert short == plain


def test_they_are_two_ways(ways: tuple[Way, Way]) -> None:
    for way in ways:
        way.do(_decide_and_tell)

    plain, short = (" ".join(way.heard) for way in ways)

    for table in ("portal_decisions", "portal_events", "portal_audit"):
        assert f"INSERT INTO {table}" in plain
        assert f"INSERT INTO {table}" not in short


def test_what_the_driver_refuses_is_raised_and_leaves_nothing_behind(ways: tuple[Way, Way]) -> None:
    def twice(store: Store) -> None:
        store.events.append(an_event())
        store.audit.append(an_audit_entry())
        store.audit.append(an_audit_entry())

    for way in ways:
        with pytest.raises(Exception, match=r"(?i)unique"):
            way.do(twice)

        assert way.do(lambda store: store.audit.page(COMPANY, BY_MOMENT, AuditFilter()).total) == 0


def _decide_and_tell(store: Store) -> None:
    store.grants.add(a_grant())
    store.links.touch([Use(COMPANY, a_grant().id, NOW)])
    accept_quote(store, a_visit(), QuoteId("Q1"), evidence(), seen=1, now=NOW)
    decline_quote(store, a_visit(), QuoteId("Q2"), evidence(), seen=None, now=NOW)
    accept_quote(store, a_visit(), QuoteId("Q1"), evidence(), seen=1, now=NOW)


def _everything_after(way: Way, work: Work) -> Any:  # noqa: ANN401 - records of several kinds
    way.do(work)
    return way.do(
        lambda store: (
            store.quotes.get(SCOPE, QuoteId("Q1")),
            store.decisions.page(COMPANY, BY_MOMENT, DecisionFilter()),
            store.events.page(COMPANY, after=None, limit=10),
            store.audit.page(COMPANY, BY_MOMENT, AuditFilter()),
            store.grants.get(COMPANY, a_grant().id),
        )
    )


def _heard(engine: Engine) -> list[str]:
    heard: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        heard.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    return heard
