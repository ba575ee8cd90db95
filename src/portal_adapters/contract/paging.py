"""Pages: complete, in order, and stable while records come and go."""

from collections.abc import Sequence
from datetime import date

import pytest
from attrs import evolve

from portal_adapters.contract.builders import COMPANY, SCOPE, day
from portal_adapters.contract.feeding import forget, prepare
from portal_adapters.contract.lists import DOCUMENT_LISTS, ENTRIES, LISTS, Entry, Listed, name_of
from portal_core.domain.paging import Listing
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Transactions

every_list = pytest.mark.parametrize("listed", LISTS, ids=name_of)
every_document_list = pytest.mark.parametrize("listed", DOCUMENT_LISTS, ids=name_of)
every_order = pytest.mark.parametrize(
    "listed, listing",
    [
        pytest.param(listed, Listing(sort=sort, descending=descending), id=f"{listed.name}-{sort}-{order}")
        for listed in LISTS
        for sort in listed.sorts
        for order, descending in (("asc", False), ("desc", True))
    ],
)

BOUNDS = (
    Listing(sort="", since=day(0)),
    Listing(sort="", until=day(0)),
    Listing(sort="", since=day(-1), until=day(2)),
    Listing(sort="", since=day(2), until=day(2)),
    Listing(sort="", since=day(3), until=day(1)),
    Listing(sort="", number="9"),
    Listing(sort="", number="A"),
    Listing(sort="", number="10", since=day(1)),
)


class PagingContract:
    """Keyset pages of the nine lists."""

    @every_order
    def test_a_walk_meets_every_record_once_and_in_order(
        self, transactions: Transactions, listed: Listed, listing: Listing
    ) -> None:
        promised = listed.positions(ENTRIES, listing.sort, descending=listing.descending)
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, ENTRIES)

        for limit in (1, 2, 4, len(ENTRIES) - 1, len(ENTRIES), 100):
            with transactions.begin() as store:
                pages = list(listed.walk(store, SCOPE, evolve(listing, limit=limit)))

            assert [each for page in pages for each in listed.ids(page)] == [place.id for place in promised]
            assert [len(page.items) for page in pages[:-1]] == [limit] * (len(pages) - 1)
            assert 0 < len(pages[-1].items) <= limit
            assert [page.next for page in pages[:-1]] == promised[limit - 1 : -1 : limit]
            assert {page.total for page in pages} == {len(ENTRIES)}

    @every_list
    def test_an_empty_list_is_one_empty_page(self, transactions: Transactions, listed: Listed) -> None:
        prepare(transactions)

        with transactions.begin() as store:
            page = listed.page(store, SCOPE, listed.newest())

        assert (page.items, page.total, page.next) == ((), 0, None)

    @every_list
    def test_a_total_that_is_known_is_carried_along(self, transactions: Transactions, listed: Listed) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, ENTRIES)

        with transactions.begin() as store:
            page = listed.page(store, SCOPE, listed.newest(limit=2, total=7))

        assert page.total == 7

    @every_order
    def test_the_rest_of_a_walk_is_not_disturbed_by_what_is_added(
        self, transactions: Transactions, listed: Listed, listing: Listing
    ) -> None:
        added = [
            Entry(id="0", on=day(-9), due=day(-9), number="0"),
            Entry(id="Z", on=day(0), due=None, number="a"),
            Entry(id="zz", on=day(9), due=day(9), number="\U0001f9ff"),
        ]
        listing = evolve(listing, limit=4)
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, ENTRIES)
            first = listed.page(store, SCOPE, listing)

        with transactions.begin() as store:
            listed.fill(store, SCOPE, added)
        with transactions.begin() as store:
            rest = list(listed.walk(store, SCOPE, evolve(listing, after=first.next)))

        last = listed.positions(ENTRIES, listing.sort, descending=listing.descending)[3]
        promised = listed.positions([*ENTRIES, *added], listing.sort, descending=listing.descending)
        assert first.next == last
        assert [each for page in rest for each in listed.ids(page)] == [
            place.id for place in promised[promised.index(last) + 1 :]
        ]

    @every_document_list
    def test_a_walk_goes_on_where_its_last_record_was_removed(self, transactions: Transactions, listed: Listed) -> None:
        listing = listed.newest(limit=4)
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, ENTRIES)
            whole = [each for page in listed.walk(store, SCOPE, listing) for each in listed.ids(page)]
            first = listed.page(store, SCOPE, listing)

        assert listed.document is not None
        with transactions.begin() as store:
            forget(store, COMPANY, RecordRef(RecordType(listed.document.value), whole[3]))
        with transactions.begin() as store:
            rest = listed.page(store, SCOPE, evolve(listing, after=first.next))

        assert listed.ids(rest) == whole[4:8]

    @every_document_list
    @pytest.mark.parametrize("asked", BOUNDS)
    def test_number_since_and_until_narrow_a_list_and_its_total(
        self, transactions: Transactions, listed: Listed, asked: Listing
    ) -> None:
        promised = [place.id for place in listed.positions(_asked(listed, asked), "number", descending=False)]
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, ENTRIES)

        with transactions.begin() as store:
            listing = evolve(asked, sort="number", descending=False, limit=2)
            pages = list(listed.walk(store, SCOPE, listing))

        assert [each for page in pages for each in listed.ids(page)] == promised
        assert {page.total for page in pages} == {len(promised)}


def _asked(listed: Listed, asked: Listing) -> Sequence[Entry]:
    return [
        entry
        for entry in ENTRIES
        if asked.number in {None, entry.number}
        and _within(entry.due if listed.sorts[0] == "scheduled_on" else entry.on, asked)
    ]


def _within(on: date | None, asked: Listing) -> bool:
    if asked.since is None and asked.until is None:
        return True
    return on is not None and (asked.since or on) <= on <= (asked.until or on)
