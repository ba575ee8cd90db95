"""SQLite, opened for this store: durable, patient with other processes, and never half in a transaction."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from portal_core.domain.errors import Busy

PATIENCE_SECONDS: Final = 5.0
"""How long a transaction waits for others before it is refused as Busy."""

READING: Final = "portal_reading"
"""The execution option of connections that only read: their transactions take no lock from the start."""

_MENDED: Final = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
_BUSY_CODES: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_PRIMARY_CODE: Final = 0xFF


def open_sqlite(database: str | Path, *, patience_seconds: float = PATIENCE_SECONDS) -> Engine:
    """Return an engine for a SQLite file, given by its path or as `sqlite:///path`.

    Transactions begin IMMEDIATE, but on connections with the option READING; what cannot get its lock in
    time is refused with Busy.
    """
    engine = create_engine(_url(database), connect_args={"timeout": patience_seconds})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "handle_error", _say_busy)
    return engine


def has_safe_wal(version: tuple[int, int, int] = sqlite3.sqlite_version_info) -> bool:
    """Tell whether SQLite's write-ahead log is free of the WAL-reset race, which can corrupt a database.

    It was mended in 3.51.3, and in 3.44.6 and 3.50.7 for their lines.
    """
    return version >= _MENDED[-1] or any(version[:2] == line[:2] and version >= line for line in _MENDED)


def is_busy(error: BaseException | None) -> bool:
    """Tell whether an error of the driver says that somebody else holds a lock."""
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & _PRIMARY_CODE in _BUSY_CODES


def busy() -> Busy:
    """Return the refusal of what cannot be done just now."""
    return Busy("The store is busy with other writes. Try again in a moment.")


_JOURNAL: Final = "wal" if has_safe_wal() else "delete"


def _url(database: str | Path) -> URL:
    text = str(database)
    url = make_url(text) if text.startswith("sqlite:") else URL.create("sqlite", database=text)
    if url.database in {None, "", ":memory:"}:
        raise ValueError("name a file, like portal.sqlite3: a database in memory cannot be shared by connections")
    return url.set(drivername="sqlite+pysqlite")


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver must not begin transactions of its own accord; `_begin` does.
    connection.isolation_level = None
    with closing(connection.cursor()) as cursor, _saying_busy():
        cursor.execute("PRAGMA synchronous=FULL")
        # A large transaction keeps its pages to itself until it commits, instead of locking readers out early.
        cursor.execute("PRAGMA cache_spill=OFF")
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone() != (_JOURNAL,):
            cursor.execute(f"PRAGMA journal_mode={_JOURNAL}")


def _begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get(READING, False)
    driver: Any = connection.connection.dbapi_connection
    with _saying_busy():
        driver.execute("BEGIN" if reading else "BEGIN IMMEDIATE")


@contextmanager
def _saying_busy() -> Generator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        if is_busy(error):
            raise busy() from error
        raise


def _say_busy(context: ExceptionContext) -> BaseException | None:
    return busy() if is_busy(context.original_exception) else None
