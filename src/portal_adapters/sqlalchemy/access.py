"""Companies, clients, grants and links in SQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, Select, and_, bindparam, case, delete, insert, null, or_, select, update

from portal_adapters.sqlalchemy.columns import Moment
from portal_adapters.sqlalchemy.dialects import holding
from portal_adapters.sqlalchemy.direct import fetch, one
from portal_adapters.sqlalchemy.documents import among, constant, words
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow, client_of, company_of
from portal_adapters.sqlalchemy.schema import clients, companies, digests, grants
from portal_adapters.sqlalchemy.values import (
    dump_permissions,
    dump_refs,
    dump_secrets,
    load_permissions,
    load_refs,
    load_secrets,
)
from portal_core.domain.access import Grant, Use, Visit
from portal_core.domain.companies import Client, Company
from portal_core.domain.filters import GrantFilter
from portal_core.domain.ids import ClientId, CompanyId, GrantId
from portal_core.domain.paging import Listing, Page
from portal_core.ports import Clients, Companies, Grants, Links

_AT = bindparam("at", type_=Moment)

_COMPANY = select(*companies.c).where(companies.c.company_id == bindparam("company_id"))

_CLIENT = select(*clients.c).where(
    clients.c.company_id == bindparam("company_id"), clients.c.id == bindparam("client_id")
)

_OF_COMPANY = select(*grants.c).where(grants.c.company_id == bindparam("company_id"))

_ONE = _OF_COMPANY.where(grants.c.id == bindparam("grant_id"))

# The rule of Grant.state, in SQL.
_STATE = case(
    (grants.c.revoked_at.is_not(None), constant("revoked")),
    (grants.c.expires_at > _AT, constant("active")),
    else_=constant("expired"),
)

_LIST = ListSource(
    rows=_OF_COMPANY,
    id=grants.c.id,
    sorts={"created_at": grants.c.created_at},
    conditions={"client_id": grants.c.client_id == bindparam("client_id"), "states": among(_STATE, "states")},
)

OPENED = (
    select(
        *(column for column in companies.c if column.name != "logo"),
        null().label("logo"),
        companies.c.logo.is_not(None).label("has_logo"),
        clients.c.name.label("client_name"),
        clients.c.email.label("client_email"),
        clients.c.locale.label("client_locale"),
        *(column for column in grants.c if column.name != "company_id"),
    )
    .select_from(digests)
    .join(grants, and_(grants.c.company_id == digests.c.company_id, grants.c.id == digests.c.grant_id))
    .join(companies, companies.c.company_id == grants.c.company_id)
    .join(clients, and_(clients.c.company_id == grants.c.company_id, clients.c.id == grants.c.client_id))
    .where(digests.c.digest == bindparam("digest"), grants.c.revoked_at.is_(None), grants.c.expires_at > _AT)
)
"""The link of a token's `digest` that is alive `at` a moment, with its company and client; see `visit_of`."""

_ADD = insert(grants)
_ADD_DIGEST = insert(digests)

_THIS = and_(grants.c.company_id == bindparam("this_company_id"), grants.c.id == bindparam("this_id"))

_UPDATE = (
    update(grants)
    .where(_THIS, grants.c.version == bindparam("this_version"))
    .values(
        {
            column.name: bindparam(column.name, type_=column.type)
            for column in grants.c
            if column.name not in {"company_id", "id", "created_at", "last_used_at", "version"}
        }
        | {"version": grants.c.version + 1}
    )
)

# One that somebody is changing just now is passed over, where rows can be locked: many are noted in one transaction,
# and who waits for a row while holding others can lock others out.
_TO_TOUCH = (
    select(grants.c.id)
    .where(_THIS, or_(grants.c.last_used_at.is_(None), grants.c.last_used_at < _AT))
    .with_for_update(skip_locked=True)
)

_TOUCH = (
    update(grants)
    .where(grants.c.company_id == bindparam("this_company_id"), grants.c.id.in_(_TO_TOUCH.correlate(None)))
    .values(last_used_at=_AT)
)

_FORGET_DIGESTS = delete(digests).where(
    digests.c.company_id == bindparam("company_id"),
    digests.c.grant_id == bindparam("grant_id"),
    among(digests.c.digest, "digests"),
)


@final
@frozen
class SqlCompanies(Companies):
    connection: Connection

    def get(self, company_id: CompanyId) -> Company | None:
        row = one(self.connection, _COMPANY, {"company_id": company_id})
        return None if row is None else company_of(row)


