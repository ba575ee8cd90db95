"""A runner that only knows how to run one use case."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar, final

from attrs import frozen

from portal_core.ports import Runner, Store, Transactions

T = TypeVar("T")


@final
@frozen
class PlainRunner(Runner):
    transactions: Transactions

    async def read(self, use_case: Callable[[Store], T]) -> T:
        return await self.write(use_case)

    async def write(self, use_case: Callable[[Store], T]) -> T:
        with self.transactions.begin() as store:
            return use_case(store)


def test_several_use_cases_are_run_in_turn(transactions: Transactions) -> None:
    done: list[int] = []

    def note(_: Store, number: int) -> None:
        done.append(number)

    asyncio.run(PlainRunner(transactions).write_all([partial(note, number=each) for each in range(3)]))

    assert done == [0, 1, 2]
