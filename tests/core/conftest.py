"""The memory store with one company and two clients in it."""

from collections.abc import Iterator

import pytest

from portal_adapters.memory.store import MemoryTransactions
from portal_adapters.randomness import RandomMint
from portal_core.ports import Store, Transactions
from tests.core.samples import CLIENT, COMPANY, STRANGER


@pytest.fixture
def transactions() -> Transactions:
    """Return the transactions of an empty store."""
    return MemoryTransactions(RandomMint())


@pytest.fixture
def store(transactions: Transactions) -> Iterator[Store]:
    """Yield a store within a transaction; it knows the company and its clients."""
    with transactions.begin() as store:
        store.intake.save([COMPANY, CLIENT, STRANGER])
        yield store
