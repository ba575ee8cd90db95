import pytest

from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.invoices import InvoiceKind, PaymentState

INVOICES, NOTES = frozenset({InvoiceKind.INVOICE}), frozenset({InvoiceKind.CREDIT_NOTE})


@pytest.mark.parametrize(
    "narrowed, kinds",
    [
        (InvoiceFilter(), None),
        (InvoiceFilter(overdue=True), INVOICES),
        (InvoiceFilter(overdue=False), INVOICES),
        (InvoiceFilter(payment_states=frozenset({PaymentState.PAID})), INVOICES),
        (InvoiceFilter(kinds=NOTES, payment_states=frozenset({PaymentState.PAID})), NOTES),
        (InvoiceFilter(kinds=NOTES), NOTES),
    ],
    ids=["nothing", "overdue", "not overdue", "paid", "paid notes", "notes"],
)
def test_to_ask_how_it_is_paid_is_to_ask_about_invoices(
    narrowed: InvoiceFilter, kinds: frozenset[InvoiceKind] | None
) -> None:
    meant = narrowed.kinds_meant

    assert meant == kinds
