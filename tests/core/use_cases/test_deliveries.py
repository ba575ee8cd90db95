import pytest

from portal_core.domain.access import DocumentType, Permission
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.errors import NotFound, PermissionDenied
from portal_core.domain.filters import DeliveryFilter
from portal_core.domain.ids import DeliveryId, OrderId
from portal_core.domain.paging import Listing
from portal_core.ports import Store
from portal_core.use_cases.deliveries import list_deliveries, read_delivery
from tests.core.samples import NOW, STRANGER, a_delivery, a_visit, an_order, only

NEWEST = Listing(sort="scheduled_on")
BACKORDER = a_delivery(id=DeliveryId("d2"), order_id=OrderId("o1"), backorder_of=DeliveryId("d1"))


def test_a_delivery_is_shown_with_its_order_and_what_it_completes(store: Store) -> None:
    store.intake.save([an_order(), a_delivery(), BACKORDER])

    view = read_delivery(store, a_visit(), BACKORDER.id, now=NOW)

    assert (view.delivery, view.order_number, view.backorder_of) == (BACKORDER, "SO0001", "d1")
    assert {
        each.delivery.id for each in list_deliveries(store, a_visit(), NEWEST, DeliveryFilter(), now=NOW).items
    } == {
        "d1",
        "d2",
    }


def test_a_link_to_single_documents_does_not_lead_to_others(store: Store) -> None:
    store.intake.save([an_order(), a_delivery(), BACKORDER])
    delivery, first, order = (DocumentType.DELIVERY, "d2"), (DocumentType.DELIVERY, "d1"), (DocumentType.ORDER, "o1")
    alone, all_three = a_visit(documents=only(delivery)), a_visit(documents=only(delivery, first, order))

    view = read_delivery(store, alone, BACKORDER.id, now=NOW)

    assert (view.delivery.order_id, view.order_number, view.backorder_of) == (None, None, None)
    assert view.delivery.backorder_of is None
    assert list_deliveries(store, alone, NEWEST, DeliveryFilter(), now=NOW).items == (view,)
    seen = read_delivery(store, all_three, BACKORDER.id, now=NOW)
    assert (seen.delivery, seen.order_number, seen.backorder_of) == (BACKORDER, "SO0001", "d1")


def test_reading_needs_the_permission_and_a_delivery_of_theirs_that_is_no_draft(store: Store) -> None:
    store.intake.save([a_delivery(client_id=STRANGER.id), a_delivery(id=DeliveryId("d2"), state=DeliveryState.DRAFT)])
    without = a_visit(Permission.VIEW_DELIVERIES)

    with pytest.raises(PermissionDenied, match="view_deliveries"):
        read_delivery(store, without, DeliveryId("d1"), now=NOW)
    with pytest.raises(PermissionDenied, match="view_deliveries"):
        list_deliveries(store, without, NEWEST, DeliveryFilter(), now=NOW)
    for delivery_id in ("d1", "d2"):
        with pytest.raises(NotFound):
            read_delivery(store, a_visit(), DeliveryId(delivery_id), now=NOW)

    assert list_deliveries(store, a_visit(), NEWEST, DeliveryFilter(), now=NOW).items == ()
