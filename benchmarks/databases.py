"""The databases: SQLite and PostgreSQL with our tables, and the peers' tables beside them. Made once, and kept.

A part of the history is imported as records are; the rest are copies of it under other ids, made by the database, so
that what our tables derive holds for them too. `portal doctor` says whether it does; so do the peers, which add up
what clients owe by themselves.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from attrs import frozen
from psycopg import sql
from sqlalchemy import Table, select

from benchmarks.history import COMPANY, LARGE_CLIENT, SMALL_CLIENT, Size, clients_of, write_history
from benchmarks.machine import ADMIN_KEY, FOLDER, HERE, POSTGRES_URL, portal
from portal_adapters.clock import now
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, metadata, migrate, open_sqlite
from portal_adapters.sqlalchemy.postgres import open_postgres
from portal_adapters.sqlalchemy.records import quote_of
from portal_adapters.sqlalchemy.schema import quotes
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.use_cases.access import LinkLife, NewGrant, issue_link

LINKS = 2_000
"""How many clients are asked for."""

_FEW = 1_000
"""Up to so many clients `portal doctor` is asked each time; it works out the account of every one anew."""

_LIFE = LinkLife(usual=timedelta(days=36_500), longest=timedelta(days=36_500))
_IDS = frozenset({"id", "client_id", "order_id", "quote_id", "invoice_id", "source_id", "backorder_of"})


@frozen(kw_only=True)
class Databases:
    """Where the data of a size is, and the tokens of some of its clients."""

    size: Size
    sqlite: Path
    postgres_url: str
    tokens: dict[str, str]

    @property
    def sqlite_url(self) -> str:
        """The SQLite file's address."""
        return f"sqlite:///{self.sqlite}"

    def usual_tokens(self) -> Sequence[str]:
        """Return the tokens of all clients but the small and the large one."""
        return [token for client, token in self.tokens.items() if client not in {SMALL_CLIENT, LARGE_CLIENT}]


def prepared(size: Size) -> Databases:
    """Return the databases of a size; what is not there is made first."""
    FOLDER.mkdir(exist_ok=True)
    kept = FOLDER / f"{size.name}.json"
    file, url = FOLDER / f"{size.name}.sqlite3", _url_of(f"portal_bench_{size.name}")
    if not kept.exists():
        kept.write_text(json.dumps(fill_sqlite(size, file)))
    if not _is_filled(url):
        _fill_postgres(file, url)
    databases = Databases(size=size, sqlite=file, postgres_url=url, tokens=json.loads(kept.read_text()))
    if size.clients <= _FEW:
        for address in (databases.sqlite_url, url):
            portal(address, "doctor", PORTAL_ADMIN_JWT_KEY=ADMIN_KEY)
    return databases


def fill_sqlite(size: Size, file: Path) -> dict[str, str]:
    """Make the SQLite file of a size, and return the tokens of its links by client."""
    import_history(size, file)
    _copy_clients(size, file)
    return _issue_links(size, file)


def forget_decisions(databases: Databases) -> None:
    """Undo what earlier measurements have decided, so that quotes are open and both databases alike again."""
    tables = ("portal_decisions", "portal_events", "portal_answers")
    with closing(sqlite3.connect(databases.sqlite)) as file, psycopg.connect(databases.postgres_url) as server:
        for table in tables:
            file.execute(f"DELETE FROM {table}")
            server.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        file.commit()


def _url_of(name: str) -> str:
    return urlunsplit(urlsplit(POSTGRES_URL)._replace(path=f"/{name}"))


def import_history(size: Size, file: Path) -> None:
    """Make a SQLite file of what is imported of a history."""
    records = file.with_suffix(".jsonl")
    write_records(size, records)
    make_empty(file)
    portal(f"sqlite:///{file}", "import", str(records))
    records.unlink()


def write_records(size: Size, file: Path) -> int:
    """Make a file of the records of a history, and return how many they are."""
    with file.open("wb") as out:
        return sum(1 for line in write_history(size) if out.write(line))


