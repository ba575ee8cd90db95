"""Statements for many rows at once, handed to the driver as it takes them: without SQLAlchemy's work for each row.

A row is a tuple of what the driver takes as it is: text, whole numbers, bytes, truths, None; a day as text.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import Any, TypeAlias

from attrs import frozen
from sqlalchemy import Connection, Date, Delete, Dialect, Insert, Update

Row: TypeAlias = tuple[Any, ...]
Change: TypeAlias = Insert | Update | Delete

_AT_ONCE = 2_000
"""How many rows are made into what the driver takes before they are sent."""


@frozen
class _Driven:
    """A statement as the driver takes it, and what makes of a row what it takes."""

    text: str
    arranged: Callable[[Row], Row]


def execute_many(connection: Connection, statement: Change, names: Sequence[str], rows: Iterable[Row]) -> None:
    """Run a statement once for each row, whose values are those of the parameters of these names."""
    kind: Callable[..., Dialect] = type(connection.dialect)
    driven = _driven(statement, kind, tuple(names))
    arranged = map(driven.arranged, rows)
    while sent := list(islice(arranged, _AT_ONCE)):
        connection.exec_driver_sql(driven.text, sent)


def values_at(places: Sequence[Any]) -> Callable[[Any], Row]:
    """Return what takes the values at some places, two or more, out of a row or a mapping."""
    first, second, *others = places
    return itemgetter(first, second, *others)


@cache
def _driven(statement: Change, kind: Callable[..., Dialect], names: tuple[str, ...]) -> _Driven:
    dialect = kind()
    if not dialect.positional:
        dialect = kind(paramstyle="format")
    compiled = statement.compile(dialect=dialect)
    wanted: Sequence[str] = compiled.positiontup or ()
    places = tuple(names.index(each) for each in wanted)
    as_days = dialect.name != "sqlite"
    days = frozenset(names.index(each) for each in wanted if as_days and isinstance(compiled.binds[each].type, Date))
    return _Driven(str(compiled), _arrangement(places, days))


def _arrangement(places: tuple[int, ...], days: frozenset[int]) -> Callable[[Row], Row]:
    if not days:
        return _as_it_is if places == tuple(range(len(places))) else values_at(places)

    def arranged(row: Row) -> Row:
        return tuple([_day(row[place]) if place in days else row[place] for place in places])

    return arranged


def _as_it_is(row: Row) -> Row:
    return row


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
