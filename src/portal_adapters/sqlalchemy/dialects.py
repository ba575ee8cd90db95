"""What SQLite and PostgreSQL each say in their own way, and what only one of them needs."""

from collections.abc import Iterable
from functools import cache
from typing import TypeAlias

from sqlalchemy import Connection, Table, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from portal_core.domain.ids import ClientId, CompanyId

Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"

MOST_IN_ONE_QUESTION = 500
"""How many ids a statement is asked for at most: far below any database's limit of variables."""


def insert_into(table: Table, dialect: str) -> Insert:
    """Return an insert that can say what to do when the row is there already, and tells whether it wrote."""
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return statement.execution_options(preserve_rowcount=True)


@cache
def upsert(table: Table, dialect: str, columns: frozenset[str], kept: frozenset[str] = frozenset()) -> Insert:
    """Return an insert of some columns that replaces them, but those to be kept, where the row is there already."""
    statement = insert_into(table, dialect).values({name: bindparam(name) for name in sorted(columns)})
    keys = [column.name for column in table.primary_key]
    replaced = {name: statement.excluded[name] for name in sorted(columns - kept - frozenset(keys))}
    return statement.on_conflict_do_update(index_elements=keys, set_=replaced)


@cache
def add_up(table: Table, dialect: str, *sums: str) -> Insert:
    """Return an insert that adds to the sums of the row that is there already."""
    statement = insert_into(table, dialect).values({column.name: bindparam(column.name) for column in table.c})
    added = {name: table.c[name] + statement.excluded[name] for name in sums}
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(index_elements=keys, set_=added)


def take_turns(connection: Connection, company_id: CompanyId, client_id: ClientId | None = None) -> None:
    """Wait for other transactions that number a company's events, or that settle one client's documents.

    On SQLite nobody else is writing; on PostgreSQL this is an advisory lock until the transaction ends.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"turn": f"portal:{company_id}:{client_id or ''}"})


def in_chunks(ids: Iterable[str]) -> Iterable[list[str]]:
    """Yield the ids in order, not too many at a time."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), MOST_IN_ONE_QUESTION):
        yield ordered[start : start + MOST_IN_ONE_QUESTION]


_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("turn"), 0)))
