"""Staged lines beside the store: what a line alone does not tell, and which line is to blame."""

from collections.abc import Mapping, Sequence

from portal_adapters.records.staging import LineProblem, Problems, Staging
from portal_core.domain.ids import CompanyId, InvoiceId
from portal_core.domain.invoices import Invoice
from portal_core.domain.money import Currency
from portal_core.domain.records import Fact, RecordRef, RecordType
from portal_core.ports import Store
from portal_core.use_cases.records import Deletion, owners_of
from portal_core.use_cases.settling import RecordFault


def give_owners(store: Store, staging: Staging, company_id: CompanyId) -> None:
    """Find out whose the documents are that are to be deleted."""
    for refs in staging.deletions(company_id):
        for ref, client_id in owners_of(store, company_id, refs).items():
            staging.give(company_id, ref, client_id)


def require_company(
    store: Store, staging: Staging, company_id: CompanyId, record: Deletion | None, problems: Problems
) -> None:
    """Take note of records of a company that does not exist, or not any more."""
    missing = record is not None or store.companies.get(company_id) is None
    where = staging.first_upsert(company_id) if missing else None
    if where is not None:
        file, line = where
        detail = f"there is no company {company_id!r}"
        problems.add(LineProblem(file=file, line=line, pointer="/company_id", detail=detail))


def give_units(store: Store, staging: Staging, company_id: CompanyId, problems: Problems) -> None:
    """Read payments again that have to know the currencies of the invoices that they settle."""
    for payment_id, invoice_ids in staging.waiting(company_id):
        staging.settle_units(company_id, payment_id, _units(store, staging, company_id, invoice_ids), problems)


def _units(
    store: Store, staging: Staging, company_id: CompanyId, invoice_ids: Sequence[InvoiceId]
) -> dict[InvoiceId, Currency]:
    """Return the currencies of the invoices that there are, in the files or kept before."""
    units = {each: staging.unit_of(company_id, each) for each in invoice_ids}
    refs = [RecordRef(RecordType.INVOICE, each) for each, unit in units.items() if unit is None]
    kept: Mapping[RecordRef, Fact] = store.facts.find(company_id, refs) if refs else {}
    found = {each.id: each.total.currency for each in kept.values() if isinstance(each, Invoice)}
    return {each: unit for each in units if (unit := units[each] or found.get(each)) is not None}


def located(staging: Staging, company_id: CompanyId, fault: RecordFault) -> LineProblem:
    """Return a fault with the line that it is in, or that brought it about."""
    where = staging.line_of(company_id, fault.ref)
    if where is not None:
        return LineProblem(file=where[0], line=where[1], pointer=fault.pointer, detail=fault.detail)
    detail = f"{fault.ref.type.value} {fault.ref.id}, which is kept already: {fault.detail}"
    cause = fault.because_of
    where = None if cause is None else staging.line_of(company_id, cause.ref)
    if cause is None or where is None:
        return LineProblem(file=staging.first_line(company_id)[0], line=None, pointer="", detail=detail)
    return LineProblem(file=where[0], line=where[1], pointer=cause.pointer, detail=detail)
