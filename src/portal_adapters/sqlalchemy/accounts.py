"""Accounts in SQL: one row for each currency, with its movements and what is open as sections of it."""

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any, final

from attrs import frozen
from sqlalchemy import CTE, ColumnElement, Connection, Date, Select, and_, bindparam, case, func, select

from portal_adapters.sqlalchemy.balances import OPEN_AMOUNTS, aged_on, open_amounts_of
from portal_adapters.sqlalchemy.columns import currency_code
from portal_adapters.sqlalchemy.dialects import a_year_before
from portal_adapters.sqlalchemy.documents import in_scope, number, scope_parameters
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import movements, open_amounts
from portal_adapters.sqlalchemy.sections import Section
from portal_core.domain.access import Scope
from portal_core.domain.balance import aging_of
from portal_core.domain.money import CURRENCIES, Currency, Money
from portal_core.domain.statement import AccountPeriod, Movement, MovementType
from portal_core.ports import Accounts

_ON, _SINCE, _UNTIL = (bindparam(name, type_=Date) for name in ("on", "since", "until"))

# Whatever moves an account adds to the open amounts, be it zero: these are all of its currencies.
_EVERY = select(open_amounts.c.currency).where(*in_scope(open_amounts)).distinct()

_THE_ONE = select(bindparam("currency", type_=currency_code().type).label("currency"))


@frozen(eq=False)
class _Question:
    """A statement, and its sections."""

    statement: Select[*tuple[Any, ...]]
    movements: Section
    open: Section


@final
@frozen
class SqlAccounts(Accounts):
    connection: Connection

    def periods(
        self, scope: Scope, *, unit: Currency | None, since: date | None, until: date | None, on: date, most: int
    ) -> tuple[AccountPeriod, ...]:
        asked = {"currency": None if unit is None else unit.code, "since": since, "until": until}
        given = {name: value for name, value in asked.items() if value is not None}
        parameters = {**scope_parameters(scope), **given, **aged_on(on), "on": on, "most": most + 1}
        question = _question(frozenset(given))
        rows = self.connection.execute(question.statement, parameters).all()
        return tuple(_period(question, row, on) for row in sorted(rows, key=lambda row: row.currency))


@cache
def _question(given: frozenset[str]) -> _Question:
    """Return the question for what is given of `currency`, `since` and `until`; the rest follows from the account."""
    currencies = (_THE_ONE if "currency" in given else _EVERY).cte("currencies")
    until = _UNTIL if "until" in given else _last_day(currencies)
    ended = _once(select(currencies.c.currency, until.label("until")).cte("ended"))
    since = _SINCE if "since" in given else a_year_before(ended.c.until)
    periods = _once(select(*ended.c, since.label("since")).cte("periods"))
    moved, open_then = Section("movements", _movements(periods)), Section("open", _open(periods))
    columns = (*periods.c, _opening(periods).label("opening"), moved.column, open_then.column)
    return _Question(select(*columns), moved, open_then)


def _once(rows: CTE) -> CTE:
    """Return rows that are worked out once, and not again wherever they are asked for."""
    return rows.prefix_with("MATERIALIZED")


def _last_day(currencies: CTE) -> ColumnElement[date]:
    """Return the day of the last movement, or the day asked about where that is later."""
    last = select(func.max(movements.c.moved_on)).where(_of(currencies)).scalar_subquery()
    return case((last > _ON, last), else_=_ON)


def _opening(periods: CTE) -> ColumnElement[int]:
    before = movements.c.moved_on < periods.c.since
    return select(func.coalesce(func.sum(movements.c.amount), number(0))).where(_of(periods), before).scalar_subquery()


def _movements(periods: CTE) -> Select[*tuple[Any, ...]]:
    return (
        select(
            movements.c.moved_on,
            movements.c.type,
            movements.c.id,
            movements.c.sequence,
            movements.c.number,
            movements.c.amount,
        )
        .where(_of(periods), movements.c.moved_on >= periods.c.since, movements.c.moved_on <= periods.c.until)
        .order_by(movements.c.moved_on, movements.c.type, movements.c.id, movements.c.sequence)
        .limit(bindparam("most"))
        .correlate(periods)
    )


def _open(periods: CTE) -> Select[*tuple[Any, ...]]:
    return OPEN_AMOUNTS.where(open_amounts.c.currency == periods.c.currency).correlate(periods)


def _of(currencies: CTE) -> ColumnElement[bool]:
    return and_(*in_scope(movements), movements.c.currency == currencies.c.currency)


def _period(question: _Question, row: AnyRow, on: date) -> AccountPeriod:
    unit = CURRENCIES[row.currency]
    return AccountPeriod(
        currency=unit,
        since=row.since,
        until=row.until,
        opening=Money(int(row.opening), unit),
        movements=tuple(_movement(each, unit) for each in question.movements.read(row.movements)),
        aging=aging_of(open_amounts_of(question.open.read(row.open)), unit, on),
    )


def _movement(row: Iterable[Any], unit: Currency) -> Movement:
    moved_on, kind, document_id, sequence, number, amount = row
    return Movement(
        on=moved_on,
        type=MovementType(kind),
        id=document_id,
        sequence=sequence,
        number=number,
        amount=Money(amount, unit),
    )
