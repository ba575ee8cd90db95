"""What the HTTP side asks of the outside world, besides the core's ports."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from portal_core.domain.outbox import Attempt
from portal_core.ports import Signer
from portal_core.use_cases.outbox import Parcel


class AdminTokens(Protocol):
    """The check of staff's bearer tokens."""

    __slots__ = ()

    @abstractmethod
    def claims(self, token: str) -> Mapping[str, object] | None:
        """Return the claims of a JWT whose signature, issuer, audience, times and subject are right, else nothing."""


class Printer(Protocol):
    """Sets papers: the documents that the portal makes by itself, as PDF."""

    __slots__ = ()

    @abstractmethod
    def print(self, paper: Mapping[str, Any], logo: bytes | None) -> bytes:
        """Return a paper (`portal_http.paper.Paper`, as plain values) as PDF; the same words make the same bytes.

        Called in a thread, and in several at once. The logo is a PNG or JPEG that nobody has looked into.
        """


class RateLimits(Protocol):
    """Counters over a moving window of 60 seconds."""

    __slots__ = ()

    @abstractmethod
    async def hit(self, budget: str, key: str, *, most: int) -> tuple[bool, int, float]:
        """Count one request of a key, unless that would be more than `most` in the last minute.

        Returns whether it was counted, how many remain, and in how many seconds the oldest one leaves the window.
        A `most` of 0 never refuses. Never raises: a limiter that is out of order counts by itself.
        """


class Receipts(Signer, Protocol):
    """The keys that receipts of decisions are signed with."""

    __slots__ = ()

    @abstractmethod
    def jwks(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """Return the public keys as a JWK set (RFC 7517), those of earlier receipts too."""


class Carrier(Protocol):
    """One way out: it takes a parcel to where it goes."""

    __slots__ = ()

    @property
    @abstractmethod
    def lease(self) -> timedelta:
        """How long nobody else may try meanwhile: longer than an attempt can take."""

    @abstractmethod
    async def carry(self, parcel: Parcel, *, now: datetime) -> Attempt:
        """Try to deliver a parcel and return what came of it."""
