"""Glances that come at the same time are asked together, and everybody is told what they would be told alone."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import pytest
from sqlalchemy import select

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
from portal_adapters.sqlalchemy.crowds import AT_ONCE, SIZES, Crowd, Rows
from portal_adapters.sqlalchemy.direct import Reading
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
PATIENT = 60.0
MANY = AT_ONCE + 2 * SIZES[-1]

LINKS: Mapping[str, Mapping[str, Any]] = {
    "whole": {},
    "restricted": {"permissions": ALL_PERMISSIONS - {Permission.VIEW_ORDERS}},
    "narrowed": {"documents": frozenset({DocumentRef(DocumentType.INVOICE, "I1-0")})},
    "expired": {"created_at": NOW - timedelta(2), "expires_at": NOW - timedelta(1)},
    "revoked": {"revoked_at": NOW},
}

_ANY = select(companies.c.name)


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
        looks = [each for of_a_kind in zip(*map(_looks, _fill(store)), strict=True) for each in of_a_kind]

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

        glances = SqlGlances(Crowd(noted, PATIENT).fetch)
        nobody = (_told(lambda of: of.dashboard(digest_of(a_token(99)), at=NOW), glances) for _ in range(MANY))
        told = await asyncio.gather(*nobody)
        await runner.close()
        return told

    assert asyncio.run(ask()) == [DeadLink] * MANY
    assert len(asked) == AT_ONCE + 2


class Held:
    """Answers a statement when it is let to, by what was asked with."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.under_way = 0
        self.most = 0
        self.problem: Exception | None = None

    async def ask(self, _: Reading, parameters: Mapping[str, Any]) -> Rows | None:
        """Answer nothing, or raise the problem that there is."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await self.go.wait()
        finally:
            self.under_way -= 1
        if self.problem is not None:
            raise self.problem
        return None if "digest_0" in parameters else []


async def _all(crowd: Crowd, many: int) -> Sequence[asyncio.Task[Rows | None]]:
    async def one(number: int) -> Rows | None:
        return await crowd.fetch(_ANY, {"digest": number.to_bytes(32)})

    tasks = [asyncio.create_task(one(number)) for number in range(many)]
    await asyncio.sleep(0)
    return tasks


def test_no_more_statements_are_under_way_than_are_told() -> None:
    async def ask() -> int:
        held = Held()
        tasks = await _all(Crowd(held.ask, PATIENT), 100)
        held.go.set()
        await asyncio.gather(*tasks)
        return held.most

    assert asyncio.run(ask()) == AT_ONCE


def test_who_gives_up_leaves_their_place_to_the_next_and_their_neighbours_alone() -> None:
    async def ask() -> tuple[int, Sequence[object]]:
        held = Held()
        crowd = Crowd(held.ask, PATIENT)
        tasks = await _all(crowd, MANY)
        for given_up in tasks[:-1:2]:
            given_up.cancel()
        await asyncio.sleep(0)
        held.go.set()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        (last,) = await asyncio.gather(*await _all(crowd, 1))
        assert last == []
        return held.under_way, told

    under_way, told = asyncio.run(ask())

    assert under_way == 0
    assert sum(isinstance(each, asyncio.CancelledError) for each in told) == MANY // 2
    assert all(each is None or each == [] for each in told[1::2])


def test_what_one_statement_cannot_be_asked_for_is_left_to_the_plain_way_by_all_of_them() -> None:
    async def ask() -> Sequence[object]:
        held = Held()
        tasks = await _all(Crowd(held.ask, PATIENT), AT_ONCE + 5)
        held.go.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(ask()) == [*([[]] * AT_ONCE), *([None] * 5)]


def test_a_busy_store_is_busy_to_all_of_them_and_the_next_ones_are_asked_for() -> None:
    async def ask() -> Sequence[object]:
        held = Held()
        crowd = Crowd(held.ask, PATIENT)
        held.problem = Busy("The store is busy.")
        tasks = await _all(crowd, MANY)
        held.go.set()
        told = await asyncio.gather(*tasks, return_exceptions=True)
        held.problem = None
        return [*told, *await asyncio.gather(*await _all(crowd, 1))]

    *told, last = asyncio.run(ask())

    assert all(isinstance(each, Busy) for each in told)
    assert last == []


def test_who_waits_too_long_goes_the_plain_way() -> None:
    async def ask() -> tuple[Sequence[object], Sequence[object]]:
        held = Held()
        tasks = await _all(Crowd(held.ask, 0.05), AT_ONCE + 3)
        impatient = await asyncio.gather(*tasks[AT_ONCE:])
        held.go.set()
        return impatient, await asyncio.gather(*tasks[:AT_ONCE])

    assert asyncio.run(ask()) == ([None] * 3, [[]] * AT_ONCE)
