"""Keyset paging: a page starts after a row's sort value and id, so its cost does not depend on its depth."""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, TypeVar, final

from attrs import field, frozen
from sqlalchemy import (
    ColumnElement,
    Connection,
    ScalarSelect,
    Select,
    asc,
    bindparam,
    desc,
    func,
    select,
    tuple_,
    union_all,
)

from portal_adapters.sqlalchemy.direct import fetch
from portal_adapters.sqlalchemy.records import AnyRow
from portal_core.domain.paging import Listing, Page, Position

T = TypeVar("T")

_WANTED = bindparam("wanted", type_=func.count().type)


@final
@frozen(eq=False, kw_only=True)
class ListSource:
    """What a list is read from.

    `rows` selects the columns, each sort's under its name, of all rows within a scope's parameters. `conditions`
    are what a list may be narrowed to, each with bound parameters of its own name; the `selective` ones leave
    so little of it that they are to be looked up, and the rest sorted. `nullable` are the sorts whose column
    may be empty. `kept_total` says how many rows there are when the list is not narrowed, where that is known
    without counting.
    """

    rows: Select[*tuple[Any, ...]]
    id: ColumnElement[str]
    sorts: Mapping[str, ColumnElement[Any]]
    conditions: Mapping[str, ColumnElement[bool]] = field(factory=dict[str, ColumnElement[bool]])
    selective: frozenset[str] = frozenset()
    nullable: frozenset[str] = frozenset()
    kept_total: ScalarSelect[int] | None = None


class _Start(Enum):
    """Where a page starts: at the list's beginning, after a row with a sort value, or after one without."""

    BEGINNING = "beginning"
    VALUED = "valued"
    BARE = "bare"


@frozen(kw_only=True)
class _Asked:
    """What makes one statement of a list different from another."""

    sort: str
    descending: bool
    start: _Start
    conditions: frozenset[str]
    counted: bool


def read_page(
    connection: Connection,
    source: ListSource,
    listing: Listing,
    *,
    scope: Mapping[str, Any],
    narrowed: Mapping[str, Any],
    read: Callable[[Sequence[AnyRow]], Sequence[T]],
) -> Page[T]:
    """Return a page and, unless it is known, how many rows the list has in all, by one statement."""
    asked = _asked(listing, frozenset(narrowed))
    parameters = {**scope, **narrowed, **_place(listing.after), "wanted": listing.limit + 1}
    rows = fetch(connection, _statement(source, asked), parameters)
    shown = rows[: listing.limit]
    total = listing.total
    if total is None:
        total = rows[0].in_all if rows else _total_beyond(connection, source, asked, parameters)
    more = len(rows) > len(shown)
    return Page(
        items=tuple(read(shown)),
        total=total,
        next=Position(getattr(shown[-1], listing.sort), shown[-1].id) if more else None,
    )


def newest(source: ListSource, sort: str, conditions: frozenset[str]) -> Select[*tuple[Any, ...]]:
    """Return the first rows of a list, as many as are `wanted`, when it is narrowed by those conditions."""
    return _statement(source, _asked(Listing(sort=sort, total=0), conditions))


def _asked(listing: Listing, conditions: frozenset[str]) -> _Asked:
    start = _Start.BEGINNING
    if listing.after is not None:
        start = _Start.BARE if listing.after.value is None else _Start.VALUED
    return _Asked(
        sort=listing.sort,
        descending=listing.descending,
        start=start,
        conditions=conditions,
        counted=listing.total is None,
    )


def _place(after: Position | None) -> Mapping[str, Any]:
    if after is None:
        return {}
    return {"after_id": after.id} if after.value is None else {"after_value": after.value, "after_id": after.id}


def _total_beyond(connection: Connection, source: ListSource, asked: _Asked, parameters: Mapping[str, Any]) -> int:
    """Return how many rows a list has that has none where the page starts."""
    if asked.start is _Start.BEGINNING:
        return 0
    return connection.execute(select(_total(source, asked.conditions)), parameters).scalar_one() or 0


@cache
def _statement(source: ListSource, asked: _Asked) -> Select[*tuple[Any, ...]]:
    rows = _rows(source, asked)
    return rows.add_columns(_total(source, asked.conditions).label("in_all")) if asked.counted else rows


def _rows(source: ListSource, asked: _Asked) -> Select[*tuple[Any, ...]]:
    value = source.sorts[asked.sort]
    keys = [value, source.id]
    if asked.sort not in source.nullable:
        return _ordered(source, asked, keys, continued=asked.start is not _Start.BEGINNING)
    bare = _ordered(source, asked, keys[1:], continued=asked.start is _Start.BARE).where(value.is_(None))
    if asked.start is _Start.BARE:
        return bare
    valued = _ordered(source, asked, keys, continued=asked.start is _Start.VALUED).where(value.is_not(None))
    # Those without a value come after all that have one, and are not looked for where there are enough of these.
    both = union_all(*(select(*each.subquery().c) for each in (valued, bare))).limit(_WANTED).subquery()
    return select(*both.c)


def _ordered(
    source: ListSource, asked: _Asked, keys: list[ColumnElement[Any]], *, continued: bool
) -> Select[*tuple[Any, ...]]:
    direction = desc if asked.descending else asc
    rows = source.rows.where(*_conditions(source, asked.conditions)).limit(_WANTED)
    if continued:
        rows = rows.where(_beyond(keys, descending=asked.descending))
    if asked.conditions & source.selective:
        # An order that no index has, so that none is read through in that order to find a few rows.
        return rows.order_by(*(direction(func.coalesce(each, each)) for each in keys))
    return rows.order_by(*(direction(each) for each in keys))


def _beyond(keys: list[ColumnElement[Any]], *, descending: bool) -> ColumnElement[bool]:
    names = ["after_value", "after_id"][-len(keys) :]
    here = tuple_(*keys) if len(keys) > 1 else keys[0]
    place = [bindparam(name, type_=each.type) for name, each in zip(names, keys, strict=True)]
    there = tuple_(*place) if len(keys) > 1 else place[0]
    return here < there if descending else here > there


@cache
def _total(source: ListSource, conditions: frozenset[str]) -> ScalarSelect[int]:
    if source.kept_total is not None and not conditions:
        return source.kept_total
    narrowed = source.rows.where(*_conditions(source, conditions)).correlate(None)
    return narrowed.with_only_columns(func.count(), maintain_column_froms=True).scalar_subquery()


def _conditions(source: ListSource, names: frozenset[str]) -> list[ColumnElement[bool]]:
    return [source.conditions[name] for name in sorted(names)]
