"""Accepting, declining, re-quoting, cancelling and expiring race each other, and there is one outcome."""

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from portal_adapters.contract.feeding import prepare
from portal_adapters.memory import MemoryTransactions
from portal_adapters.randomness import RandomMint
from portal_core.domain.errors import Refusal
from portal_core.domain.ids import EventId
from portal_core.domain.quotes import Quote
from portal_core.use_cases.records import RecordsDisagree
from portal_http.errors import status_of
from tests.adapters.stores import sqlite_store
from tests.prove.naive import NaiveApart, NaiveWithin, insert_sql, naive_within, put_in_memory, without_uniqueness
from tests.prove.racecourses import (
    Course,
    in_memory,
    on_postgres_greenlets,
    on_postgres_threads,
    on_sqlite,
    postgres_store,
    threads,
)
from tests.prove.racing import CALLERS, Result, Trial, faults_of, outcome_of, quoted
from tests.prove.scale import IN_FULL, size, tell

TRIALS = size(short=8, full=1_000)
NAIVE_TRIALS = 50

postgres = pytest.mark.postgres


@contextmanager
def naively_in_memory() -> Generator[Course]:
    honest = MemoryTransactions(RandomMint())
    with threads(NaiveApart(honest, put_in_memory)) as at_once:
        yield Course(honest, at_once)


@contextmanager
def naively_on_sqlite() -> Generator[Course]:
    with sqlite_store(RandomMint()) as honest, threads(NaiveApart(honest, insert_sql)) as at_once:
        without_uniqueness(honest)
        yield Course(honest, at_once)


@contextmanager
def naively_in_threads() -> Generator[Course]:
    with postgres_store() as (honest, _), threads(NaiveWithin(honest)) as at_once:
        without_uniqueness(honest)
        yield Course(honest, at_once)


@contextmanager
def naively_in_greenlets() -> Generator[Course]:
    with on_postgres_greenlets(naive_within) as course:
        without_uniqueness(course.transactions)
        yield course


HONEST = (
    pytest.param("memory", in_memory, id="memory"),
    pytest.param("SQLite", on_sqlite, id="sqlite"),
    pytest.param("PostgreSQL, greenlets on asyncpg", on_postgres_greenlets, id="postgres-greenlets", marks=postgres),
    pytest.param("PostgreSQL, threads on psycopg", on_postgres_threads, id="postgres-threads", marks=postgres),
)

NAIVE = (
    pytest.param("memory", naively_in_memory, id="memory"),
    pytest.param("SQLite", naively_on_sqlite, id="sqlite"),
    pytest.param("PostgreSQL, greenlets on asyncpg", naively_in_greenlets, id="postgres-greenlets", marks=postgres),
    pytest.param("PostgreSQL, threads on psycopg", naively_in_threads, id="postgres-threads", marks=postgres),
)


@pytest.mark.parametrize("name, opened", HONEST)
def test_whoever_races_there_is_one_outcome_and_everybody_was_told_of_it(
    name: str, opened: Callable[[], AbstractContextManager[Course]]
) -> None:
    trials = [Trial(number) for number in range(TRIALS)]
    told: Counter[str] = Counter()
    started = time.perf_counter()

    with opened() as course:
        for faults, results in raced(course, trials):
            assert faults == []
            told.update(map(word_for, results))

        with course.transactions.begin() as store:
            answers = [each for trial in trials for each in outcome_of(store, trial, None).decisions]
    seconds = round(time.perf_counter() - started, 1)
    tell(
        "races", name, trials=TRIALS, callers=CALLERS, decisions=len(answers), told=dict(told), wrong=0, seconds=seconds
    )


@pytest.mark.parametrize("name, opened", NAIVE)
def test_checking_and_then_acting_is_found_out(name: str, opened: Callable[[], AbstractContextManager[Course]]) -> None:
    trials = [Trial(number, imports=False) for number in range(NAIVE_TRIALS)]

    ran, wrong = 0, 0

    with opened() as course:
        for faults, _ in raced(course, trials):
            ran, wrong = ran + 1, wrong + bool(faults)
            if wrong and not IN_FULL:
                break

    assert wrong
    tell("naive", name, trials=ran, callers=CALLERS, wrong=wrong)


def raced(course: Course, trials: list[Trial]) -> Iterator[tuple[list[str], list[Result]]]:
    """Run one trial after the other; yield what is wrong with each, and what its callers were told."""
    prepare(course.transactions, *(quoted(trial.quote_id) for trial in trials))
    last: EventId | None = None
    for trial in trials:
        told = course.at_once(trial.works())
        with course.transactions.begin() as store:
            outcome = outcome_of(store, trial, last)
        last = outcome.events[-1].id if outcome.events else last
        yield faults_of(trial, told, outcome), list(told)


def word_for(result: Result) -> str:
    """Return how a caller's answer is counted: by the status that the API gives it."""
    match result:
        case RecordsDisagree():
            return "import refused"
        case Refusal():
            return f"{status_of(type(result)).code.value} {result.code}"
        case None:
            return "import done"
        case Quote():
            return "200"
        case _:
            return type(result).__name__
