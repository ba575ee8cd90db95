"""The statement of account: opening + movements = closing, to the minor unit."""

import calendar
from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum

from attrs import frozen

from portal_core.domain.balance import Aging, OpenAmount, aging_of
from portal_core.domain.money import Currency, Money, total_of

MOST_MOVEMENTS = 5_000
DEFAULT_MONTHS = 12


class MovementType(StrEnum):
    """What moves an account."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    REFUND = "refund"
    ADJUSTMENT = "adjustment"
    CONVERSION = "conversion"


@frozen(kw_only=True)
class Movement:
    """One movement of a client's account: a debit is positive and raises what is owed, a credit is negative.

    An adjustment carries its invoice's id and its reason as number, a conversion its payment's id and number.
    `sequence` tells apart those that one document makes more than once.
    """

    on: date
    type: MovementType
    id: str
    sequence: int = 0
    number: str
    amount: Money

    @property
    def order(self) -> tuple[date, str, str, int]:
        """The order of a statement: day, type, id."""
        return (self.on, self.type.value, self.id, self.sequence)


@frozen(kw_only=True)
class StatementLine:
    """A movement with the balance after it; one of debit and credit is None."""

    on: date
    type: MovementType
    id: str
    number: str
    debit: Money | None
    credit: Money | None
    balance: Money


@frozen(kw_only=True)
class Statement:
    """What moved in one currency in the days `since` to `until`, both counted.

    `aging` is today's, None for a period that ended before today.
    """

    currency: Currency
    since: date
    until: date
    opening: Money
    closing: Money
    lines: tuple[StatementLine, ...]
    aging: Aging | None


def months_before(day: date, months: int) -> date:
    """Return the same day some months earlier, or that month's last day where it is shorter."""
    index = day.year * 12 + day.month - 1 - months
    year, month = max(index // 12, date.min.year), index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def running(opening: Money, movements: Iterable[Movement]) -> Sequence[StatementLine]:
    """Return the lines of a statement from ordered movements, each with the balance after it."""
    balance = opening
    lines: list[StatementLine] = []
    for movement in movements:
        balance = balance + movement.amount
        debit = movement.amount if movement.amount.minor >= 0 else None
        credit = None if debit is not None else Money(-movement.amount.minor, movement.amount.currency)
        lines.append(
            StatementLine(
                on=movement.on,
                type=movement.type,
                id=movement.id,
                number=movement.number,
                debit=debit,
                credit=credit,
                balance=balance,
            )
        )
    return lines


@frozen(kw_only=True)
class AccountPeriod:
    """What a store knows of one currency's account in the days `since` to `until`, both counted.

    `movements` are in a statement's order; a store may stop after one more than a statement can hold. `aging` is
    of all that is due in the currency, whatever the period, as seen on the day that was asked about.
    """

    currency: Currency
    since: date
    until: date
    opening: Money
    movements: tuple[Movement, ...]
    aging: Aging


def periods_of(
    movements: Iterable[Movement],
    open_amounts: Iterable[OpenAmount] = (),
    *,
    unit: Currency | None,
    since: date | None,
    until: date | None,
    on: date,
) -> tuple[AccountPeriod, ...]:
    """Return one period for each currency that ever moved, by code, or for the one asked for.

    Without `until` a period runs to the last movement, and at least to the day `on`; without `since` it
    starts 12 months before its end.
    """
    by_currency: dict[Currency, list[Movement]] = {} if unit is None else {unit: []}
    for movement in sorted(movements, key=lambda each: each.order):
        if unit is None or movement.amount.currency == unit:
            by_currency.setdefault(movement.amount.currency, []).append(movement)
    due = tuple(open_amounts)
    return tuple(
        _period(each, by_currency[each], due, since, until, on)
        for each in sorted(by_currency, key=lambda each: each.code)
    )


def _period(
    unit: Currency,
    movements: Sequence[Movement],
    due: Sequence[OpenAmount],
    since: date | None,
    until: date | None,
    on: date,
) -> AccountPeriod:
    last = until or max([on, *(movement.on for movement in movements)])
    first = since or months_before(last, DEFAULT_MONTHS)
    return AccountPeriod(
        currency=unit,
        since=first,
        until=last,
        opening=total_of((movement.amount for movement in movements if movement.on < first), unit),
        movements=tuple(movement for movement in movements if first <= movement.on <= last),
        aging=aging_of(due, unit, on),
    )
