"""What PostgreSQL cannot do just now is refused as Busy, leaves nothing behind, and no connection checked out."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from functools import partial
from typing import Any

import psycopg
import pytest
from attrs import evolve
from sqlalchemy import Connection, event
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import await_only

from portal_adapters.contract.builders import COMPANY, NOW, a_company, a_grant, an_event
from portal_adapters.contract.feeding import prepare
from portal_adapters.memory.access import MemoryCompanies
from portal_adapters.memory.tables import Tables
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, store_on
from portal_adapters.sqlalchemy.kept import A_WHILE
from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres, open_postgres_async
from portal_core.domain.access import Use
from portal_core.domain.companies import Company
from portal_core.domain.errors import Busy, DeadLink
from portal_core.domain.ids import GrantId
from portal_core.ports import Mint, Store
from tests.adapters.stores import emptied_database, postgres_engine

pytestmark = pytest.mark.postgres

IMPATIENT = 0.2
NOBODY = "postgresql://127.0.0.1:1/portal"

Ways = Callable[[GreenletRunner], Callable[[Callable[[Store], Any]], Awaitable[Any]]]

READ_AND_WRITE: list[Ways] = [lambda runner: runner.read, lambda runner: runner.write]


@pytest.fixture
def url() -> Generator[str]:
    with emptied_database() as url, postgres_engine(url) as engine:
        prepare(SqlTransactions(engine, RandomMint()))
        yield url


@pytest.fixture
def transactions(url: str) -> Generator[SqlTransactions]:
    with postgres_engine(url, pool_size=1, patience_seconds=IMPATIENT) as engine:
        yield SqlTransactions(engine, RandomMint())


def test_who_waits_too_long_for_a_lock_is_told_that_the_store_is_busy(url: str, transactions: SqlTransactions) -> None:
    with postgres_engine(url) as engine, SqlTransactions(engine, RandomMint()).begin() as store:
        _append(store)

        with pytest.raises(Busy):
            _write(transactions, _append)

    assert _ask(transactions) == a_company()


def test_who_finds_no_room_for_a_lock_is_told_that_the_store_is_busy(transactions: SqlTransactions) -> None:
    with transactions.engine.begin() as connection, pytest.raises(Busy):
        connection.exec_driver_sql("DO $$ BEGIN RAISE out_of_memory; END $$")

    assert _ask(transactions) == a_company()


def test_who_waits_too_long_for_a_connection_is_told_that_the_store_is_busy(transactions: SqlTransactions) -> None:
    with transactions.begin(), pytest.raises(Busy), transactions.begin():
        pass

    assert _ask(transactions) == a_company()


def test_a_lost_connection_is_busy_and_the_next_one_works(url: str, transactions: SqlTransactions) -> None:
    def lose(store: Store) -> None:
        _cut_off(url)
        _company(store)

    with pytest.raises(Busy):
        _write(transactions, lose)

    assert _ask(transactions) == a_company()


def test_a_connection_that_is_lost_before_the_commit_keeps_nothing(url: str, transactions: SqlTransactions) -> None:
    with pytest.raises(Busy):
        _write(transactions, lambda _: _cut_off(url))

    assert _ask(transactions) == a_company()


def test_a_server_that_is_out_of_reach_is_busy() -> None:
    engine = open_postgres(NOBODY)

    with pytest.raises(Busy), SqlTransactions(engine, RandomMint()).begin():
        pass


def test_an_export_sees_one_state_of_the_store_throughout(url: str) -> None:
    with postgres_engine(url) as engine:
        transactions = SqlTransactions(engine, RandomMint())
        with transactions.read() as store:
            before = _company(store)
            with transactions.begin() as another:
                another.intake.save([a_company(name="Renamed")])

            assert _company(store) == before
        assert _ask(transactions) == a_company(name="Renamed")


@pytest.mark.parametrize("way", READ_AND_WRITE, ids=["read", "write"])
def test_a_runner_whose_connections_are_all_taken_is_busy(url: str, way: Ways) -> None:
    async def both(runner: GreenletRunner) -> None:
        async with runner.engine.connect():
            with pytest.raises(Busy):
                await way(runner)(_company)
        assert await way(runner)(_company) == a_company()

    _with_runner(url, both)


@pytest.mark.parametrize("way", READ_AND_WRITE, ids=["read", "write"])
def test_a_runner_that_loses_its_connection_is_busy_and_goes_on_with_another(url: str, way: Ways) -> None:
    def lose(store: Store) -> None:
        _company(store)
        _cut_off(url)
        _company(store)

    async def both(runner: GreenletRunner) -> None:
        with pytest.raises(Busy):
            await way(runner)(lose)
        assert await way(runner)(_company) == a_company()

    _with_runner(url, both)


@pytest.mark.parametrize("way", READ_AND_WRITE, ids=["read", "write"])
def test_a_runner_whose_idle_connections_were_cut_off_is_busy_once_at_most(url: str, way: Ways) -> None:
    async def both(runner: GreenletRunner) -> None:
        await way(runner)(_company)
        _cut_off(url)
        with suppress(Busy):
            await way(runner)(_company)
        assert await way(runner)(_company) == a_company()

    _with_runner(url, both)


@pytest.mark.parametrize("way", READ_AND_WRITE, ids=["read", "write"])
def test_one_lost_connection_is_enough_to_give_up_all_idle_ones(url: str, way: Ways) -> None:
    async def all_of_them(runner: GreenletRunner) -> None:
        def linger(_: Store) -> None:
            await_only(asyncio.sleep(IMPATIENT))

        await asyncio.gather(*(way(runner)(linger) for _ in range(3)))
        _cut_off(url)
        with pytest.raises(Busy):
            await way(runner)(_company)
        assert [await way(runner)(_company) for _ in range(3)] == [a_company()] * 3

    _with_runner(url, all_of_them, patience_seconds=60, pool_size=3)


@pytest.mark.parametrize("way", READ_AND_WRITE, ids=["read", "write"])
def test_a_runner_without_a_server_is_busy(way: Ways) -> None:
    async def alone() -> None:
        runner = GreenletRunner(open_postgres_async(NOBODY), RandomMint())
        with pytest.raises(Busy):
            await way(runner)(_company)
        await runner.close()

    asyncio.run(alone())


def test_who_has_to_wait_for_a_connection_is_handed_one_as_it_is(url: str) -> None:
    async def crowd(runner: GreenletRunner) -> None:
        taken: list[object] = []
        event.listen(runner.engine.sync_engine, "checkout", lambda *about: taken.append(about))
        await asyncio.gather(*(runner.read(_company) for _ in range(20)))
        assert len(taken) == 1

    _with_runner(url, crowd, patience_seconds=60)


def test_who_waits_too_long_for_another_to_have_read_is_told_that_the_store_is_busy(url: str) -> None:
    async def crowd(runner: GreenletRunner) -> None:
        def linger(_: Store) -> None:
            await_only(asyncio.sleep(2 * IMPATIENT))

        slow = asyncio.create_task(runner.read(linger))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await runner.read(_company)
        await slow

    _with_runner(url, crowd)


def test_a_host_on_the_same_engine_gets_the_connections_that_a_crowd_has_left(url: str) -> None:
    async def crowd(runner: GreenletRunner) -> None:
        def linger(_: Store) -> None:
            await_only(asyncio.sleep(0.01))

        await asyncio.gather(*(runner.read(linger) for _ in range(12)))
        async with AsyncExitStack() as hosts:
            for _ in range(3):
                await hosts.enter_async_context(runner.engine.connect())
        assert await runner.read(_company) == a_company()

    _with_runner(url, crowd, patience_seconds=4 * A_WHILE, pool_size=3)


def test_reading_and_writing_share_one_connection_in_turns(url: str) -> None:
    def rename(store: Store) -> None:
        store.intake.save([a_company(name="Renamed")])

    async def take_turns(runner: GreenletRunner) -> None:
        await runner.write(rename)
        asked = [runner.read(_company) if place % 2 else runner.write(rename) for place in range(8)]
        assert await asyncio.gather(*asked) == [None, a_company(name="Renamed")] * 4

    _with_runner(url, take_turns, patience_seconds=5.0)


def test_a_read_that_is_given_up_gives_its_connection_back(url: str) -> None:
    async def give_up(runner: GreenletRunner) -> None:
        begun = asyncio.Event()

        def wait(store: Store) -> None:
            _company(store)
            begun.set()
            await_only(asyncio.sleep(60))

        await _give_up(runner.read(wait), begun)
        await _assert_unchanged(runner)

    _with_runner(url, give_up, patience_seconds=60)


def test_a_runner_that_waits_too_long_for_a_lock_is_busy_and_keeps_nothing(url: str) -> None:
    def rename(store: Store) -> None:
        store.intake.save([a_company(name="Renamed")])
        _append(store)

    async def late(runner: GreenletRunner) -> None:
        with pytest.raises(Busy):
            await runner.write(rename)

    with postgres_engine(url) as engine, SqlTransactions(engine, RandomMint()).begin() as store:
        _append(store)
        _with_runner(url, late)

    _with_runner(url, _assert_unchanged)


def test_the_use_of_a_link_that_somebody_changes_is_passed_over_and_that_of_another_noted(url: str) -> None:
    with postgres_engine(url) as engine, SqlTransactions(engine, RandomMint()).begin() as store:
        for each in ("changing", "used"):
            store.grants.add(a_grant(each, secrets=()))

    uses = [Use(COMPANY, GrantId(each), NOW) for each in ("changing", "used")]

    async def note(runner: GreenletRunner) -> None:
        with psycopg.connect(url) as staff:
            staff.execute("UPDATE portal_grants SET label = 'Changed' WHERE id = 'changing'")
            await runner.write(lambda store: store.links.touch(uses))
        found = [await runner.read(partial(_used_at, grant_id=each)) for each in ("changing", "used")]
        assert found == [None, NOW]

    _with_runner(url, note)


def test_a_request_that_is_given_up_keeps_nothing(url: str) -> None:
    async def give_up(runner: GreenletRunner) -> None:
        begun = asyncio.Event()

        def rename(store: Store) -> None:
            store.intake.save([a_company(name="Renamed")])
            begun.set()
            _append(store)

        await _give_up(runner.write(rename), begun)
        await _assert_unchanged(runner)

    with postgres_engine(url) as engine, SqlTransactions(engine, RandomMint()).begin() as store:
        _append(store)
        _with_runner(url, give_up, patience_seconds=60)


@pytest.mark.parametrize("turns", range(1, 5))
def test_a_write_that_is_given_up_as_it_begins_leaves_no_transaction_open(url: str, turns: int) -> None:
    async def give_up(runner: GreenletRunner) -> None:
        await runner.read(_company)
        writing = asyncio.create_task(runner.write(_company))
        for _ in range(turns):
            await asyncio.sleep(0)
        time.sleep(IMPATIENT)  # noqa: ASYNC251 - PostgreSQL begins, and nobody hears of it
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        await _assert_unchanged(runner)
        with psycopg.connect(url) as other:
            found = other.execute("SELECT state FROM pg_stat_activity WHERE datname = current_database()").fetchall()
        assert ("idle in transaction",) not in found

    _with_runner(url, give_up, patience_seconds=60)


def test_a_write_in_which_an_error_was_caught_does_not_pass_for_kept(url: str) -> None:
    def rename(store: Store) -> None:
        store.intake.save([a_company(name="Renamed")])
        store.events.append(an_event())
        with suppress(Exception):
            store.events.append(an_event())

    async def catch(runner: GreenletRunner) -> None:
        with pytest.raises(RuntimeError, match="was caught"):
            await runner.write(rename)
        await _assert_unchanged(runner)

    _with_runner(url, catch)


@pytest.mark.parametrize("way", READ_AND_WRITE, ids=["read", "write"])
def test_a_refusal_on_a_connection_that_was_lost_leaves_it_to_nobody(url: str, way: Ways) -> None:
    def refuse(_: Store) -> None:
        _cut_off(url)
        raise DeadLink

    async def refuse_first(runner: GreenletRunner) -> None:
        with pytest.raises(DeadLink):
            await runner.write(refuse)
        assert await way(runner)(_company) == a_company()

    _with_runner(url, refuse_first)


@pytest.mark.parametrize("way", READ_AND_WRITE, ids=["read", "write"])
def test_a_question_the_short_way_that_waits_too_long_for_a_lock_is_busy(url: str, way: Ways) -> None:
    async def ask(runner: GreenletRunner) -> None:
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE portal_digests IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Busy):
                await way(runner)(lambda store: store.links.open(b"", at=NOW))
        await _assert_unchanged(runner)

    _with_runner(url, ask)


@pytest.mark.parametrize("way", READ_AND_WRITE, ids=["read", "write"])
def test_what_a_use_case_fails_by_is_not_taken_for_a_database_out_of_reach(url: str, way: Ways) -> None:
    def look(_: Store) -> None:
        raise FileNotFoundError("a file of the host's")

    async def fail(runner: GreenletRunner) -> None:
        with pytest.raises(FileNotFoundError):
            await way(runner)(look)
        await _assert_unchanged(runner)

    _with_runner(url, fail)


def test_a_hosts_own_store_is_what_reads_and_writes_get(url: str) -> None:
    own = a_company(name="Kept elsewhere")

    def mixed(connection: Connection, mint: Mint) -> Store:
        return evolve(store_on(connection, mint), companies=MemoryCompanies(Tables(companies={COMPANY: own})))

    async def ask() -> list[Company | None]:
        runner = GreenletRunner(open_postgres_async(url), RandomMint(), mixed)
        found = [await runner.read(_company), await runner.write(_company)]
        await runner.close()
        return found

    assert asyncio.run(ask()) == [own, own]


def _with_runner(
    url: str,
    work: Callable[[GreenletRunner], Awaitable[None]],
    patience_seconds: float = IMPATIENT,
    pool_size: int = 1,
) -> None:
    """Do something with an impatient runner that has few connections, and see that it has them back in the end."""

    async def run() -> None:
        engine = open_postgres_async(url, pool_size=pool_size, patience_seconds=patience_seconds)
        runner = GreenletRunner(engine, RandomMint())
        pool = engine.pool
        assert isinstance(pool, QueuePool)
        await work(runner)
        await runner.close()
        assert pool.checkedout() == 0

    asyncio.run(run())


async def _give_up(work: Coroutine[Any, Any, object], begun: asyncio.Event) -> None:
    """Cancel a use case that has begun: a connection that is still being opened would be left to the garbage."""
    task = asyncio.create_task(work)
    await begun.wait()
    await asyncio.sleep(IMPATIENT / 4)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _assert_unchanged(runner: GreenletRunner) -> None:
    assert await runner.read(_company) == a_company()


def _cut_off(url: str) -> None:
    """End all other connections to the database, as a restart of the server does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _write(transactions: SqlTransactions, then: Callable[[Store], None]) -> None:
    with transactions.begin() as store:
        store.intake.save([a_company(name="Renamed")])
        then(store)


def _append(store: Store) -> None:
    store.events.append(an_event("E1"))


def _company(store: Store) -> Company | None:
    return store.companies.get(COMPANY)


def _ask(transactions: SqlTransactions) -> Company | None:
    with transactions.begin() as store:
        return _company(store)


def _used_at(store: Store, grant_id: str) -> datetime | None:
    grant = store.grants.get(COMPANY, GrantId(grant_id))
    assert grant is not None
    return grant.last_used_at
