"""Ports for what is around a use case: transactions, the way to run one, fresh ids and secrets, signatures."""

from abc import abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from portal_core.ports import Store

T = TypeVar("T")


class Mint(Protocol):
    """Fresh ids and secrets."""

    __slots__ = ()

    @abstractmethod
    def new_id(self) -> str:
        """Return a UUIDv7 (RFC 9562) as text: later ones sort after earlier ones."""

    @abstractmethod
    def new_token(self) -> str:
        """Return a fresh token of 256 random bits; see `portal_core.domain.tokens`."""

    @abstractmethod
    def new_key(self) -> bytes:
        """Return a fresh key of 256 random bits."""


class Signer(Protocol):
    """The business's own hand under what it hands out."""

    __slots__ = ()

    @abstractmethod
    def sign(self, statement: str) -> str:
        """Return the statement, which is JSON, as a compact JWS (RFC 7515); the same one each time."""


class Transactions(Protocol):
    """A store's transactions. The adapter commits when the block ends and rolls back when it raises."""

    __slots__ = ()

    @abstractmethod
    def begin(self) -> "AbstractContextManager[Store]":
        """Begin a transaction that may write; raise Busy when the store cannot have one in time."""


class Runner(Protocol):
    """The one seam between an asynchronous host and the synchronous core: it runs a whole use case."""

    __slots__ = ()

    @abstractmethod
    async def read(self, use_case: "Callable[[Store], T]") -> T:
        """Run a use case that writes nothing."""

    @abstractmethod
    async def write(self, use_case: "Callable[[Store], T]") -> T:
        """Run a use case in a transaction: committed when it returns, rolled back when it raises."""
