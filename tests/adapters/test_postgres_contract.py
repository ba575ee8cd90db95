"""PostgreSQL keeps the promises that every adapter keeps: by psycopg, on greenlets over asyncpg, and in partitions."""

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from hypothesis import settings
from sqlalchemy import Table, UniqueConstraint

from portal_adapters.contract import StoreContract
from portal_adapters.contract.machine import StoreMachine
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, metadata
from portal_core.ports import Mint, Transactions
from tests.adapters.greenlets import greenlet_store
from tests.adapters.stores import create_partitioned, emptied_database, postgres_engine
from tests.adapters.test_machine import HOW_LONG

pytestmark = pytest.mark.postgres


class TestPsycopg(StoreContract):
    @pytest.fixture
    def transactions(self) -> Generator[Transactions]:
        with emptied_database() as url, postgres_engine(url) as engine:
            yield SqlTransactions(engine, RandomMint())


class TestAsyncpg(StoreContract):
    @pytest.fixture
    def transactions(self) -> Generator[Transactions]:
        with emptied_database() as url, greenlet_store(url, RandomMint()) as store:
            yield store


class TestPartitioned(StoreContract):
    @pytest.fixture
    def transactions(self) -> Generator[Transactions]:
        with emptied_database(create_partitioned) as url, postgres_engine(url) as engine:
            yield SqlTransactions(engine, RandomMint())


class PsycopgMachine(StoreMachine):
    @contextmanager
    def opened(self, mint: Mint) -> Generator[Transactions]:
        with emptied_database() as url, postgres_engine(url) as engine:
            yield SqlTransactions(engine, mint)


class AsyncpgMachine(StoreMachine):
    @contextmanager
    def opened(self, mint: Mint) -> Generator[Transactions]:
        with emptied_database() as url, greenlet_store(url, mint) as store:
            yield store


TestPsycopgMachine = PsycopgMachine.TestCase
TestPsycopgMachine.settings = settings(HOW_LONG, max_examples=HOW_LONG.max_examples // 2)

TestAsyncpgMachine = AsyncpgMachine.TestCase
TestAsyncpgMachine.settings = settings(HOW_LONG, max_examples=HOW_LONG.max_examples // 5)


def test_the_company_leads_every_key_and_index_but_where_no_company_is_known() -> None:
    leading = {(table.name, columns[0]) for table in metadata.sorted_tables for columns in _keys_of(table)}

    assert {pair for pair in leading if pair[1] != "company_id"} == {
        ("portal_digests", "digest"),
        ("portal_dispatches", "due_at"),
    }


def test_the_largest_tables_are_partitioned_by_company() -> None:
    with emptied_database(create_partitioned) as url, postgres_engine(url) as engine, engine.connect() as connection:
        partitioned = connection.exec_driver_sql(
            "SELECT relname FROM pg_class WHERE relkind = 'p' AND relname LIKE 'portal%%'"
        ).scalars()

        assert set(partitioned) == set(metadata.tables) - {"portal_digests"}


def _keys_of(table: Table) -> list[list[str]]:
    unique = [each.columns.keys() for each in table.constraints if isinstance(each, UniqueConstraint)]
    return [table.primary_key.columns.keys(), *unique, *(each.columns.keys() for each in table.indexes)]
