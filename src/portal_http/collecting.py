"""Python's search for circles of objects that nobody needs, where there are none to be found."""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def nothing_to_collect() -> Generator[None]:
    """Load or make what stays, without its being searched again and again meanwhile."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
