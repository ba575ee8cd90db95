"""Figures for Prometheus, in its text format: how many requests, how answered, how fast."""

import os
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import accumulate
from typing import final

from attrs import define, field

from portal_http.answers import Answer, Header
from portal_http.seen import Seen

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The upper bounds of the histogram, in seconds."""

_TEXT: Header = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


def _no_times() -> list[int]:
    return [0] * (len(BOUNDS) + 1)


@final
@define(eq=False)
class Metrics:
    """Counts what it is told of: by route, method and status, and never by who asked.

    Each process counts by itself and says which it is.
    """

    _requests: Counter[tuple[str, str, int]] = field(factory=Counter[tuple[str, str, int]], init=False)
    _times: defaultdict[str, list[int]] = field(factory=lambda: defaultdict(_no_times), init=False)
    _seconds: defaultdict[str, float] = field(factory=lambda: defaultdict(float), init=False)
    _process: int = field(factory=os.getpid, init=False)

    def __call__(self, seen: Seen) -> None:
        """Count a request."""
        self._requests[seen.route, seen.method, seen.status] += 1
        self._times[seen.route][bisect_left(BOUNDS, seen.seconds)] += 1
        self._seconds[seen.route] += seen.seconds

    def answer(self) -> Answer:
        """Return the figures."""
        return Answer(200, "".join(f"{line}\n" for line in self._lines()).encode(), [_TEXT])

    def _lines(self) -> Iterator[str]:
        yield "# HELP portal_requests_total Requests answered."
        yield "# TYPE portal_requests_total counter"
        for (route, method, status), count in sorted(self._requests.items()):
            yield f'portal_requests_total{{{self._labels(route)},method="{method}",status="{status}"}} {count}'
        yield "# HELP portal_request_seconds How long it took to answer."
        yield "# TYPE portal_request_seconds histogram"
        for route, counts in sorted(self._times.items()):
            labels = self._labels(route)
            for bound, count in zip((*BOUNDS, "+Inf"), accumulate(counts), strict=True):
                yield f'portal_request_seconds_bucket{{{labels},le="{bound}"}} {count}'
            yield f"portal_request_seconds_sum{{{labels}}} {self._seconds[route]:.6f}"
            yield f"portal_request_seconds_count{{{labels}}} {sum(counts)}"

    def _labels(self, route: str) -> str:
        return f'process="{self._process}",route="{route}"'
