"""Orders: the list, and how far each line of one is."""

from portal_core.domain.access import DocumentType, Permission
from portal_core.domain.filters import OrderFilter
from portal_core.domain.ids import OrderId
from portal_core.domain.invoices import paid_together
from portal_core.domain.orders import DeliveryStatus, OrderState
from portal_core.domain.paging import ORDER_SORTS
from portal_core.use_cases.orders import list_orders, read_order
from portal_http.answers import Answer
from portal_http.pages.asked import Asked, Section
from portal_http.pages.lists import shelf
from portal_http.pages.shown.about import paper_of
from portal_http.pages.shown.traces import traces
from portal_http.queries import choices

STATES = choices("state", frozenset(OrderState), "The state.")
DELIVERED = choices("delivery_status", frozenset(DeliveryStatus), "How far the goods are.")
OFFERED = (DeliveryStatus.PENDING, DeliveryStatus.PARTIAL, DeliveryStatus.DELIVERED)


async def show_list(asked: Asked) -> Answer:
    """Show a page of the client's orders."""
    asked.visit.grant.require(Permission.VIEW_ORDERS, at=asked.now)
    of = shelf(asked, Section.ORDERS, ORDER_SORTS, STATES, DELIVERED)
    narrowed = OrderFilter(states=of.query.get(STATES), delivery_statuses=of.query.get(DELIVERED))
    page = await asked.read(lambda store: list_orders(store, asked.visit, of.listing, narrowed, now=asked.now))
    return asked.page("orders.html", shelf=of, page=page, choices=of.choices("delivery_status", OFFERED))


async def show(asked: Asked, document_id: str) -> Answer:
    """Show one order with what was delivered, invoiced and paid of it."""
    detail, paper = await asked.read(
        lambda store: (
            read_order(store, asked.visit, OrderId(document_id), now=asked.now),
            paper_of(store, asked, DocumentType.ORDER, document_id),
        )
    )
    invoices = detail.invoices or ()
    return asked.page(
        "order.html",
        order=detail.order,
        traces=traces(detail),
        detail=detail,
        invoices=invoices,
        paid=paid_together(invoices),
        paper=paper,
    )
