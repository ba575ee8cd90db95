"""The store on Django's own connection: what the portal writes and what a host's models write are one transaction.

It needs Django 5.2 or newer, on SQLite or on PostgreSQL with psycopg 3.
"""

import asyncio
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from functools import cache
from typing import Any, Final, TypeAlias, TypeVar, final

import django.db
from attrs import field, frozen
from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connections, router, transaction
from sqlalchemy import Date, Dialect, Engine, ExceptionContext, NullPool, create_engine, event
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from portal_adapters.sqlalchemy.dialects import is_transient
from portal_adapters.sqlalchemy.engine import busy, is_busy
from portal_adapters.sqlalchemy.migrating import migrate
from portal_adapters.sqlalchemy.store import StoreOn, store_on
from portal_core.ports import Mint, Runner, Store, Transactions

T = TypeVar("T")

Begin: TypeAlias = Callable[[], AbstractContextManager[Store]]

_URLS: Final = {"sqlite": "sqlite+pysqlite://", "postgresql": "postgresql+psycopg://"}
_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {"sqlite": {}, "postgresql": {"use_native_hstore": False}}

_THREADS: Final = 8


def django_engine(using: str = DEFAULT_DB_ALIAS) -> Engine:
    """Return an engine whose connections are the one that Django has in the thread that asks.

    Django alone begins, commits, rolls back and closes: a transaction of the engine's ends where Django's does.
    Raises ImproperlyConfigured for a database that is neither SQLite nor PostgreSQL.
    """
    return _engine(using, connections[using].vendor)


def migrate_with_django(sender: AppConfig, *, using: str = DEFAULT_DB_ALIAS, **_: object) -> None:
    """Create or change the portal's tables, where the app that sends `post_migrate` may have tables.

    It leaves alone every database that is neither SQLite nor PostgreSQL.
    """
    if connections[using].vendor in _URLS and router.allow_migrate(using, sender.label):
        with transaction.atomic(using):
            migrate(django_engine(using))


@final
@frozen
class DjangoTransactions(Transactions):
    """Transactions that are `django.db.transaction.atomic` blocks; within another one, its savepoints.

    Everything that is done in the block is committed together or not at all, by the portal and by Django's models.
    Raises Django's TransactionManagementError where an error of the database was caught in the block, as that is rolled
    back then.
    """

    mint: Mint
    store_on: StoreOn = store_on
    using: str = DEFAULT_DB_ALIAS

    @contextmanager
    def begin(self) -> Generator[Store]:
        """Begin a transaction that may write; Busy when it cannot have its lock in time, or cannot commit."""
        with _saying_busy(), transaction.atomic(self.using), self.read() as store:
            yield store
            # Django would roll back without a word where an error in the block was caught in it.
            connections[self.using].validate_no_broken_transaction()

    @contextmanager
    def read(self) -> Generator[Store]:
        """Give a store to read from, in the transaction that Django is in, if any."""
        with _saying_busy(), django_engine(self.using).connect() as connection:
            yield self.store_on(connection, self.mint)


@final
@frozen
class DjangoRunner(Runner):
    """Runs use cases in threads of its own, for Django's models are not for event loops.

    Each use case is to Django's connections what a request is: one that is too old or unusable is closed, before and
    afterwards. With `CONN_MAX_AGE` a thread keeps its connection.
    """

    transactions: DjangoTransactions
    threads: int = _THREADS
    _pool: ThreadPoolExecutor = field(init=False)

    def __attrs_post_init__(self) -> None:
        pool = ThreadPoolExecutor(max_workers=self.threads, thread_name_prefix="portal-django")
        object.__setattr__(self, "_pool", pool)

    async def read(self, use_case: Callable[[Store], T]) -> T:
        """Run a use case that writes nothing, without a transaction around its statements."""
        return await self._in_thread(self.transactions.read, use_case)

    async def write(self, use_case: Callable[[Store], T]) -> T:
        """Run a use case in a transaction: committed when it returns, rolled back when it raises."""
        return await self._in_thread(self.transactions.begin, use_case)

    def close(self) -> None:
        """Wait for what is under way."""
        self._pool.shutdown()

    async def _in_thread(self, begin: Begin, use_case: Callable[[Store], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, _as_a_request, begin, use_case)


def _as_a_request(begin: Begin, use_case: Callable[[Store], T]) -> T:
    close_old_connections()
    try:
        with begin() as store:
            return use_case(store)
    finally:
        close_old_connections()


@contextmanager
def _saying_busy() -> Generator[None]:
    try:
        yield
    except (django.db.Error, DBAPIError) as error:
        if is_busy(error.__cause__) or is_transient(error.__cause__) or _is_lost(error):
            raise busy() from error
        raise


def _is_lost(error: Exception) -> bool:
    """Tell whether PostgreSQL is out of reach.

    An error of psycopg's has a code of PostgreSQL's, or None where no server sent it. SQLite's has no such thing.
    """
    if not isinstance(error, django.db.OperationalError | OperationalError):
        return False
    cause: Any = error.__cause__
    return hasattr(cause, "sqlstate") and cause.sqlstate is None


@final
class _Lent:
    """Django's connection, lent to SQLAlchemy: how it is set up, and when it commits, stays Django's affair."""

    def __init__(self, connection: Any) -> None:  # noqa: ANN401 - the driver's
        self._connection = connection

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        return getattr(self._connection, name)

    def _leave(self, *_: object, **__: object) -> None:
        """Leave that to Django."""

    commit = rollback = close = create_function = add_notice_handler = _leave


@final
class _Day(sqlite.DATE):
    """A day in SQLite, which Django's connection has read as one already where it is a column as such."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ANN401 - as of its base
        """Return what makes a day of its text."""
        parse = super().result_processor(dialect, coltype)

        def read(value: Any) -> date | None:  # noqa: ANN401 - a day, or its text
            return value if parse is None or isinstance(value, date) else parse(value)

        return read


@cache
def _engine(using: str, vendor: str) -> Engine:
    if vendor not in _URLS:
        raise ImproperlyConfigured(f"the portal's tables can be in SQLite or PostgreSQL, and {using!r} is neither")
    engine = create_engine(
        _URLS[vendor],
        creator=lambda: _lent(using),
        poolclass=NullPool,
        pool_reset_on_return=None,
        **_OPTIONS[vendor],
    )
    if vendor == "sqlite":
        engine.dialect.colspecs = {**engine.dialect.colspecs, Date: _Day}

    @event.listens_for(engine, "handle_error")
    def _tell_django(_: ExceptionContext) -> None:
        """Let Django know what its own cursor would have told it: a COMMIT would be a ROLLBACK now, or unanswered."""
        connection = connections[using]
        connection.needs_rollback = connection.in_atomic_block
        connection.errors_occurred = True

    return engine


def _lent(using: str) -> Any:  # noqa: ANN401 - as above
    connection = connections[using]
    connection.validate_no_broken_transaction()
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    return _Lent(connection.connection)
