"""Balances and accounts in SQL, from what the intake adds up."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import final

from attrs import frozen
from sqlalchemy import Connection, Date, String, bindparam, case, func, literal_column, select

from portal_adapters.sqlalchemy.documents import in_scope, scope_parameters
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import movements, open_amounts
from portal_core.domain.access import Scope
from portal_core.domain.balance import Balance, OpenAmount, balances_of
from portal_core.domain.money import CURRENCIES, Currency, Money
from portal_core.domain.statement import DEFAULT_MONTHS, AccountPeriod, Movement, MovementType, months_before
from portal_core.ports import Accounts, Balances

# What falls into one bucket of the aging is added up here, and stands for itself with its oldest day.
_BUCKET = case(
    *((open_amounts.c.due >= bindparam(f"before_{days}", type_=String), days) for days in (0, 30, 60, 90)),
    (open_amounts.c.due != literal_column("''", String), 91),
    else_=92,
)

_OPEN = (
    select(open_amounts.c.currency, func.min(open_amounts.c.due), func.sum(open_amounts.c.amount))
    .where(*in_scope(open_amounts))
    .group_by(open_amounts.c.currency, _BUCKET)
)

_currencies = select(open_amounts.c.currency).where(*in_scope(open_amounts)).distinct().subquery("currencies")

# Whatever moves an account adds to the open amounts, be it zero: these are all of its currencies.
_LAST_DAYS = select(
    _currencies.c.currency,
    select(func.max(movements.c.moved_on))
    .where(*in_scope(movements), movements.c.currency == _currencies.c.currency)
    .scalar_subquery()
    .label("last"),
)

_IN_CURRENCY = (*in_scope(movements), movements.c.currency == bindparam("currency"))

_OPENING = select(func.coalesce(func.sum(movements.c.amount), 0)).where(
    *_IN_CURRENCY, movements.c.moved_on < bindparam("since", type_=Date)
)

_MOVEMENTS = (
    select(
        movements.c.moved_on,
        movements.c.type,
        movements.c.id,
        movements.c.sequence,
        movements.c.number,
        movements.c.amount,
    )
    .where(
        *_IN_CURRENCY,
        movements.c.moved_on >= bindparam("since", type_=Date),
        movements.c.moved_on <= bindparam("until", type_=Date),
    )
    .order_by(movements.c.moved_on, movements.c.type, movements.c.id, movements.c.sequence)
    .limit(bindparam("most"))
)


@final
@frozen
class SqlBalances(Balances):
    connection: Connection

    def get(self, scope: Scope, *, on: date) -> tuple[Balance, ...]:
        ends = {f"before_{days}": (on - timedelta(days)).isoformat() for days in (0, 30, 60, 90)}
        rows = self.connection.execute(_OPEN, {**scope_parameters(scope), **ends}).all()
        return balances_of(_open(rows), on)


@final
@frozen
class SqlAccounts(Accounts):
    connection: Connection

    def periods(
        self, scope: Scope, *, unit: Currency | None, since: date | None, until: date | None, on: date, most: int
    ) -> tuple[AccountPeriod, ...]:
        rows = self.connection.execute(_LAST_DAYS, scope_parameters(scope)).all()
        last_days: dict[str, date | None] = {row.currency: row.last for row in rows}
        asked = sorted(last_days) if unit is None else [unit.code]
        return tuple(
            self._period(scope, CURRENCIES[code], since, until or max(last_days.get(code) or on, on), most)
            for code in asked
        )

    def _period(self, scope: Scope, unit: Currency, since: date | None, until: date, most: int) -> AccountPeriod:
        first = since or months_before(until, DEFAULT_MONTHS)
        parameters = {
            **scope_parameters(scope),
            "currency": unit.code,
            "since": first,
            "until": until,
            "most": most + 1,
        }
        opening = self.connection.execute(_OPENING, parameters).scalar_one()
        rows = self.connection.execute(_MOVEMENTS, parameters)
        return AccountPeriod(
            currency=unit,
            since=first,
            until=until,
            opening=Money(int(opening), unit),
            movements=tuple(_movement(row, unit) for row in rows),
        )


def _open(rows: Iterable[AnyRow]) -> Iterator[OpenAmount]:
    for currency, due, amount in rows:
        yield OpenAmount(Money(int(amount), CURRENCIES[currency]), date.fromisoformat(due) if due else None)


def _movement(row: AnyRow, unit: Currency) -> Movement:
    moved_on, kind, document_id, sequence, number, amount = row
    return Movement(
        on=moved_on,
        type=MovementType(kind),
        id=document_id,
        sequence=sequence,
        number=number,
        amount=Money(amount, unit),
    )
