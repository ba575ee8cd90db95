"""Connections that are kept between use cases: to check one out and back in costs more than most reads.

They are connections of the engine's pool, which a host may share. One of the pool's is never kept while nobody waits in
line for it, and those that nobody needed for a while are given back.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, final

from attrs import define, field, frozen
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from portal_adapters.sqlalchemy.engine import busy
from portal_adapters.sqlalchemy.store import StoreOn
from portal_core.domain.errors import Busy, Refusal
from portal_core.ports import Mint, Store

A_WHILE = 1.0
"""Seconds after which it is looked what nobody needs: a host that shares the pool waits twice as long at most."""


@final
@frozen(eq=False)
class Kept:
    """A connection without transactions, the store on it, and the driver's own connection below."""

    connection: AsyncConnection
    store: Store
    driver: Any


@final
@define(eq=False)
class KeptConnections:
    """The idle ones, the last used on top; and a queue of those who wait for one to be handed on.

    `_spare` is how many have been idle all the time since it was last looked.
    """

    engine: AsyncEngine
    mint: Mint
    store_on: StoreOn
    _idle: list[Kept] = field(factory=list[Kept], init=False)
    _spare: int = field(default=0, init=False)
    _look: asyncio.TimerHandle | None = field(default=None, init=False)
    _closing: set[asyncio.Future[None]] = field(factory=set[asyncio.Future[None]], init=False)
    _turns: asyncio.Semaphore = field(init=False)
    _patience: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        pool = self.engine.sync_engine.pool
        most, self._patience = (pool.size(), pool.timeout()) if isinstance(pool, QueuePool) else (sys.maxsize, 0.0)
        self._turns = asyncio.Semaphore(max(most - 1, 1))

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[Kept]:
        """Lend a connection; it is kept when all went well, and given up with all idle ones when the store was busy."""
        await self._wait_for_turn()
        kept, keep = None, False
        try:
            kept = self._idle.pop() if self._idle else await self._open()
            self._spare = min(self._spare, len(self._idle))
            yield kept
            keep = True
        except Busy:
            await self.let_go()
            raise
        except Refusal:
            keep = True
            raise
        finally:
            self._turns.release()
            if kept is not None:
                await self._take_back(kept, keep=keep)

    async def let_go(self) -> None:
        """Give all idle ones back to the pool."""
        if self._look is not None:
            self._look.cancel()
            self._look = None
        while self._idle:
            self._close(self._idle.pop())
        if self._closing:
            await asyncio.wait(set(self._closing))

    async def _wait_for_turn(self) -> None:
        """Wait for as long as the pool lets wait for a connection, but not there: what is kept would be given back."""
        try:
            async with asyncio.timeout(self._patience if self._turns.locked() else None):
                await self._turns.acquire()
        except TimeoutError:
            raise busy() from None

    async def _open(self) -> Kept:
        with gone_is_busy(PoolExhausted, OSError):
            connection = await self.engine.connect()
        driver = (await connection.get_raw_connection()).driver_connection
        return Kept(connection, await connection.run_sync(self.store_on, self.mint), driver)

    async def _take_back(self, kept: Kept, *, keep: bool) -> None:
        is_wanted_here = self._turns.locked() or not self._is_exhausted()
        if not keep or kept.connection.invalidated or not is_wanted_here:
            await asyncio.shield(self._close(kept))
            return
        self._idle.append(kept)
        self._look_later()

    def _is_exhausted(self) -> bool:
        pool = self.engine.sync_engine.pool
        return isinstance(pool, QueuePool) and pool.checkedout() >= pool.size()

    def _look_later(self) -> None:
        if self._look is None:
            self._look = asyncio.get_running_loop().call_later(A_WHILE, self._give_back)

    def _give_back(self) -> None:
        """Give back what nobody needed since it was last looked."""
        self._look = None
        spare, self._idle = self._idle[: self._spare], self._idle[self._spare :]
        self._spare = len(self._idle)
        for each in spare:
            self._close(each)
        if self._idle:
            self._look_later()

    def _close(self, kept: Kept) -> asyncio.Future[None]:
        """Give a connection back to the pool, whatever becomes of who waits for that."""
        closing = asyncio.ensure_future(kept.connection.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        return closing


@contextmanager
def gone_is_busy(*errors: type[Exception]) -> Generator[None]:
    """Say Busy where one of these errors says that no connection is free in time, or PostgreSQL is out of reach."""
    try:
        yield
    except errors as error:
        raise busy() from error
