"""Pages of a list: keyset paging, stable while records are inserted, at a cost that does not depend on depth."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Generic, TypeAlias, TypeVar

from attrs import evolve, frozen

DEFAULT_LIMIT = 25
LARGEST_LIMIT = 100

SortValue: TypeAlias = date | datetime | str | None

T = TypeVar("T")


@frozen
class Position:
    """Where a page ended: the last record's sort value (None sorts last) and its id."""

    value: SortValue
    id: str


@frozen(kw_only=True)
class Listing:
    """What a list is asked for.

    `sort` is one of the fields below; ties are ordered by id in the same direction, and records without a
    value come last in both. `number` is exact; `since` and `until` bound the list's default date, both counted;
    where that is a moment, they are days in UTC.
    `total`, once known, is carried along so that it is counted once.
    """

    sort: str
    descending: bool = True
    limit: int = DEFAULT_LIMIT
    after: Position | None = None
    total: int | None = None
    number: str | None = None
    since: date | None = None
    until: date | None = None


@frozen
class Page(Generic[T]):
    """Some records of a list, how many there are in all, and where the next page starts (None: there is none)."""

    items: tuple[T, ...]
    total: int
    next: Position | None


QUOTE_SORTS = ("issued_on", "number")
ORDER_SORTS = ("ordered_on", "number")
INVOICE_SORTS = ("issued_on", "due_on", "number")
PAYMENT_SORTS = ("received_on", "number")
DELIVERY_SORTS = ("scheduled_on", "number")
MOMENT_SORTS = ("created_at",)
"""The sorts of each list; the first is its default, and the date that `since` and `until` are about."""

OLDEST_DUE = "oldest_due_on"
"""One more sort of invoices, for pages: by the first day on which something still open fell or falls due."""


def every(
    page_of: Callable[[Listing], Page[T]], *, sort: str = MOMENT_SORTS[0], descending: bool = True
) -> Iterator[T]:
    """Yield all of a list, asked for a page at a time; how many there are is not counted."""
    listing = Listing(sort=sort, descending=descending, limit=LARGEST_LIMIT, total=0)
    while True:
        page = page_of(listing)
        yield from page.items
        if page.next is None:
            return
        listing = evolve(listing, after=page.next)
