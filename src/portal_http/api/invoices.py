"""Invoices and credit notes."""

from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.ids import InvoiceId
from portal_core.domain.invoices import InvoiceKind, PaymentState
from portal_core.domain.paging import INVOICE_SORTS
from portal_core.use_cases.invoices import list_invoices, read_invoice
from portal_http import present
from portal_http.answers import Answer
from portal_http.api import glances
from portal_http.calls import ClientCall
from portal_http.cursors import asked_list
from portal_http.queries import OVERDUE, choices

KIND = choices("kind", InvoiceKind, "Invoices, credit notes, or both.")
PAYMENT_STATE = choices("payment_state", PaymentState, "How far they are settled; asks about invoices.")


async def list_all(call: ClientCall) -> Answer:
    """Return a page of invoices and credit notes."""
    asked, query = asked_list(call, INVOICE_SORTS), call.query
    narrowed = InvoiceFilter(kinds=query.get(KIND), payment_states=query.get(PAYMENT_STATE), overdue=query.get(OVERDUE))
    page = await call.read(lambda store: list_invoices(store, call.visit, asked.listing, narrowed, now=call.now))
    return asked.answer(page, [present.invoice_row(each, call.today) for each in page.items])


async def read_one(call: ClientCall) -> Answer:
    """Return one invoice or credit note."""
    detail = await call.read(lambda store: read_invoice(store, call.visit, InvoiceId(call.record_id), now=call.now))
    return glances.INVOICE.show(detail, call.visit, call.today)
