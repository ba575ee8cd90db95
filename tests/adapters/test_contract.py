"""The stores of this project keep the promises that every adapter keeps."""

from collections.abc import Generator
from pathlib import Path

import pytest

from portal_adapters.contract import StoreContract
from portal_adapters.memory import MemoryTransactions
from portal_adapters.randomness import RandomMint
from portal_core.ports import Transactions
from tests.adapters.stores import sqlite_store


class TestMemory(StoreContract):
    @pytest.fixture
    def transactions(self) -> Transactions:
        return MemoryTransactions(RandomMint())


class TestSqlite(StoreContract):
    @pytest.fixture
    def transactions(self, tmp_path: Path) -> Generator[Transactions]:
        with sqlite_store(RandomMint(), tmp_path) as store:
            yield store


def test_no_promise_hides_another() -> None:
    groups = StoreContract.__bases__

    names = [name for group in groups for name in vars(group) if name.startswith("test_")]

    assert len(names) == len(set(names))
