"""A use case inside a host's own transaction: committed with the host's work, and rolled back with it."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import evolve, frozen
from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from portal_adapters.contract.builders import COMPANY, NOW, SCOPE, a_quote, a_visit, evidence
from portal_adapters.contract.feeding import prepare
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, migrate, open_sqlite, store_on
from portal_adapters.sqlalchemy.postgres import open_postgres, open_postgres_async
from portal_core.domain.errors import AlreadyDecided
from portal_core.domain.quotes import Quote
from portal_core.ports import Store
from portal_core.use_cases.quotes import accept_quote, decline_quote
from tests.postgres import fresh_database

MINT = RandomMint()
QUOTE = a_quote("Q1")

reservations = Table("reservations", MetaData(), Column("quote_id", String(128), primary_key=True))


class NoStock(Exception):
    """What stops a host's own work."""


@frozen
class Host:
    """A program with a table of its own beside the portal's."""

    engine: Engine
    url: str = ""

    def kept(self) -> tuple[bool, int, list[str]]:
        """Return whether the quote is decided, how many events there are, and what the host reserved."""
        with self.engine.connect() as connection:
            store = store_on(connection, MINT)
            events = store.events.page(COMPANY, after=None, limit=100)
            assert events is not None
            return _decided(store), events.total, list(connection.scalars(select(reservations.c.quote_id)))


NOTHING = (False, 0, list[str]())
BOTH = (True, 1, ["Q1"])


def _sqlite(folder: Path) -> Generator[Host]:
    engine = open_sqlite(folder / "shop.sqlite3")
    yield _host(engine)
    engine.dispose()


def _postgres() -> Generator[Host]:
    with fresh_database() as url:
        engine = open_postgres(url)
        yield evolve(_host(engine), url=url)
        engine.dispose()


def _host(engine: Engine) -> Host:
    migrate(engine)
    reservations.create(engine)
    prepare(SqlTransactions(engine, MINT), QUOTE)
    return Host(engine)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Host]:
    yield from _sqlite(tmp_path) if request.param == "sqlite" else _postgres()


@pytest.fixture
def postgres_host() -> Generator[Host]:
    yield from _postgres()


def _decided(store: Store) -> bool:
    quote = store.quotes.get(SCOPE, QUOTE.id)
    return quote is not None and quote.decision is not None


def _accept_and_reserve(connection: Connection) -> Quote:
    quote = accept_quote(store_on(connection, MINT), a_visit(), QUOTE.id, evidence(), seen=1, now=NOW)
    connection.execute(reservations.insert().values(quote_id=quote.id))
    return quote


def _accept_and_find_no_stock(connection: Connection) -> None:
    _accept_and_reserve(connection)
    raise NoStock


def test_an_acceptance_is_committed_with_the_hosts_own_work(host: Host) -> None:
    with host.engine.begin() as connection:
        _accept_and_reserve(connection)
        # Nobody else sees it yet; where SQLite has no write-ahead log, nobody could even look.
        seen_meanwhile = host.kept() if connection.dialect.name == "postgresql" else NOTHING

    assert seen_meanwhile == NOTHING
    assert host.kept() == BOTH


def test_an_acceptance_is_rolled_back_with_the_hosts_own_work(host: Host) -> None:
    with suppress(NoStock), host.engine.begin() as connection:
        _accept_and_find_no_stock(connection)

    assert host.kept() == NOTHING


def test_a_host_may_roll_back_without_an_error(host: Host) -> None:
    with host.engine.connect() as connection:
        _accept_and_reserve(connection)
        connection.rollback()
        _accept_and_reserve(connection)
        connection.commit()

    assert host.kept() == BOTH


def test_a_session_commits_for_both(host: Host) -> None:
    with Session(host.engine) as session, session.begin():
        _accept_and_reserve(session.connection())

    assert host.kept() == BOTH


def test_a_session_rolls_back_for_both(host: Host) -> None:
    with suppress(NoStock), Session(host.engine) as session, session.begin():
        _accept_and_find_no_stock(session.connection())

    assert host.kept() == NOTHING


def test_a_savepoint_takes_back_the_acceptance_alone(host: Host) -> None:
    with host.engine.begin() as connection:
        connection.execute(reservations.insert().values(quote_id="before"))
        with suppress(NoStock), connection.begin_nested():
            _accept_and_find_no_stock(connection)

    assert host.kept() == (False, 0, ["before"])


def test_a_refusal_that_is_caught_leaves_the_hosts_transaction_usable(host: Host) -> None:
    with host.engine.begin() as connection:
        _accept_and_reserve(connection)
        with pytest.raises(AlreadyDecided):
            decline_quote(store_on(connection, MINT), a_visit(), QUOTE.id, evidence(), seen=1, now=NOW)
        connection.execute(reservations.insert().values(quote_id="after"))

    assert host.kept() == (True, 1, ["Q1", "after"])


def _on_loop(host: Host, work: Callable[[AsyncEngine], Awaitable[None]]) -> None:
    async def run() -> None:
        engine = open_postgres_async(host.url, pool_size=2)
        try:
            await work(engine)
        finally:
            await engine.dispose()

    asyncio.run(run())


@pytest.mark.postgres
def test_an_asynchronous_connection_commits_for_both(postgres_host: Host) -> None:
    async def work(engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            await connection.run_sync(_accept_and_reserve)
            assert postgres_host.kept() == NOTHING

    _on_loop(postgres_host, work)

    assert postgres_host.kept() == BOTH


@pytest.mark.postgres
def test_an_asynchronous_connection_rolls_back_for_both(postgres_host: Host) -> None:
    async def work(engine: AsyncEngine) -> None:
        with suppress(NoStock):
            async with engine.begin() as connection:
                await connection.run_sync(_accept_and_find_no_stock)

    _on_loop(postgres_host, work)

    assert postgres_host.kept() == NOTHING


@pytest.mark.postgres
def test_an_asynchronous_host_that_is_cancelled_leaves_nothing(postgres_host: Host) -> None:
    async def work(engine: AsyncEngine) -> None:
        async def accept_and_wait(connection: AsyncConnection, accepted: asyncio.Event) -> None:
            async with connection.begin():
                await connection.run_sync(_accept_and_reserve)
                accepted.set()
                await asyncio.sleep(60)

        async with engine.connect() as connection:
            accepted = asyncio.Event()
            waiting = asyncio.ensure_future(accept_and_wait(connection, accepted))
            await accepted.wait()
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting

    _on_loop(postgres_host, work)

    assert postgres_host.kept() == NOTHING


@pytest.mark.postgres
@pytest.mark.parametrize("stock", [True, False])
def test_an_asynchronous_session_ends_both_alike(postgres_host: Host, *, stock: bool) -> None:
    ours = _accept_and_reserve if stock else _accept_and_find_no_stock

    async def work(engine: AsyncEngine) -> None:
        with suppress(NoStock):
            async with AsyncSession(engine) as session, session.begin():
                await session.run_sync(lambda plain: ours(plain.connection()))

    _on_loop(postgres_host, work)

    assert postgres_host.kept() == (BOTH if stock else NOTHING)
