"""Ports for who may see what: companies, clients, grants, and the links that open them."""

from abc import abstractmethod
from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from portal_core.domain.access import Grant, Use, Visit
from portal_core.domain.companies import Client, Company
from portal_core.domain.filters import GrantFilter
from portal_core.domain.ids import ClientId, CompanyId, GrantId
from portal_core.domain.paging import Listing, Page


class Companies(Protocol):
    """The businesses whose documents are kept."""

    __slots__ = ()

    @abstractmethod
    def get(self, company_id: CompanyId) -> Company | None:
        """Return the company, or nothing if there is none of that id."""


class Clients(Protocol):
    """A company's clients."""

    __slots__ = ()

    @abstractmethod
    def get(self, company_id: CompanyId, client_id: ClientId) -> Client | None:
        """Return the client, or nothing if that company has none of that id."""

    def hold(self, company_id: CompanyId, client_id: ClientId) -> Client | None:
        """Return the client, whom nobody else removes until the transaction ends: for who is about to refer to it.

        This is `get` where one transaction comes after the other.
        """
        return self.get(company_id, client_id)


class Grants(Protocol):
    """What a company's links allow."""

    __slots__ = ()

    @abstractmethod
    def get(self, company_id: CompanyId, grant_id: GrantId) -> Grant | None:
        """Return the grant with its secrets, oldest first, or nothing if that company has none of that id."""

    @abstractmethod
    def page(self, company_id: CompanyId, listing: Listing, narrowed: GrantFilter, *, at: datetime) -> Page[Grant]:
        """Return a page of grants by `created_at`; `at` decides which have expired."""

    @abstractmethod
    def add(self, grant: Grant) -> None:
        """Keep a new grant and its secrets."""

    @abstractmethod
    def update(self, grant: Grant) -> bool:
        """Replace the grant and its secrets if its version is still the kept one, and raise that by one."""


class Links(Protocol):
    """Living links, by the digest of their token."""

    __slots__ = ()

    @abstractmethod
    def open(self, digest: bytes, *, at: datetime) -> Visit | None:
        """Return whose link it is, with its grant, company and client, if grant and secret are alive at that moment.

        This is asked by every request: one statement, and of the company all but its logo, which may be missing
        although `has_logo` says that there is one. Who shows the logo asks `Companies.get` for it.
        """

    @abstractmethod
    def touch(self, uses: Collection[Use]) -> None:
        """Note when grants were used, each unless a later use of it is known.

        One may be left out while somebody else changes its grant: nobody is to wait for it.
        """
