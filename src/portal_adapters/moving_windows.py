"""Moving windows in memory, where all that counts runs on one event loop.

Nothing here is shared between threads, and what is over is forgotten once in a window.
"""

from collections import deque
from collections.abc import Callable
from typing import final

from attrs import define, field

from portal_adapters.clock import now


def _seconds() -> float:
    return now().timestamp()


@final
@define(eq=False)
class MovingWindows:
    """The moments of hits in the last seconds, oldest first, by key."""

    seconds: int
    clock: Callable[[], float] = _seconds
    _hits: dict[str, deque[float]] = field(factory=dict[str, deque[float]], init=False)
    _sweeps_at: float = field(default=0.0, init=False)

    def __len__(self) -> int:
        return len(self._hits)

    def hit(self, key: str, most: int) -> tuple[bool, int, float]:
        """Count a hit, unless that would be more than `most` (at least one) in a window.

        Returns whether it was counted, how many remain, and in how many seconds the oldest one leaves the window.
        """
        at = self.clock()
        self._sweep(at)
        hits = self._hits.get(key)
        if hits is None:
            hits = self._hits[key] = deque()
        while hits and hits[0] <= at - self.seconds:
            hits.popleft()
        allowed = len(hits) < most
        if allowed:
            hits.append(at)
        return allowed, max(most - len(hits), 0), hits[0] + self.seconds - at

    def _sweep(self, at: float) -> None:
        """Forget what is over, if that was not done for a window."""
        if at >= self._sweeps_at:
            self._hits = {key: hits for key, hits in self._hits.items() if hits and hits[-1] > at - self.seconds}
            self._sweeps_at = at + self.seconds
