import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.ids import is_id

ALLOWED = string.ascii_letters + string.digits + "._:~-"


@given(st.text(ALLOWED, min_size=1, max_size=128).filter(lambda text: text not in {".", ".."}))
def test_an_id_is_made_of_characters_that_need_no_escape_in_a_path(text: str) -> None:
    found = is_id(text)

    assert found


@given(st.text(min_size=1, max_size=20).filter(lambda text: not set(text) <= set(ALLOWED)))
def test_any_other_character_belongs_in_a_number(text: str) -> None:
    found = is_id(text)

    assert not found


@pytest.mark.parametrize("text, expected", [("", False), (".", False), ("..", False), ("...", True), ("~", True)])
def test_dots_that_move_in_a_path_are_no_ids(text: str, *, expected: bool) -> None:
    found = is_id(text)

    assert found is expected


def test_an_id_has_at_most_128_characters() -> None:
    longest = "x" * 128

    found, too_long, with_newline = is_id(longest), is_id(longest + "x"), is_id("x\n")

    assert (found, too_long, with_newline) == (True, False, False)
