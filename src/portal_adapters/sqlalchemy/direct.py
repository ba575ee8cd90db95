"""The short way to the rows of the hottest reads: a statement compiled once, and run by the driver itself.

The plain way is `connection.execute(statement, parameters).all()`, and both give the same rows. What is saved is what
SQLAlchemy does for every execution: looking up the compiled statement, arranging parameters, events, a cursor, a
result. The short way is taken on the connections that the runners keep; whatever goes wrong on it is left to the plain
way, which knows how to say it, but for what is Busy, and where a transaction takes no other statement.
"""

from collections import namedtuple
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast, final

from attrs import frozen
from sqlalchemy import Connection, Dialect, Insert, Select, Update
from sqlalchemy.engine import AdaptedConnection

from portal_adapters.sqlalchemy.dialects import is_transient
from portal_adapters.sqlalchemy.engine import busy
from portal_adapters.sqlalchemy.records import AnyRow

DIRECT: Final = "portal_direct"
"""The execution option of connections that the runners keep, on which the short way may be taken."""

_MOST_PREPARED: Final = 1_000

Convert: TypeAlias = Callable[[Any], Any]
Reading: TypeAlias = Select[*tuple[Any, ...]]
Statement: TypeAlias = "Reading | Insert | Update"
Fetch: TypeAlias = Callable[[Reading, Mapping[str, Any]], Awaitable[Sequence[AnyRow] | None]]
"""What returns the rows of a statement by the short way, or nothing where that cannot be taken just now."""


@final
@frozen(eq=False)
class Prepared:
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

    def rows(self, found: Sequence[Any]) -> Sequence[AnyRow]:
        """Return the rows as SQLAlchemy would."""
        if self.conversions:
            found = [list(row) for row in found]
            for place, convert in self.conversions:
                for row in found:
                    row[place] = convert(row[place])
        return [self.row(each) for each in found]


def fetch(connection: Connection, statement: Reading, parameters: Mapping[str, Any]) -> Sequence[AnyRow]:
    """Return all rows of a statement, by the short way where it can be taken."""
    if DIRECT in connection.get_execution_options():
        lists: Mapping[str, Sequence[Any]] = dict(pair for pair in parameters.items() if isinstance(pair[1], list))
        known = prepared(statement, connection.dialect, tuple((name, len(each)) for name, each in lists.items()))
        if known is not None:
            try:
                values = known.values({**parameters, **_one_by_one(lists)} if lists else parameters)
                found = WAYS[connection.dialect.driver](connection.connection.dbapi_connection, known.text, values)
            except Exception as problem:
                if not is_lost(connection, problem):
                    if is_transient(problem):
                        raise busy() from problem
                    if _takes_no_other(connection):
                        raise
            else:
                return known.rows(found)
    return connection.execute(statement, parameters).all()


def one(connection: Connection, statement: Reading, parameters: Mapping[str, Any]) -> AnyRow | None:
    """Return the row of a statement that finds one at most, by the short way where it can be taken."""
    rows = fetch(connection, statement, parameters)
    return rows[0] if rows else None


def _by_asyncpg(lent: AdaptedConnection, text: str, values: Sequence[Any]) -> Sequence[Any]:
    return lent.run_async(lambda driver: driver.fetch(text, *values))


def _by_sqlite(lent: Any, text: str, values: Sequence[Any]) -> Sequence[Any]:  # noqa: ANN401 - the driver's
    found: Sequence[Any] = lent.execute(text, values).fetchall()
    return found


WAYS: Mapping[str, Callable[[Any, str, Sequence[Any]], Sequence[Any]]] = {
    "asyncpg": _by_asyncpg,
    "pysqlite": _by_sqlite,
}
"""How a driver's connection, as SQLAlchemy lends it, runs a statement and returns its rows, by the driver's name."""


def is_lost(connection: Connection, problem: Exception) -> bool:
    """Tell whether an error of the driver's says that its connection is of no more use."""
    dialect: Any = connection.dialect  # It is said to take other errors.
    return bool(dialect.is_disconnect(problem, connection.connection.dbapi_connection, None))


def _takes_no_other(connection: Connection) -> bool:
    """Tell whether a statement that failed was one of a transaction of PostgreSQL's, which then takes no other."""
    lent: Any = connection.connection.dbapi_connection
    return connection.dialect.driver == "asyncpg" and bool(lent.driver_connection.is_in_transaction())


def _one_by_one(lists: Mapping[str, Sequence[Any]]) -> Mapping[str, Any]:
    """Return the values of lists under the names that SQLAlchemy gives them: states_1, states_2."""
    return {f"{name}_{place}": value for name, each in lists.items() for place, value in enumerate(each, start=1)}


def named(columns: Sequence[str]) -> Callable[[Sequence[Any]], AnyRow]:
    """Return what makes rows whose values are read by name at once: SQLAlchemy's look each name up."""
    make: Callable[[Sequence[Any]], AnyRow] = cast("Any", namedtuple)("Row", columns)._make  # noqa: PYI024 - known late
    return make


@lru_cache(maxsize=_MOST_PREPARED)
def prepared(statement: Statement, dialect: Dialect, lists: Sequence[tuple[str, int]] = ()) -> Prepared | None:
    """Return what the driver takes when lists have those lengths, or nothing if there is no short way."""
    if dialect.driver not in WAYS:
        return None
    compiled = statement.compile(dialect=dialect)
    filled = {name: [None] * length for name, length in lists}
    unknown = dict.fromkeys(name for name, bind in compiled.binds.items() if bind.required)
    expanded = compiled.construct_expanded_state({**unknown, **filled}, escape_names=False)
    of_list = {each: name for name, values in filled.items() for each in _one_by_one({name: values})}
    places: list[tuple[str, Any, Convert | None]] = []
    for name in expanded.positiontup or ():
        kind = compiled.binds[of_list.get(name, name)].type
        places.append((name, expanded.parameters.get(name), kind.dialect_impl(dialect).bind_processor(dialect)))
    columns = statement.selected_columns if isinstance(statement, Select) else ()
    conversions = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return Prepared(
        text=expanded.statement,
        places=places,
        row=named([column.name for column in columns]) if columns else tuple,
        conversions=[(place, each) for place, each in enumerate(conversions) if each is not None],
    )
