"""The short way for the hottest statements that write: compiled once, and run by the driver itself.

The plain way is `connection.execute(statement, parameters)`, and both do the same. The short one is taken on the
connections that the runners keep. Unlike that of reads it does not fall back on the plain way, for nothing can be tried
again in a transaction that failed: what goes wrong is raised as the driver says it, and the runners know what is Busy.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeAlias, cast, final

from attrs import frozen
from sqlalchemy import Connection, Dialect, Insert, Select, Update
from sqlalchemy.engine import AdaptedConnection

from portal_adapters.sqlalchemy.direct import DIRECT

Convert: TypeAlias = Callable[[Any], Any]
Statement: TypeAlias = "Insert | Update | Select[*tuple[Any, ...]]"

_MOST_PREPARED = 100


@final
@frozen(eq=False)
class _Prepared:
    """A statement as a driver takes it: its text, and its parameters in order, with what makes them the driver's."""

    text: str
    places: Sequence[tuple[str, Any, Convert | None]]

    def values(self, parameters: Mapping[str, Any]) -> list[Any]:
        """Return the parameters in order."""
        return [
            parameters.get(name, default) if convert is None else convert(parameters.get(name, default))
            for name, default, convert in self.places
        ]


def run(connection: Connection, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
    """Run a statement, by the short way where it can be taken, and return its rows as they are, if it returns any."""
    way = _WAYS.get(connection.dialect.driver) if DIRECT in connection.get_execution_options() else None
    if way is None:
        result = connection.execute(statement, parameters)
        return result.all() if result.returns_rows else ()
    prepared = _prepared(statement, connection.dialect)
    return way(connection, prepared.text, prepared.values(parameters))


def _by_asyncpg(connection: Connection, text: str, values: Sequence[Any]) -> Sequence[Any]:
    adapted = cast("AdaptedConnection", connection.connection.dbapi_connection)
    return adapted.run_async(lambda driver: driver.fetch(text, *values))


def _by_sqlite(connection: Connection, text: str, values: Sequence[Any]) -> Sequence[Any]:
    driver = cast("Any", connection.connection.dbapi_connection)
    rows: Sequence[Any] = driver.execute(text, values).fetchall()
    return rows


_WAYS: Mapping[str, Callable[[Connection, str, Sequence[Any]], Sequence[Any]]] = {
    "asyncpg": _by_asyncpg,
    "pysqlite": _by_sqlite,
}


@lru_cache(maxsize=_MOST_PREPARED)
def _prepared(statement: Statement, dialect: Dialect) -> _Prepared:
    compiled = statement.compile(dialect=dialect)
    binds = [(name, compiled.binds[name]) for name in compiled.positiontup or ()]
    return _Prepared(
        compiled.string,
        [(name, bind.value, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in binds],
    )
