"""Orders in SQL."""

from collections.abc import Iterable, Sequence
from typing import Any, final

from attrs import evolve, frozen
from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, select

from portal_adapters.sqlalchemy.deliveries import deliveries_of_order
from portal_adapters.sqlalchemy.documents import (
    SELECTIVE,
    among,
    constant,
    count_of,
    document_conditions,
    in_scope,
    narrowing,
    scope_parameters,
    words,
)
from portal_adapters.sqlalchemy.invoices import invoices_of_order
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow, order_of
from portal_adapters.sqlalchemy.schema import orders, quotes
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.filters import OrderFilter
from portal_core.domain.ids import OrderId
from portal_core.domain.money import CURRENCIES, Money
from portal_core.domain.orders import DeliveryStatus, OrderDetail, OrderState, OrderSummary
from portal_core.domain.paging import Listing, Page
from portal_core.ports import Orders

_SHOWN_QUOTE = and_(
    quotes.c.company_id == orders.c.company_id,
    quotes.c.id == orders.c.quote_id,
    quotes.c.client_id == orders.c.client_id,
    quotes.c.state != constant("draft"),
)


def _with_quote(*columns: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    shown = quotes.c.id.label("shown_quote_id")
    return select(*columns, shown).select_from(orders.outerjoin(quotes, _SHOWN_QUOTE)).where(*in_scope(orders))


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

_ONE = _with_quote(*orders.c).where(orders.c.id == bindparam("order_id"))

_LIST = ListSource(
    rows=_with_quote(*_SUMMARY),
    id=orders.c.id,
    sorts={"ordered_on": orders.c.ordered_on, "number": orders.c.number},
    conditions=document_conditions(orders, orders.c.ordered_on)
    | {
        "states": among(orders.c.state, "states"),
        "delivery_statuses": among(orders.c.delivery_status, "delivery_statuses"),
    },
    selective=SELECTIVE,
)


@final
@frozen
class SqlOrders(Orders):
    connection: Connection

    def get(self, scope: Scope, order_id: OrderId) -> OrderDetail | None:
        if not scope.covers(DocumentType.ORDER, order_id):
            return None
        parameters = {**scope_parameters(scope), "order_id": order_id}
        row = self.connection.execute(_ONE, parameters).one_or_none()
        if row is None:
            return None
        return OrderDetail(
            order=evolve(order_of(row), quote_id=row.shown_quote_id),
            deliveries=deliveries_of_order(self.connection, parameters),
            invoices=invoices_of_order(self.connection, parameters),
        )

    def page(self, scope: Scope, listing: Listing, narrowed: OrderFilter) -> Page[OrderSummary]:
        asked = {"states": words(narrowed.states), "delivery_statuses": words(narrowed.delivery_statuses)}
        return read_page(
            self.connection,
            _LIST,
            listing,
            scope=scope_parameters(scope),
            narrowed=narrowing(scope, DocumentType.ORDER, listing, **asked),
            read=_summaries,
            known_total=lambda: count_of(self.connection, scope, DocumentType.ORDER),
        )


def _summaries(rows: Sequence[AnyRow]) -> Sequence[OrderSummary]:
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
