"""Connections that only read, kept open between use cases: to check one out and back in costs more than most reads.

They are connections of the engine's pool, so that reading and writing share what the pool has room for: a kept one is
given back as soon as somebody wants a connection and there is no other.
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


@final
@frozen(eq=False)
class Reader:
    """A connection without transactions, the store on it, and the driver's own connection below."""

    connection: AsyncConnection
    store: Store
    driver: Any


@final
@define(eq=False)
class Readers:
    """The idle ones, the last used on top; and a queue of those who wait for one to be handed on."""

    engine: AsyncEngine
    mint: Mint
    store_on: StoreOn
    _idle: list[Reader] = field(factory=list[Reader], init=False)
    _wanted: int = field(default=0, init=False)
    _turns: asyncio.Semaphore = field(init=False)
    _patience: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        pool = self.engine.sync_engine.pool
        most, self._patience = (pool.size(), pool.timeout()) if isinstance(pool, QueuePool) else (sys.maxsize, 0.0)
        self._turns = asyncio.Semaphore(most)

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[Reader]:
        """Lend a reader; it is kept when all went well, and given up with all idle ones when the store was busy."""
        await self._wait_for_turn()
        reader, keep = None, False
        try:
            reader = self._idle.pop() if self._idle else await self._open()
            yield reader
            keep = True
        except Busy:
            await self.let_go()
            raise
        except Refusal:
            keep = True
            raise
        finally:
            self._turns.release()
            if reader is not None:
                await self._take_back(reader, keep=keep)

    async def _wait_for_turn(self) -> None:
        """Wait for as long as the pool lets wait for a connection, but not there: what is kept would be given back."""
        try:
            async with asyncio.timeout(self._patience if self._turns.locked() else None):
                await self._turns.acquire()
        except TimeoutError:
            raise busy() from None

    async def _take_back(self, reader: Reader, *, keep: bool) -> None:
        if keep and not reader.connection.invalidated and not (self._wanted and self._is_exhausted()):
            self._idle.append(reader)
        else:
            await _close(reader)

    @asynccontextmanager
    async def making_room(self) -> AsyncGenerator[None]:
        """See to it that who waits for a connection of the pool meanwhile is not kept waiting by idle readers."""
        self._wanted += 1
        try:
            if self._idle and self._is_exhausted():
                await _close(self._idle.pop())
            yield
        finally:
            self._wanted -= 1

    def _is_exhausted(self) -> bool:
        pool = self.engine.sync_engine.pool
        return isinstance(pool, QueuePool) and pool.checkedout() >= pool.size()

    async def let_go(self) -> None:
        """Give all idle ones back to the pool."""
        while self._idle:
            await _close(self._idle.pop())

    async def _open(self) -> Reader:
        async with self.making_room():
            with gone_is_busy(PoolExhausted, OSError):
                connection = await self.engine.connect()
        driver = (await connection.get_raw_connection()).driver_connection
        return Reader(connection, await connection.run_sync(self.store_on, self.mint), driver)


@contextmanager
def gone_is_busy(*errors: type[Exception]) -> Generator[None]:
    """Say Busy where one of these errors says that no connection is free in time, or PostgreSQL is out of reach."""
    try:
        yield
    except errors as error:
        raise busy() from error


async def _close(reader: Reader) -> None:
    """Give a connection back to the pool, whatever becomes of the task that does."""
    await asyncio.shield(asyncio.ensure_future(reader.connection.close()))
