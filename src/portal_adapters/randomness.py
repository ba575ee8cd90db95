"""The one door to randomness: ids and tokens that nobody can guess or repeat."""

import os
import secrets
import threading
import time
import uuid
from typing import final

from attrs import define, field

from portal_core.domain.tokens import RANDOM_BYTES, token_of
from portal_core.ports import Mint

_RANDOM_BITS = 62
_COUNTER_BITS = 12
_KEY_BYTES = 32
_WIDEST_JITTER = 0.1


@final
@define(eq=False)
class RandomMint(Mint):
    """UUIDv7s that grow even within a millisecond (RFC 9562, 6.2 method 1), and tokens from the system's source."""

    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    _last: int = field(default=0, init=False)

    def new_id(self) -> str:
        """Return the milliseconds of the epoch, a counter within them, and 62 random bits."""
        with self._lock:
            tick = (time.time_ns() // 1_000_000) << _COUNTER_BITS
            self._last = max(tick, self._last + 1)
            tick = self._last
        high = (tick >> _COUNTER_BITS) << 16 | 0x7000 | tick & 0x0FFF
        low = 0b10 << _RANDOM_BITS | int.from_bytes(os.urandom(8)) >> 2
        return str(uuid.UUID(int=high << 64 | low))

    def new_token(self) -> str:
        """Return a fresh token."""
        return token_of(secrets.token_bytes(RANDOM_BYTES))

    def new_key(self) -> bytes:
        """Return a fresh key."""
        return secrets.token_bytes(_KEY_BYTES)


def new_key() -> str:
    """Return a fresh signing key for development: 256 bits in URL-safe base64."""
    return secrets.token_urlsafe(32)


def jitter() -> float:
    """Return a factor near 1, by which waiting times differ so that not all who wait come back at once."""
    return 1 + _WIDEST_JITTER * secrets.SystemRandom().uniform(-1, 1)
