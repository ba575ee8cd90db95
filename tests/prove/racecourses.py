"""Where races are run: each store, with all callers at once in the way in which it is used."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any, TypeAlias, TypeVar, final

from attrs import frozen
from sqlalchemy import delete, text

from portal_adapters.memory import MemoryTransactions
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, migrate
from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres, open_postgres_async
from portal_adapters.sqlalchemy.schema import metadata
from portal_core.domain.errors import Busy
from portal_core.ports import Store, Transactions
from tests.adapters.stores import sqlite_store
from tests.postgres import fresh_database
from tests.prove.racing import CALLERS, AtOnce, Result, Work

T = TypeVar("T")

ATTEMPTS = 200
"""How often a caller tries again who is told that the store is busy."""

CONNECTIONS = 16
"""Half as many as callers, so that callers wait for connections too."""


@final
@frozen
class Course:
    """A store to race on: `transactions` to look at it in peace, and what runs works at once."""

    transactions: Transactions
    at_once: AtOnce


Opened: TypeAlias = Generator[Course]


@contextmanager
def in_memory() -> Opened:
    transactions = MemoryTransactions(RandomMint())
    with threads(transactions) as at_once:
        yield Course(transactions, at_once)


@contextmanager
def on_sqlite() -> Opened:
    with sqlite_store(RandomMint()) as transactions, threads(transactions) as at_once:
        yield Course(transactions, at_once)


@contextmanager
def on_postgres_threads() -> Opened:
    with postgres_store() as (transactions, _), threads(transactions) as at_once:
        yield Course(transactions, at_once)


@contextmanager
def on_postgres_greenlets(alter: Callable[[Store], Store] = lambda store: store) -> Opened:
    with postgres_store() as (transactions, url), asyncio.Runner() as loop:
        runner = GreenletRunner(open_postgres_async(url, pool_size=CONNECTIONS), RandomMint())

        async def run(work: Work) -> Result:
            for _ in range(ATTEMPTS):
                try:
                    return await runner.write(lambda store: work(alter(store)))
                except Busy:
                    continue
                except Exception as failure:  # noqa: BLE001 - refusals are among what may be told; the rest is a fault
                    return failure
            return Busy("for ever")

        async def gather(works: Sequence[Work]) -> Sequence[Result]:
            return await asyncio.gather(*map(run, works))

        def at_once(works: Sequence[Work]) -> Sequence[Result]:
            running: Coroutine[Any, Any, Sequence[Result]] = gather(works)
            return loop.run(running)

        try:
            yield Course(transactions, at_once)
        finally:
            loop.run(runner.close())


@contextmanager
def postgres_store() -> Generator[tuple[SqlTransactions, str]]:
    """Open a store in a fresh database, and tell its address."""
    with fresh_database() as url:
        engine = open_postgres(url)
        migrate(engine)
        try:
            yield SqlTransactions(engine, RandomMint()), url
        finally:
            engine.dispose()


@contextmanager
def threads(transactions: Transactions) -> Generator[AtOnce]:
    with ThreadPoolExecutor(CALLERS) as pool:
        yield lambda works: _run_in(pool, transactions, works)


def _run_in(pool: ThreadPoolExecutor, transactions: Transactions, works: Sequence[Work]) -> Sequence[Result]:
    start = Barrier(len(works))

    def run(work: Work) -> Result:
        start.wait(timeout=60)
        for _ in range(ATTEMPTS):
            try:
                with transactions.begin() as store:
                    return work(store)
            except Busy:
                continue
            except Exception as failure:  # noqa: BLE001 - refusals are among what may be told; the rest is a fault
                return failure
        return Busy("for ever")

    return list(pool.map(run, works))


def emptied(transactions: SqlTransactions) -> None:
    """Remove everything that a store on PostgreSQL holds, what is append-only too."""
    with transactions.engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = 'replica'"))
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
