"""The port for feedback."""

from abc import abstractmethod
from typing import Protocol

from portal_core.domain.feedback import Ticket
from portal_core.domain.filters import TicketFilter
from portal_core.domain.ids import ClientId, CompanyId, TicketId
from portal_core.domain.paging import Listing, Page


class Tickets(Protocol):
    """Tickets of a company's clients; the filter narrows them to one client when a client asks."""

    __slots__ = ()

    @abstractmethod
    def get(self, company_id: CompanyId, ticket_id: TicketId, narrowed: TicketFilter) -> Ticket | None:
        """Return the ticket with its replies in order, or nothing if the filter leaves it out."""

    @abstractmethod
    def page(self, company_id: CompanyId, listing: Listing, narrowed: TicketFilter) -> Page[Ticket]:
        """Return a page by `created_at`, each ticket with its replies."""

    @abstractmethod
    def add(self, ticket: Ticket) -> None:
        """Keep a new ticket."""

    @abstractmethod
    def update(self, ticket: Ticket, *, was: Ticket) -> bool:
        """Keep the new state and last reply if the kept ticket still has the state, replies and subject of `was`."""

    @abstractmethod
    def erase(self, company_id: CompanyId, client_id: ClientId) -> int:
        """Empty what a client wrote, as `Ticket.without_texts` does; return how many tickets that changed."""
