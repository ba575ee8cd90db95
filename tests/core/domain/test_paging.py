from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.paging import LARGEST_LIMIT, Listing, Page, Position, every


@given(st.integers(0, 7), st.integers(1, 3), st.booleans())
def test_a_whole_list_is_walked_page_by_page_in_its_order(length: int, most: int, descending: bool) -> None:  # noqa: FBT001 - drawn
    asked: list[Listing] = []

    def page_of(listing: Listing) -> Page[str]:
        asked.append(listing)
        start = 0 if listing.after is None else int(listing.after.id)
        end = min(start + most, length)
        following = Position(None, str(end)) if end < length else None
        return Page(tuple(str(number) for number in range(start, end)), total=0, next=following)

    found = list(every(page_of, sort="number", descending=descending))

    assert found == [str(number) for number in range(length)]
    assert len(asked) == max(1, -(-length // most))
    assert {(each.sort, each.descending, each.limit, each.total) for each in asked} == {
        ("number", descending, LARGEST_LIMIT, 0)
    }


def test_what_has_a_moment_is_walked_newest_first() -> None:
    asked: list[Listing] = []

    def page_of(listing: Listing) -> Page[str]:
        asked.append(listing)
        return Page((), total=0, next=None)

    assert list(every(page_of)) == []
    assert [(each.sort, each.descending) for each in asked] == [("created_at", True)]
