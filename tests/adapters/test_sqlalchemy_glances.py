"""What is open is added up before anybody knows which day it is for the company: it ages as if that were known."""

import asyncio
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import TypeAlias
from zoneinfo import ZoneInfo

import pytest
from attrs import field, frozen
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from portal_adapters.contract.builders import CLIENT, NOW, TODAY, a_client, a_company, a_grant, a_secret, a_token
from portal_adapters.contract.feeding import feed
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlGlances, SqliteRunner, SqlTransactions
from portal_adapters.sqlalchemy.schema import open_amounts
from portal_core.domain.access import Scope
from portal_core.domain.balance import OpenAmount, balances_of
from portal_core.domain.ids import CompanyId
from portal_core.domain.money import CURRENCIES, Money
from portal_core.domain.tokens import digest_of
from tests.adapters.stores import sqlite_store

Due: TypeAlias = date | None
Amounts: TypeAlias = Mapping[tuple[str, Due], int]

EDGES = [off - edge for edge in (0, 30, 60, 90) for off in range(-3, 4)]

_days = st.sampled_from(EDGES) | st.integers(-200, 60)
_dues = st.none() | _days.map(lambda days: TODAY + timedelta(days=days))
_amounts = st.dictionaries(
    st.tuples(st.sampled_from(("CLF", "EUR", "JPY", "KWD")), _dues), st.integers(-(10**16), 10**16), max_size=40
)
_zones = st.sampled_from(("Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata", "UTC")).map(ZoneInfo) | st.timezones()
_moments = st.builds(
    lambda hours, off: datetime(2026, 3, 15, tzinfo=UTC) + timedelta(hours=hours, microseconds=off),
    st.integers(-14, 26),
    st.integers(-1, 1) | st.integers(0, 3_600_000_000),
)


@frozen
class Books:
    """A store, and how to put into it what is open for a client of a company of its own."""

    transactions: SqlTransactions
    glances: SqlGlances
    _numbers: Iterator[int] = field(factory=lambda: count(1), init=False)

    def open(self, amounts: Amounts, zone: ZoneInfo) -> tuple[Scope, str]:
        """Return the scope of the client, and the token of a link that sees all."""
        number = next(self._numbers)
        scope = Scope(CompanyId(f"company-{number}"), CLIENT)
        grant = a_grant(f"G{number}", scope=scope, secrets=(a_secret(number),), expires_at=NOW + timedelta(days=9))
        with self.transactions.begin() as store:
            feed(store, a_company(scope.company_id, timezone=zone), a_client(scope))
            store.grants.add(grant)
        if amounts:
            with self.transactions.engine.begin() as connection:
                connection.execute(insert(open_amounts), [_row(scope, *each) for each in amounts.items()])
        return scope, a_token(number)


def _row(scope: Scope, key: tuple[str, Due], amount: int) -> dict[str, object]:
    code, due = key
    own = {"company_id": scope.company_id, "client_id": scope.client_id}
    return {**own, "currency": code, "due": "" if due is None else due.isoformat(), "amount": amount, "parts": 1}


@pytest.fixture(scope="module")
def books() -> Generator[Books]:
    with sqlite_store(RandomMint()) as transactions, closing(_runner(transactions)) as runner:
        yield Books(transactions, SqlGlances(runner.fetch))


def _runner(transactions: SqlTransactions) -> SqliteRunner:
    return SqliteRunner(transactions.engine, transactions.mint)


@given(amounts=_amounts, zone=_zones, now=_moments)
def test_what_is_seen_at_a_glance_ages_as_of_the_company_s_own_day(
    books: Books, amounts: Amounts, zone: ZoneInfo, now: datetime
) -> None:
    scope, token = books.open(amounts, zone)

    glance = asyncio.run(books.glances.dashboard(digest_of(token), at=now))

    assert glance is not None
    assert glance.seen is not None
    today = glance.visit.today(now)
    assert today == now.astimezone(zone).date()
    with books.transactions.read() as store:
        expected = store.balances.get(scope, on=today)
    assert balances_of(glance.seen.open_amounts, today) == expected
    every = (OpenAmount(Money(amount, CURRENCIES[code]), due) for (code, due), amount in amounts.items())
    assert expected == balances_of(every, today)
