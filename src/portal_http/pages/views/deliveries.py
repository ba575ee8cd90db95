"""Deliveries: the list, and one of them with its tracking and timeline."""

from datetime import date, datetime

from attrs import frozen

from portal_core.domain.access import Permission
from portal_core.domain.deliveries import SHOWN_DELIVERY_STATES, Delivery, DeliveryState
from portal_core.domain.filters import DeliveryFilter
from portal_core.domain.ids import DeliveryId
from portal_core.domain.paging import DELIVERY_SORTS
from portal_core.use_cases.deliveries import list_deliveries, read_delivery
from portal_http.answers import Answer
from portal_http.pages.asked import Asked, Section
from portal_http.pages.labels import N_
from portal_http.pages.lists import shelf
from portal_http.queries import choices

STATES = choices("state", SHOWN_DELIVERY_STATES, "The state.")
STEPS = (DeliveryState.WAITING, DeliveryState.READY, DeliveryState.SHIPPED, DeliveryState.DELIVERED)


async def show_list(asked: Asked) -> Answer:
    """Show a page of the client's deliveries."""
    asked.visit.grant.require(Permission.VIEW_DELIVERIES, at=asked.now)
    of = shelf(asked, Section.DELIVERIES, DELIVERY_SORTS, STATES)
    narrowed = DeliveryFilter(states=of.query.get(STATES))
    page = await asked.read(lambda store: list_deliveries(store, asked.visit, of.listing, narrowed, now=asked.now))
    return asked.page("deliveries.html", shelf=of, page=page, choices=of.choices("state", STEPS))


async def show(asked: Asked, document_id: str) -> Answer:
    """Show one delivery."""
    view = await asked.read(lambda store: read_delivery(store, asked.visit, DeliveryId(document_id), now=asked.now))
    return asked.page("delivery.html", view=view, delivery=view.delivery, timeline=timeline(view.delivery))


@frozen
class Step:
    """A step of a delivery: what happens, when if that is known, and whether it has."""

    words: str
    on: date | None
    at: datetime | None
    done: bool


def timeline(delivery: Delivery) -> tuple[Step, ...]:
    """Return what happened to a delivery and what is still to come; of a cancelled one only what happened."""
    steps = (
        Step(N_("Planned"), delivery.scheduled_on, None, done=True),
        Step(N_("Ready to ship"), None, None, done=_reached(delivery, DeliveryState.READY)),
        Step(N_("Handed to the carrier"), None, delivery.shipped_at, done=_reached(delivery, DeliveryState.SHIPPED)),
        Step(N_("Delivered"), None, delivery.delivered_at, done=_reached(delivery, DeliveryState.DELIVERED)),
    )
    if delivery.state is DeliveryState.CANCELLED:
        return (*(step for step in steps if step.done), Step(N_("Cancelled"), None, None, done=True))
    return steps


def _reached(delivery: Delivery, state: DeliveryState) -> bool:
    if delivery.state is DeliveryState.CANCELLED:
        return state is DeliveryState.SHIPPED and delivery.shipped_at is not None
    return STEPS.index(delivery.state) >= STEPS.index(state)
