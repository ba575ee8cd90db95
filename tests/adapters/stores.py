"""Where the stores of these tests come from."""

import atexit
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import Engine, MetaData, text

from portal_adapters.sqlalchemy import SqlTransactions, metadata, migrate, open_sqlite
from portal_adapters.sqlalchemy.postgres import open_postgres
from portal_core.ports import Mint
from tests.postgres import fresh_database
from tests.servers import POSTGRES_URL

PARTITIONS = 3


@contextmanager
def sqlite_store(mint: Mint, folder: Path | None = None) -> Generator[SqlTransactions]:
    """Open a SQLite store in a fresh file, in a folder or in one of its own."""
    with TemporaryDirectory(dir=folder) as fresh:
        file = Path(fresh) / "portal.sqlite3"
        file.write_bytes(_migrated_file())
        engine = open_sqlite(file)
        try:
            yield SqlTransactions(engine, mint)
        finally:
            engine.dispose()


@contextmanager
def postgres_store(mint: Mint) -> Generator[SqlTransactions]:
    """Open a PostgreSQL store in a database of its own."""
    with postgres_database() as url, postgres_engine(url) as engine:
        yield SqlTransactions(engine, mint)


@contextmanager
def postgres_database() -> Generator[str]:
    """Create a database with our tables, as a copy of one that is migrated once, and give its address."""
    name = f"portal_test_{uuid4().hex}"
    template = urlsplit(_lasting(migrate)).path.removeprefix("/")
    _run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield urlunsplit(urlsplit(POSTGRES_URL)._replace(path=f"/{name}"))
    finally:
        _run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def postgres_engine(url: str, *, pool_size: int = 10, patience_seconds: float = 5.0) -> Generator[Engine]:
    """Open a PostgreSQL database by psycopg; in the end, no connection may be left checked out."""
    engine = open_postgres(url, pool_size=pool_size, patience_seconds=patience_seconds)
    try:
        yield engine
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]  # the pool is one that counts
    finally:
        engine.dispose()


@contextmanager
def emptied_database(create: Callable[[Engine], None] = migrate) -> Generator[str]:
    """Give the address of a database that all who ask share, one after the other: each finds it empty."""
    url = _lasting_copy(create)
    # A replica's role: what is append-only can be emptied, too.
    with psycopg.connect(url, autocommit=True, options="-c session_replication_role=replica") as connection:
        everything = [sql.SQL("DELETE FROM {};").format(sql.Identifier(table)) for table in metadata.tables]
        connection.execute(sql.Composed(everything))
    yield url


def create_partitioned(engine: Engine) -> None:
    """Create our tables, those with `company_id` in their key in partitions by it."""
    tables = MetaData(naming_convention=metadata.naming_convention)
    for table in metadata.sorted_tables:
        copy = table.to_metadata(tables)
        if "company_id" in table.primary_key.columns:
            copy.dialect_options["postgresql"]["partition_by"] = "HASH (company_id)"
    with engine.begin() as connection:
        tables.create_all(connection)
        for table in tables.sorted_tables:
            for rest in range(PARTITIONS if "company_id" in table.primary_key.columns else 0):
                part = f"CREATE TABLE {table.name}_{rest} PARTITION OF {table.name}"
                connection.execute(text(f"{part} FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {rest})"))


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "portal.sqlite3"
        engine = open_sqlite(file)
        migrate(engine)
        engine.dispose()
        return file.read_bytes()


@cache
def _lasting(create: Callable[[Engine], None]) -> str:
    """Return the address of a database with tables, which nobody connects to any more; it is dropped in the end."""
    opened = ExitStack()
    atexit.register(opened.close)
    url = opened.enter_context(fresh_database())
    with postgres_engine(url) as engine:
        create(engine)
    return url


@cache
def _lasting_copy(create: Callable[[Engine], None]) -> str:
    """Return the address of another such database, which may be connected to."""
    return _lasting.__wrapped__(create)


def _run(statement: sql.Composed) -> None:
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(statement)
