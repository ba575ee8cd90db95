"""Reading orders."""

from datetime import datetime

from attrs import evolve

from portal_core.domain.access import Permission, Visit
from portal_core.domain.filters import OrderFilter
from portal_core.domain.ids import OrderId
from portal_core.domain.orders import OrderDetail, OrderSummary
from portal_core.domain.paging import Listing, Page
from portal_core.ports import Store
from portal_core.use_cases.finding import require_found
from portal_core.use_cases.narrowing import narrow_order, narrow_order_detail, page_within, within


def list_orders(
    store: Store, visit: Visit, listing: Listing, narrowed: OrderFilter, *, now: datetime
) -> Page[OrderSummary]:
    """Return a page of the client's orders."""
    visit.grant.require(Permission.VIEW_ORDERS, at=now)
    return page_within(visit.scope, store.orders.page(visit.scope, listing, narrowed), narrow_order)


def read_order(store: Store, visit: Visit, order_id: OrderId, *, now: datetime) -> OrderDetail:
    """Return one order with its deliveries and invoices, as far as the scope covers them.

    The invoices are withheld from links that may not view invoices.
    """
    visit.grant.require(Permission.VIEW_ORDERS, at=now)
    detail = require_found(store.orders.get(visit.scope, order_id), "order", order_id)
    if not visit.grant.may(Permission.VIEW_INVOICES):
        detail = evolve(detail, invoices=None)
    return within(visit.scope, detail, narrow_order_detail)
