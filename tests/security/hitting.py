"""One of several processes that ask for more than is allowed; prints what it was allowed, when, and how often it asked.

`python -m tests.security.hitting URL ROUND KEYS SECONDS QUOTA own|naive`
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from redis.asyncio import Redis

from portal_adapters import rate_limits

WINDOW = 1
RATE = 300
"""How often one process asks in a second, all keys together."""

Ask = Callable[[str], Awaitable[bool]]
Told = tuple[list[tuple[str, float, float]], dict[str, int]]


def own(url: str, quota: int) -> Ask:
    limits = rate_limits.RedisRateLimits(url, WINDOW)

    async def ask(key: str) -> bool:
        return (await limits.hit("reads", key, most=quota)).allowed

    return ask


def naive(url: str, quota: int) -> Ask:
    """Return what looks first and counts then."""
    client = Redis.from_url(url)

    async def ask(key: str) -> bool:
        if int(await client.get(key) or 0) >= quota:
            return False
        await client.incr(key)
        await client.expire(key, WINDOW, nx=True)
        return True

    return ask


async def attack(ask: Ask, keys: list[str], seconds: float) -> Told:
    allowed: list[tuple[str, float, float]] = []
    asked: Counter[str] = Counter()
    end = time.monotonic() + seconds

    async def one(key: str) -> None:
        while (before := time.monotonic()) < end:
            asked[key] += 1
            if await ask(key):
                allowed.append((key, before, time.monotonic()))
            await asyncio.sleep(len(keys) / RATE)

    await asyncio.gather(*map(one, keys))
    return allowed, asked


def main() -> None:
    url, name, keys, seconds, quota, kind = sys.argv[1:]
    # What is tried is Redis, however busy the machine is.
    rate_limits.PATIENCE = rate_limits.PATIENCE_WITH_PROBE = 10.0
    make = own if kind == "own" else naive
    sys.stdin.readline()

    async def run() -> Told:
        return await attack(make(url, int(quota)), [f"{name}-{each}" for each in range(int(keys))], float(seconds))

    print(json.dumps(asyncio.run(run())))  # noqa: T201 - that is how it tells


if __name__ == "__main__":
    main()
