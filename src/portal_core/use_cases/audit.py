"""The audit log: noting an act in its own transaction, and, for staff, reading what was noted."""

from datetime import datetime

from portal_core.domain.audit import Act, Actor, AuditEntry
from portal_core.domain.filters import AuditFilter
from portal_core.domain.ids import AuditEntryId, CompanyId
from portal_core.domain.paging import Listing, Page
from portal_core.ports import Store


def list_audit_entries(
    store: Store, company_id: CompanyId, listing: Listing, narrowed: AuditFilter
) -> Page[AuditEntry]:
    """Return a page of a company's audit log."""
    return store.audit.page(company_id, listing, narrowed)


def note_act(store: Store, act: Act, *, by: Actor, now: datetime) -> None:
    """Add an act to the audit log, to be kept or rolled back together with what it did."""
    store.audit.append(entry_of(store, act, by=by, now=now))


def entry_of(store: Store, act: Act, *, by: Actor, now: datetime) -> AuditEntry:
    """Return the entry of an act, for a port that keeps it with what it did."""
    return AuditEntry(id=AuditEntryId(store.mint.new_id()), act=act, actor=by, created_at=now)
