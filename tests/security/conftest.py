"""The worlds that tests ask things of."""

from collections.abc import Iterator

import pytest

from tests.http.world import World, full_world


@pytest.fixture
def world() -> Iterator[World]:
    """Return a portal whose clients have one of everything, and whose limits only count."""
    made = full_world()
    with made.http:
        yield made
