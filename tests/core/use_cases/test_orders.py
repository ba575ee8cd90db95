import pytest
from attrs import evolve

from portal_core.domain.access import DocumentType, Permission
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.errors import NotFound, PermissionDenied
from portal_core.domain.filters import OrderFilter
from portal_core.domain.ids import DeliveryId, InvoiceId, OrderId, QuoteId
from portal_core.domain.invoices import InvoiceState
from portal_core.domain.orders import OrderState
from portal_core.domain.paging import Listing
from portal_core.ports import Store
from portal_core.use_cases.orders import list_orders, read_order
from tests.core.samples import NOW, STRANGER, a_delivery, a_quote, a_visit, an_invoice, an_order, only

NEWEST = Listing(sort="ordered_on")
ORDER = an_order(quote_id=QuoteId("q1"))
LINKED = {"order_id": ORDER.id}


def fill(store: Store) -> None:
    store.intake.save(
        [
            a_quote(order_id=ORDER.id),
            ORDER,
            a_delivery(**LINKED),
            a_delivery(id=DeliveryId("d2"), backorder_of=DeliveryId("d1"), **LINKED),
            a_delivery(id=DeliveryId("draft"), state=DeliveryState.DRAFT, **LINKED),
            an_invoice(**LINKED),
            an_invoice(id=InvoiceId("i2"), **LINKED),
            an_invoice(id=InvoiceId("draft"), state=InvoiceState.DRAFT, **LINKED),
        ]
    )


def test_an_order_is_shown_with_its_deliveries_and_posted_invoices(store: Store) -> None:
    fill(store)

    detail = read_order(store, a_visit(), ORDER.id, now=NOW)

    assert detail.order == ORDER
    assert [each.delivery.id for each in detail.deliveries] == ["d1", "d2"]
    assert [each.id for each in detail.invoices or ()] == ["i1", "i2"]


@pytest.mark.parametrize("state", list(OrderState))
def test_orders_of_every_state_are_shown(store: Store, state: OrderState) -> None:
    store.intake.save([an_order(state=state)])
    narrowed = OrderFilter(states=frozenset({state}))

    listed = list_orders(store, a_visit(), NEWEST, narrowed, now=NOW).items

    assert [each.state for each in listed] == [state]
    assert read_order(store, a_visit(), ORDER.id, now=NOW).order.state is state


def test_a_link_to_single_documents_shows_nothing_beside_them(store: Store) -> None:
    fill(store)
    order, second = (DocumentType.ORDER, "o1"), (DocumentType.DELIVERY, "d2")
    alone = a_visit(documents=only(order))
    some = a_visit(documents=only(order, second, (DocumentType.INVOICE, "i2"), (DocumentType.QUOTE, "q1")))

    by_itself, with_some = (read_order(store, visit, ORDER.id, now=NOW) for visit in (alone, some))

    assert (by_itself.order, by_itself.deliveries, by_itself.invoices) == (evolve(ORDER, quote_id=None), (), ())
    assert with_some.order == ORDER
    (delivery,) = with_some.deliveries
    assert (delivery.delivery.id, delivery.backorder_of, delivery.delivery.backorder_of) == ("d2", None, None)
    assert [(each.id, each.order_id) for each in with_some.invoices or ()] == [("i2", "o1")]
    assert [each.quote_id for each in list_orders(store, alone, NEWEST, OrderFilter(), now=NOW).items] == [None]
    assert [each.quote_id for each in list_orders(store, some, NEWEST, OrderFilter(), now=NOW).items] == ["q1"]


def test_reading_needs_the_permission_and_an_order_of_theirs(store: Store) -> None:
    store.intake.save([an_order(client_id=STRANGER.id)])
    without = a_visit(Permission.VIEW_ORDERS)

    with pytest.raises(PermissionDenied, match="view_orders"):
        read_order(store, without, OrderId("o1"), now=NOW)
    with pytest.raises(PermissionDenied, match="view_orders"):
        list_orders(store, without, NEWEST, OrderFilter(), now=NOW)
    with pytest.raises(NotFound):
        read_order(store, a_visit(), OrderId("o1"), now=NOW)

    assert list_orders(store, a_visit(), NEWEST, OrderFilter(), now=NOW).items == ()


def test_the_invoices_of_an_order_are_withheld_from_a_link_that_may_not_view_invoices(store: Store) -> None:
    fill(store)

    whole, narrowed = a_visit(Permission.VIEW_INVOICES), only((DocumentType.ORDER, "o1"))

    assert read_order(store, whole, ORDER.id, now=NOW).invoices is None
    single = a_visit(Permission.VIEW_INVOICES, documents=narrowed)
    assert read_order(store, single, ORDER.id, now=NOW).invoices is None
