"""What happened to a delivery, and what is still to come."""

from datetime import date, datetime

from attrs import frozen

from portal_core.domain.deliveries import Delivery, DeliveryState
from portal_http.pages.labels import N_

STEPS = (DeliveryState.WAITING, DeliveryState.READY, DeliveryState.SHIPPED, DeliveryState.DELIVERED)


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
