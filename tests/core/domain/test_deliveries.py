from portal_core.domain.deliveries import SHOWN_DELIVERY_STATES, DeliveryState
from tests.core.samples import a_delivery


def test_every_delivery_but_a_draft_is_shown() -> None:
    deliveries = [a_delivery(state=state) for state in DeliveryState]

    shown = {each.state for each in deliveries if each.is_shown}

    assert shown == set(DeliveryState) - {DeliveryState.DRAFT} == SHOWN_DELIVERY_STATES
