"""Where the stores of these tests come from."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from portal_adapters.sqlalchemy import SqlTransactions, migrate, open_sqlite
from portal_core.ports import Mint, Transactions


@contextmanager
def sqlite_store(mint: Mint, folder: Path | None = None) -> Generator[Transactions]:
    """Open a SQLite store in a fresh file, in a folder or in one of its own."""
    with TemporaryDirectory(dir=folder) as fresh:
        file = Path(fresh) / "portal.sqlite3"
        file.write_bytes(_migrated())
        engine = open_sqlite(file)
        try:
            yield SqlTransactions(engine, mint)
        finally:
            engine.dispose()


@cache
def _migrated() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "portal.sqlite3"
        engine = open_sqlite(file)
        migrate(engine)
        engine.dispose()
        return file.read_bytes()
