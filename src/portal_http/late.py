"""What a start does without: loaded where it is used, or when the first answers have been given."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module

PAUSE_SECONDS = 0.1
"""How long requests have the loop to themselves before anything is loaded, and between one module and the next."""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def loading(*modules: str) -> AsyncGenerator[None]:
    """Load modules meanwhile, so that whoever is the first to need one finds it loaded.

    On the loop, in turns with requests: in a thread of its own it would compete with them all the same.
    """
    work = asyncio.create_task(_load(modules))
    try:
        yield
    finally:
        work.cancel()
        await asyncio.wait([work])


async def _load(modules: tuple[str, ...]) -> None:
    for each in modules:
        await asyncio.sleep(PAUSE_SECONDS)
        try:
            import_module(each)
        except Exception:  # noqa: BLE001 - whoever needs it meets the error again
            _log.exception("%s cannot be loaded", each)
