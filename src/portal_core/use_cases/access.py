"""Opening a link; and, for staff, issuing, listing, changing and revoking links."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from attrs import evolve, frozen

from portal_core.domain.access import (
    ALL_PERMISSIONS,
    DocumentRef,
    Grant,
    GrantChanges,
    GrantState,
    Permission,
    Scope,
    Secret,
    Use,
    Visit,
)
from portal_core.domain.audit import PROGRAM, Act, Actor, AuditAction, Target, TargetType
from portal_core.domain.documents import JSON, moment_json
from portal_core.domain.errors import Busy, DeadLink, InvalidInput
from portal_core.domain.events import Event, EventType
from portal_core.domain.filters import GrantFilter
from portal_core.domain.ids import ClientId, CompanyId, EventId, GrantId, is_id
from portal_core.domain.paging import Listing, Page, every
from portal_core.domain.records import RecordRef, RecordType
from portal_core.domain.tokens import digest_of, hint_of, is_token
from portal_core.ports import Store
from portal_core.use_cases.audit import note_act
from portal_core.use_cases.finding import require_found
from portal_core.use_cases.typed import clean_label

VISIT_OF_USER = timedelta(days=1)
"""How long a host may keep the visit of one of its users; it is meant to be made anew for each request."""

LONGEST_OVERLAP = timedelta(days=365)
"""How long, at most, a link's earlier tokens go on working beside a fresh one."""

_ATTEMPTS = 5


@frozen(kw_only=True)
class LinkLife:
    """How long links live: when nothing is said, and at most."""

    usual: timedelta = timedelta(days=90)
    longest: timedelta = timedelta(days=365)


@frozen(kw_only=True)
class NewGrant:
    """What a new link is to allow."""

    client_id: ClientId
    permissions: frozenset[Permission] = ALL_PERMISSIONS
    documents: frozenset[DocumentRef] | None = None
    expires_at: datetime | None = None
    label: str | None = None


@frozen
class IssuedLink:
    """A grant with a token that is told once and kept nowhere."""

    grant: Grant
    token: str


def open_link(store: Store, token: str, *, now: datetime) -> Visit:
    """Return the visit that a token opens; refuse with DeadLink, never saying why.

    A mistyped token is refused by its checksum, before any store is asked.
    """
    visit = store.links.open(digest_of(token), at=now) if is_token(token) else None
    if visit is None:
        raise DeadLink
    return visit


def visit_of_user(
    store: Store,
    scope: Scope,
    user_id: str,
    *,
    permissions: frozenset[Permission] = ALL_PERMISSIONS,
    now: datetime,
) -> Visit:
    """Return the visit of a host's own user, whom the host has identified: the same rules hold as for a link.

    Nothing is kept. What the user decides has their id as its evidence, where a link's would have that of its grant.
    Refuses with NotFound where there is no such company or client; raises ValueError when the user's id is no id.
    """
    if not is_id(user_id):
        raise ValueError(f"{user_id!r} is no id: 1 to 128 letters, digits and . _ : ~ - are")
    company = require_found(store.companies.get(scope.company_id), "company", scope.company_id)
    client = require_found(store.clients.get(scope.company_id, scope.client_id), "client", scope.client_id)
    grant = Grant(
        id=GrantId(user_id),
        company_id=scope.company_id,
        client_id=scope.client_id,
        label=None,
        permissions=permissions,
        documents=scope.documents,
        created_at=now,
        expires_at=now + VISIT_OF_USER,
    )
    return Visit(grant=grant, company=company, client=client, has_logo=company.logo is not None)


