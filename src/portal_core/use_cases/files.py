"""Documents as files: read by clients, attached and taken away by staff."""

from datetime import datetime

from portal_core.domain.access import DocumentRef, DocumentType, Scope, Visit
from portal_core.domain.audit import PROGRAM, Act, Actor, AuditAction, Target, TargetType
from portal_core.domain.files import DocumentFile, a_pdf
from portal_core.domain.ids import ClientId, CompanyId, InvoiceId
from portal_core.domain.invoices import InvoiceDetail
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Store
from portal_core.use_cases.audit import note_act
from portal_core.use_cases.finding import require_found
from portal_core.use_cases.invoices import read_invoice


def read_invoice_file(
    store: Store, visit: Visit, invoice_id: InvoiceId, *, now: datetime
) -> tuple[InvoiceDetail, DocumentFile]:
    """Return an invoice or credit note and its file; refuse with NotFound one that has none."""
    detail = read_invoice(store, visit, invoice_id, now=now)
    found = store.documents.find(visit.scope, DocumentRef(DocumentType.INVOICE, invoice_id))
    return detail, require_found(found, "file of invoice", invoice_id)


def attach_file(
    store: Store, company_id: CompanyId, invoice_id: InvoiceId, content: bytes, *, now: datetime, by: Actor = PROGRAM
) -> DocumentFile:
    """Keep the file of an invoice or credit note, drafts included, in the place of any before.

    Refuses with NotFound for an invoice that there is not, with InvalidInput what is no PDF.
    """
    owner = _owner(store, company_id, invoice_id)
    document = DocumentRef(DocumentType.INVOICE, invoice_id)
    file = a_pdf(company_id, owner, document, content, at=now)
    # Records of the client are not taken in meanwhile: nobody deletes the invoice before its file is there.
    store.intake.ledger(company_id, owner, ())
    _owner(store, company_id, invoice_id)
    store.attachments.attach(file)
    _note(store, AuditAction.FILE_ATTACHED, file, by=by, now=now)
    return file


def read_attached_file(store: Store, company_id: CompanyId, invoice_id: InvoiceId) -> DocumentFile:
    """Return the file of an invoice or credit note to staff; refuse with NotFound one that has none."""
    scope = Scope(company_id, _owner(store, company_id, invoice_id))
    found = store.documents.find(scope, DocumentRef(DocumentType.INVOICE, invoice_id))
    return require_found(found, "file of invoice", invoice_id)


def detach_file(
    store: Store, company_id: CompanyId, invoice_id: InvoiceId, *, now: datetime, by: Actor = PROGRAM
) -> None:
    """Take an invoice's file away; refuse with NotFound where there is none."""
    file = read_attached_file(store, company_id, invoice_id)
    store.attachments.remove(company_id, [file.document])
    _note(store, AuditAction.FILE_REMOVED, file, by=by, now=now)


def _note(store: Store, action: AuditAction, file: DocumentFile, *, by: Actor, now: datetime) -> None:
    act = Act(
        action=action,
        company_id=file.company_id,
        client_id=file.client_id,
        target=Target(TargetType.INVOICE, file.document.id),
        details={"sha256": file.sha256},
    )
    note_act(store, act, by=by, now=now)


def _owner(store: Store, company_id: CompanyId, invoice_id: InvoiceId) -> ClientId:
    ref = RecordRef(RecordType.INVOICE, invoice_id)
    kept = store.facts.kept(company_id, [ref]).get(ref)
    return require_found(None if kept is None else kept.client_id, "invoice", invoice_id)
