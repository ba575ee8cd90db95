"""Cursors: where a page ended, in a form that no client need understand."""

import hashlib
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from attrs import frozen

from portal_core.domain.errors import InvalidInput
from portal_core.domain.ids import is_id
from portal_core.domain.money import LARGEST_MINOR
from portal_core.domain.paging import DEFAULT_LIMIT, Listing, Page, Position, SortValue
from portal_core.domain.text import required_text
from portal_http.answers import Answer, listed
from portal_http.calls import ClientCall, StaffCall
from portal_http.queries import CURSOR, FROM, LIMIT, LONGEST_NUMBER, NUMBER, ORDER, TO, Query, read_day, sort_by

NULLABLE_SORTS = frozenset({"due_on", "scheduled_on"})

_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")
_NOT_OF_THE_LIST = frozenset({"limit", "cursor", "sort", "order"})
_UTC = timedelta(0)


@frozen
class AskedList:
    """What a list of the API is asked for, and the mark by which its cursors know it."""

    listing: Listing
    mark: str

    def answer(self, page: Page[Any], rows: Sequence[object]) -> Answer:
        """Return a page of rows in its envelope."""
        return listed(rows, total=page.total, limit=self.listing.limit, cursor=next_cursor(page, self.mark))


def asked_list(call: ClientCall | StaffCall, sorts: Sequence[str]) -> AskedList:
    """Return what a list is asked for; refuse with InvalidInput a cursor of another list."""
    listing = listing_of(call.query, sorts, whose=call.mark)
    return AskedList(listing, fingerprint_of(call.query, call.mark, listing.sort, descending=listing.descending))


def listing_of(query: Query, sorts: Sequence[str], *, whose: str) -> Listing:
    """Return what a query asks of a list; `whose` tells apart lists of the same query.

    Refuses with InvalidInput a cursor of another list and a period that ends before it starts.
    """
    sort, descending = query.get(sort_by(sorts)) or sorts[0], query.get(ORDER) != "asc"
    cursor, since, until = query.get(CURSOR), query.get(FROM), query.get(TO)
    after, total = None, None
    if cursor is not None:
        after, total = _position(cursor, sort, fingerprint_of(query, whose, sort, descending=descending))
    if since is not None and until is not None and since > until:
        raise InvalidInput.in_parameter("from", "must not be after `to`")
    return Listing(
        sort=sort,
        descending=descending,
        limit=query.get(LIMIT) or DEFAULT_LIMIT,
        after=after,
        total=total,
        number=query.get(NUMBER),
        since=since,
        until=until,
    )


def fingerprint_of(query: Query, whose: str, sort: str, *, descending: bool) -> str:
    """Return what all pages of one list have in common: whose it is, its filters, sort and order."""
    asked = [pair for pair in query.spelling if pair[0] not in _NOT_OF_THE_LIST]
    return hashlib.sha256(orjson.dumps([whose, sort, descending, asked])).hexdigest()[:16]


def next_cursor(page: Page[Any], mark: str) -> str | None:
    """Return the cursor of the next page, or nothing when there is none."""
    return None if page.next is None else encoded_cursor(mark, page.total, page.next)


def encoded_cursor(mark: str, total: int, position: Position) -> str:
    """Return the cursor of the page after a position in the list of a mark."""
    parts = [mark, total, position.value, position.id]
    return urlsafe_b64encode(orjson.dumps(parts)).rstrip(b"=").decode()


def _position(cursor: str, sort: str, mark: str) -> tuple[Position, int]:
    try:
        return _decoded(cursor, sort, mark)
    except (ValueError, TypeError):
        detail = "is no cursor of this list with these filters, sort and order; leave it out to start anew"
        raise InvalidInput.in_parameter("cursor", detail) from None


def _decoded(cursor: str, sort: str, mark: str) -> tuple[Position, int]:
    if _ALPHABET.fullmatch(cursor) is None:
        raise ValueError(cursor)
    match orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))):
        case [str(stated), int(total), value, str(record_id)] if (
            stated == mark and not isinstance(total, bool) and 0 <= total <= LARGEST_MINOR and is_id(record_id)
        ):
            return Position(_sort_value(value, sort), record_id), total
        case _:
            raise ValueError(cursor)


def _sort_value(value: object, sort: str) -> SortValue:
    if value is None and sort in NULLABLE_SORTS:
        return None
    if not isinstance(value, str):
        raise TypeError(value)
    if sort == "number":
        return required_text(value, longest=LONGEST_NUMBER)
    return read_day(value) if sort.endswith("_on") else _moment(value)


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.utcoffset() != _UTC:
        raise ValueError(value)
    return moment