def issue_link(
    store: Store, company_id: CompanyId, asked: NewGrant, life: LinkLife, *, now: datetime, by: Actor = PROGRAM
) -> IssuedLink:
    """Issue a link to a client; refuse with InvalidInput at what is wrong with it."""
    if store.clients.hold(company_id, asked.client_id) is None:
        raise InvalidInput.at("/client_id", f"there is no client {asked.client_id!r} in this company")
    _require_documents(store, company_id, asked.client_id, asked.documents)
    token = store.mint.new_token()
    grant = Grant(
        id=GrantId(store.mint.new_id()),
        company_id=company_id,
        client_id=asked.client_id,
        label=clean_label(asked.label),
        permissions=asked.permissions,
        documents=asked.documents,
        created_at=now,
        expires_at=_expiry(asked.expires_at, life, now),
        secrets=(Secret(digest=digest_of(token), hint=hint_of(token), created_at=now),),
    )
    store.grants.add(grant)
    store.events.append(_event(store, grant, EventType.TOKEN_ISSUED, now))
    act = _act(AuditAction.TOKEN_ISSUED, grant, **_allowed(grant), token_hint=grant.hint)
    note_act(store, act, by=by, now=now)
    return IssuedLink(grant, token)


def list_links(
    store: Store, company_id: CompanyId, listing: Listing, narrowed: GrantFilter, *, now: datetime
) -> Page[Grant]:
    """Return a page of a company's grants."""
    return store.grants.page(company_id, listing, narrowed, at=now)


def read_link(store: Store, company_id: CompanyId, grant_id: GrantId) -> Grant:
    """Return one grant."""
    return require_found(store.grants.get(company_id, grant_id), "token", grant_id)


def amend_link(
    store: Store,
    company_id: CompanyId,
    grant_id: GrantId,
    changes: GrantChanges,
    life: LinkLife,
    *,
    now: datetime,
    by: Actor = PROGRAM,
) -> Grant:
    """Change what a grant allows, its label or its end; refuse with Revoked or InvalidInput."""
    if "label" in changes:
        changes = {**changes, "label": clean_label(changes["label"])}
    if "expires_at" in changes:
        changes = {**changes, "expires_at": _expiry(changes["expires_at"], life, now)}
    grant = read_link(store, company_id, grant_id)
    grant.require_not_revoked()
    _require_documents(store, company_id, grant.client_id, changes.get("documents"))
    amended = _updated(store, grant.amend(**changes))
    if changed := _changed(grant, amended):
        note_act(store, _act(AuditAction.TOKEN_CHANGED, amended, **changed), by=by, now=now)
    return amended


