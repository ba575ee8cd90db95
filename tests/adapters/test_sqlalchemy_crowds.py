"""Glances that come at the same time are asked together, and everybody is told what they would be told alone."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Dialect, select

from portal_adapters.contract.builders import (
    NEIGHBOUR,
    NOW,
    SCOPE,
    STRANGER,
    YESTERDAY,
    a_client,
    a_company,
    a_delivery,
    a_grant,
    a_payment,
    a_quote,
    a_secret,
    a_token,
    an_invoice,
    an_order,
)
from portal_adapters.contract.feeding import feed
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlGlances, SqlTransactions
from portal_adapters.sqlalchemy.crowds import AT_ONCE, PATIENCE_SECONDS, Crowds, Rows
from portal_adapters.sqlalchemy.direct import Prepared, Reading, prepared
from portal_adapters.sqlalchemy.joined import SIZES, joined
from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres_async
from portal_adapters.sqlalchemy.schema import companies
from portal_core.domain.access import ALL_PERMISSIONS, DocumentRef, DocumentType, Permission, Scope
from portal_core.domain.errors import Busy, DeadLink
from portal_core.domain.records import Fact
from portal_core.domain.tokens import digest_of
from portal_core.ports import Store
from tests.adapters.stores import postgres_database, postgres_engine

Look: TypeAlias = Callable[[SqlGlances], Awaitable[Any]]

SCOPES = (SCOPE, NEIGHBOUR, STRANGER)
MANY = AT_ONCE + 2 * SIZES[-1]

LINKS: Mapping[str, Mapping[str, Any]] = {
    "whole": {},
    "restricted": {"permissions": ALL_PERMISSIONS - {Permission.VIEW_ORDERS}},
    "narrowed": {"documents": frozenset({DocumentRef(DocumentType.INVOICE, "I1-0")})},
    "short": {"expires_at": NOW + timedelta(hours=1)},
    "expired": {"created_at": NOW - timedelta(2), "expires_at": NOW - timedelta(1)},
    "revoked": {"revoked_at": NOW},
}

LONGEST_PREPARED = 15 * 1024
"""Characters of a statement beyond which asyncpg prepares it anew each time (`max_cacheable_statement_size`)."""

_ANY, _OTHER = select(companies.c.name), select(companies.c.email)


def _fill(store: Store) -> Sequence[str]:
    """Give each of three clients some documents and links of every kind, and return all tokens and one that is none."""
    tokens = list[str]()
    feed(store, a_company(), a_company(STRANGER.company_id), *map(a_client, SCOPES))
    for number, scope in enumerate(SCOPES):
        feed(store, *(each for place in range(number + 1) for each in _documents(scope, f"{number}-{place}")))
        for place, (name, changes) in enumerate(LINKS.items()):
            seed = 10 * number + place
            store.grants.add(a_grant(f"{name}-{number}", scope=scope, secrets=(a_secret(seed),), **changes))
            tokens.append(a_token(seed))
    return [*tokens, a_token(99)]


def _documents(scope: Scope, own: str) -> Sequence[Fact]:
    return (
        a_quote(f"Q{own}", scope=scope),
        an_order(f"O{own}", scope=scope),
        an_invoice(f"I{own}", scope=scope, due_on=YESTERDAY),
        a_delivery(f"D{own}", scope=scope, order_id=None),
        a_payment(f"P{own}", scope=scope),
    )


def _looks(token: str) -> Sequence[Look]:
    """Return what can be looked at with a token: documents of one client, which may be another, and one of nobody's."""

    def dashboard(at: datetime) -> Look:
        return lambda glances: glances.dashboard(digest_of(token), at=at)

    def invoices(limit: int) -> Look:
        return lambda glances: glances.invoices(digest_of(token), at=NOW, limit=limit)

    def document(kind: DocumentType, place: int) -> Look:
        ref = DocumentRef(kind, f"{kind[0].upper()}1-{place}")
        return lambda glances: glances.document(digest_of(token), ref, at=NOW)

    return [
        dashboard(NOW),
        dashboard(NOW + timedelta(hours=2)),
        dashboard(NOW + timedelta(hours=20)),
        invoices(1),
        invoices(25),
        *(document(kind, place) for kind in DocumentType for place in (0, 9)),
    ]


async def _told(look: Look, glances: SqlGlances) -> Any:  # noqa: ANN401 - glances of several kinds
    try:
        return await look(glances)
    except DeadLink:
        return DeadLink


@pytest.fixture(scope="module")
def url() -> Generator[str]:
    with postgres_database() as url:
        yield url


