"""Rate limits: counted in memory for one process (with `limits`), in Redis for several."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple, cast, final

from attrs import define, field
from limits import RateLimitItem, RateLimitItemPerSecond
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from portal_adapters.clock import now
from portal_adapters.rate_limit_storage import LoopStorage

WINDOW = 60
"""Seconds over which requests are counted."""

PATIENCE = 0.05
"""Seconds that Redis may take for one hit before this process counts by itself."""

PATIENCE_WITH_PROBE = 0.25
"""Seconds that it may take to prove that it is back, which nobody waits for."""

PAUSE = 1.0
"""Seconds between two such proofs."""

STRICTER = 2
"""What a limit is divided by while each process counts by itself."""

_LOCAL_KEY = "portal"
_SHARED_KEY = "portal:hits"
_MICROSECONDS = 1_000_000

# One round trip, one at a time, by the clock of Redis: however many processes ask, no window holds more than `most`.
_COUNT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local most, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and tonumber(oldest) <= now - window do
    redis.call('LPOP', KEYS[1])
    oldest = redis.call('LINDEX', KEYS[1], 0)
end
local live = redis.call('LLEN', KEYS[1])
if live >= most then
    return {0, 0, oldest + window - now}
end
redis.call('RPUSH', KEYS[1], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000))
return {1, most - live - 1, (oldest or now) + window - now}
"""

_log = logging.getLogger(__name__)


class Hit(NamedTuple):
    """Whether a request was counted, how many remain, and in how many seconds the oldest one leaves the window."""

    allowed: bool
    remaining: int
    seconds: float


_NO_LIMIT = 2**31

UNLIMITED = Hit(allowed=True, remaining=_NO_LIMIT, seconds=0.0)


@final
@define
class MemoryRateLimits:
    """Counts in this process, on the event loop that it is used from."""

    window: int = WINDOW
    _limiter: MovingWindowRateLimiter = field(factory=lambda: MovingWindowRateLimiter(LoopStorage()), init=False)
    _counter: FixedWindowRateLimiter = field(factory=lambda: FixedWindowRateLimiter(LoopStorage()), init=False)
    _items: dict[int, RateLimitItem] = field(factory=dict[int, RateLimitItem], init=False)

    async def hit(self, budget: str, key: str, *, most: int) -> Hit:
        """Count at once: nothing is waited for. Without a limit a plain counter does, which keeps no list of hits."""
        if not most:
            self._counter.hit(self._item(_NO_LIMIT), budget, key)
            return UNLIMITED
        item = self._item(most)
        allowed = self._limiter.hit(item, budget, key)
        stats = self._limiter.get_window_stats(item, budget, key)
        return Hit(allowed, max(stats.remaining, 0), max(stats.reset_time - now().timestamp(), 0.0))

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _item(self, most: int) -> RateLimitItem:
        item = self._items.get(most)
        if item is None:
            item = self._items[most] = RateLimitItemPerSecond(most, self.window, namespace=_LOCAL_KEY)
        return item


@final
@define
class RedisRateLimits:
    """Counts in Redis; while that is slow or away, in this process, and then half as much is allowed.

    Who finds Redis away waits for it once, for 50 milliseconds at most. From then on nobody does: a task in the
    background finds out when it is back.
    """

    url: str = field(repr=False)
    window: int = WINDOW
    _local: MemoryRateLimits = field(init=False)
    _redis: Any = field(init=False)
    _count: Callable[..., Awaitable[tuple[int, int, int]]] = field(init=False)
    _watch: asyncio.Task[None] | None = field(default=None, init=False)
    _closed: asyncio.Event = field(factory=asyncio.Event, init=False)

    def __attrs_post_init__(self) -> None:
        self._local = MemoryRateLimits(self.window)
        self._redis = _connect(self.url)
        self._count = self._redis.register_script(_COUNT)

    @property
    def shared(self) -> bool:
        """Whether it is Redis that counts just now."""
        return self._watch is None or self._watch.done()

    async def hit(self, budget: str, key: str, *, most: int) -> Hit:
        """Count in Redis within 50 milliseconds, or here."""
        if not most:
            return await self._local.hit(budget, key, most=0)
        if self.shared:
            try:
                async with asyncio.timeout(PATIENCE):
                    return await self._shared_hit(budget, key, most)
            except Exception as problem:  # noqa: BLE001 - whatever is the matter with it, the request goes on
                self._leave(problem)
        return await self._local.hit(budget, key, most=max(most // STRICTER, 1))

    async def close(self) -> None:
        """Close the connections to Redis."""
        self._closed.set()
        if self._watch is not None:
            await self._watch
        await self._redis.aclose()

    async def _shared_hit(self, budget: str, key: str, most: int) -> Hit:
        allowed, remaining, wait = await self._count(
            keys=[f"{_SHARED_KEY}:{budget}:{key}"], args=[most, self.window * _MICROSECONDS]
        )
        return Hit(allowed == 1, remaining, wait / _MICROSECONDS)

    def _leave(self, problem: Exception) -> None:
        if self.shared:
            _log.warning("Redis does not count (%s); this process does meanwhile", type(problem).__name__)
            self._watch = asyncio.create_task(self._return())

    async def _return(self) -> None:
        while not await self._is_back():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closed.wait(), PAUSE)
            if self._closed.is_set():
                return
        _log.info("Redis counts again")

    async def _is_back(self) -> bool:
        try:
            # A connection that was open when Redis went away is of no use now.
            await self._redis.connection_pool.disconnect(inuse_connections=False)
            async with asyncio.timeout(PATIENCE_WITH_PROBE):
                await self._shared_hit("probe", "", 1)
        except Exception:  # noqa: BLE001 - as above
            return False
        return True


def rate_limits(url: str, *, window: int = WINDOW) -> MemoryRateLimits | RedisRateLimits:
    """Return the limits of `memory://` or of `redis://` (`rediss://`, `unix://`); else raise ValueError."""
    scheme = url.partition("://")[0]
    if scheme == "memory":
        return MemoryRateLimits(window)
    if scheme in {"redis", "rediss", "unix"}:
        return RedisRateLimits(url, window)
    raise ValueError(f"rate limits are counted at memory:// or redis://…, not at {scheme}://")


def _connect(url: str) -> Any:  # noqa: ANN401 - it has no types
    from redis.asyncio import Redis  # noqa: PLC0415 - an extra that not everybody has
    from redis.asyncio.retry import Retry  # noqa: PLC0415 - the same
    from redis.backoff import NoBackoff  # noqa: PLC0415 - the same

    connect = cast("Callable[..., Any]", Redis.from_url)  # pyright: ignore[reportUnknownMemberType] - no types
    return connect(
        url,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=PATIENCE_WITH_PROBE,
        socket_timeout=PATIENCE_WITH_PROBE,
    )
