"""Everything that is kept about one client, as JSON Lines: the answer to somebody who asks what there is about them."""

from collections.abc import Iterator
from datetime import datetime

from portal_adapters.records.writing import Object, export_records, line_of, moment
from portal_core.domain.access import Grant, Permission
from portal_core.domain.audit import AuditEntry
from portal_core.domain.documents import JSON
from portal_core.domain.events import Event
from portal_core.domain.filters import AuditFilter, GrantFilter
from portal_core.domain.ids import ClientId, CompanyId, EventId
from portal_core.domain.paging import LARGEST_LIMIT, every
from portal_core.ports import Store


def export_everything(store: Store, company_id: CompanyId, client_id: ClientId, *, now: datetime) -> Iterator[bytes]:
    """Yield the lines of a client's facts, decisions, feedback, links without secrets, audit entries and events.

    Within a type the oldest comes first. There are none if there is no such client.
    """
    yield from export_records(store, company_id=company_id, client_id=client_id, decisions=True)
    if store.clients.get(company_id, client_id) is not None:
        yield from map(line_of, _tokens(store, company_id, client_id, now))
        yield from map(line_of, _audit_entries(store, company_id, client_id))
        yield from map(line_of, _events(store, company_id, client_id))


def _tokens(store: Store, company_id: CompanyId, client_id: ClientId, now: datetime) -> Iterator[Object]:
    narrowed = GrantFilter(client_id=client_id)
    found = every(lambda listing: store.grants.page(company_id, listing, narrowed, at=now), descending=False)
    return map(_token, found)


def _token(grant: Grant) -> Object:
    return {
        "type": "token",
        "company_id": grant.company_id,
        "id": grant.id,
        "client_id": grant.client_id,
        "label": grant.label,
        "permissions": [each.value for each in Permission if each in grant.permissions],
        "documents": _documents(grant),
        "created_at": moment(grant.created_at),
        "expires_at": moment(grant.expires_at),
        "revoked_at": moment(grant.revoked_at),
        "last_used_at": moment(grant.last_used_at),
        "hint": grant.hint,
    }


def _documents(grant: Grant) -> JSON:
    if grant.documents is None:
        return None
    refs = sorted(grant.documents, key=lambda ref: (ref.type, ref.id))
    return [{"type": ref.type.value, "id": ref.id} for ref in refs]


def _audit_entries(store: Store, company_id: CompanyId, client_id: ClientId) -> Iterator[Object]:
    narrowed = AuditFilter(client_id=client_id)
    found = every(lambda listing: store.audit.page(company_id, listing, narrowed), descending=False)
    return map(_audit_entry, found)


def _audit_entry(entry: AuditEntry) -> Object:
    act, actor = entry.act, entry.actor
    return {
        "type": "audit_entry",
        "company_id": act.company_id,
        "id": entry.id,
        "client_id": act.client_id,
        "created_at": moment(entry.created_at),
        "action": act.action.value,
        "actor": {"type": actor.type.value, "id": actor.id, "token_hint": actor.token_hint},
        "ip": actor.ip,
        "user_agent": actor.user_agent,
        "target": {"type": act.target.type.value, "id": act.target.id},
        "details": act.details,
    }


def _events(store: Store, company_id: CompanyId, client_id: ClientId) -> Iterator[Object]:
    """Yield the client's events, out of all that the company has: the port keeps them in one order for all."""
    after: EventId | None = None
    while (page := store.events.page(company_id, after=after, limit=LARGEST_LIMIT)) is not None and page.items:
        yield from (_event(each) for each in page.items if each.client_id == client_id)
        after = page.items[-1].id


def _event(event: Event) -> Object:
    return {
        "type": "event",
        "company_id": event.company_id,
        "id": event.id,
        "client_id": event.client_id,
        "event": event.type.value,
        "occurred_at": moment(event.occurred_at),
        "data": event.data,
    }