@pytest.mark.postgres
def test_everybody_in_a_crowd_is_told_what_they_would_be_told_alone(url: str) -> None:
    with postgres_engine(url) as engine, SqlTransactions(engine, RandomMint()).begin() as store:
        looks = [each for token in _fill(store) for each in _looks(token)]
    Random(0).shuffle(looks)  # noqa: S311 - an order that can be repeated

    async def ask() -> tuple[Sequence[Any], Sequence[Any]]:
        runner = GreenletRunner(open_postgres_async(url), RandomMint())
        glances = SqlGlances(runner.fetch)
        alone = [await _told(each, glances) for each in looks]
        together = await asyncio.gather(*(_told(each, glances) for each in looks))
        await runner.close()
        return alone, together

    alone, together = asyncio.run(ask())

    assert alone == together
    assert None not in alone
    assert 0 < alone.count(DeadLink) < len(alone)


@pytest.mark.postgres
def test_a_crowd_takes_few_statements(url: str) -> None:
    asked = list[Reading]()

    async def ask() -> Sequence[Any]:
        runner = GreenletRunner(open_postgres_async(url), RandomMint())

        async def noted(statement: Reading, parameters: Mapping[str, Any]) -> Rows | None:
            asked.append(statement)
            return await runner.fetch(statement, parameters)

        glances = SqlGlances(Crowds(noted).fetch)
        nobody = (_told(lambda of: of.dashboard(digest_of(a_token(99)), at=NOW), glances) for _ in range(MANY))
        told = await asyncio.gather(*nobody)
        await runner.close()
        return told

    assert asyncio.run(ask()) == [DeadLink] * MANY
    assert len(asked) == AT_ONCE + 2


@pytest.mark.postgres
def test_a_statement_for_several_is_made_once_and_short_enough_to_stay_prepared(url: str) -> None:
    asked = list[Reading]()

    async def note(statement: Reading, _: Mapping[str, Any]) -> Rows | None:
        asked.append(statement)
        return None

    async def look(dialect: Dialect) -> Sequence[Prepared | None]:
        for each in _looks(a_token(99)):
            await each(SqlGlances(note))
        several = [joined(statement, size) for statement in asked for size in SIZES]
        assert several == [joined(statement, size) for statement in asked for size in SIZES]
        return [prepared(each, dialect) for each in several]

    texts = [each.text for each in asyncio.run(look(open_postgres_async(url).dialect)) if each is not None]

    assert len(set(texts)) == len(SIZES) * (2 + len(DocumentType))
    assert max(map(len, texts)) <= LONGEST_PREPARED


