"""The event loop runs reads itself, waits for nobody's lock, and leaves writes to one thread."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TypeVar

import pytest
from attrs import evolve
from sqlalchemy import Connection

from portal_adapters.contract.builders import COMPANY, a_company, an_event
from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory.access import MemoryCompanies
from portal_adapters.memory.tables import Tables
from portal_adapters.sqlalchemy import SqliteRunner, SqlTransactions, has_safe_wal, migrate, open_sqlite, store_on
from portal_core.domain.companies import Company
from portal_core.domain.errors import Busy
from portal_core.ports import Mint, Store

PATIENCE = 2.0
LOCKED_FOR = 0.3
OURS = a_company(name="Kept elsewhere")

T = TypeVar("T")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "portal.sqlite3"


@pytest.fixture
def runner(file: Path) -> Generator[SqliteRunner]:
    engine = open_sqlite(file, patience_seconds=PATIENCE)
    migrate(engine)
    with SqlTransactions(engine, CountingMint()).begin() as store:
        store.intake.save([a_company()])
    runner = SqliteRunner(engine, CountingMint())
    yield runner
    runner.close()


def company(store: Store) -> Company | None:
    return store.companies.get(COMPANY)


def test_a_read_runs_on_the_loop_and_a_write_does_not(runner: SqliteRunner) -> None:
    async def where() -> tuple[str, str]:
        read = await runner.read(lambda _: threading.current_thread().name)
        return read, await runner.write(lambda _: threading.current_thread().name)

    read, write = asyncio.run(where())

    assert read == threading.current_thread().name
    assert write.startswith("portal-writer")


def test_a_read_sees_what_was_written_before(runner: SqliteRunner) -> None:
    async def rename() -> list[Company | None]:
        found = [await runner.read(company)]
        await runner.write(lambda store: store.intake.save([a_company(name="Renamed")]))
        return [*found, await runner.read(company)]

    assert asyncio.run(rename()) == [a_company(), a_company(name="Renamed")]


def test_a_hosts_own_store_is_what_reads_and_writes_get(runner: SqliteRunner) -> None:
    def mixed(connection: Connection, mint: Mint) -> Store:
        return evolve(
            store_on(connection, mint), mint=mint, companies=MemoryCompanies(Tables(companies={COMPANY: OURS}))
        )

    own = SqliteRunner(runner.engine, CountingMint(), mixed)

    async def ask() -> list[Company | None]:
        return [await own.read(company), await own.write(company)]

    assert asyncio.run(ask()) == [OURS, OURS]
    own.close()


def test_a_write_that_raises_leaves_nothing_behind(runner: SqliteRunner) -> None:
    def fail(store: Store) -> None:
        store.intake.save([a_company(name="Renamed")])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(runner.write(fail))

    assert asyncio.run(runner.read(company)) == a_company()


def test_a_write_whose_commit_meets_a_lock_is_busy_and_the_next_ones_are_done(file: Path) -> None:
    engine = open_sqlite(file, patience_seconds=0.05)
    migrate(engine)
    runner = SqliteRunner(engine, CountingMint())

    with closing(sqlite3.connect(file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM portal_events").fetchall()
        with nullcontext() if has_safe_wal() else pytest.raises(Busy):
            asyncio.run(runner.write(_appending(1)))
        reader.execute("COMMIT")
        asyncio.run(runner.write(_appending(2)))
        found = reader.execute("SELECT id FROM portal_events ORDER BY id").fetchall()

    runner.close()
    assert found == ([("E1",), ("E2",)] if has_safe_wal() else [("E2",)])


def test_a_read_that_raises_leaves_no_lock_behind(runner: SqliteRunner, file: Path) -> None:
    def fail(store: Store) -> None:
        company(store)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(runner.read(fail))

    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")


def test_many_writes_at_once_are_all_done_one_after_the_other(runner: SqliteRunner) -> None:
    async def append() -> None:
        await asyncio.gather(*(runner.write(_appending(place)) for place in range(50)))

    asyncio.run(append())

    page = asyncio.run(runner.read(lambda store: store.events.page(COMPANY, after=None, limit=50)))
    assert page is not None
    assert [event.id for event in page.items] == [f"E{place}" for place in range(50)]


def test_the_loop_goes_on_while_a_read_waits_for_a_lock(runner: SqliteRunner, file: Path) -> None:
    with _locked(file, LOCKED_FOR):
        found, longest = asyncio.run(_beating(lambda: runner.read(company)))

    assert found == a_company()
    assert longest < LOCKED_FOR / 2


def test_the_loop_goes_on_while_a_write_waits_for_a_lock(runner: SqliteRunner, file: Path) -> None:
    with _locked(file, LOCKED_FOR):
        _, longest = asyncio.run(_beating(lambda: runner.write(_appending(1))))

    assert longest < LOCKED_FOR / 2


def test_who_waited_long_enough_is_told_that_the_store_is_busy(file: Path) -> None:
    engine = open_sqlite(file, patience_seconds=0.05)
    migrate(engine)
    runner = SqliteRunner(engine, CountingMint())

    with _locked(file, LOCKED_FOR):
        for run in (runner.write,) if has_safe_wal() else (runner.read, runner.write):
            with pytest.raises(Busy):
                asyncio.run(run(company))

    assert asyncio.run(runner.read(company)) is None
    runner.close()


def test_what_is_under_way_is_finished_before_the_file_is_let_go(runner: SqliteRunner, file: Path) -> None:
    async def close_at_once() -> None:
        writes = [asyncio.ensure_future(runner.write(_appending(place))) for place in range(5)]
        await asyncio.sleep(0)
        runner.close()
        await asyncio.gather(*writes)

    asyncio.run(close_at_once())

    with closing(sqlite3.connect(file)) as other:
        assert other.execute("SELECT count(*) FROM portal_events").fetchone() == (5,)


def _appending(place: int) -> Callable[[Store], None]:
    return lambda store: store.events.append(an_event(f"E{place}"))


def _locked(file: Path, seconds: float) -> "_Lock":
    return _Lock(file, seconds)


class _Lock:
    """Another process's lock, let go after a while."""

    def __init__(self, file: Path, seconds: float) -> None:
        self._connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._timer = threading.Timer(seconds, self._connection.execute, ["ROLLBACK"])

    def __enter__(self) -> None:
        self._connection.execute("BEGIN EXCLUSIVE")
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.join()
        self._connection.close()


async def _beating(work: Callable[[], Awaitable[T]]) -> tuple[T, float]:
    """Return the result of some work, and the longest that the loop stood still meanwhile."""
    stills: list[float] = [0.0]

    async def beat() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            stills.append(time.perf_counter() - before)

    beats = asyncio.ensure_future(beat())
    result = await work()
    beats.cancel()
    return result, max(stills)
