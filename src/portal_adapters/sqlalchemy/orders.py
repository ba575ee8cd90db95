"""Orders in SQL."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, final

from attrs import evolve, frozen
from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, case, select

from portal_adapters.sqlalchemy.deliveries import DELIVERIES_OF_ORDER, delivery_views
from portal_adapters.sqlalchemy.direct import one
from portal_adapters.sqlalchemy.documents import (
    SELECTIVE,
    among,
    constant,
    document_conditions,
    in_scope,
    kept_total,
    narrowing,
    scope_parameters,
    told,
    words,
)
from portal_adapters.sqlalchemy.invoices import INVOICES_OF_ORDER, invoice_summaries
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow, order_of
from portal_adapters.sqlalchemy.schema import orders, quotes
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.filters import OrderFilter
from portal_core.domain.ids import OrderId
from portal_core.domain.money import CURRENCIES, Money
from portal_core.domain.orders import DeliveryStatus, OrderDetail, OrderState, OrderSummary
from portal_core.domain.paging import Listing, Page
from portal_core.ports import Orders

# Looked up row by row and by its key alone: else PostgreSQL reads through all that a client has.
_IS_SHOWN = and_(quotes.c.client_id == orders.c.client_id, quotes.c.state != constant("draft"))

_SHOWN_QUOTE = (
    select(case((_IS_SHOWN, quotes.c.id)))
    .where(quotes.c.company_id == orders.c.company_id, quotes.c.id == orders.c.quote_id)
    .correlate(orders)
    .scalar_subquery()
    .label("shown_quote_id")
)


def _with_quote(*columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    return select(*columns, _SHOWN_QUOTE).where(*in_scope(orders))


_SUMMARY = (
    orders.c.id,
    orders.c.number,
    orders.c.state,
    orders.c.ordered_on,
    orders.c.client_reference,
    orders.c.delivery_status,
    orders.c.currency,
    orders.c.subtotal,
    orders.c.tax,
    orders.c.total,
)

ONE_ORDER = _with_quote(*told(orders), DELIVERIES_OF_ORDER.column, INVOICES_OF_ORDER.column).where(
    orders.c.id == bindparam("order_id")
)
"""The order `order_id`, as `order_detail` reads it."""

ORDERS = ListSource(
    rows=_with_quote(*_SUMMARY),
    id=orders.c.id,
    sorts={"ordered_on": orders.c.ordered_on, "number": orders.c.number},
    conditions=document_conditions(DocumentType.ORDER, orders, orders.c.ordered_on)
    | {
        "states": among(orders.c.state, "states"),
        "delivery_statuses": among(orders.c.delivery_status, "delivery_statuses"),
    },
    selective=SELECTIVE,
    kept_total=kept_total(DocumentType.ORDER),
)
"""A client's orders."""


@final
@frozen
class SqlOrders(Orders):
    connection: Connection

    def get(self, scope: Scope, order_id: OrderId) -> OrderDetail | None:
        if not scope.covers(DocumentType.ORDER, order_id):
            return None
        row = one(self.connection, ONE_ORDER, {**scope_parameters(scope), "order_id": order_id})
        return None if row is None else order_detail(row)

    def page(self, scope: Scope, listing: Listing, narrowed: OrderFilter) -> Page[OrderSummary]:
        asked = {"states": words(narrowed.states), "delivery_statuses": words(narrowed.delivery_statuses)}
        return read_page(
            self.connection,
            ORDERS,
            listing,
            scope=scope_parameters(scope),
            narrowed=narrowing(scope, DocumentType.ORDER, listing, **asked),
            read=order_summaries,
        )


def order_summaries(rows: Sequence[AnyRow]) -> Sequence[OrderSummary]:
    """Return orders as a list shows them."""
    return [_summary(row) for row in rows]


def _summary(row: Iterable[Any]) -> OrderSummary:
    (
        order_id,
        number,
        state,
        ordered_on,
        client_reference,
        delivery_status,
        currency,
        subtotal,
        tax,
        total,
        shown_quote_id,
        *_,
    ) = row
    unit = CURRENCIES[currency]
    return OrderSummary(
        id=order_id,
        number=number,
        state=OrderState(state),
        ordered_on=ordered_on,
        client_reference=client_reference,
        delivery_status=DeliveryStatus(delivery_status),
        subtotal=Money(subtotal, unit),
        tax=Money(tax, unit),
        total=Money(total, unit),
        quote_id=shown_quote_id,
    )


def order_detail(row: AnyRow) -> OrderDetail:
    """Return an order with its deliveries and invoices."""
    delivered = delivery_views(DELIVERIES_OF_ORDER.read(row.deliveries))
    invoiced = invoice_summaries(INVOICES_OF_ORDER.read(row.invoices))
    return OrderDetail(
        order=evolve(order_of(row), quote_id=row.shown_quote_id),
        deliveries=tuple(sorted(delivered, key=_delivered_in_order)),
        invoices=tuple(sorted(invoiced, key=lambda each: (each.issued_on, each.id))),
    )


def _delivered_in_order(view: DeliveryView) -> tuple[date, str]:
    return (view.delivery.scheduled_on or date.max, view.delivery.id)
