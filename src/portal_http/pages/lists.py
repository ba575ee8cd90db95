"""What lists have in common: what they are asked for, the filters offered, and the way to the next page."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from attrs import frozen

from portal_core.domain.paging import Listing, Page
from portal_http.cursors import fingerprint_of, listing_of, next_cursor
from portal_http.pages.asked import Asked, Section
from portal_http.pages.labels import N_, label
from portal_http.queries import NO_QUERY, Parameter, Query, a_document_list, a_list, read_query

SEARCHED = ("number", "from", "to")


@frozen
class Choice:
    """One way to narrow a list: its words, where it leads, and whether it is the one in force."""

    label: str
    address: str
    current: bool


@frozen(kw_only=True)
class Shelf:
    """What a list of a section is asked for, and what was asked of it this time."""

    asked: Asked
    section: Section
    query: Query
    listing: Listing

    @property
    def address(self) -> str:
        """The path of the whole list."""
        return f"{self.asked.link}/{self.section.value}"

    @property
    def searched(self) -> bool:
        """Whether the list was searched by number or day."""
        return any(self.asked.typed(name) for name in SEARCHED)

    def choices(self, name: str, offered: Collection[StrEnum]) -> list[Choice]:
        """Return the list as a whole and narrowed to each of some values."""
        chosen = self.asked.query.get(name)
        whole = Choice(N_("All"), self.address, not chosen)
        return [whole, *(self.choice(name, each.value, label(each)) for each in offered)]

    def choice(self, name: str, value: str, words: str) -> Choice:
        """Return the list narrowed to one value."""
        return Choice(words, f"{self.address}?{urlencode({name: value})}", self.asked.query.get(name) == value)

    def next_page(self, page: Page[Any]) -> str | None:
        """Return the address of the next page, or nothing."""
        mark = fingerprint_of(
            self.query, _whose(self.asked, self.section), self.listing.sort, descending=self.listing.descending
        )
        cursor = next_cursor(page, mark)
        if cursor is None:
            return None
        return f"{self.address}?{urlencode({**self._kept(), 'cursor': cursor})}"

    def first_page(self) -> str:
        """Return the address of the first page."""
        kept = self._kept()
        return f"{self.address}?{urlencode(kept)}" if kept else self.address

    def download(self) -> str:
        """Return the address of the whole list as CSV."""
        kept = self._kept()
        return f"{self.address}.csv?{urlencode(sorted(kept.items()))}" if kept else f"{self.address}.csv"

    def _kept(self) -> dict[str, str]:
        return {name: text for name, text in self.asked.query.items() if name in self.query.values and name != "cursor"}


def _whose(asked: Asked, section: Section) -> str:
    """Return what tells this client's list apart from others of its section."""
    scope = asked.visit.scope
    return f"page {section.value} {scope.company_id} {scope.client_id}"


def shelf(asked: Asked, section: Section, sorts: Sequence[str], *filters: Parameter[Any], bare: bool = False) -> Shelf:
    """Return what a list is asked for; refuse with InvalidInput. `bare` lists are not of documents.

    Parameters that the list does not know are passed over: mail programs add their own to a link. A page
    that is shown again after a refusal has the whole list.
    """
    known = a_list(sorts, *filters) if bare else a_document_list(sorts, *filters)
    given = {name: text for name, text in asked.query.items() if name in known}
    query = NO_QUERY if asked.refusal is not None else read_query(urlencode(given).encode(), known)
    listing = listing_of(query, sorts, whose=_whose(asked, section))
    return Shelf(asked=asked, section=section, query=query, listing=listing)
