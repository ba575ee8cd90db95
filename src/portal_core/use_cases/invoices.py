"""Reading invoices and credit notes."""

from datetime import datetime

from attrs import evolve

from portal_core.domain.access import Permission, Visit
from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.ids import InvoiceId
from portal_core.domain.invoices import InvoiceDetail, InvoiceSummary
from portal_core.domain.paging import Listing, Page
from portal_core.ports import Store
from portal_core.use_cases.finding import require_found
from portal_core.use_cases.narrowing import narrow_invoice, narrow_invoice_detail, page_within, within


def list_invoices(
    store: Store, visit: Visit, listing: Listing, narrowed: InvoiceFilter, *, now: datetime
) -> Page[InvoiceSummary]:
    """Return a page of the client's invoices and credit notes."""
    visit.grant.require(Permission.VIEW_INVOICES, at=now)
    page = store.invoices.page(visit.scope, listing, narrowed, on=visit.today(now))
    return page_within(visit.scope, page, narrow_invoice)


def read_invoice(store: Store, visit: Visit, invoice_id: InvoiceId, *, now: datetime) -> InvoiceDetail:
    """Return one invoice or credit note.

    What settled it, and what a credit note settled, is withheld from links that may not view payments.
    """
    visit.grant.require(Permission.VIEW_INVOICES, at=now)
    detail = require_found(store.invoices.get(visit.scope, invoice_id), "invoice", invoice_id)
    if not visit.grant.may(Permission.VIEW_PAYMENTS):
        detail = evolve(detail, settlements=None, allocations=None)
    return within(visit.scope, detail, narrow_invoice_detail)
