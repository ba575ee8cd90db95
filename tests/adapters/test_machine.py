"""The stores of this project answer alike, whatever is done to them."""

from collections.abc import Generator
from contextlib import contextmanager

from hypothesis import HealthCheck, settings

from portal_adapters.contract.machine import StoreMachine
from portal_adapters.memory import MemoryTransactions
from portal_core.ports import Mint, Transactions
from tests.adapters.stores import sqlite_store

HOW_LONG = settings(
    max_examples=settings().max_examples // 2,
    stateful_step_count=25,
    # A history is large, and a busy machine is slow.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


class MemoryMachine(StoreMachine):
    @contextmanager
    def opened(self, mint: Mint) -> Generator[Transactions]:
        yield MemoryTransactions(mint)


class SqliteMachine(StoreMachine):
    @contextmanager
    def opened(self, mint: Mint) -> Generator[Transactions]:
        with sqlite_store(mint) as store:
            yield store


TestMemory = MemoryMachine.TestCase
TestMemory.settings = settings(HOW_LONG, max_examples=5)

TestSqlite = SqliteMachine.TestCase
TestSqlite.settings = HOW_LONG
