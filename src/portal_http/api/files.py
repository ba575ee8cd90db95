"""Invoices as files: served to clients, and attached by staff."""

from portal_core.domain.ids import InvoiceId
from portal_core.ports import Store
from portal_core.use_cases.files import attach_file, detach_file, read_attached_file, read_invoice_file
from portal_http import present
from portal_http.answers import Answer, answered, nothing
from portal_http.calls import ClientCall, StaffCall
from portal_http.files import file_of_invoice, pdf


async def read_invoice(call: ClientCall) -> Answer:
    """Return the file of an invoice or credit note."""
    detail, file = await call.read(
        lambda store: read_invoice_file(store, call.visit, InvoiceId(call.record_id), now=call.now)
    )
    return file_of_invoice(detail.summary, file)


async def attach(call: StaffCall, content: bytes) -> Answer:
    """Keep the file of an invoice or credit note."""

    def work(store: Store) -> Answer:
        file = attach_file(store, call.company_id, InvoiceId(call.record_id), content, now=call.now, by=call.actor)
        return answered(present.file_row(file))

    return await call.write(work)


async def read_attached(call: StaffCall) -> Answer:
    """Return the file of an invoice or credit note."""
    file = await call.read(lambda store: read_attached_file(store, call.company_id, InvoiceId(call.record_id)))
    return pdf(file.content, f"invoice-{call.record_id}", sha256=file.sha256)


async def detach(call: StaffCall) -> Answer:
    """Take the file of an invoice or credit note away."""

    def work(store: Store) -> Answer:
        detach_file(store, call.company_id, InvoiceId(call.record_id), now=call.now, by=call.actor)
        return nothing()

    return await call.write(work)
