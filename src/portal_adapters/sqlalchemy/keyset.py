"""Keyset paging: a page starts after a row's sort value and id, so its cost does not depend on its depth."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, final

from attrs import field, frozen
from sqlalchemy import ColumnElement, Connection, Select, asc, bindparam, desc, func, tuple_

from portal_adapters.sqlalchemy.records import AnyRow
from portal_core.domain.paging import Listing, Page, Position

T = TypeVar("T")


@final
@frozen(eq=False, kw_only=True)
class ListSource:
    """What a list is read from.

    `rows` selects the columns, each sort's under its name, of all rows within a scope's parameters. `conditions`
    are what a list may be narrowed to, each with bound parameters of its own name; the `selective` ones leave
    so little of it that they are to be looked up, and the rest sorted. `nullable` are the sorts whose column
    may be empty.
    """

    rows: Select[*tuple[Any, ...]]
    id: ColumnElement[str]
    sorts: Mapping[str, ColumnElement[Any]]
    conditions: Mapping[str, ColumnElement[bool]] = field(factory=dict[str, ColumnElement[bool]])
    selective: frozenset[str] = frozenset()
    nullable: frozenset[str] = frozenset()


@frozen(kw_only=True)
class _Segment:
    """Which rows, in which order: those with a sort value, or those without; all of them, or after a position."""

    sort: str
    descending: bool
    continued: bool
    conditions: frozenset[str]
    valued: bool = True


def read_page(
    connection: Connection,
    source: ListSource,
    listing: Listing,
    *,
    scope: Mapping[str, Any],
    narrowed: Mapping[str, Any],
    read: Callable[[Sequence[AnyRow]], Sequence[T]],
    known_total: Callable[[], int] | None = None,
) -> Page[T]:
    """Return a page; `known_total` is asked instead of counting when the list is not narrowed."""
    rows = _rows(connection, source, listing, scope, narrowed)
    shown = rows[: listing.limit]
    more = len(rows) > len(shown)
    return Page(
        items=tuple(read(shown)),
        total=_total(connection, source, listing, {**scope, **narrowed}, frozenset(narrowed), known_total),
        next=Position(getattr(shown[-1], listing.sort), shown[-1].id) if more else None,
    )


def _rows(
    connection: Connection, source: ListSource, listing: Listing, scope: Mapping[str, Any], narrowed: Mapping[str, Any]
) -> Sequence[AnyRow]:
    wanted = listing.limit + 1
    after = listing.after
    rows: list[AnyRow] = []
    for valued in (True, False) if listing.sort in source.nullable else (True,):
        in_other_segment = after is not None and (after.value is None) is valued
        if len(rows) == wanted or (in_other_segment and valued):
            continue
        continued = after is not None and not in_other_segment
        segment = _Segment(
            sort=listing.sort,
            descending=listing.descending,
            continued=continued,
            conditions=frozenset(narrowed),
            valued=valued,
        )
        place = {"after_value": after.value, "after_id": after.id} if after is not None and continued else {}
        parameters = {**scope, **narrowed, **place, "wanted": wanted - len(rows)}
        rows += connection.execute(_statement(source, segment), parameters).all()
    return rows


@cache
def _statement(source: ListSource, segment: _Segment) -> Select[*tuple[Any, ...]]:
    value, direction = source.sorts[segment.sort], desc if segment.descending else asc
    rows = source.rows.where(*_conditions(source, segment.conditions)).limit(bindparam("wanted"))
    if segment.sort in source.nullable:
        rows = rows.where(value.is_not(None) if segment.valued else value.is_(None))
    keys = [value, source.id] if segment.valued else [source.id]
    if segment.continued:
        rows = rows.where(_beyond(keys, descending=segment.descending))
    if segment.conditions & source.selective:
        # An order that no index has, so that none is read through in that order to find a few rows.
        return rows.order_by(*(direction(func.coalesce(each, each)) for each in keys))
    return rows.order_by(*(direction(each) for each in keys))


def _beyond(keys: list[ColumnElement[Any]], *, descending: bool) -> ColumnElement[bool]:
    names = ["after_value", "after_id"][-len(keys) :]
    here = tuple_(*keys) if len(keys) > 1 else keys[0]
    place = [bindparam(name, type_=each.type) for name, each in zip(names, keys, strict=True)]
    there = tuple_(*place) if len(keys) > 1 else place[0]
    return here < there if descending else here > there


def _total(
    connection: Connection,
    source: ListSource,
    listing: Listing,
    parameters: Mapping[str, Any],
    conditions: frozenset[str],
    known_total: Callable[[], int] | None,
) -> int:
    if listing.total is not None:
        return listing.total
    if known_total is not None and not conditions:
        return known_total()
    return connection.execute(_count(source, conditions), parameters).scalar_one()


@cache
def _count(source: ListSource, conditions: frozenset[str]) -> Select[int]:
    narrowed = source.rows.where(*_conditions(source, conditions))
    return narrowed.with_only_columns(func.count(), maintain_column_froms=True)


def _conditions(source: ListSource, names: frozenset[str]) -> list[ColumnElement[bool]]:
    return [source.conditions[name] for name in sorted(names)]
