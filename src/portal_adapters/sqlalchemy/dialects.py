"""What SQLite and PostgreSQL each say in their own way, and what only one of them needs."""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias, final

from sqlalchemy import ColumnElement, Connection, Date, Engine, Select, Table, Text, bindparam, case, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import ARRAY

from portal_adapters.sqlalchemy.engine import READING, busy
from portal_core.domain.ids import ClientId, CompanyId

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"

OVERLAID: Final = "portal_overlaid"
"""Which tables of ours a connection has views laid over, in its `info`."""

MOST_IN_ONE_QUESTION = 500
"""How many ids a statement is asked for at most: far below any database's limit of variables."""

_TRANSIENT: Final = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "53200",  # out_of_memory: of the room for locks, say
        "53300",  # too_many_connections
        "55P03",  # lock_not_available
        "57P01",  # admin_shutdown
        "57P02",  # crash_shutdown
        "57P03",  # cannot_connect_now
    }
)

# PostgreSQL's class of errors about connections; one that ends while it is made is no disconnect to SQLAlchemy.
_CONNECTION_EXCEPTIONS: Final = "08"


@final
class json_rows(FunctionElement[str]):  # noqa: N801 - a function of SQL's
    """All rows as one text: a JSON array of arrays, with days in ISO form, whatever is not text or null as a number."""

    type = Text()
    inherit_cache = True


@final
class a_year_before(FunctionElement[date]):  # noqa: N801 - as above
    """The same day a year earlier, or the last of February where the day is its 29th."""

    type = Date()
    inherit_cache = True


def insert_into(table: Table, dialect: str) -> Insert:
    """Return an insert that can say what to do when the row is there already, and tells whether it wrote."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - only where it is used

        return postgresql.insert(table).execution_options(preserve_rowcount=True)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - as above

    return sqlite.insert(table).execution_options(preserve_rowcount=True)


@cache
def upsert(table: Table, dialect: str, columns: frozenset[str], kept: frozenset[str] = frozenset()) -> Insert:
    """Return an insert of some columns that replaces them, but those to be kept, where the row is there already.

    It breaks the rule that a client is never null where the row is another client's.
    """
    statement = insert_into(table, dialect).values({name: bindparam(name) for name in sorted(columns)})
    keys = [column.name for column in table.primary_key]
    replaced: dict[str, ColumnElement[Any]] = {
        name: statement.excluded[name] for name in sorted(columns - kept - frozenset(keys))
    }
    if "client_id" in replaced:
        # A condition would pass the row over, and not every driver counts the rows of a statement for many.
        theirs = table.c.client_id == statement.excluded.client_id
        replaced["client_id"] = case((theirs, statement.excluded.client_id))
    return statement.on_conflict_do_update(index_elements=keys, set_=replaced)


@cache
def add_up(table: Table, dialect: str, *sums: str) -> Insert:
    """Return an insert that adds to the sums of the row that is there already."""
    statement = insert_into(table, dialect).values({column.name: bindparam(column.name) for column in table.c})
    added = {name: table.c[name] + statement.excluded[name] for name in sums}
    keys = [column.name for column in table.primary_key]
    return statement.on_conflict_do_update(index_elements=keys, set_=added)


def take_turns(connection: Connection, company_id: CompanyId, client_ids: Iterable[ClientId]) -> None:
    """Wait for other transactions that settle some clients' documents, in order.

    On SQLite nobody else is writing; on PostgreSQL this is an advisory lock until the transaction ends. One that
    only reads waits for nobody and keeps nobody waiting: it sees one state throughout.
    """
    if not connection.get_execution_options().get(READING, False):
        take_turn(connection, *(turn_of(company_id, client_id) for client_id in client_ids))


def turn_of(company_id: CompanyId, client_id: ClientId | None = None) -> str:
    """Return the name of the turn for a client's documents, or for a company's events."""
    return f"portal:{company_id}:{client_id or ''}"


def taking_turn() -> Select[tuple[None]]:
    """Return what takes the turn of the parameter `turn` on PostgreSQL, until the transaction ends, in a statement."""
    return select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("turn"), 0)).label("taken"))


def take_turn(connection: Connection, *turns: str) -> None:
    """Wait for turns that one transaction can have at a time, in order; on SQLite nobody else is writing."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK, {"turns": turns})


def try_turn(connection: Connection, turn: str) -> bool:
    """Take a turn that one transaction can have at a time, if nobody has it; on SQLite nobody else is writing."""
    if connection.dialect.name == "postgresql":
        return bool(connection.scalar(_TRY_LOCK, {"turn": turn}))
    return True


def holding(connection: Connection, table: Table, statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Return a statement by which nobody else removes the rows of a table that it finds, until the transaction ends.

    On SQLite nobody else is writing. What lies under a host's view is the host's: it cannot always be locked.
    """
    if table in connection.info.get(OVERLAID, ()):
        return statement
    return statement.with_for_update(read=True, key_share=True)


def connected(engine: Engine) -> Connection:
    """Return a connection of the pool; Busy if none is free in time, or PostgreSQL is out of reach."""
    try:
        return engine.connect()
    except PoolExhausted as error:
        raise busy() from error
    except OperationalError as error:
        if engine.dialect.name == "postgresql":
            raise busy() from error
        raise


def of_one_state(engine: Engine) -> dict[str, Any]:
    """Return the options of a connection whose transaction reads one state of the database throughout."""
    isolated = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    return {READING: True, **isolated}


def is_transient(error: BaseException | None) -> bool:
    """Tell whether PostgreSQL gave up for a reason that passes: a lock, a deadlock, a connection that was lost."""
    while error is not None:
        state: str | None = getattr(error, "sqlstate", None)
        if state is not None:
            return state in _TRANSIENT or state.startswith(_CONNECTION_EXCEPTIONS)
        error = error.__cause__
    return False


def in_chunks(ids: Iterable[str]) -> Iterable[list[str]]:
    """Yield the ids in order, not too many at a time."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), MOST_IN_ONE_QUESTION):
        yield ordered[start : start + MOST_IN_ONE_QUESTION]


_TURN: ColumnElement[str] = func.unnest(bindparam("turns", type_=ARRAY(Text))).column_valued("turn")

_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(_TURN, 0)))

_TRY_LOCK = select(func.pg_try_advisory_xact_lock(func.hashtextextended(bindparam("turn"), 0)))


@compiles(json_rows, "sqlite")
def _json_rows_on_sqlite(rows: json_rows, compiler: SQLCompiler, **how: Any) -> str:
    # SQLite marks what this function returns as JSON, and does not quote it within other rows: joined, it is mere text.
    return f"json_group_array(json_array({compiler.process(rows.clauses, **how)})) || ''"


@compiles(json_rows, "postgresql")
def _json_rows_on_postgresql(rows: json_rows, compiler: SQLCompiler, **how: Any) -> str:
    return f"coalesce(json_agg(json_build_array({compiler.process(rows.clauses, **how)})), '[]')::text"


@compiles(a_year_before, "sqlite")
def _a_year_before_on_sqlite(day: a_year_before, compiler: SQLCompiler, **how: Any) -> str:
    # SQLite takes the day after for a day that is missing: whichever comes first, that or the month's last day.
    of = compiler.process(day.clauses, **how)
    return f"min(date({of}, '-12 months'), date({of}, 'start of month', '-11 months', '-1 day'))"


@compiles(a_year_before, "postgresql")
def _a_year_before_on_postgresql(day: a_year_before, compiler: SQLCompiler, **how: Any) -> str:
    return f"({compiler.process(day.clauses, **how)} - interval '12 months')::date"
