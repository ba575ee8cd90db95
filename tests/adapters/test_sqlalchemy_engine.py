"""SQLite is opened durable and patient, and what cannot get its lock is refused as busy."""

import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine

from portal_adapters.contract.builders import COMPANY, NOW, a_company, a_grant, an_event
from portal_adapters.contract.mint import CountingMint
from portal_adapters.sqlalchemy import SqlTransactions, has_safe_wal, migrate, open_sqlite
from portal_core.domain.errors import Busy

FULL = 2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "100% portal.sqlite3"


@pytest.fixture
def engine(file: Path) -> Generator[Engine]:
    engine = open_sqlite(file, patience_seconds=0.05)
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def transactions(engine: Engine) -> SqlTransactions:
    return SqlTransactions(engine, CountingMint())


@pytest.mark.parametrize(
    "version, safe",
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 9), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_the_write_ahead_log_is_trusted_where_its_race_is_mended(version: tuple[int, int, int], *, safe: bool) -> None:
    assert has_safe_wal(version) is safe


def test_a_commit_is_on_the_disk_before_it_is_acknowledged(engine: Engine) -> None:
    with engine.connect() as connection:
        synchronous = connection.exec_driver_sql("PRAGMA synchronous").scalar_one()
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()

    assert synchronous == FULL
    assert journal == ("wal" if has_safe_wal() else "delete")


def test_a_database_is_named_by_its_path_or_its_url(file: Path) -> None:
    for name in (file, str(file), f"sqlite:///{file}"):
        engine = open_sqlite(name)

        assert engine.url.database == str(file)


@pytest.mark.parametrize("name", [":memory:", "sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name a file"):
        open_sqlite(name)


def test_a_transaction_has_its_lock_from_the_start(transactions: SqlTransactions) -> None:
    with transactions.begin(), pytest.raises(Busy), transactions.begin():
        pytest.fail("two transactions may write at once")


def test_who_was_refused_can_try_again(transactions: SqlTransactions) -> None:
    with transactions.begin() as store, pytest.raises(Busy), transactions.begin():
        store.intake.save([a_company()])

    with transactions.begin() as store:
        store.intake.save([a_company()])

    with transactions.read() as store:
        assert store.companies.get(COMPANY) == a_company()


def test_a_reader_is_not_kept_out_by_who_has_not_committed(transactions: SqlTransactions) -> None:
    with transactions.begin() as writing:
        writing.intake.save([a_company()])

        with transactions.read() as reading:
            found = reading.companies.get(COMPANY)

    assert found is None


def test_a_transaction_too_large_for_the_cache_does_not_keep_readers_out(
    engine: Engine, transactions: SqlTransactions
) -> None:
    with engine.connect() as connection:
        cache = -connection.exec_driver_sql("PRAGMA cache_size").scalar_one() * 1024

    with transactions.begin() as writing:
        writing.events.append(an_event(data={"text": "x" * cache * 2}))
        with transactions.read() as reading:
            found = reading.events.page(COMPANY, after=None, limit=1)

    assert found is not None
    assert found.total == 0


@pytest.mark.skipif(has_safe_wal(), reason="with a write-ahead log no reader is in a writer's way")
def test_a_commit_that_a_reader_is_in_the_way_of_is_refused_whole(transactions: SqlTransactions) -> None:
    with transactions.read() as reading:
        reading.companies.get(COMPANY)
        with pytest.raises(Busy), transactions.begin() as store:
            store.grants.add(a_grant())

    with transactions.begin() as store:
        assert store.grants.get(COMPANY, a_grant().id) is None
        store.grants.add(a_grant())


@pytest.mark.skipif(has_safe_wal(), reason="with a write-ahead log no writer is in a reader's way")
def test_another_process_in_the_way_of_a_read_is_said_to_be_busy(file: Path, transactions: SqlTransactions) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")

        with pytest.raises(Busy), transactions.read() as store:
            store.links.open(b"\0" * 32, at=NOW)
