"""The outstanding balance: what is owed, since when, and what speaks for the client; one per currency, never mixed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal, TypeAlias, get_args

from attrs import frozen

from portal_core.domain.money import Currency, Money, total_of


@frozen
class OpenAmount:
    """Something open: due on a day, or, without one, a credit of the client's (negative: a refund of no credit note).

    An amount of zero says that something counted in its currency and is settled.
    """

    amount: Money
    due_on: date | None


@frozen(kw_only=True)
class Aging:
    """What is outstanding, by how many days it is past its due day."""

    current: Money
    days_1_30: Money
    days_31_60: Money
    days_61_90: Money
    over_90: Money


Bucket: TypeAlias = Literal["current", "days_1_30", "days_31_60", "days_61_90", "over_90"]

AGING_BUCKETS: tuple[Bucket, ...] = get_args(Bucket)


@frozen(kw_only=True)
class Balance:
    """What a client owes in one currency; `net` is outstanding minus credit, and the aging sums to outstanding."""

    currency: Currency
    outstanding: Money
    overdue: Money
    credit: Money
    net: Money
    aging: Aging


def bucket_of(due_on: date, on: date) -> Bucket:
    """Return the aging bucket of a due day as seen on a day: due that day or later is current."""
    days = (on - due_on).days
    if days <= 0:
        return "current"
    return AGING_BUCKETS[min((days - 1) // 30 + 1, 4)]


def aging_of(amounts: Iterable[OpenAmount], unit: Currency, on: date) -> Aging:
    """Return the aging of what is due in one currency, as seen on a day."""
    aged = dict.fromkeys(AGING_BUCKETS, 0)
    for each in amounts:
        if each.due_on is not None and each.amount.currency == unit:
            aged[bucket_of(each.due_on, on)] += each.amount.minor
    return Aging(**{bucket: Money(minor, unit) for bucket, minor in aged.items()})


def balances_of(amounts: Iterable[OpenAmount], on: date) -> tuple[Balance, ...]:
    """Return one balance for each currency in which anything counts, by code."""
    by_currency: dict[Currency, list[OpenAmount]] = defaultdict(list)
    for each in amounts:
        by_currency[each.amount.currency].append(each)
    return tuple(_balance(unit, by_currency[unit], on) for unit in sorted(by_currency, key=lambda unit: unit.code))


def _balance(unit: Currency, amounts: Sequence[OpenAmount], on: date) -> Balance:
    aging = aging_of(amounts, unit, on)
    outstanding = total_of((each.amount for each in amounts if each.due_on is not None), unit)
    credit = total_of((each.amount for each in amounts if each.due_on is None), unit)
    return Balance(
        currency=unit,
        outstanding=outstanding,
        overdue=outstanding - aging.current,
        credit=credit,
        net=outstanding - credit,
        aging=aging,
    )
