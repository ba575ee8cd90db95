"""Erasing a client: what they wrote and where they are reached goes, and what evidence must keep stays."""

from collections.abc import Iterator
from datetime import datetime
from typing import cast

from attrs import evolve

from portal_core.domain.access import Grant
from portal_core.domain.audit import PROGRAM, Act, Actor, AuditAction, Target, TargetType
from portal_core.domain.companies import Client
from portal_core.domain.documents import JSON
from portal_core.domain.errors import Busy
from portal_core.domain.events import without_texts
from portal_core.domain.filters import DispatchFilter, GrantFilter
from portal_core.domain.ids import ClientId, CompanyId, GrantId
from portal_core.domain.outbox import Dispatch
from portal_core.domain.paging import every
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Store
from portal_core.use_cases.access import revoke_link
from portal_core.use_cases.audit import note_act
from portal_core.use_cases.finding import require_found
from portal_core.use_cases.mail import LINK


def erase_client(
    store: Store, company_id: CompanyId, client_id: ClientId, *, now: datetime, by: Actor = PROGRAM
) -> dict[str, int]:
    """Erase what is personal about a client, and return how many things of each kind that changed.

    Links are revoked and lose their labels; the client's record loses its e-mail address, and its id becomes its name;
    tickets, replies and events lose what was written; messages to the client or with such texts, and kept answers to
    the client, are removed. Decisions with their evidence, documents and the audit log stay. Done again it changes
    nothing, and leaves no entry in the audit log.

    Refuses with NotFound where there is no such client, with Busy where somebody is changing a link.
    """
    store.intake.claim(company_id, [RecordRef(RecordType.CLIENT, client_id)])
    client = require_found(store.clients.get(company_id, client_id), "client", client_id)
    grants = list(_grants(store, client, now))
    changed = {
        "tokens": sum([_end(store, grant, by, now) for grant in grants]),
        "client": int(_forget_person(store, client)),
        "feedback": store.tickets.erase(company_id, client_id),
        "events": store.events.erase(company_id, client_id),
        "messages": _remove_messages(store, client, {grant.id for grant in grants}),
        "answers": store.answers.forget(company_id, [grant.id for grant in grants]),
    }
    if any(changed.values()):
        act = Act(
            action=AuditAction.CLIENT_ERASED,
            company_id=company_id,
            client_id=client_id,
            target=Target(TargetType.CLIENT, client_id),
            details={**changed},
        )
        note_act(store, act, by=by, now=now)
    return changed


def _grants(store: Store, client: Client, now: datetime) -> Iterator[Grant]:
    narrowed = GrantFilter(client_id=client.id)
    return every(lambda listing: store.grants.page(client.company_id, listing, narrowed, at=now))


def _end(store: Store, grant: Grant, by: Actor, now: datetime) -> bool:
    """Take a link's label, then revoke it: what is told of that must not repeat the label."""
    if grant.label is not None and not store.grants.update(evolve(grant, label=None)):
        raise Busy("Somebody else is changing a link of this client just now. Try again in a moment.")
    revoke_link(store, grant.company_id, grant.id, now=now, by=by)
    return grant.label is not None or grant.revoked_at is None


def _forget_person(store: Store, client: Client) -> bool:
    nobody = evolve(client, name=client.id, email=None)
    if nobody != client:
        store.intake.save([nobody])
    return nobody != client


def _remove_messages(store: Store, client: Client, grant_ids: set[GrantId]) -> int:
    waiting = every(lambda listing: store.dispatches.page(client.company_id, listing, DispatchFilter()))
    personal = [each.id for each in waiting if _is_personal(each, client.id, grant_ids)]
    return store.dispatches.remove(client.company_id, personal)


def _is_personal(dispatch: Dispatch, client_id: ClientId, grant_ids: set[GrantId]) -> bool:
    """Tell whether a message brings the client a link, or carries what somebody wrote to or about them."""
    data = cast("dict[str, JSON]", dispatch.payload["data"])
    if dispatch.type == LINK:
        return data["token_id"] in grant_ids
    return data.get("client_id") == client_id and without_texts(data) != data