def rotate_link(
    store: Store,
    company_id: CompanyId,
    grant_id: GrantId,
    *,
    overlap: timedelta,
    now: datetime,
    by: Actor = PROGRAM,
) -> IssuedLink:
    """Give a grant a fresh token; the earlier ones die after the overlap. Refuse with Revoked or InvalidInput."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        detail = f"must be from 0 to {LONGEST_OVERLAP // timedelta(seconds=1):,}, which is {LONGEST_OVERLAP.days} days"
        raise InvalidInput.at("/overlap_seconds", detail)
    grant = read_link(store, company_id, grant_id)
    token = store.mint.new_token()
    fresh = Secret(digest=digest_of(token), hint=hint_of(token), created_at=now)
    rotated = _updated(store, grant.rotate(fresh, others_die_at=now + overlap))
    others_die_at = moment_json(now + overlap)
    act = _act(AuditAction.TOKEN_ROTATED, rotated, token_hint=rotated.hint, others_die_at=others_die_at)
    note_act(store, act, by=by, now=now)
    return IssuedLink(rotated, token)


def revoke_link(store: Store, company_id: CompanyId, grant_id: GrantId, *, now: datetime, by: Actor = PROGRAM) -> None:
    """Revoke one link, effective on the next request; one revoked before stays so."""
    _revoke(store, read_link(store, company_id, grant_id), by, now)


def revoke_links_of(
    store: Store, company_id: CompanyId, client_id: ClientId, *, now: datetime, by: Actor = PROGRAM
) -> None:
    """Revoke every link of a client; refuse with InvalidInput if there is no such client."""
    if store.clients.get(company_id, client_id) is None:
        raise InvalidInput.in_parameter("client_id", f"there is no client {client_id!r} in this company")
    revoked = sum(_revoke(store, grant, by, now) for grant in list(_unrevoked(store, company_id, client_id, now)))
    if revoked:
        act = Act(
            action=AuditAction.ALL_TOKENS_REVOKED,
            company_id=company_id,
            client_id=client_id,
            target=Target(TargetType.CLIENT, client_id),
            details={"revoked": revoked},
        )
        note_act(store, act, by=by, now=now)


def note_uses(store: Store, uses: Collection[Use]) -> None:
    """Note when links were last used."""
    store.links.touch(uses)


def _expiry(asked: datetime | None, life: LinkLife, now: datetime) -> datetime:
    if asked is None:
        return now + life.usual
    if asked <= now:
        raise InvalidInput.at("/expires_at", "must be in the future")
    if asked > now + life.longest:
        raise InvalidInput.at("/expires_at", f"must be within {life.longest.days} days from now")
    return asked


def _require_documents(
    store: Store, company_id: CompanyId, client_id: ClientId, documents: frozenset[DocumentRef] | None
) -> None:
    if documents is None:
        return
    refs = {document: RecordRef(RecordType(document.type.value), document.id) for document in documents}
    found = store.facts.hold(company_id, refs.values())
    for document, ref in sorted(refs.items(), key=lambda pair: (pair[0].type, pair[0].id)):
        if ref not in found or found[ref].client_id != client_id:
            raise InvalidInput.at("/documents", f"this client has no {document.type.value} {document.id!r}")


def _unrevoked(store: Store, company_id: CompanyId, client_id: ClientId, now: datetime) -> Iterator[Grant]:
    narrowed = GrantFilter(client_id=client_id, states=frozenset({GrantState.ACTIVE, GrantState.EXPIRED}))
    return every(lambda listing: store.grants.page(company_id, listing, narrowed, at=now))


def _revoke(store: Store, grant: Grant, by: Actor, now: datetime) -> bool:
    """Revoke a link and tell whether it was not revoked before."""
    for _ in range(_ATTEMPTS):
        if grant.revoked_at is not None:
            return False
        if store.grants.update(grant.revoke(at=now)):
            store.events.append(_event(store, grant, EventType.TOKEN_REVOKED, now))
            note_act(store, _act(AuditAction.TOKEN_REVOKED, grant), by=by, now=now)
            return True
        grant = read_link(store, grant.company_id, grant.id)
    raise _busy()


def _act(action: AuditAction, grant: Grant, **details: JSON) -> Act:
    return Act(
        action=action,
        company_id=grant.company_id,
        client_id=grant.client_id,
        target=Target(TargetType.TOKEN, grant.id),
        details=details,
    )


def _allowed(grant: Grant) -> dict[str, JSON]:
    """Return what a link allows, for the audit log: not its label, which may name a person."""
    documents = None if grant.documents is None else sorted(f"{each.type.value}:{each.id}" for each in grant.documents)
    return {
        "permissions": [each.value for each in Permission if each in grant.permissions],
        "documents": None if documents is None else [*documents],
        "expires_at": moment_json(grant.expires_at),
    }


def _changed(before: Grant, after: Grant) -> dict[str, JSON]:
    """Return what differs between two states of a link, each with what it was and what it is; a label without."""
    was, now_is = _allowed(before), _allowed(after)
    changes: dict[str, JSON] = {
        name: {"from": was[name], "to": now_is[name]} for name in was if was[name] != now_is[name]
    }
    return changes if before.label == after.label else {**changes, "label": "changed"}


def _updated(store: Store, grant: Grant) -> Grant:
    if not store.grants.update(grant):
        raise _busy()
    return evolve(grant, version=grant.version + 1)


def _busy() -> Busy:
    return Busy("Somebody else is changing this link just now. Try again in a moment.")


def _event(store: Store, grant: Grant, kind: EventType, now: datetime) -> Event:
    return Event(
        id=EventId(store.mint.new_id()),
        company_id=grant.company_id,
        client_id=grant.client_id,
        type=kind,
        occurred_at=now,
        data={"token_id": grant.id, "label": grant.label},
    )
