"""What a link may do: grants, their secrets and permissions, and the scope they open."""

from datetime import date, datetime
from enum import StrEnum
from typing import Self, TypedDict, Unpack

from attrs import evolve, frozen

from portal_core.domain.companies import Client, Company
from portal_core.domain.errors import DeadLink, PermissionDenied, Revoked
from portal_core.domain.ids import ClientId, CompanyId, GrantId


class Permission(StrEnum):
    """One thing a link may do. The order is that in which a missing one is named."""

    VIEW_QUOTES = "view_quotes"
    ACCEPT_QUOTES = "accept_quotes"
    VIEW_ORDERS = "view_orders"
    VIEW_INVOICES = "view_invoices"
    VIEW_PAYMENTS = "view_payments"
    VIEW_DELIVERIES = "view_deliveries"
    SUBMIT_FEEDBACK = "submit_feedback"


ALL_PERMISSIONS = frozenset(Permission)


class DocumentType(StrEnum):
    """The kinds of document that a client can be shown; credit notes are invoices of another kind."""

    QUOTE = "quote"
    ORDER = "order"
    INVOICE = "invoice"
    PAYMENT = "payment"
    DELIVERY = "delivery"


@frozen
class DocumentRef:
    """One document of the client's."""

    type: DocumentType
    id: str


@frozen
class Scope:
    """Whose records may be touched: one client of one company, perhaps only some documents of theirs."""

    company_id: CompanyId
    client_id: ClientId
    documents: frozenset[DocumentRef] | None = None

    def covers(self, kind: DocumentType, document_id: str) -> bool:
        """Tell whether a document of the client's is within the scope."""
        return self.documents is None or DocumentRef(kind, document_id) in self.documents

    def only(self, kind: DocumentType) -> frozenset[str] | None:
        """Return the ids of that type that the scope is narrowed to, or nothing if it is not narrowed."""
        if self.documents is None:
            return None
        return frozenset(ref.id for ref in self.documents if ref.type is kind)


class GrantState(StrEnum):
    """Whether a link still opens anything."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


class GrantChanges(TypedDict, total=False):
    """What staff may change about a grant; what is left out stays."""

    permissions: frozenset[Permission]
    label: str | None
    expires_at: datetime
    documents: frozenset[DocumentRef] | None


@frozen(kw_only=True)
class Secret:
    """What is kept of one token: its digest, its last four characters, and when it dies (None: with the grant)."""

    digest: bytes
    hint: str
    created_at: datetime
    dies_at: datetime | None = None

    def is_alive(self, at: datetime) -> bool:
        """Tell whether the secret still opens its grant at a moment."""
        return self.dies_at is None or at < self.dies_at


@frozen(kw_only=True)
class Grant:
    """What one link allows, for how long, and the secrets that open it.

    `version` is the store's, for compare-and-set: it grows by one with every change but `last_used_at`.
    """

    id: GrantId
    company_id: CompanyId
    client_id: ClientId
    label: str | None
    permissions: frozenset[Permission]
    documents: frozenset[DocumentRef] | None = None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    secrets: tuple[Secret, ...] = ()
    version: int = 1

    @property
    def scope(self) -> Scope:
        """Whose records the grant opens."""
        return Scope(self.company_id, self.client_id, self.documents)

    @property
    def hint(self) -> str:
        """The last four characters of the newest token."""
        return self.secrets[-1].hint if self.secrets else ""

    def state(self, at: datetime) -> GrantState:
        """Return whether the grant is active, expired or revoked at a moment."""
        if self.revoked_at is not None:
            return GrantState.REVOKED
        return GrantState.ACTIVE if at < self.expires_at else GrantState.EXPIRED

    def require(self, *permissions: Permission, at: datetime) -> None:
        """Refuse with DeadLink when the grant is not active, with PermissionDenied naming the first one missing."""
        if self.state(at) is not GrantState.ACTIVE:
            raise DeadLink
        for permission in permissions:
            if permission not in self.permissions:
                raise PermissionDenied(permission)

    def may(self, permission: Permission) -> bool:
        """Tell whether the grant has a permission."""
        return permission in self.permissions

    def secret(self, digest: bytes, *, at: datetime) -> Secret | None:
        """Return the living secret of a digest, or nothing."""
        return next((kept for kept in self.secrets if kept.digest == digest and kept.is_alive(at)), None)

    def amend(self, **changes: Unpack[GrantChanges]) -> Self:
        """Return the grant with what is given replaced; refuse with Revoked when it is revoked."""
        self.require_not_revoked()
        return evolve(self, **changes)

    def rotate(self, fresh: Secret, *, others_die_at: datetime) -> Self:
        """Return the grant with a fresh secret; the others die at the moment given, or earlier as they were to."""
        self.require_not_revoked()
        alive = [kept for kept in self.secrets if kept.is_alive(fresh.created_at)]
        dying = [evolve(kept, dies_at=min(kept.dies_at or others_die_at, others_die_at)) for kept in alive]
        return evolve(self, secrets=(*dying, fresh))

    def also(self, fresh: Secret) -> Self:
        """Return the grant with one more secret, beside which the living ones live on; refuse with Revoked."""
        self.require_not_revoked()
        alive = [kept for kept in self.secrets if kept.is_alive(fresh.created_at)]
        return evolve(self, secrets=(*alive, fresh))

    def revoke(self, *, at: datetime) -> Self:
        """Return the grant revoked; one revoked before stays as it is."""
        return self if self.revoked_at is not None else evolve(self, revoked_at=at)

    def require_not_revoked(self) -> None:
        """Refuse with Revoked when the grant is revoked."""
        if self.revoked_at is not None:
            raise Revoked("This link is revoked and cannot be changed. Issue a new one.")


@frozen
class Use:
    """That a link was used at a moment."""

    company_id: CompanyId
    grant_id: GrantId
    at: datetime


@frozen(kw_only=True)
class Visit:
    """A client who came by a live link, or a host's own user: what they may do, who they are, whose client.

    The company's `logo` may be left out; `has_logo` tells whether it has one.
    """

    grant: Grant
    company: Company
    client: Client
    secret_hint: str | None = None
    has_logo: bool = False

    @property
    def scope(self) -> Scope:
        """Whose records the visitor may see."""
        return self.grant.scope

    def today(self, now: datetime) -> date:
        """Return the day it is for the company."""
        return self.company.today(now)
