import hashlib
from typing import Any

import pytest
from attrs import evolve

from portal_core.domain.access import DocumentRef, DocumentType, Permission
from portal_core.domain.audit import Actor, ActorType, AuditAction, Target, TargetType
from portal_core.domain.errors import InvalidInput, NotFound, PermissionDenied
from portal_core.domain.filters import AuditFilter
from portal_core.domain.ids import CompanyId, InvoiceId
from portal_core.domain.invoices import InvoiceState
from portal_core.domain.paging import Listing
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Store
from portal_core.use_cases.audit import list_audit_entries
from portal_core.use_cases.files import attach_file, detach_file, read_attached_file, read_invoice_file
from portal_core.use_cases.records import ClientRecords, Deletion, take_in_records
from tests.core.samples import CLIENT, COMPANY, NOW, SECOND, STRANGER, a_visit, an_invoice, only

PDF = b"%PDF-1.7\n1 0 obj\n%%EOF\n"
INVOICE = an_invoice()


def keep(store: Store, **changes: Any) -> None:
    store.intake.save([evolve(INVOICE, **changes)])


def test_a_client_reads_the_file_that_was_attached_with_the_invoice_that_it_is_of(store: Store) -> None:
    keep(store)

    attached = attach_file(store, COMPANY.id, INVOICE.id, PDF, now=NOW)

    detail, file = read_invoice_file(store, a_visit(), INVOICE.id, now=NOW)
    assert detail.summary.number == INVOICE.number
    assert file == attached == read_attached_file(store, COMPANY.id, INVOICE.id)
    assert (file.content, file.sha256, file.attached_at) == (PDF, hashlib.sha256(PDF).hexdigest(), NOW)


def test_a_later_file_takes_the_place_of_the_one_before(store: Store) -> None:
    keep(store)
    attach_file(store, COMPANY.id, INVOICE.id, PDF, now=NOW)

    later = attach_file(store, COMPANY.id, INVOICE.id, PDF + b"\n", now=NOW + SECOND)

    assert read_attached_file(store, COMPANY.id, INVOICE.id) == later


@pytest.mark.parametrize("content", [b"", b"MZ", b"%PDF-1.7", b"<html>%PDF-1.7 %%EOF", PDF + b" " * 1024])
def test_what_is_no_pdf_or_only_a_part_of_one_is_refused(store: Store, content: bytes) -> None:
    keep(store)

    with pytest.raises(InvalidInput):
        attach_file(store, COMPANY.id, INVOICE.id, content, now=NOW)


def test_an_invoice_without_a_file_has_none_to_read_or_to_take_away(store: Store) -> None:
    keep(store)

    with pytest.raises(NotFound):
        read_invoice_file(store, a_visit(), INVOICE.id, now=NOW)
    with pytest.raises(NotFound):
        detach_file(store, COMPANY.id, INVOICE.id, now=NOW)


@pytest.mark.parametrize("company_id, invoice_id", [(COMPANY.id, "none"), ("another", INVOICE.id)])
def test_an_invoice_that_the_company_has_not_gets_no_file(store: Store, company_id: str, invoice_id: str) -> None:
    keep(store)

    with pytest.raises(NotFound):
        attach_file(store, CompanyId(company_id), InvoiceId(invoice_id), PDF, now=NOW)


def test_a_file_can_be_attached_before_its_invoice_is_posted_and_is_not_shown_till_then(store: Store) -> None:
    keep(store, state=InvoiceState.DRAFT)
    attach_file(store, COMPANY.id, INVOICE.id, PDF, now=NOW)

    with pytest.raises(NotFound):
        read_invoice_file(store, a_visit(), INVOICE.id, now=NOW)

    keep(store)
    assert read_invoice_file(store, a_visit(), INVOICE.id, now=NOW)[1].content == PDF


def test_a_file_is_for_whom_the_invoice_is_for(store: Store) -> None:
    keep(store, client_id=STRANGER.id)
    attach_file(store, COMPANY.id, INVOICE.id, PDF, now=NOW)

    with pytest.raises(NotFound):
        read_invoice_file(store, a_visit(), INVOICE.id, now=NOW)


def test_a_link_that_may_not_view_invoices_or_shows_others_gets_no_file(store: Store) -> None:
    keep(store)
    attach_file(store, COMPANY.id, INVOICE.id, PDF, now=NOW)
    blind = a_visit(Permission.VIEW_INVOICES)
    elsewhere = a_visit(documents=only((DocumentType.INVOICE, "other")))

    with pytest.raises(PermissionDenied):
        read_invoice_file(store, blind, INVOICE.id, now=NOW)
    with pytest.raises(NotFound):
        read_invoice_file(store, elsewhere, INVOICE.id, now=NOW)


def test_a_file_is_taken_away(store: Store) -> None:
    keep(store)
    attach_file(store, COMPANY.id, INVOICE.id, PDF, now=NOW)

    detach_file(store, COMPANY.id, INVOICE.id, now=NOW)

    assert not store.documents.has(a_visit().scope, DocumentRef(DocumentType.INVOICE, INVOICE.id))


def test_the_file_goes_with_its_record(store: Store) -> None:
    keep(store)
    attach_file(store, COMPANY.id, INVOICE.id, PDF, now=NOW)

    gone = Deletion(RecordRef(RecordType.INVOICE, INVOICE.id))
    take_in_records(store, ClientRecords(company_id=COMPANY.id, client_id=CLIENT.id, read=lambda _: [gone]))

    keep(store)
    assert not store.documents.has(a_visit().scope, DocumentRef(DocumentType.INVOICE, INVOICE.id))


def test_what_is_attached_and_removed_is_in_the_audit_log(store: Store) -> None:
    keep(store)
    ada = Actor(type=ActorType.STAFF, id="ada")

    file = attach_file(store, COMPANY.id, INVOICE.id, PDF, now=NOW, by=ada)
    detach_file(store, COMPANY.id, INVOICE.id, now=NOW + SECOND, by=ada)

    noted = list_audit_entries(store, COMPANY.id, Listing(sort="created_at"), AuditFilter()).items
    assert [each.act.action for each in noted] == [AuditAction.FILE_REMOVED, AuditAction.FILE_ATTACHED]
    assert {each.actor for each in noted} == {ada}
    assert all(each.act.details == {"sha256": file.sha256} for each in noted)
    assert {each.act.target for each in noted} == {Target(TargetType.INVOICE, INVOICE.id)}
