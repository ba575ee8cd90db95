"""Deliveries."""

from portal_core.domain.deliveries import SHOWN_DELIVERY_STATES
from portal_core.domain.filters import DeliveryFilter
from portal_core.domain.ids import DeliveryId
from portal_core.domain.paging import DELIVERY_SORTS
from portal_core.use_cases.deliveries import list_deliveries, read_delivery
from portal_http import present
from portal_http.answers import Answer
from portal_http.api import glances
from portal_http.calls import ClientCall
from portal_http.cursors import asked_list
from portal_http.queries import choices

STATE = choices("state", SHOWN_DELIVERY_STATES, "The states.")


async def list_all(call: ClientCall) -> Answer:
    """Return a page of deliveries."""
    asked, narrowed = asked_list(call, DELIVERY_SORTS), DeliveryFilter(states=call.query.get(STATE))
    page = await call.read(lambda store: list_deliveries(store, call.visit, asked.listing, narrowed, now=call.now))
    return asked.answer(page, [present.delivery(each) for each in page.items])


async def read_one(call: ClientCall) -> Answer:
    """Return one delivery."""
    found = await call.read(lambda store: read_delivery(store, call.visit, DeliveryId(call.record_id), now=call.now))
    return glances.DELIVERY.show(found, call.visit, call.today)
