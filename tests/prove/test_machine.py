"""The stores of this project, and the API over one, answer alike, whatever is done to them: 100,000 steps in full."""

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from portal_adapters.contract.machine import StoreMachine
from portal_adapters.memory import MemoryTransactions
from portal_adapters.sqlalchemy import SqlTransactions
from portal_core.ports import Mint, Transactions
from tests.adapters.stores import sqlite_store
from tests.prove.http_machine import HttpMachine
from tests.prove.racecourses import emptied, postgres_store
from tests.prove.scale import size, tell

STEPS = 50
"""The most steps of one run; a run that starts from nothing is short of links and tickets for the first few."""

HOW_LONG = settings(
    stateful_step_count=STEPS,
    deadline=None,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
UNTIL_FOUND = settings(HOW_LONG, max_examples=20, stateful_step_count=10, derandomize=True)

postgres = pytest.mark.postgres


class MemoryMachine(StoreMachine):
    @contextmanager
    def opened(self, mint: Mint) -> Generator[Transactions]:
        yield MemoryTransactions(mint)


class SqliteMachine(StoreMachine):
    @contextmanager
    def opened(self, mint: Mint) -> Generator[Transactions]:
        with sqlite_store(mint) as store:
            yield store


class PostgresMachine(StoreMachine):
    """Drives one database after the other's runs, emptied in between: creating one takes longer than a run."""

    database: SqlTransactions

    @contextmanager
    def opened(self, mint: Mint) -> Generator[Transactions]:
        emptied(self.database)
        yield SqlTransactions(self.database.engine, mint)


@pytest.fixture
def database() -> Generator[SqlTransactions]:
    with postgres_store() as (transactions, _):
        yield transactions


def test_the_memory_store_agrees_with_itself() -> None:
    drive("memory", MemoryMachine, size(short=40, full=20_000))


def test_sqlite_agrees_with_the_memory_store() -> None:
    drive("SQLite", SqliteMachine, size(short=100, full=50_000))


@postgres
def test_postgres_agrees_with_the_memory_store(database: SqlTransactions) -> None:
    class Machine(PostgresMachine):
        pass

    Machine.database = database
    drive("PostgreSQL", Machine, size(short=40, full=10_000))


def test_the_api_agrees_with_the_use_cases_on_the_memory_store() -> None:
    drive("HTTP on SQLite", HttpMachine, size(short=80, full=20_000))


class LateMachine(HttpMachine):
    """Drives a portal whose clock is an hour late."""

    def moment(self) -> datetime:
        return self.now - timedelta(hours=1)


def test_a_portal_that_answers_otherwise_is_found_out() -> None:
    with pytest.raises(AssertionError, match="promised"):
        run_state_machine_as_test(LateMachine, settings=UNTIL_FOUND)


def drive(name: str, machine: type[StoreMachine], least: int) -> None:
    """Run a machine from the beginning, again and again, until it has taken so many steps."""
    started, runs, steps = time.perf_counter(), 0, 0

    class Counted(machine):  # type: ignore[valid-type, misc] # a class made here
        def __init__(self) -> None:
            nonlocal runs
            runs += 1
            super().__init__()

        def check_invariants(self, *arguments: Any, **more: Any) -> None:
            nonlocal steps
            steps += 1
            super().check_invariants(*arguments, **more)

    Counted.__name__ = Counted.__qualname__ = machine.__name__
    while steps < least:
        batch = settings(HOW_LONG, max_examples=max(1, (least - steps) // STEPS))
        run_state_machine_as_test(Counted, settings=batch)
    tell("machine", name, runs=runs, steps=steps, diverging=0, seconds=round(time.perf_counter() - started, 1))
