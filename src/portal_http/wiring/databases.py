"""The database that the settings name, opened for a command or for a server."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import (
    SchemaOutdated,
    SqlGlances,
    SqliteRunner,
    SqlTransactions,
    has_safe_wal,
    migrate,
    open_sqlite,
    require_current_schema,
)
from portal_adapters.sqlalchemy.migrating import current_revision, require_current_schema_on
from portal_core.domain.errors import Refusal
from portal_core.ports import Glances, Runner, Store
from portal_http.settings import Settings
from portal_http.wiring import WiringRefused

if TYPE_CHECKING:
    from portal_adapters.sqlalchemy.postgres import GreenletRunner

__all__ = ["SchemaOutdated", "database", "has_safe_wal", "migrate_database", "reading_of", "served_from"]

PATIENCE_SECONDS = 10
"""How long PostgreSQL may take to answer a start."""


@contextmanager
def database(settings: Settings, *, set_up: bool = True) -> Generator[SqlTransactions]:
    """Open the database; refuse with WiringRefused or SchemaOutdated one that is of no use.

    One that was never set up is, unless that is not wanted.
    """
    with _opened(settings) as transactions:
        if set_up and current_revision(transactions.engine) is None:
            migrate(transactions.engine)
        require_current_schema(transactions.engine)
        yield transactions


@contextmanager
def reading_of(settings: Settings) -> Generator[Store]:
    """Return a store to read from; refuse with SchemaOutdated unless its schema is current."""
    with database(settings, set_up=False) as transactions, transactions.read() as store:
        yield store


def migrate_database(settings: Settings) -> None:
    """Create the tables, or bring them up to date."""
    with _opened(settings) as transactions:
        migrate(transactions.engine)


@frozen
class Served:
    """A database to serve from: the way to run use cases, the short way to what is asked most, and what lets go."""

    runner: Runner
    glances: Glances
    close: Callable[[], Awaitable[None]]


def served_from(settings: Settings) -> Served:
    """Open the database to serve from; refuse with WiringRefused or SchemaOutdated one that is of no use."""
    if settings.database_url.startswith("postgresql"):
        served = _greenlets_on(settings.database_url)
        return Served(served, SqlGlances(served.fetch), served.close)
    with database(settings, set_up=False) as transactions:
        runner = SqliteRunner(transactions.engine, RandomMint())

    async def close() -> None:
        runner.close()

    return Served(runner, SqlGlances(runner.fetch), close)


def _greenlets_on(url: str) -> "GreenletRunner":
    """Return the way to run use cases on PostgreSQL; the driver that serves them is asked whether it is fit for that.

    In a loop of its own, since there may be one already where this is called; then its connection is let go of.
    """
    from portal_adapters.sqlalchemy.postgres import (  # noqa: PLC0415 - an extra that not everybody has
        GreenletRunner,
        open_postgres_async,
    )

    async def look() -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS), engine.connect() as connection:
                await connection.run_sync(require_current_schema_on)
        finally:
            await engine.dispose()

    with _told_in_a_sentence(), ThreadPoolExecutor(max_workers=1) as elsewhere:
        engine = open_postgres_async(url)
        elsewhere.submit(asyncio.run, look()).result()
    return GreenletRunner(engine, RandomMint())


@contextmanager
def _opened(settings: Settings) -> Generator[SqlTransactions]:
    transactions = _answering(settings)
    try:
        yield transactions
    finally:
        transactions.engine.dispose()


def _answering(settings: Settings) -> SqlTransactions:
    """Return the transactions of a database that answers; refuse with WiringRefused one that does not."""
    with _told_in_a_sentence():
        transactions = _transactions(settings.database_url)
        try:
            current_revision(transactions.engine)
        except BaseException:
            transactions.engine.dispose()
            raise
    return transactions


@contextmanager
def _told_in_a_sentence() -> Generator[None]:
    """Refuse with WiringRefused, whatever a database or its driver says of why it cannot be used."""
    try:
        yield
    except (Refusal, SchemaOutdated, WiringRefused):
        raise
    except Exception as problem:
        reason = str(_root_of(problem)).strip() or "it does not answer"
        raise WiringRefused(f"PORTAL_DATABASE_URL names a database that cannot be used: {reason}") from problem


def _root_of(problem: BaseException) -> BaseException:
    return problem if problem.__cause__ is None else _root_of(problem.__cause__)


def _transactions(url: str) -> SqlTransactions:
    if url.startswith("postgresql"):
        from portal_adapters.sqlalchemy.postgres import open_postgres  # noqa: PLC0415 - an extra that not everybody has

        return SqlTransactions(open_postgres(url), RandomMint())
    folder = Path(url.partition("///")[2]).parent
    if not folder.is_dir():
        raise WiringRefused(f"PORTAL_DATABASE_URL names a file in {folder}, and there is no such folder.")
    return SqlTransactions(open_sqlite(url), RandomMint())
