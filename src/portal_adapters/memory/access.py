"""Companies, clients, grants and links in memory."""

from collections.abc import Collection
from datetime import datetime
from typing import final

from attrs import evolve, frozen

from portal_adapters.memory.paging import page_of
from portal_adapters.memory.tables import Tables
from portal_core.domain.access import Grant, GrantState, Use, Visit
from portal_core.domain.companies import Client, Company
from portal_core.domain.filters import GrantFilter
from portal_core.domain.ids import ClientId, CompanyId, GrantId
from portal_core.domain.paging import Listing, Page, Position
from portal_core.ports import Clients, Companies, Grants, Links


@final
@frozen
class MemoryCompanies(Companies):
    tables: Tables

    def get(self, company_id: CompanyId) -> Company | None:
        return self.tables.companies.get(company_id)


@final
@frozen
class MemoryClients(Clients):
    tables: Tables

    def get(self, company_id: CompanyId, client_id: ClientId) -> Client | None:
        return self.tables.clients.get((company_id, client_id))


@final
@frozen
class MemoryGrants(Grants):
    tables: Tables

    def get(self, company_id: CompanyId, grant_id: GrantId) -> Grant | None:
        return self.tables.grants.get((company_id, grant_id))

    def page(self, company_id: CompanyId, listing: Listing, narrowed: GrantFilter, *, at: datetime) -> Page[Grant]:
        shown = (
            grant
            for (owner, _), grant in self.tables.grants.items()
            if owner == company_id
            and narrowed.client_id in {None, grant.client_id}
            and (narrowed.states is None or grant.state(at) in narrowed.states)
        )
        return page_of(shown, listing, place=lambda grant: Position(grant.created_at, grant.id))

    def add(self, grant: Grant) -> None:
        self._put(grant)

    def update(self, grant: Grant) -> bool:
        kept = self.get(grant.company_id, grant.id)
        if kept is None or kept.version != grant.version:
            return False
        for secret in kept.secrets:
            self.tables.drop(self.tables.digests, secret.digest)
        self._put(evolve(grant, version=grant.version + 1, last_used_at=kept.last_used_at))
        return True

    def _put(self, grant: Grant) -> None:
        self.tables.put(self.tables.grants, (grant.company_id, grant.id), grant)
        for secret in grant.secrets:
            self.tables.put(self.tables.digests, secret.digest, (grant.company_id, grant.id))


@final
@frozen
class MemoryLinks(Links):
    tables: Tables

    def open(self, digest: bytes, *, at: datetime) -> Visit | None:
        key = self.tables.digests.get(digest)
        grant = None if key is None else self.tables.grants[key]
        if grant is None or grant.state(at) is not GrantState.ACTIVE:
            return None
        secret = grant.secret(digest, at=at)
        company = self.tables.companies.get(grant.company_id)
        client = self.tables.clients.get((grant.company_id, grant.client_id))
        if secret is None or company is None or client is None:
            return None
        return Visit(
            grant=grant,
            company=evolve(company, logo=None),
            client=client,
            secret_hint=secret.hint,
            has_logo=company.logo is not None,
        )

    def touch(self, uses: Collection[Use]) -> None:
        for use in uses:
            key = (use.company_id, use.grant_id)
            grant = self.tables.grants.get(key)
            if grant is not None and (grant.last_used_at is None or grant.last_used_at < use.at):
                self.tables.put(self.tables.grants, key, evolve(grant, last_used_at=use.at))
