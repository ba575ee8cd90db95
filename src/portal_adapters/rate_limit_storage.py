"""Where `limits` counts in memory, when all that counts runs on one event loop.

The library's own storage takes a lock for every key, and every ten milliseconds starts a thread that looks through all
of them. Nothing here is shared between threads, and what is over is forgotten once in a window.
"""

from collections import deque
from collections.abc import Callable
from typing import final

from attrs import define, field
from limits.storage import MovingWindowSupport, Storage

from portal_adapters.clock import now


@define
class _Window:
    """The moments of hits, oldest first, and when the last of them is over."""

    hits: deque[float] = field(factory=deque[float])
    ends: float = 0.0


def _seconds() -> float:
    return now().timestamp()


@final
class LoopStorage(Storage, MovingWindowSupport):
    """Counters and moving windows in dictionaries."""

    STORAGE_SCHEME = ["portal-loop"]  # noqa: RUF012 - the library declares it

    def __init__(self, clock: Callable[[], float] = _seconds) -> None:
        super().__init__()
        self._clock = clock
        self._counts: dict[str, tuple[int, float]] = {}
        self._windows: dict[str, _Window] = {}
        self._sweeps_at = 0.0

    def __len__(self) -> int:
        return len(self._counts) + len(self._windows)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        at = self._at(expiry)
        count, ends = self._counts.get(key, (0, 0.0))
        if ends <= at:
            count, ends = 0, at + expiry
        self._counts[key] = count + amount, ends
        return count + amount

    def get(self, key: str) -> int:
        count, ends = self._counts.get(key, (0, 0.0))
        return count if ends > self._clock() else 0

    def get_expiry(self, key: str) -> float:
        return self._counts.get(key, (0, self._clock()))[1]

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        at = self._at(expiry)
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = _Window()
        _forget(window.hits, at - expiry)
        if len(window.hits) + amount > limit:
            return False
        window.hits.extend([at] * amount)
        window.ends = at + expiry
        return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        at = self._clock()
        window = self._windows.get(key)
        if window is None:
            return at, 0
        _forget(window.hits, at - expiry)
        return (window.hits[0] if window.hits else at), len(window.hits)

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        forgotten = len(self)
        self._counts.clear()
        self._windows.clear()
        return forgotten

    def clear(self, key: str) -> None:
        self._counts.pop(key, None)
        self._windows.pop(key, None)

    def _at(self, expiry: float) -> float:
        """Return the moment, having forgotten what is over if that was not done for as long as this expiry."""
        at = self._clock()
        if at >= self._sweeps_at:
            self._counts = {key: kept for key, kept in self._counts.items() if kept[1] > at}
            self._windows = {key: kept for key, kept in self._windows.items() if kept.ends > at}
            self._sweeps_at = at + expiry
        return at


def _forget(hits: deque[float], until: float) -> None:
    while hits and hits[0] <= until:
        hits.popleft()
