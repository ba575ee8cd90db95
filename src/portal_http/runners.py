"""The plainest way from an asynchronous host to the synchronous core."""

from collections.abc import Callable
from typing import TypeVar, final

from attrs import frozen

from portal_core.ports import Runner, Store, Transactions

T = TypeVar("T")


@final
@frozen
class InlineRunner(Runner):
    """Runs use cases where it is called, on the event loop: for stores that never wait, as in memory."""

    transactions: Transactions

    async def read(self, use_case: Callable[[Store], T]) -> T:
        """Run a use case that writes nothing."""
        with self.transactions.begin() as store:
            return use_case(store)

    async def write(self, use_case: Callable[[Store], T]) -> T:
        """Run a use case in a transaction: committed when it returns, rolled back when it raises."""
        with self.transactions.begin() as store:
            return use_case(store)