@final
@frozen
class SqlClients(Clients):
    connection: Connection

    def get(self, company_id: CompanyId, client_id: ClientId) -> Client | None:
        return self._one(_CLIENT, company_id, client_id)

    def hold(self, company_id: CompanyId, client_id: ClientId) -> Client | None:
        return self._one(holding(self.connection, clients, _CLIENT), company_id, client_id)

    def _one(self, statement: Select[*tuple[Any, ...]], company_id: CompanyId, client_id: ClientId) -> Client | None:
        row = self.connection.execute(statement, {"company_id": company_id, "client_id": client_id}).one_or_none()
        return None if row is None else client_of(row)


@final
@frozen
class SqlGrants(Grants):
    connection: Connection

    def get(self, company_id: CompanyId, grant_id: GrantId) -> Grant | None:
        row = one(self.connection, _ONE, {"company_id": company_id, "grant_id": grant_id})
        return None if row is None else _grant(row)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: GrantFilter, *, at: datetime) -> Page[Grant]:
        asked = {"client_id": narrowed.client_id, "states": words(narrowed.states)}
        return read_page(
            self.connection,
            _LIST,
            listing,
            scope={"company_id": company_id, "at": at},
            narrowed={name: value for name, value in asked.items() if value is not None},
            read=_grants,
        )

    def add(self, grant: Grant) -> None:
        self.connection.execute(_ADD, {**_values(grant), "last_used_at": grant.last_used_at, "version": grant.version})
        self._keep_digests(grant, known=set())

    def update(self, grant: Grant) -> bool:
        kept = self.get(grant.company_id, grant.id)
        this = {"this_company_id": grant.company_id, "this_id": grant.id, "this_version": grant.version}
        changes = {name: value for name, value in _values(grant).items() if name not in _FIXED}
        if kept is None or self.connection.execute(_UPDATE, {**changes, **this}).rowcount != 1:
            return False
        self._keep_digests(grant, known={secret.digest for secret in kept.secrets})
        return True

    def _keep_digests(self, grant: Grant, *, known: set[bytes]) -> None:
        key = {"company_id": grant.company_id, "grant_id": grant.id}
        wanted = {secret.digest for secret in grant.secrets}
        if known - wanted:
            self.connection.execute(_FORGET_DIGESTS, {**key, "digests": sorted(known - wanted)})
        if wanted - known:
            self.connection.execute(_ADD_DIGEST, [{**key, "digest": digest} for digest in sorted(wanted - known)])


@final
@frozen
class SqlLinks(Links):
    connection: Connection

    def open(self, digest: bytes, *, at: datetime) -> Visit | None:
        rows = fetch(self.connection, OPENED, {"digest": digest, "at": at})
        return visit_of(rows[0], digest, at=at) if rows else None

    def touch(self, uses: Collection[Use]) -> None:
        if uses:
            noted = [{"this_company_id": use.company_id, "this_id": use.grant_id, "at": use.at} for use in uses]
            self.connection.execute(_TOUCH, noted)


_FIXED = {"company_id", "id", "created_at"}


def _grants(rows: Sequence[AnyRow]) -> Sequence[Grant]:
    return [_grant(row) for row in rows]


def _grant(row: AnyRow) -> Grant:
    return Grant(
        id=row.id,
        company_id=row.company_id,
        client_id=row.client_id,
        label=row.label,
        permissions=load_permissions(row.permissions),
        documents=None if row.documents is None else load_refs(row.documents),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        secrets=load_secrets(row.secrets),
        version=row.version,
    )


def visit_of(row: AnyRow, digest: bytes, *, at: datetime) -> Visit | None:
    """Return the visit of a row of OPENED, unless the token by which it was found is dead."""
    grant = _grant(row)
    secret = grant.secret(digest, at=at)
    if secret is None:
        return None
    client = Client(
        company_id=grant.company_id,
        id=grant.client_id,
        name=row.client_name,
        email=row.client_email,
        locale=row.client_locale,
    )
    return Visit(
        grant=grant, company=company_of(row), client=client, secret_hint=secret.hint, has_logo=bool(row.has_logo)
    )


def _values(grant: Grant) -> dict[str, Any]:
    return {
        "company_id": grant.company_id,
        "id": grant.id,
        "client_id": grant.client_id,
        "label": grant.label,
        "permissions": dump_permissions(grant.permissions),
        "documents": None if grant.documents is None else dump_refs(grant.documents),
        "created_at": grant.created_at,
        "expires_at": grant.expires_at,
        "revoked_at": grant.revoked_at,
        "secrets": dump_secrets(grant.secrets),
    }
