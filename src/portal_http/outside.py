"""What the HTTP side asks of the outside world, besides the core's ports."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from portal_core.domain.audit import Actor
from portal_core.domain.ids import CompanyId
from portal_core.domain.outbox import Attempt
from portal_core.ports import Pack, Signer, Store
from portal_core.use_cases.outbox import Parcel
from portal_core.use_cases.records import LineOutcome


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


class Shipment(Protocol):
    """Records that were pushed together, read and ready to be taken in."""

    __slots__ = ()

    @abstractmethod
    def take_in(self, store: Store, *, atomic: bool, by: Actor, now: datetime) -> Sequence[LineOutcome]:
        """Keep them and return what became of each line, in order; `atomic` refuses with InvalidInput or keeps all.

        Otherwise a line that is wrong is passed over and told. It may be called again after it failed.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of them."""


StageRecords: TypeAlias = Callable[[bytes, CompanyId, Pack | None], Shipment]
"""Reads JSON Lines that a company's system pushed, with what makes the form in which the store keeps facts.

Called in a thread. It refuses nothing: what is wrong is told when the records are taken in.
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
