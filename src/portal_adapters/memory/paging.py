"""Pages of a list in memory: sort everything, then cut."""

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, TypeVar

from portal_core.domain.paging import Listing, Page, Position, SortValue

T = TypeVar("T")


def page_of(items: Iterable[T], listing: Listing, *, place: Callable[[T], Position]) -> Page[T]:
    """Return the page that a listing asks for; `place` tells an item's sort value and id."""
    ordered = _ordered([(place(item), item) for item in items], descending=listing.descending)
    total = len(ordered) if listing.total is None else listing.total
    rest = [pair for pair in ordered if listing.after is None or _is_beyond(pair[0], listing.after, listing)]
    shown = rest[: listing.limit]
    return Page(
        items=tuple(item for _, item in shown),
        total=total,
        next=shown[-1][0] if len(rest) > len(shown) else None,
    )


def within(day: date | None, number: str, listing: Listing) -> bool:
    """Tell whether a document has the number asked for and lies between the days asked for."""
    if listing.number is not None and number != listing.number:
        return False
    if listing.since is None and listing.until is None:
        return True
    return day is not None and (listing.since or date.min) <= day <= (listing.until or date.max)


def _ordered(pairs: list[tuple[Position, T]], *, descending: bool) -> list[tuple[Position, T]]:
    valued = [pair for pair in pairs if pair[0].value is not None]
    bare = [pair for pair in pairs if pair[0].value is None]
    valued.sort(key=lambda pair: _key(pair[0]), reverse=descending)
    bare.sort(key=lambda pair: pair[0].id, reverse=descending)
    return valued + bare


def _is_beyond(place: Position, after: Position, listing: Listing) -> bool:
    if (place.value is None) is not (after.value is None):
        return place.value is None
    here, there = _key(place), _key(after)
    return here < there if listing.descending else here > there


def _key(place: Position) -> tuple[Any, str]:
    value: SortValue = place.value
    return ("" if value is None else value, place.id)
