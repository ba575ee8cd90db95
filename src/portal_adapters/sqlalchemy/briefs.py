"""The first page for people at a glance: its parts as sections of the statement that opens the link."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeAlias, TypeVar

from attrs import evolve

from portal_adapters.sqlalchemy.balances import OPEN_AMOUNTS, aged_anywhere, days_anywhere, open_amounts_of
from portal_adapters.sqlalchemy.deliveries import SHOWN_FIRST
from portal_adapters.sqlalchemy.first_pages import LISTS, TO_COME
from portal_adapters.sqlalchemy.keyset import newest
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import decisions, deliveries, invoices, orders, quotes
from portal_adapters.sqlalchemy.sections import Section
from portal_adapters.sqlalchemy.values import load_delivery_lines
from portal_core.domain.balance import balances_of
from portal_core.domain.dashboard import LATEST_PLANNED, RECENT, SOON, PagePart, nearest
from portal_core.domain.deliveries import DeliveryBrief, DeliveryState
from portal_core.domain.invoices import InvoiceBrief, InvoiceKind, PaymentState
from portal_core.domain.money import CURRENCIES, Money
from portal_core.domain.orders import DeliveryStatus, OrderBrief, OrderState
from portal_core.domain.paging import DELIVERY_SORTS
from portal_core.domain.quotes import Answer, QuoteBrief, QuoteState
from portal_core.ports.glances import DeliveryToCome, FirstPageBriefs

S = TypeVar("S", bound=StrEnum)

Values: TypeAlias = Sequence[Any]

_QUOTE = (
    *(quotes.c.id, quotes.c.number, quotes.c.state, quotes.c.issued_on, quotes.c.valid_until, quotes.c.currency),
    *(quotes.c.total, decisions.c.answer),
)

_ORDER = (
    *(orders.c.id, orders.c.number, orders.c.state, orders.c.ordered_on, orders.c.delivery_status),
    *(orders.c.currency, orders.c.total),
)

_INVOICE = (
    *(invoices.c.id, invoices.c.number, invoices.c.kind, invoices.c.payment_state, invoices.c.issued_on),
    *(invoices.c.due_on, invoices.c.currency, invoices.c.total, invoices.c.amount_due, invoices.c.oldest_due_on),
)

_DELIVERY = (
    *(deliveries.c.id, deliveries.c.number, deliveries.c.state, deliveries.c.lines, deliveries.c.tracking_number),
    *(deliveries.c.tracking_url, deliveries.c.scheduled_on, SHOWN_FIRST),
)
_SCHEDULED_ON = _DELIVERY.index(deliveries.c.scheduled_on)


def _section(part: PagePart, columns: Sequence[Any]) -> Section:
    rows = LISTS[part].rows(narrowed=False).with_only_columns(*columns, maintain_column_froms=True)
    return Section(part.value, rows)


_TO_ANSWER = _section(PagePart.TO_ANSWER, _QUOTE)
_TO_PAY = _section(PagePart.TO_PAY, _INVOICE)
_QUOTES = _section(PagePart.QUOTES, _QUOTE)
_ORDERS = _section(PagePart.ORDERS, _ORDER)
_INVOICES = _section(PagePart.INVOICES, _INVOICE)
_BALANCES = Section(PagePart.BALANCES.value, OPEN_AMOUNTS)

_COMING = evolve(TO_COME, rows=TO_COME.rows.with_only_columns(*_DELIVERY, maintain_column_froms=True))
_TO_COME = Section(PagePart.TO_COME.value, newest(_COMING, DELIVERY_SORTS[0], frozenset()))

FIRST_PAGE = (_TO_ANSWER, _TO_PAY, _TO_COME, _QUOTES, _ORDERS, _INVOICES, _BALANCES)
"""The parts of the first page, of whichever day it is at a moment; see `asked_anywhere` and `first_page_seen`."""


def asked_anywhere(at: datetime) -> Mapping[str, Any]:
    """Return the parameters of FIRST_PAGE for whichever day it is at a moment, anywhere on Earth."""
    first, last = days_anywhere(at)
    return {**aged_anywhere(at), "on": first, "soon": last + SOON, "wanted": LATEST_PLANNED}


def first_page_seen(row: AnyRow, on: date) -> FirstPageBriefs | None:
    """Return the first page as seen on a day, of a row with the columns of FIRST_PAGE.

    Nothing where more would have to be read: what awaits an answer elsewhere alone may keep out what does here.
    """
    found = _quotes(_TO_ANSWER.values(row.to_answer))
    to_answer = [quote for quote in found if quote.state(on) is QuoteState.SENT]
    if len(to_answer) < len(found) == RECENT:
        return None
    soon = on + SOON
    planned = _TO_COME.values(row.to_come)
    return FirstPageBriefs(
        to_answer=to_answer,
        to_pay=[invoice for invoice in _invoices(_TO_PAY.values(row.to_pay)) if invoice.is_due_by(soon)],
        to_come=_deliveries(nearest(planned, on, lambda values: values[_SCHEDULED_ON])),
        quotes=_quotes(_QUOTES.values(row.quotes)),
        orders=_orders(_ORDERS.values(row.orders)),
        invoices=_invoices(_INVOICES.values(row.invoices)),
        balances=balances_of(open_amounts_of(_BALANCES.values(row.balances)), on),
    )


def _by_value(words: Iterable[S]) -> Mapping[str, S]:
    return {word.value: word for word in words}


_QUOTE_STATES, _ANSWERS = _by_value(QuoteState), _by_value(Answer)
_ORDER_STATES, _DELIVERY_STATUSES = _by_value(OrderState), _by_value(DeliveryStatus)
_KINDS, _PAYMENT_STATES = _by_value(InvoiceKind), _by_value(PaymentState)
_DELIVERY_STATES = _by_value(DeliveryState)


def _quotes(rows: Iterable[Values]) -> Sequence[QuoteBrief]:
    return [
        QuoteBrief(
            id=quote_id,
            number=number,
            recorded_state=_QUOTE_STATES[state],
            issued_on=issued_on,
            valid_until=valid_until,
            total=Money(total, CURRENCIES[currency]),
            answer=None if answer is None else _ANSWERS[answer],
        )
        for quote_id, number, state, issued_on, valid_until, currency, total, answer in rows
    ]


def _orders(rows: Iterable[Values]) -> Sequence[OrderBrief]:
    return [
        OrderBrief(
            id=order_id,
            number=number,
            state=_ORDER_STATES[state],
            ordered_on=ordered_on,
            delivery_status=_DELIVERY_STATUSES[delivery_status],
            total=Money(total, CURRENCIES[currency]),
        )
        for order_id, number, state, ordered_on, delivery_status, currency, total in rows
    ]


def _invoices(rows: Iterable[Values]) -> Sequence[InvoiceBrief]:
    return [
        InvoiceBrief(
            id=invoice_id,
            number=number,
            kind=_KINDS[kind],
            payment_state=_PAYMENT_STATES[payment_state],
            issued_on=issued_on,
            due_on=due_on,
            total=Money(total, CURRENCIES[currency]),
            amount_due=Money(due, CURRENCIES[currency]),
            oldest_due_on=oldest_due_on,
        )
        for invoice_id, number, kind, payment_state, issued_on, due_on, currency, total, due, oldest_due_on in rows
    ]


def _deliveries(rows: Iterable[Values]) -> Sequence[DeliveryToCome]:
    return [
        DeliveryToCome(
            delivery=DeliveryBrief(
                id=delivery_id,
                number=number,
                state=_DELIVERY_STATES[state],
                lines=load_delivery_lines(lines),
                tracking_number=tracking_number,
                tracking_url=tracking_url,
                scheduled_on=scheduled_on,
            ),
            backorder_of=backorder_of,
        )
        for delivery_id, number, state, lines, tracking_number, tracking_url, scheduled_on, backorder_of in rows
    ]
