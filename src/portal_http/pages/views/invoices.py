"""Invoices and credit notes: the list, and one of them with what is due when and how to pay it."""

from portal_core.domain.access import DocumentType, Permission
from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.ids import InvoiceId
from portal_core.domain.invoices import InvoiceKind, PaymentState
from portal_core.domain.paging import INVOICE_SORTS
from portal_core.use_cases.files import read_invoice_file
from portal_core.use_cases.invoices import list_invoices, read_invoice
from portal_http.answers import Answer
from portal_http.files import file_of_invoice
from portal_http.pages.asked import Asked, Section
from portal_http.pages.labels import N_, label
from portal_http.pages.lists import Choice, Shelf, shelf
from portal_http.pages.shown.about import paper_of
from portal_http.queries import OVERDUE, choices

KINDS = choices("kind", frozenset(InvoiceKind), "Invoices or credit notes.")
PAID = choices("payment_state", frozenset(PaymentState), "How far an invoice is settled.")


async def show_list(asked: Asked) -> Answer:
    """Show a page of the client's invoices and credit notes."""
    asked.visit.grant.require(Permission.VIEW_INVOICES, at=asked.now)
    of = shelf(asked, Section.INVOICES, INVOICE_SORTS, KINDS, PAID, OVERDUE)
    query = of.query
    narrowed = InvoiceFilter(kinds=query.get(KINDS), payment_states=query.get(PAID), overdue=query.get(OVERDUE))
    page = await asked.read(lambda store: list_invoices(store, asked.visit, of.listing, narrowed, now=asked.now))
    return asked.page("invoices.html", shelf=of, page=page, choices=_choices(of))


async def show(asked: Asked, document_id: str) -> Answer:
    """Show one invoice or credit note."""
    detail, paper = await asked.read(
        lambda store: (
            read_invoice(store, asked.visit, InvoiceId(document_id), now=asked.now),
            paper_of(store, asked, DocumentType.INVOICE, document_id, printed=False),
        )
    )
    company = asked.visit.company
    return asked.page(
        "invoice.html",
        detail=detail,
        paper=paper,
        invoice=detail.summary,
        settlements=detail.settlements or (),
        allocations=detail.allocations or (),
        overdue=detail.summary.is_overdue(asked.today),
        due=detail.due_now(asked.today),
        instructions=detail.summary.payment_instructions or company.payment_instructions,
    )


async def show_file(asked: Asked, document_id: str) -> Answer:
    """Answer with the file of an invoice or credit note."""
    detail, file = await asked.read(
        lambda store: read_invoice_file(store, asked.visit, InvoiceId(document_id), now=asked.now)
    )
    return file_of_invoice(detail.summary, file)


def _choices(of: Shelf) -> list[Choice]:
    open_states = f"{PaymentState.NOT_PAID.value},{PaymentState.PARTIAL.value}"
    offered = [
        of.choice("payment_state", open_states, N_("To pay")),
        of.choice("overdue", "true", N_("Overdue")),
        of.choice("payment_state", PaymentState.PAID.value, label(PaymentState.PAID)),
        of.choice("kind", InvoiceKind.CREDIT_NOTE.value, N_("Credit notes")),
    ]
    return [Choice(N_("All"), of.address, not any(each.current for each in offered)), *offered]
