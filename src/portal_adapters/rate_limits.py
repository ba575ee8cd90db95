"""Rate limits, counted with `limits`: in memory for one process, in Redis for several."""

import asyncio
import logging
from typing import Any, NamedTuple, Protocol, cast, final

from attrs import define, field
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter as SharedCounter
from limits.aio.strategies import MovingWindowRateLimiter as SharedWindow
from limits.errors import StorageError
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from limits.util import WindowStats

from portal_adapters.clock import now

PATIENCE = 0.05
"""Seconds that Redis may take for one hit before this process counts by itself."""

PAUSE = 5.0
"""Seconds for which Redis is left alone after it failed."""

_NO_LIMIT = 2**31

_log = logging.getLogger(__name__)


class Hit(NamedTuple):
    """Whether a request was counted, how many remain, and in how many seconds the oldest one leaves the window."""

    allowed: bool
    remaining: int
    seconds: float


class RateLimits(Protocol):
    """Counters over a moving window of 60 seconds."""

    async def hit(self, budget: str, key: str, *, most: int) -> Hit:
        """Count one request of a key, unless that would be more than `most` in the last minute; 0 never refuses."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@final
@define
class MemoryRateLimits(RateLimits):
    """Counts in this process."""

    _window: MovingWindowRateLimiter = field(init=False)
    _counter: FixedWindowRateLimiter = field(init=False)

    def __attrs_post_init__(self) -> None:
        storage = MemoryStorage()
        self._window = MovingWindowRateLimiter(storage)
        self._counter = FixedWindowRateLimiter(storage)

    async def hit(self, budget: str, key: str, *, most: int) -> Hit:
        """Count at once: nothing is waited for."""
        item = _item(most)
        limiter = self._window if most else self._counter
        allowed = limiter.hit(item, budget, key)
        stats = limiter.get_window_stats(item, budget, key)
        return _hit(stats, allowed=allowed)

    async def close(self) -> None:
        """There is nothing to let go of."""


@final
@define
class RedisRateLimits(RateLimits):
    """Counts in Redis; while that is slow or away, in this process."""

    url: str = field(repr=False)
    _local: MemoryRateLimits = field(factory=MemoryRateLimits, init=False)
    _storage: RedisStorage = field(init=False)
    _resumes_at: float = field(default=0.0, init=False)

    def __attrs_post_init__(self) -> None:
        self._storage = RedisStorage(
            self.url,
            wrap_exceptions=True,
            implementation="redispy",
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
        )

    async def hit(self, budget: str, key: str, *, most: int) -> Hit:
        """Count in Redis within 50 milliseconds, or here."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._resumes_at:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self._shared_hit(budget, key, most)
            except (StorageError, TimeoutError, OSError) as problem:
                self._resumes_at = loop.time() + PAUSE
                _log.warning(
                    "Redis does not count (%s); this process does, for %.0f seconds", type(problem).__name__, PAUSE
                )
        return await self._local.hit(budget, key, most=most)

    async def close(self) -> None:
        """Close the connections to Redis."""
        await cast("Any", self._storage.bridge).get_connection().aclose()

    async def _shared_hit(self, budget: str, key: str, most: int) -> Hit:
        item = _item(most)
        limiter = SharedWindow(self._storage) if most else SharedCounter(self._storage)
        allowed = await limiter.hit(item, budget, key)
        stats = await limiter.get_window_stats(item, budget, key)
        return _hit(stats, allowed=allowed)


def rate_limits(url: str) -> MemoryRateLimits | RedisRateLimits:
    """Return the limits of `memory://` or of `redis://` (`rediss://`, `redis+unix://`); else raise ValueError."""
    scheme = url.partition("://")[0]
    if scheme == "memory":
        return MemoryRateLimits()
    if scheme in {"redis", "rediss", "redis+unix"}:
        return RedisRateLimits(url)
    raise ValueError(f"rate limits are counted at memory:// or redis://…, not at {scheme}://")


def _hit(stats: WindowStats, *, allowed: bool) -> Hit:
    return Hit(allowed, max(stats.remaining, 0), max(stats.reset_time - now().timestamp(), 0.0))


def _item(most: int) -> RateLimitItem:
    # Fixed and moving windows keep different things under one key, so each has a namespace of its own.
    return (
        RateLimitItemPerMinute(most, namespace="portal")
        if most
        else RateLimitItemPerMinute(_NO_LIMIT, namespace="portal-count")
    )
