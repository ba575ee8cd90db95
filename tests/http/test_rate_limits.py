"""The counters: in memory, in Redis, and in memory while Redis is away."""

import asyncio
import socket
import threading
import time
import uuid

import pytest

from portal_adapters.rate_limit_storage import LoopStorage
from portal_adapters.rate_limits import MemoryRateLimits, RedisRateLimits, rate_limits
from tests.servers import REDIS_URL

KINDS = [pytest.param("memory://", id="memory"), pytest.param(REDIS_URL, id="redis", marks=pytest.mark.redis)]


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for Redis as long as a busy machine takes to answer, not only as long as a client would."""
    monkeypatch.setattr("portal_adapters.rate_limits.PATIENCE", 10.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("url", KINDS)
def test_a_window_lets_so_many_through_and_then_none(url: str) -> None:
    async def ask() -> None:
        limits, key = rate_limits(url), uuid.uuid4().hex
        hits = [await limits.hit("reads", key, most=3) for _ in range(4)]
        other = await limits.hit("writes", key, most=3)
        await limits.close()

        assert [(hit.allowed, hit.remaining) for hit in hits] == [(True, 2), (True, 1), (True, 0), (False, 0)]
        assert all(0 < hit.seconds <= 60 for hit in hits)
        assert other.allowed

    asyncio.run(ask())


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("url", KINDS)
def test_without_a_limit_everything_passes_and_changing_over_does_no_harm(url: str) -> None:
    async def ask() -> None:
        limits, key = rate_limits(url), uuid.uuid4().hex
        for most in (0, 2, 0, 2):
            assert (await limits.hit("reads", key, most=most)).allowed
        await limits.close()

    asyncio.run(ask())


def test_while_redis_is_away_this_process_counts_half_as_much_and_nobody_waits_long() -> None:
    async def ask() -> None:
        limits = rate_limits("redis://127.0.0.1:1/0")
        started = time.monotonic()
        hits = [await limits.hit("reads", "key", most=4) for _ in range(20)]
        await limits.close()

        assert [hit.allowed for hit in hits] == [True, True, *[False] * 18]
        assert time.monotonic() - started < 1

    asyncio.run(ask())


def test_a_redis_that_hangs_is_waited_for_once() -> None:
    async def ask(port: int) -> None:
        limits = rate_limits(f"redis://127.0.0.1:{port}/0")
        waited: list[float] = []
        for _ in range(5):
            started = time.monotonic()
            assert (await limits.hit("reads", "key", most=20)).allowed
            waited.append(time.monotonic() - started)
        await limits.close()

        assert waited[0] < 0.2
        assert sum(waited[1:]) < 0.05

    with socket.create_server(("127.0.0.1", 0)) as silent:
        asyncio.run(ask(silent.getsockname()[1]))


def test_the_address_says_where_to_count() -> None:
    assert isinstance(rate_limits("memory://"), MemoryRateLimits)
    assert isinstance(rate_limits("redis://user:secret@127.0.0.1:1"), RedisRateLimits)
    assert "secret" not in repr(rate_limits("redis://user:secret@127.0.0.1:1"))
    with pytest.raises(ValueError, match="memory://"):
        rate_limits("memcached://127.0.0.1")


def test_counting_in_memory_starts_no_thread() -> None:
    async def ask() -> None:
        limits = rate_limits("memory://")
        for most in (0, 3) * 50:
            await limits.hit("reads", "key", most=most)

    before = set(threading.enumerate())
    asyncio.run(ask())

    assert set(threading.enumerate()) <= before


def test_a_window_moves_and_a_counter_begins_again() -> None:
    moment = [1000.0]
    storage = LoopStorage(lambda: moment[0])

    taken = []
    for moment[0] in (1000.0, 1030.0, 1059.9, 1060.0, 1061.0):
        taken.append((storage.acquire_entry("key", 2, 60), storage.incr("key", 60)))

    assert taken == [(True, 1), (True, 2), (False, 3), (True, 1), (False, 2)]
    assert storage.get_moving_window("key", 2, 60) == (1030.0, 2)
    assert (storage.get("key"), storage.get_expiry("key")) == (2, 1120.0)


def test_what_is_over_is_forgotten_and_what_is_not_is_kept() -> None:
    moment = [1000.0]
    storage = LoopStorage(lambda: moment[0])
    for each in range(100):
        storage.acquire_entry(f"old {each}", 5, 60)
        storage.incr(f"old {each}", 60)

    moment[0] = 1050.0
    storage.acquire_entry("recent", 1, 60)
    moment[0] = 1061.0
    storage.acquire_entry("new", 1, 60)

    assert len(storage) == 2
    assert not storage.acquire_entry("recent", 1, 60)
    assert storage.reset() == 2
    assert storage.acquire_entry("recent", 1, 60)
