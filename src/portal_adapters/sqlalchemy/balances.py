"""What a client owes in SQL, from what the intake adds up."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import final

from attrs import frozen
from sqlalchemy import Connection, String, bindparam, case, func, select

from portal_adapters.sqlalchemy.documents import constant, in_scope, number, scope_parameters
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import open_amounts
from portal_core.domain.access import Scope
from portal_core.domain.balance import Balance, OpenAmount, balances_of
from portal_core.domain.money import CURRENCIES, Money
from portal_core.ports import Balances

# What falls into one bucket of the aging is added up here, and stands for itself with its oldest day.
_BUCKET = case(
    *((open_amounts.c.due >= bindparam(f"before_{days}", type_=String), number(days)) for days in (0, 30, 60, 90)),
    (open_amounts.c.due != constant(""), number(91)),
    else_=number(92),
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
"""What is open, by currency and bucket as of a day; see `aged_on`."""


@final
@frozen
class SqlBalances(Balances):
    connection: Connection

    def get(self, scope: Scope, *, on: date) -> tuple[Balance, ...]:
        rows = self.connection.execute(OPEN_AMOUNTS, {**scope_parameters(scope), **aged_on(on)})
        return balances_of(open_amounts_of(rows), on)


def aged_on(on: date) -> dict[str, str]:
    """Return the parameters of OPEN_AMOUNTS: the first days of the aging's buckets as seen on a day."""
    return {f"before_{days}": (on - timedelta(days)).isoformat() for days in (0, 30, 60, 90)}


def open_amounts_of(rows: Iterable[AnyRow]) -> Iterator[OpenAmount]:
    """Yield what the rows of OPEN_AMOUNTS say."""
    for currency, due, amount in rows:
        yield OpenAmount(Money(int(amount), CURRENCIES[currency]), date.fromisoformat(due) if due else None)
