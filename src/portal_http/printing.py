"""Printing beside the event loop: a few papers at a time, a few in the queue, and no more."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from attrs import asdict, define, field

from portal_core.domain.errors import Busy
from portal_http.outside import Printer
from portal_http.paper import Paper

AT_ONCE = 2
MOST_WAITING = 8


@define(eq=False)
class PrintShop:
    """Takes orders for papers; refuses with Busy what would have to wait for too many others."""

    printer: Printer
    _ordered: int = field(default=0, init=False)
    _pool: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(AT_ONCE, "printing"), init=False)

    async def print(self, paper: Paper, logo: bytes | None) -> bytes:
        """Return a paper as PDF."""
        if self._ordered >= AT_ONCE + MOST_WAITING:
            raise Busy("Too many documents are being printed just now. Try again in a moment.")
        self._ordered += 1
        order = asyncio.get_running_loop().run_in_executor(self._pool, self.printer.print, asdict(paper), logo)
        order.add_done_callback(self._finished)
        return await order

    def _finished(self, _: object) -> None:
        self._ordered -= 1
