"""Orders."""

from portal_core.domain.filters import OrderFilter
from portal_core.domain.ids import OrderId
from portal_core.domain.orders import DeliveryStatus, OrderState
from portal_core.domain.paging import ORDER_SORTS
from portal_core.use_cases.orders import list_orders, read_order
from portal_http import present
from portal_http.answers import Answer
from portal_http.api import glances
from portal_http.calls import ClientCall
from portal_http.cursors import asked_list
from portal_http.queries import choices

STATE = choices("state", OrderState, "The states.")
DELIVERY_STATUS = choices("delivery_status", DeliveryStatus, "How far the goods are.")


async def list_all(call: ClientCall) -> Answer:
    """Return a page of orders."""
    asked = asked_list(call, ORDER_SORTS)
    narrowed = OrderFilter(states=call.query.get(STATE), delivery_statuses=call.query.get(DELIVERY_STATUS))
    page = await call.read(lambda store: list_orders(store, call.visit, asked.listing, narrowed, now=call.now))
    return asked.answer(page, [present.order_row(each) for each in page.items])


async def read_one(call: ClientCall) -> Answer:
    """Return one order."""
    detail = await call.read(lambda store: read_order(store, call.visit, OrderId(call.record_id), now=call.now))
    return glances.ORDER.show(detail, call.visit, call.today)
