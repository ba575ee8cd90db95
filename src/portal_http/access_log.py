"""The access log: one line a request, with its route instead of its path, because a path holds a token."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TextIO, final

import orjson
from attrs import define, field

from portal_http.seen import Seen

DELAY = 0.05
"""Seconds for which lines are gathered, so that they are written together and no request waits for it."""

PARCEL = 4096
"""How many bytes a pipe takes as a whole, so that the lines of two processes do not mix (`PIPE_BUF` of Linux)."""

LOGGER = "portal_http.access"


@final
@define(eq=False)
class AccessLog:
    """Writes what it is told of, as text or as one JSON object a line."""

    stream: TextIO
    as_json: bool = False
    _lines: list[str] = field(factory=list[str], init=False)

    def __call__(self, seen: Seen) -> None:
        """Note a request; it is written a moment later."""
        if not self._lines:
            asyncio.get_running_loop().call_later(DELAY, self.flush)
        self._lines.append(_as_json(seen) if self.as_json else _as_text(seen))

    def flush(self) -> None:
        """Write what was noted. A log that cannot be written is no reason not to serve."""
        lines, self._lines = self._lines, []
        with suppress(OSError, ValueError):
            for parcel in _parcels(lines):
                self.stream.write(parcel)
                self.stream.flush()


def _parcels(lines: Sequence[str]) -> Iterator[str]:
    """Yield the lines, as many at a time as a pipe takes as a whole."""
    parcel, size = list[str](), 0
    for line in lines:
        length = len(line.encode())
        if size + length > PARCEL:
            yield "".join(parcel)
            parcel, size = [], 0
        parcel.append(line)
        size += length
    yield "".join(parcel)


def _as_text(seen: Seen) -> str:
    return f"{_moment(seen.at)} {seen.method} {seen.route} {seen.status} {seen.seconds * 1_000:.1f}ms {seen.who}\n"


def _as_json(seen: Seen) -> str:
    line = {
        "at": _moment(seen.at),
        "level": "info",
        "logger": LOGGER,
        "method": seen.method,
        "route": seen.route,
        "status": seen.status,
        "ms": round(seen.seconds * 1_000, 1),
        "who": seen.who,
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE).decode()


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
