"""The short way for the statements of the hottest writes: compiled once, and run by the driver itself.

The plain way is `connection.execute(statement, parameters)`, and both do the same. The short one is taken on the
connections that the runners keep. Unlike `direct.fetch` it does not try the plain way again, for a transaction in which
a statement failed takes no other: what is not Busy is raised as the driver says it.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, final

from attrs import frozen
from sqlalchemy import Connection, Dialect, Insert, Select, Update
from sqlalchemy.engine import AdaptedConnection, result_tuple

from portal_adapters.sqlalchemy.dialects import is_transient
from portal_adapters.sqlalchemy.direct import DIRECT
from portal_adapters.sqlalchemy.engine import busy, is_busy

Convert: TypeAlias = Callable[[Any], Any]
Statement: TypeAlias = "Insert | Update | Select[*tuple[Any, ...]]"

_MOST_PREPARED = 100


@final
@frozen(eq=False)
class _Prepared:
    """A statement as a driver takes it: its text, its parameters in order, and what becomes of values either way."""

    text: str
    places: Sequence[tuple[str, Any, Convert | None]]
    row: Callable[[Sequence[Any]], Any]
    conversions: Sequence[tuple[int, Convert]]

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Return the parameters in order."""
        values: list[Any] = []
        for name, default, convert in self.places:
            value = parameters.get(name, default)
            values.append(value if convert is None else convert(value))
        return values

    def rows(self, found: Sequence[Any]) -> Sequence[Any]:
        """Return the rows as SQLAlchemy would."""
        rows = [list(each) for each in found]
        for place, convert in self.conversions:
            for row in rows:
                row[place] = convert(row[place])
        return [self.row(row) for row in rows]


def run(connection: Connection, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
    """Run a statement, by the short way where it can be taken, and return its rows, if it returns any."""
    way = _WAYS.get(connection.dialect.driver) if DIRECT in connection.get_execution_options() else None
    if way is None:
        return _run_plainly(connection, statement, parameters)
    prepared, lent = _prepared(statement, connection.dialect), connection.connection.dbapi_connection
    try:
        return prepared.rows(way(lent, prepared.text, prepared.values(parameters)))
    except Exception as problem:
        if _is_lost(connection.dialect, problem, lent):
            return _run_plainly(connection, statement, parameters)  # SQLAlchemy then gives up what else the pool has.
        if is_busy(problem) or is_transient(problem):
            raise busy() from problem
        raise


def _run_plainly(connection: Connection, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
    result = connection.execute(statement, parameters)
    return result.all() if result.returns_rows else ()


def _is_lost(dialect: Any, problem: Exception, lent: object) -> bool:  # noqa: ANN401 - it is said to take other errors
    return bool(dialect.is_disconnect(problem, lent, None))


def _by_asyncpg(lent: AdaptedConnection, text: str, values: Sequence[Any]) -> Sequence[Any]:
    return lent.run_async(lambda driver: driver.fetch(text, *values))


def _by_sqlite(lent: Any, text: str, values: Sequence[Any]) -> Sequence[Any]:  # noqa: ANN401 - the driver's
    rows: Sequence[Any] = lent.execute(text, values).fetchall()
    return rows


_WAYS: Mapping[str, Callable[[Any, str, Sequence[Any]], Sequence[Any]]] = {
    "asyncpg": _by_asyncpg,
    "pysqlite": _by_sqlite,
}


@lru_cache(maxsize=_MOST_PREPARED)
def _prepared(statement: Statement, dialect: Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect)
    binds = [(name, compiled.binds[name]) for name in compiled.positiontup or ()]
    columns = statement.selected_columns if isinstance(statement, Select) else ()
    conversions = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Prepared(
        text=compiled.string,
        places=[(name, bind.value, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in binds],
        row=result_tuple([column.name for column in columns]) if columns else tuple,
        conversions=[(place, each) for place, each in enumerate(conversions) if each is not None],
    )
