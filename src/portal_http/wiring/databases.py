"""The database that the settings name, opened for a command or for a server."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from pathlib import Path

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
from portal_adapters.sqlalchemy.migrating import current_revision
from portal_core.domain.errors import Refusal
from portal_core.ports import Glances, Runner, Store
from portal_http.settings import Settings
from portal_http.wiring import WiringRefused

__all__ = ["SchemaOutdated", "database", "has_safe_wal", "migrate_database", "reading_of", "served_from"]


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
        from portal_adapters.sqlalchemy.postgres import (  # noqa: PLC0415 - an extra that not everybody has
            GreenletRunner,
            open_postgres_async,
        )

        with database(settings, set_up=False):
            served = GreenletRunner(open_postgres_async(settings.database_url), RandomMint())
        return Served(served, SqlGlances(served.fetch), served.close)
    with database(settings, set_up=False) as transactions:
        runner = SqliteRunner(transactions.engine, RandomMint())

    async def close() -> None:
        runner.close()

    return Served(runner, SqlGlances(runner.fetch), close)


@contextmanager
def _opened(settings: Settings) -> Generator[SqlTransactions]:
    transactions = _answering(settings)
    try:
        yield transactions
    finally:
        transactions.engine.dispose()


def _answering(settings: Settings) -> SqlTransactions:
    """Return the transactions of a database that answers; refuse with WiringRefused one that does not."""
    try:
        transactions = _transactions(settings.database_url)
        current_revision(transactions.engine)
    except (Refusal, WiringRefused):
        raise
    except Exception as problem:
        reason = str(problem.__cause__ or problem).strip()
        raise WiringRefused(f"PORTAL_DATABASE_URL names a database that cannot be used: {reason}") from problem
    return transactions


def _transactions(url: str) -> SqlTransactions:
    if url.startswith("postgresql"):
        from portal_adapters.sqlalchemy.postgres import open_postgres  # noqa: PLC0415 - an extra that not everybody has

        return SqlTransactions(open_postgres(url), RandomMint())
    folder = Path(url.partition("///")[2]).parent
    if not folder.is_dir():
        raise WiringRefused(f"PORTAL_DATABASE_URL names a file in {folder}, and there is no such folder.")
    return SqlTransactions(open_sqlite(url), RandomMint())
