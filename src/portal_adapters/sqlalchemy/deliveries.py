"""Deliveries in SQL."""

from collections.abc import Sequence
from typing import final

from attrs import frozen
from sqlalchemy import Connection, and_, bindparam, case, select

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
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow, delivery_of
from portal_adapters.sqlalchemy.schema import deliveries, orders
from portal_adapters.sqlalchemy.sections import Section
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.filters import DeliveryFilter
from portal_core.domain.ids import DeliveryId
from portal_core.domain.paging import Listing, Page
from portal_core.ports import Deliveries

_DRAFT = constant("draft")

_first = deliveries.alias("first")

_order = orders.alias("their_order")

# Looked up row by row and by their keys alone: else PostgreSQL reads through all that a client has.
_ORDER_NUMBER = (
    select(case((_order.c.client_id == deliveries.c.client_id, _order.c.number)))
    .where(_order.c.company_id == deliveries.c.company_id, _order.c.id == deliveries.c.order_id)
    .correlate(deliveries)
    .scalar_subquery()
    .label("order_number")
)

SHOWN_FIRST = (
    select(case((and_(_first.c.client_id == deliveries.c.client_id, _first.c.state != _DRAFT), _first.c.id)))
    .where(_first.c.company_id == deliveries.c.company_id, _first.c.id == deliveries.c.backorder_of)
    .correlate(deliveries)
    .scalar_subquery()
    .label("shown_backorder_of")
)
"""The id of the delivery whose rest one brings, if that is the client's and shown."""

_VIEWS = select(*told(deliveries), _ORDER_NUMBER, SHOWN_FIRST).where(
    *in_scope(deliveries), deliveries.c.state != _DRAFT
)

ONE_DELIVERY = _VIEWS.where(deliveries.c.id == bindparam("delivery_id"))
"""The delivery `delivery_id`, as `delivery_view` reads it."""

DELIVERIES_OF_ORDER = Section("deliveries", _VIEWS.where(deliveries.c.order_id == bindparam("order_id")))
"""What was delivered for the order `order_id`, in no order."""

DELIVERIES = ListSource(
    rows=_VIEWS,
    id=deliveries.c.id,
    sorts={"scheduled_on": deliveries.c.scheduled_on, "number": deliveries.c.number},
    conditions=document_conditions(DocumentType.DELIVERY, deliveries, deliveries.c.scheduled_on)
    | {"states": among(deliveries.c.state, "states")},
    nullable=frozenset({"scheduled_on"}),
    selective=SELECTIVE,
    kept_total=kept_total(DocumentType.DELIVERY),
)
"""A client's deliveries."""


@final
@frozen
class SqlDeliveries(Deliveries):
    connection: Connection

    def get(self, scope: Scope, delivery_id: DeliveryId) -> DeliveryView | None:
        if not scope.covers(DocumentType.DELIVERY, delivery_id):
            return None
        row = one(self.connection, ONE_DELIVERY, {**scope_parameters(scope), "delivery_id": delivery_id})
        return None if row is None else delivery_view(row)

    def page(self, scope: Scope, listing: Listing, narrowed: DeliveryFilter) -> Page[DeliveryView]:
        return read_page(
            self.connection,
            DELIVERIES,
            listing,
            scope=scope_parameters(scope),
            narrowed=narrowing(scope, DocumentType.DELIVERY, listing, states=words(narrowed.states)),
            read=delivery_views,
        )


def delivery_views(rows: Sequence[AnyRow]) -> Sequence[DeliveryView]:
    """Return deliveries as a client sees them."""
    return [delivery_view(row) for row in rows]


def delivery_view(row: AnyRow) -> DeliveryView:
    """Return a delivery as a client sees it."""
    return DeliveryView(delivery=delivery_of(row), order_number=row.order_number, backorder_of=row.shown_backorder_of)
