"""Lists as a whole, for a spreadsheet: the same rows as page by page, read a part at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol, TypeVar

from attrs import evolve, frozen

from portal_core.domain.access import Permission, Visit
from portal_core.domain.errors import InvalidInput, Problem
from portal_core.domain.filters import DeliveryFilter, InvoiceFilter, OrderFilter, QuoteFilter
from portal_core.domain.paging import (
    DELIVERY_SORTS,
    INVOICE_SORTS,
    MOMENT_SORTS,
    ORDER_SORTS,
    PAYMENT_SORTS,
    QUOTE_SORTS,
    Listing,
    Page,
)
from portal_core.domain.statement import Statement
from portal_core.ports import Store
from portal_core.use_cases.deliveries import list_deliveries
from portal_core.use_cases.feedback import list_feedback
from portal_core.use_cases.invoices import list_invoices
from portal_core.use_cases.orders import list_orders
from portal_core.use_cases.payments import list_payments
from portal_core.use_cases.quotes import list_quotes
from portal_http import present, shapes
from portal_http.answers import Answer
from portal_http.api import deliveries, invoices, orders, quotes
from portal_http.cursors import listing_of
from portal_http.files import attachment
from portal_http.queries import OVERDUE, Parameter, Query, the_whole_of
from portal_http.spreadsheets import CSV_TYPE, Row, columns_of, head_of, lines_of

T = TypeVar("T")

MOST_ROWS = 10_000
MOST_BYTES = 16 * 1024 * 1024
"""What a file holds at most; a longer list is asked for in parts, by `from` and `to`."""

_AT_ONCE = 200


class ListTooLong(InvalidInput):
    """The list has more records than one file holds."""

    def __init__(self) -> None:
        detail = f"the list has more than {MOST_ROWS:,} records; ask for a part of it by `from` and `to`"
        super().__init__([Problem(detail, parameter="from")])


class Read(Protocol):
    """The way to run a use case that writes nothing."""

    async def __call__(self, use_case: Callable[[Store], T], /) -> T:
        """Run it."""
        ...


Find = Callable[[Store, Visit, Listing, Query, datetime], Page[Any]]


@frozen(kw_only=True)
class WholeList:
    """A list that can be had as a whole: what it can be asked for, by whom, and how it is read and shown.

    `name` is the list's address; `shape` is that of its rows.
    """

    name: str
    summary: str
    shape: Any
    sorts: Sequence[str]
    permission: Permission
    find: Find
    row: Callable[[Any, date], Row]
    filters: tuple[Parameter[Any], ...] = ()

    @property
    def known(self) -> Mapping[str, Parameter[Any]]:
        """The parameters that it takes."""
        return the_whole_of(self.sorts, *self.filters, dated=self.sorts is not MOMENT_SORTS)


async def csv_of(listed: WholeList, read: Read, visit: Visit, query: Query, now: datetime) -> Answer:
    """Return a list as a file; refuse with ListTooLong what is more than one file holds."""
    visit.grant.require(listed.permission, at=now)
    columns, today = columns_of(listed.shape), visit.today(now)
    file = bytearray(head_of(columns))
    async for items in _parts(listed, read, visit, query, now):
        file += lines_of(columns, [listed.row(each, today) for each in items])
        if len(file) > MOST_BYTES:
            raise ListTooLong
    return Answer(200, bytes(file), [CSV_TYPE, attachment(f"{listed.name}-{today}.csv")])


def csv_of_statements(found: Sequence[Statement], today: date) -> Answer:
    """Return statements as a file: the movements of each currency, between its opening and closing balance."""
    columns = columns_of(shapes.MovementShape)
    file = head_of(columns) + b"".join(lines_of(columns, _movements(each)) for each in found)
    return Answer(200, file, [CSV_TYPE, attachment(f"statement-{today}.csv")])


async def _parts(
    listed: WholeList, read: Read, visit: Visit, query: Query, now: datetime
) -> AsyncIterator[Sequence[Any]]:
    listing: Listing | None = evolve(listing_of(query, listed.sorts, whose=""), limit=_AT_ONCE)
    while listing is not None:
        page = await read(_part(listed.find, visit, listing, query, now))
        if page.total > MOST_ROWS:
            raise ListTooLong
        yield page.items
        listing = None if page.next is None else evolve(listing, after=page.next, total=page.total)
        await asyncio.sleep(0)  # Where reads run on the event loop, others have their turn between two parts.


def _part(find: Find, visit: Visit, listing: Listing, query: Query, now: datetime) -> Callable[[Store], Page[Any]]:
    return lambda store: find(store, visit, listing, query, now)


def _movements(found: Statement) -> list[Row]:
    shape = present.statement(found)
    return [
        _balance("opening", shape["from"], shape["opening"]),
        *shape["lines"],
        _balance("closing", shape["to"], shape["closing"]),
    ]


def _balance(kind: str, on: date, balance: shapes.MoneyShape) -> Row:
    return {**dict.fromkeys(("id", "number", "debit", "credit")), "on": on, "type": kind, "balance": balance}


def _quotes(store: Store, visit: Visit, listing: Listing, query: Query, now: datetime) -> Page[Any]:
    return list_quotes(store, visit, listing, QuoteFilter(states=query.get(quotes.STATE)), now=now)


def _orders(store: Store, visit: Visit, listing: Listing, query: Query, now: datetime) -> Page[Any]:
    narrowed = OrderFilter(states=query.get(orders.STATE), delivery_statuses=query.get(orders.DELIVERY_STATUS))
    return list_orders(store, visit, listing, narrowed, now=now)


def _invoices(store: Store, visit: Visit, listing: Listing, query: Query, now: datetime) -> Page[Any]:
    narrowed = InvoiceFilter(
        kinds=query.get(invoices.KIND),
        payment_states=query.get(invoices.PAYMENT_STATE),
        overdue=query.get(OVERDUE),
    )
    return list_invoices(store, visit, listing, narrowed, now=now)


def _payments(store: Store, visit: Visit, listing: Listing, _: Query, now: datetime) -> Page[Any]:
    return list_payments(store, visit, listing, now=now)


def _deliveries(store: Store, visit: Visit, listing: Listing, query: Query, now: datetime) -> Page[Any]:
    return list_deliveries(store, visit, listing, DeliveryFilter(states=query.get(deliveries.STATE)), now=now)


def _feedback(store: Store, visit: Visit, listing: Listing, _: Query, now: datetime) -> Page[Any]:
    return list_feedback(store, visit, listing, now=now)


WHOLE_LISTS = (
    WholeList(
        name="quotes",
        summary="Quotes as CSV",
        shape=shapes.QuoteShape,
        sorts=QUOTE_SORTS,
        filters=(quotes.STATE,),
        permission=Permission.VIEW_QUOTES,
        find=_quotes,
        row=present.quote_row,
    ),
    WholeList(
        name="orders",
        summary="Orders as CSV",
        shape=shapes.OrderShape,
        sorts=ORDER_SORTS,
        filters=(orders.STATE, orders.DELIVERY_STATUS),
        permission=Permission.VIEW_ORDERS,
        find=_orders,
        row=lambda order, _: present.order_row(order),
    ),
    WholeList(
        name="invoices",
        summary="Invoices and credit notes as CSV",
        shape=shapes.InvoiceShape,
        sorts=INVOICE_SORTS,
        filters=(invoices.KIND, invoices.PAYMENT_STATE, OVERDUE),
        permission=Permission.VIEW_INVOICES,
        find=_invoices,
        row=present.invoice_row,
    ),
    WholeList(
        name="payments",
        summary="Payments and refunds as CSV",
        shape=shapes.PaymentShape,
        sorts=PAYMENT_SORTS,
        permission=Permission.VIEW_PAYMENTS,
        find=_payments,
        row=lambda view, _: present.payment(view),
    ),
    WholeList(
        name="deliveries",
        summary="Deliveries as CSV",
        shape=shapes.DeliveryShape,
        sorts=DELIVERY_SORTS,
        filters=(deliveries.STATE,),
        permission=Permission.VIEW_DELIVERIES,
        find=_deliveries,
        row=lambda view, _: present.delivery(view),
    ),
    WholeList(
        name="feedback",
        summary="Feedback given so far as CSV",
        shape=shapes.TicketShape,
        sorts=MOMENT_SORTS,
        permission=Permission.SUBMIT_FEEDBACK,
        find=_feedback,
        row=lambda ticket, _: present.ticket(ticket),
    ),
)
"""The lists of a client, in the order of the navigation."""
