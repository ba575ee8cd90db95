"""Running use cases on SQLite from an event loop, which is never kept waiting for a lock.

Reads are so short that a thread costs more than they do: they run on the loop, on a connection that does not
wait. One that meets another's lock is run again in a thread that does. Writes queue for one thread, since
SQLite has one writer anyway.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, TypeVar, final

from attrs import define, field, frozen
from sqlalchemy import Connection, Engine

from portal_adapters.sqlalchemy.direct import DIRECT, Reading, prepared
from portal_adapters.sqlalchemy.engine import READING
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.store import SqlTransactions, StoreOn, store_on
from portal_core.domain.errors import Busy
from portal_core.ports import Mint, Runner, Store

T = TypeVar("T")


_WAITING_READERS = 8


def _threads(name: str, most: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=most, thread_name_prefix=name)


@final
@frozen
class _Kept:
    """A connection that is kept, the store on it, which is made once, and the driver's own connection below."""

    connection: Connection
    store: Store
    driver: Any


@final
@define(eq=False)
class SqliteRunner(Runner):
    """Reads on the event loop that it is used from, writes on a thread of its own."""

    engine: Engine
    mint: Mint
    store_on: StoreOn = store_on
    _inline: _Kept | None = field(default=None, init=False)
    _written_on: _Kept | None = field(default=None, init=False)
    _writer: ThreadPoolExecutor = field(factory=lambda: _threads("portal-writer", 1), init=False)
    _readers: ThreadPoolExecutor = field(factory=lambda: _threads("portal-reader", _WAITING_READERS), init=False)

    # Commits and waiting reads take turns, since SQLite tells nobody when a lock is free: who waits looks again.
    _turns: Lock = field(factory=Lock, init=False)

    async def read(self, use_case: Callable[[Store], T]) -> T:
        """Run a use case that writes nothing, at once or, where a lock is in the way, in a thread."""
        try:
            return self._read_now(use_case)
        except Busy:
            return await asyncio.get_running_loop().run_in_executor(self._readers, self._read_patiently, use_case)

    async def fetch(self, statement: Reading, parameters: Mapping[str, Any]) -> Sequence[AnyRow] | None:
        """Return the rows of a statement by the short way, at once; nothing where it cannot be taken."""
        known = prepared(statement, self.engine.dialect)
        if known is None:
            return None
        try:
            return known.rows(self._opened().driver.execute(known.text, known.values(parameters)).fetchall())
        except Exception:  # noqa: BLE001 - whatever it is, a lock above all, the plain way tells it
            return None

    async def write(self, use_case: Callable[[Store], T]) -> T:
        """Run a use case in a transaction, after those that were asked for before it."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._write, use_case)

    def close(self) -> None:
        """Wait for what is under way, and let go of the file."""
        self._writer.shutdown()
        self._readers.shutdown()
        for kept in filter(None, (self._inline, self._written_on)):
            kept.connection.close()
        self._inline = self._written_on = None
        self.engine.dispose()

    def _read_now(self, use_case: Callable[[Store], T]) -> T:
        inline = self._opened()
        try:
            return use_case(inline.store)
        finally:
            inline.connection.rollback()

    def _opened(self) -> _Kept:
        if self._inline is None:
            self._inline = self._keep(_impatient(self.engine))
        return self._inline

    def _read_patiently(self, use_case: Callable[[Store], T]) -> T:
        with self._turns, SqlTransactions(self.engine, self.mint, self.store_on).read() as store:
            return use_case(store)

    def _write(self, use_case: Callable[[Store], T]) -> T:
        kept = self._written_on
        if kept is None:
            kept = self._written_on = self._keep(self.engine.connect().execution_options(**{DIRECT: True}))
        try:
            with kept.connection.begin() as transaction:
                result = use_case(kept.store)
                with self._turns:
                    transaction.commit()
        except BaseException:
            # After a commit that met another's lock SQLAlchemy leaves both in a transaction, SQLite and the connection.
            kept.driver.rollback()
            kept.connection.rollback()
            raise
        return result

    def _keep(self, connection: Connection) -> _Kept:
        return _Kept(connection, self.store_on(connection, self.mint), connection.connection.dbapi_connection)


def _impatient(engine: Engine) -> Connection:
    """Return a reading connection that does not wait for locks, and is never returned to the pool."""
    connection = engine.connect().execution_options(**{READING: True, DIRECT: True})
    connection.detach()
    connection.exec_driver_sql("PRAGMA busy_timeout=0")
    connection.rollback()
    return connection
