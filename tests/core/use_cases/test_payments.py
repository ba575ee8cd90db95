import pytest
from attrs import evolve

from portal_core.domain.access import DocumentType, Permission
from portal_core.domain.errors import NotFound, PermissionDenied
from portal_core.domain.ids import InvoiceId, PaymentId
from portal_core.domain.paging import Listing
from portal_core.domain.payments import PaymentRecordState
from portal_core.ports import Store
from portal_core.use_cases.payments import list_payments, read_payment
from tests.core.samples import NOW, STRANGER, a_payment, a_visit, an_invoice, euros, only, paying

NEWEST = Listing(sort="received_on")
FIRST, SECOND = an_invoice(), an_invoice(id=InvoiceId("i2"), number="INV2")
PAYMENT = a_payment(paying(FIRST, euros("20.00")), paying(SECOND, euros("30.00")))


def test_a_payment_is_shown_with_the_invoices_it_paid_even_to_who_may_not_view_them(store: Store) -> None:
    store.intake.save([FIRST, SECOND, PAYMENT])

    view = read_payment(store, a_visit(Permission.VIEW_INVOICES), PAYMENT.id, now=NOW)

    assert [(part.invoice_id, part.invoice_number, part.amount.amount) for part in view.allocations] == [
        ("i1", "INV1", "20.00"),
        ("i2", "INV2", "30.00"),
    ]
    assert (view.payment, view.unallocated) == (PAYMENT, euros("10.00"))


def test_a_link_to_single_documents_does_not_name_others(store: Store) -> None:
    store.intake.save([FIRST, SECOND, PAYMENT])
    visit = a_visit(documents=only((DocumentType.PAYMENT, "p1"), (DocumentType.INVOICE, "i2")))

    view = read_payment(store, visit, PAYMENT.id, now=NOW)

    assert [part.invoice_id for part in view.allocations] == ["i2"]
    assert view.payment == evolve(PAYMENT, allocations=PAYMENT.allocations[1:])
    assert view.unallocated == euros("10.00")
    assert list_payments(store, visit, NEWEST, now=NOW).items == (view,)


def test_reading_needs_the_permission_and_a_shown_payment_of_theirs(store: Store) -> None:
    payments = [a_payment(id=PaymentId(state.value), state=state) for state in PaymentRecordState]
    store.intake.save([a_payment(client_id=STRANGER.id), *payments])
    without = a_visit(Permission.VIEW_PAYMENTS)

    with pytest.raises(PermissionDenied, match="view_payments"):
        read_payment(store, without, PaymentId("paid"), now=NOW)
    with pytest.raises(PermissionDenied, match="view_payments"):
        list_payments(store, without, NEWEST, now=NOW)
    for payment_id in ("p1", "draft", "cancelled"):
        with pytest.raises(NotFound):
            read_payment(store, a_visit(), PaymentId(payment_id), now=NOW)

    shown = {each.payment.id for each in list_payments(store, a_visit(), NEWEST, now=NOW).items}
    assert shown == {"in_process", "paid"}
