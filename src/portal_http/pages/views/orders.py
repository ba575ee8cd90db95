"""Orders: the list, and how far each line of one is."""

from collections.abc import Sequence
from decimal import Decimal

from attrs import frozen

from portal_core.domain.access import Permission
from portal_core.domain.deliveries import DeliveryState, DeliveryView
from portal_core.domain.filters import OrderFilter
from portal_core.domain.ids import OrderId
from portal_core.domain.invoices import InvoiceKind, InvoiceSummary, PaymentState
from portal_core.domain.lines import LineKind
from portal_core.domain.orders import DeliveryStatus, OrderDetail, OrderState
from portal_core.domain.paging import ORDER_SORTS
from portal_core.use_cases.orders import list_orders, read_order
from portal_http.answers import Answer
from portal_http.pages.asked import Asked, Section
from portal_http.pages.lists import shelf
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
    detail = await asked.read(lambda store: read_order(store, asked.visit, OrderId(document_id), now=asked.now))
    invoices = detail.invoices if asked.may(Permission.VIEW_INVOICES) else ()
    return asked.page(
        "order.html",
        order=detail.order,
        traces=traces(detail),
        detail=detail,
        invoices=invoices,
        paid=paid(invoices),
    )


def paid(invoices: Sequence[InvoiceSummary]) -> PaymentState | None:
    """Return how far the invoices of an order are paid together; nothing where there is none."""
    states = {each.payment_state for each in invoices if each.kind is InvoiceKind.INVOICE}
    if not states:
        return None
    return states.pop() if len(states) == 1 else PaymentState.PARTIAL


@frozen(kw_only=True)
class Trace:
    """How much of an order's line is where, in the line's unit."""

    ordered: Decimal
    delivered: Decimal
    shipped: Decimal
    back_ordered: Decimal
    invoiced: Decimal

    @property
    def share_delivered(self) -> int:
        """How many hundredths of what was ordered are delivered."""
        return self._share(self.delivered)

    @property
    def share_coming(self) -> int:
        """How many hundredths of what was ordered are delivered or on their way."""
        return self._share(self.delivered + self.shipped)

    def _share(self, part: Decimal) -> int:
        return int(min(max(part * 100 / self.ordered, Decimal(0)), Decimal(100))) if self.ordered else 0


def traces(detail: OrderDetail) -> dict[str, Trace]:
    """Return how far each item of an order is, by the line's id."""
    back_orders = tuple(each for each in detail.deliveries if each.delivery.backorder_of)
    return {
        line.id: Trace(
            ordered=line.quantity or Decimal(0),
            delivered=line.delivered_quantity or Decimal(0),
            shipped=_coming(detail.deliveries, line.id, frozenset({DeliveryState.SHIPPED})),
            back_ordered=_coming(back_orders, line.id, _BEFORE),
            invoiced=line.invoiced_quantity or Decimal(0),
        )
        for line in detail.order.lines
        if line.kind is LineKind.ITEM
    }


_BEFORE = frozenset({DeliveryState.WAITING, DeliveryState.READY})


def _coming(deliveries: tuple[DeliveryView, ...], line_id: str, states: frozenset[DeliveryState]) -> Decimal:
    """Return how much of an order's line the deliveries in some states have yet to bring."""
    lines = (line for each in deliveries if each.delivery.state in states for line in each.delivery.lines)
    missing = (line.quantity - line.delivered_quantity for line in lines if line.order_line_id == line_id)
    return sum((max(each, Decimal(0)) for each in missing), Decimal(0))