def make_empty(file: Path) -> None:
    """Make a SQLite file with our tables and nothing in them."""
    file.unlink(missing_ok=True)
    portal(f"sqlite:///{file}", "migrate")


def _copy_clients(size: Size, file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript("PRAGMA synchronous=OFF; PRAGMA cache_size=-500000; PRAGMA temp_store=MEMORY;")
        for table in metadata.sorted_tables:
            if "client_id" in table.c or table.name == "portal_clients":
                for copy in range(1, size.copies):
                    connection.execute(_copying(table, copy))
        connection.commit()
    _digest_quotes(file)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ANALYZE")
        connection.commit()


def _copying(table: Table, copy: int) -> str:
    """Return the statement that copies all usual clients' rows of a table under other ids."""
    columns = ", ".join(column.name for column in table.c)
    values = ", ".join(_copied(column.name, copy) for column in table.c)
    client = "id" if table.name == "portal_clients" else "client_id"
    of_usual = f"{client} LIKE 'C-%' AND {client} NOT IN ('{SMALL_CLIENT}', '{LARGE_CLIENT}')"
    return f"INSERT INTO {table.name} ({columns}) SELECT {values} FROM {table.name} WHERE {of_usual}"


def _copied(column: str, copy: int) -> str:
    if column == "checksum":
        return "NULL"
    return f"replace({column}, 'C-', 'C{copy}-')" if column in _IDS else column


def _digest_quotes(file: Path) -> None:
    """Work out the digests of quotes again: they are of the quote's id, too."""
    engine = open_sqlite(file)
    with engine.connect() as connection:
        rows = connection.execute(select(quotes)).all()
    digests = [(bytes.fromhex(quote_of(row).document_sha256()), row.company_id, row.id) for row in rows]
    engine.dispose()
    with closing(sqlite3.connect(file)) as connection:
        connection.executemany("UPDATE portal_quotes SET document_sha256 = ? WHERE company_id = ? AND id = ?", digests)
        connection.commit()


def _issue_links(size: Size, file: Path) -> dict[str, str]:
    engine = open_sqlite(file)
    try:
        with SqlTransactions(engine, RandomMint()).begin() as store:
            return {
                client: issue_link(
                    store, CompanyId(COMPANY), NewGrant(client_id=ClientId(client)), _LIFE, now=now()
                ).token
                for client in _asked(size)
            }
    finally:
        engine.dispose()


def _asked(size: Size) -> Iterator[str]:
    """Yield the small and the large client, and usual ones from all copies."""
    originals = [client for client, _ in clients_of(size)]
    yield from originals[:2]
    usual = originals[2:]
    every = max(1, len(usual) * size.copies // LINKS)
    for place in range(0, len(usual) * size.copies, every):
        copy, original = place % size.copies, usual[place // size.copies]
        yield original if copy == 0 else original.replace("C-", f"C{copy}-")


def _is_filled(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT to_regclass('peers.allocation') IS NOT NULL").fetchone()
    except psycopg.OperationalError:
        return False
    return found == (True,)


def _fill_postgres(file: Path, url: str) -> None:
    name = urlsplit(url).path.removeprefix("/")
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    engine = open_postgres(url)
    migrate(engine)
    engine.dispose()
    with closing(sqlite3.connect(file)) as source, psycopg.connect(url) as target:
        for table in metadata.sorted_tables:
            _copy_table(source, target, table)
        target.execute((HERE / "peers" / "schema.sql").read_bytes())
    with psycopg.connect(url, autocommit=True) as target:
        target.execute("VACUUM ANALYZE")


def _copy_table(source: sqlite3.Connection, target: "psycopg.Connection[tuple[object, ...]]", table: Table) -> None:
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.c)
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    rows = source.execute(f"SELECT {', '.join(column.name for column in table.c)} FROM {table.name}")
    with target.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
