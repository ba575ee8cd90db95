"""What a client sees first."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar

from attrs import frozen

from portal_core.domain.balance import Balance
from portal_core.domain.deliveries import DeliveryState, DeliveryView
from portal_core.domain.invoices import InvoiceSummary
from portal_core.domain.orders import OrderSummary
from portal_core.domain.quotes import QuoteSummary

T = TypeVar("T")

RECENT = 5

NEWEST = 3
"""So many of each kind the first page for people shows beside what needs the client."""

SOON = timedelta(days=14)
"""What falls due within so many days needs the client now."""

COMING = frozenset({DeliveryState.WAITING, DeliveryState.READY, DeliveryState.SHIPPED})
"""The states of deliveries that are not there yet."""

LATEST_PLANNED = 25
"""Among so many deliveries to come, those planned latest, the nearest are looked for."""


@frozen(kw_only=True)
class Dashboard:
    """The newest five of each kind and the balances; None where it was not asked for."""

    quotes: tuple[QuoteSummary, ...] | None
    orders: tuple[OrderSummary, ...] | None
    invoices: tuple[InvoiceSummary, ...] | None
    deliveries: tuple[DeliveryView, ...] | None
    balances: tuple[Balance, ...] | None


class PagePart(StrEnum):
    """The parts of the first page for people."""

    TO_ANSWER = "to_answer"
    TO_PAY = "to_pay"
    TO_COME = "to_come"
    QUOTES = "quotes"
    ORDERS = "orders"
    INVOICES = "invoices"
    BALANCES = "balances"


@frozen(kw_only=True)
class FirstPage:
    """What people see first; a part that was not asked for is None, or empty where it would need something of them.

    `to_answer` are the newest quotes that await an answer; `to_pay` the invoices of which something is overdue or soon
    due, the longest overdue first; `to_come` the deliveries planned nearest to today, five of each at most. Then the
    newest three quotes, orders and invoices, and the balances.
    """

    to_answer: tuple[QuoteSummary, ...] = ()
    to_pay: tuple[InvoiceSummary, ...] = ()
    to_come: tuple[DeliveryView, ...] | None = None
    quotes: tuple[QuoteSummary, ...] | None = None
    orders: tuple[OrderSummary, ...] | None = None
    invoices: tuple[InvoiceSummary, ...] | None = None
    balances: tuple[Balance, ...] | None = None


def nearest(planned: Iterable[T], on: date, day_of: Callable[[T], date | None]) -> Sequence[T]:
    """Return what is planned nearest to a day, five at most; what is planned for no day comes last.

    The latest that is planned may be far ahead, and what was forgotten far behind.
    """

    def distance(each: T) -> timedelta:
        day = day_of(each)
        return timedelta.max if day is None else abs(day - on)

    return sorted(planned, key=distance)[:RECENT]