class Held:
    """Keeps what it is asked, and answers when it is let to; who are asked for together are told nothing."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.asked = list[tuple[Reading, Mapping[str, Any]]]()
        self.under_way = 0
        self.most = 0
        self.problem: Exception | None = None

    async def ask(self, statement: Reading, parameters: Mapping[str, Any]) -> Rows | None:
        """Answer no rows, or raise the problem that there is."""
        self.asked.append((statement, parameters))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.go.wait()
        finally:
            self.under_way -= 1
        if self.problem is not None:
            raise self.problem
        return None if "digest_0" in parameters else []

    def together(self) -> Sequence[Sequence[str]]:
        """Return who were asked for, those by one statement together."""
        return [
            [asked["digest"]]
            if "digest_0" not in asked
            else [value for name, value in asked.items() if name.startswith("digest_") and value is not None]
            for _, asked in self.asked
        ]


Asking: TypeAlias = Sequence["asyncio.Task[Rows | None]"]


async def _all(crowds: Crowds, who: Iterable[str], statement: Reading = _ANY) -> Asking:
    """Ask for everybody: what begins with the same letter can be asked together."""
    tasks = [asyncio.create_task(crowds.fetch(statement, {"digest": each, "wanted": each[0]})) for each in who]
    await asyncio.sleep(0)
    return tasks


def _crowd(many: int, kind: str = "a") -> Sequence[str]:
    return [f"{kind}{number}" for number in range(many)]


def test_no_more_statements_are_under_way_than_are_told() -> None:
    async def ask() -> int:
        held = Held()
        tasks = await _all(Crowds(held.ask), _crowd(100))
        held.go.set()
        await asyncio.gather(*tasks)
        return held.most

    assert asyncio.run(ask()) == AT_ONCE


def test_who_waits_alone_is_asked_for_as_if_they_had_not_waited() -> None:
    async def ask() -> Sequence[Reading]:
        held = Held()
        tasks = await _all(Crowds(held.ask), _crowd(AT_ONCE + 1))
        held.go.set()
        assert await asyncio.gather(*tasks) == [[]] * (AT_ONCE + 1)
        return [statement for statement, _ in held.asked]

    assert asyncio.run(ask()) == [_ANY] * (AT_ONCE + 1)


def test_nobody_is_passed_over_but_by_those_who_go_with_the_first_in_line() -> None:
    async def ask() -> Sequence[Sequence[str]]:
        held = Held()
        first, *more = _crowd(SIZES[-1] + 1)
        tasks = await _all(Crowds(held.ask), [*_crowd(AT_ONCE, "x"), first, "b0", "c0", "b1", *more, "c1"])
        held.go.set()
        await asyncio.gather(*tasks)
        return held.together()[AT_ONCE:]

    crowd = _crowd(SIZES[-1] + 1)
    assert asyncio.run(ask()) == [crowd[:-1], ["b0", "b1"], ["c0", "c1"], crowd[-1:]]


def test_one_kind_of_question_does_not_hold_up_another() -> None:
    async def ask() -> Sequence[Rows | None]:
        held, answered = Held(), Held()
        answered.go.set()

        async def either(statement: Reading, parameters: Mapping[str, Any]) -> Rows | None:
            return await (held if statement is _ANY else answered).ask(statement, parameters)

        crowds = Crowds(either)
        stuck = await _all(crowds, _crowd(MANY))
        told = await asyncio.gather(*await _all(crowds, _crowd(AT_ONCE), _OTHER))
        held.go.set()
        await asyncio.gather(*stuck)
        return told

    assert asyncio.run(ask()) == [[]] * AT_ONCE


@pytest.mark.parametrize("under_way", [False, True], ids=["in line", "under way"])
def test_who_gives_up_leaves_their_place_to_the_next_and_their_neighbours_alone(under_way: bool) -> None:  # noqa: FBT001 - a parameter of the test
    async def ask() -> tuple[int, Sequence[object]]:
        held = Held()
        crowds = Crowds(held.ask)
        tasks = await _all(crowds, _crowd(MANY))
        if under_way:
            held.go.set()
            await asyncio.gather(*tasks[:AT_ONCE])
            held.go.clear()
            await asyncio.sleep(0)
        given_up = [each for each in tasks[::2] if not each.done()]
        for each in given_up:
            each.cancel()
        await asyncio.sleep(0)
        held.go.set()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(each, asyncio.CancelledError) for each in told) == len(given_up)
        assert await asyncio.gather(*await _all(crowds, _crowd(1))) == [[]]
        return held.under_way, [*told[1::2]]

    still, neighbours = asyncio.run(ask())

    assert still == 0
    assert all(each is None or each == [] for each in neighbours)


def test_when_a_statement_for_several_is_given_up_they_go_the_plain_way_at_once() -> None:
    async def ask() -> Sequence[Rows | None]:
        held = Held()

        async def give_up(statement: Reading, parameters: Mapping[str, Any]) -> Rows | None:
            if "digest_0" in parameters:
                raise asyncio.CancelledError
            return await held.ask(statement, parameters)

        crowds = Crowds(give_up)
        tasks = await _all(crowds, _crowd(AT_ONCE + 3))
        held.go.set()
        async with asyncio.timeout(PATIENCE_SECONDS / 2):
            told = await asyncio.gather(*tasks)
            return [*told, *await asyncio.gather(*await _all(crowds, _crowd(1)))]

    assert asyncio.run(ask()) == [*([[]] * AT_ONCE), *([None] * 3), []]


def test_what_one_statement_cannot_be_asked_for_is_left_to_the_plain_way_by_all_of_them() -> None:
    async def ask() -> Sequence[object]:
        held = Held()
        tasks = await _all(Crowds(held.ask), _crowd(AT_ONCE + 5))
        held.go.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(ask()) == [*([[]] * AT_ONCE), *([None] * 5)]


def test_a_busy_store_is_busy_to_all_of_them_and_the_next_ones_are_asked_for() -> None:
    async def ask() -> Sequence[object]:
        held = Held()
        crowds = Crowds(held.ask)
        held.problem = Busy("The store is busy.")
        tasks = await _all(crowds, _crowd(MANY))
        held.go.set()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        held.problem = None
        return [*told, *await asyncio.gather(*await _all(crowds, _crowd(1)))]

    *told, last = asyncio.run(ask())

    assert all(isinstance(each, Busy) for each in told)
    assert last == []


def test_who_waits_too_long_goes_the_plain_way() -> None:
    async def ask() -> tuple[Sequence[object], Sequence[object]]:
        held = Held()
        tasks = await _all(Crowds(held.ask), _crowd(AT_ONCE + 3))
        impatient = await asyncio.gather(*tasks[AT_ONCE:])
        held.go.set()
        return impatient, await asyncio.gather(*tasks[:AT_ONCE])

    assert asyncio.run(ask()) == ([None] * 3, [[]] * AT_ONCE)
