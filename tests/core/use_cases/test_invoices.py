import pytest

from portal_core.domain.access import DocumentType, Permission
from portal_core.domain.errors import NotFound, PermissionDenied
from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.ids import InvoiceId, OrderId
from portal_core.domain.invoices import Adjustment, CreditAllocation, InvoiceDetail, InvoiceState, PaymentState
from portal_core.domain.paging import Listing
from portal_core.ports import Store
from portal_core.use_cases.invoices import list_invoices, read_invoice
from tests.core.samples import (
    DAY,
    NOW,
    STRANGER,
    TODAY,
    a_credit_note,
    a_payment,
    a_visit,
    an_invoice,
    an_order,
    euros,
    only,
    paying,
)

NEWEST = Listing(sort="issued_on")
DISCOUNT = Adjustment(amount=euros("3.00"), reason="Early payment", adjusted_on=TODAY)
INVOICE = an_invoice(order_id=OrderId("o1"), adjustments=(DISCOUNT,))
NOTE = a_credit_note(allocations=(CreditAllocation(invoice_id=INVOICE.id, amount=euros("25.00")),))


def fill(store: Store) -> None:
    store.intake.save([an_order(), INVOICE, NOTE, a_payment(paying(INVOICE, euros("10.00")))])


def sources(detail: InvoiceDetail) -> list[str]:
    return sorted(part.source_number for part in detail.settlements or ())


def test_an_invoice_is_shown_with_all_that_settled_it(store: Store) -> None:
    fill(store)

    invoice, note = (read_invoice(store, a_visit(), each.id, now=NOW) for each in (INVOICE, NOTE))

    assert sources(invoice) == ["Early payment", "PAY1", "RINV1"]
    assert (invoice.summary.amount_due, note.summary.amount_due) == (euros("62.00"), euros("15.00"))
    assert [part.invoice_id for part in note.allocations or ()] == ["i1"]


def test_a_link_to_single_documents_shows_nothing_beside_them(store: Store) -> None:
    fill(store)
    invoice, note, payment = (DocumentType.INVOICE, "i1"), (DocumentType.INVOICE, "n1"), (DocumentType.PAYMENT, "p1")

    def shown(document_id: str, *documents: tuple[DocumentType, str]) -> InvoiceDetail:
        return read_invoice(store, a_visit(documents=only(*documents)), InvoiceId(document_id), now=NOW)

    assert sources(shown("i1", invoice)) == ["Early payment"]
    assert sources(shown("i1", invoice, note)) == ["Early payment", "RINV1"]
    assert sources(shown("i1", invoice, payment)) == ["Early payment", "PAY1"]
    assert (shown("i1", invoice).summary.order_id, shown("i1", invoice).summary.amount_due) == (None, euros("62.00"))
    assert shown("i1", invoice, (DocumentType.ORDER, "o1")).summary.order_id == "o1"
    assert (shown("n1", note).allocations, len(shown("n1", note, invoice).allocations or ())) == ((), 1)
    alone = a_visit(documents=only(invoice))
    assert [each.order_id for each in list_invoices(store, alone, NEWEST, InvoiceFilter(), now=NOW).items] == [None]


def test_what_is_overdue_is_judged_by_the_companys_day(store: Store) -> None:
    store.intake.save([an_invoice(due_on=TODAY), NOTE])
    narrowed = InvoiceFilter(overdue=True)

    before, after = (
        list_invoices(store, a_visit(), NEWEST, narrowed, now=NOW.replace(hour=hour)).items for hour in (22, 23)
    )

    assert (before, [each.id for each in after]) == ((), ["i1"])


def test_to_ask_what_is_paid_leaves_credit_notes_out(store: Store) -> None:
    store.intake.save([an_invoice(total=euros("0.00")), a_credit_note(total=euros("0.00"))])
    narrowed = InvoiceFilter(payment_states=frozenset({PaymentState.PAID}))

    found = list_invoices(store, a_visit(), NEWEST, narrowed, now=NOW + DAY).items

    assert [each.id for each in found] == ["i1"]


def test_reading_needs_the_permission_and_a_posted_document_of_theirs(store: Store) -> None:
    drafts = [an_invoice(id=InvoiceId(state.value), state=state) for state in InvoiceState]
    store.intake.save([an_invoice(client_id=STRANGER.id), *drafts])
    without = a_visit(Permission.VIEW_INVOICES)

    with pytest.raises(PermissionDenied, match="view_invoices"):
        read_invoice(store, without, InvoiceId("posted"), now=NOW)
    with pytest.raises(PermissionDenied, match="view_invoices"):
        list_invoices(store, without, NEWEST, InvoiceFilter(), now=NOW)
    for invoice_id in ("i1", "draft", "cancelled"):
        with pytest.raises(NotFound):
            read_invoice(store, a_visit(), InvoiceId(invoice_id), now=NOW)

    assert [each.id for each in list_invoices(store, a_visit(), NEWEST, InvoiceFilter(), now=NOW).items] == ["posted"]


def test_what_settled_an_invoice_is_withheld_from_a_link_that_may_not_view_payments(store: Store) -> None:
    fill(store)
    whole, documents = a_visit(Permission.VIEW_PAYMENTS), only((DocumentType.INVOICE, "n1"))

    invoice, note = (read_invoice(store, whole, each.id, now=NOW) for each in (INVOICE, NOTE))

    assert (invoice.settlements, invoice.allocations) == (None, None)
    assert (note.settlements, note.allocations) == (None, None)
    single = a_visit(Permission.VIEW_PAYMENTS, documents=documents)
    assert read_invoice(store, single, NOTE.id, now=NOW).allocations is None
