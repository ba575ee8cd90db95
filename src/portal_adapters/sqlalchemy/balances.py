"""What a client owes in SQL, from what the intake adds up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, String, bindparam, case, func, select

from portal_adapters.sqlalchemy.documents import constant, in_scope, scope_parameters
from portal_adapters.sqlalchemy.schema import open_amounts
from portal_core.domain.access import Scope
from portal_core.domain.balance import Balance, OpenAmount, balances_of
from portal_core.domain.money import CURRENCIES, Money
from portal_core.ports import Balances

_AGES = (0, 30, 60, 90)

_DAY = timedelta(days=1)

# What falls into one bucket of the aging is added up here, and stands for itself with its oldest day. What may fall
# into either of two, since it may be more than one day just now, stays apart by the day that it is due.
_BUCKET = case(
    *(
        (open_amounts.c.due >= bindparam(f"{name}_{days}", type_=String), group)
        for days in _AGES
        for name, group in (("surely", constant(str(days))), ("maybe", open_amounts.c.due))
    ),
    (open_amounts.c.due != constant(""), constant("older")),
    else_=constant(""),
)

OPEN_AMOUNTS = (
    select(
        open_amounts.c.currency,
        func.min(open_amounts.c.due).label("due"),
        func.sum(open_amounts.c.amount).label("amount"),
    )
    .where(*in_scope(open_amounts))
    .group_by(open_amounts.c.currency, _BUCKET)
)
"""What is open, by currency and bucket as of a day; see `aged_on` and `aged_anywhere`."""


@final
@frozen
class SqlBalances(Balances):
    connection: Connection

    def get(self, scope: Scope, *, on: date) -> tuple[Balance, ...]:
        rows = self.connection.execute(OPEN_AMOUNTS, {**scope_parameters(scope), **aged_on(on)})
        return balances_of(open_amounts_of(rows), on)


def aged_on(on: date) -> Mapping[str, str]:
    """Return the parameters of OPEN_AMOUNTS: the first days of the aging's buckets as seen on a day."""
    return _aged_between(on, on)


def aged_anywhere(at: datetime) -> Mapping[str, str]:
    """Return the parameters of OPEN_AMOUNTS for whichever day it is at a moment, anywhere on Earth."""
    return _aged_between(*days_anywhere(at))


def days_anywhere(at: datetime) -> tuple[date, date]:
    """Return the first and the last day that it is somewhere on Earth at a moment."""
    day = at.astimezone(UTC).date()
    return day - _DAY, day + _DAY


@lru_cache(maxsize=8)
def _aged_between(first: date, last: date) -> Mapping[str, str]:
    seen_from = {"surely": last, "maybe": first}
    return {f"{name}_{days}": (day - timedelta(days)).isoformat() for name, day in seen_from.items() for days in _AGES}


def open_amounts_of(rows: Iterable[Sequence[Any]]) -> Iterator[OpenAmount]:
    """Yield what the rows of OPEN_AMOUNTS say."""
    for currency, due, amount in rows:
        yield OpenAmount(Money(int(amount), CURRENCIES[currency]), date.fromisoformat(due) if due else None)
