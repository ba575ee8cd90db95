"""Ports for which somebody else is faster: something happens just before a write reaches the store."""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import final

from attrs import frozen

from portal_core.domain.access import Grant
from portal_core.domain.audit import AuditEntry
from portal_core.domain.events import Event
from portal_core.domain.feedback import Ticket
from portal_core.domain.filters import DecisionFilter, DispatchFilter, GrantFilter, TicketFilter
from portal_core.domain.ids import ClientId, CompanyId, DecisionId, DispatchId, GrantId, TicketId, WebhookId
from portal_core.domain.outbox import Dispatch
from portal_core.domain.paging import Listing, Page
from portal_core.domain.quotes import Decision, Quote
from portal_core.domain.webhooks import Webhook
from portal_core.ports import Decisions, Dispatches, Grants, Tickets, Webhooks


@final
@frozen
class OvertakenDecisions(Decisions):
    """Decisions, each just after something else."""

    decisions: Decisions
    happens: Callable[[], object]

    def record(self, quote: Quote, decision: Decision, event: Event, entry: AuditEntry) -> bool:
        self.happens()
        return self.decisions.record(quote, decision, event, entry)

    def get(self, company_id: CompanyId, decision_id: DecisionId) -> Decision | None:
        return self.decisions.get(company_id, decision_id)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: DecisionFilter) -> Page[Decision]:
        return self.decisions.page(company_id, listing, narrowed)


@final
@frozen
class OvertakenGrants(Grants):
    """Grants, each change of which comes just after something else."""

    grants: Grants
    happens: Callable[[], object]

    def get(self, company_id: CompanyId, grant_id: GrantId) -> Grant | None:
        return self.grants.get(company_id, grant_id)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: GrantFilter, *, at: datetime) -> Page[Grant]:
        return self.grants.page(company_id, listing, narrowed, at=at)

    def add(self, grant: Grant) -> None:
        self.grants.add(grant)

    def update(self, grant: Grant) -> bool:
        self.happens()
        return self.grants.update(grant)


@final
@frozen
class OvertakenTickets(Tickets):
    """Tickets, each change of which comes just after something else."""

    tickets: Tickets
    happens: Callable[[], object]

    def get(self, company_id: CompanyId, ticket_id: TicketId, narrowed: TicketFilter) -> Ticket | None:
        return self.tickets.get(company_id, ticket_id, narrowed)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: TicketFilter) -> Page[Ticket]:
        return self.tickets.page(company_id, listing, narrowed)

    def add(self, ticket: Ticket) -> None:
        self.tickets.add(ticket)

    def update(self, ticket: Ticket, *, was: Ticket) -> bool:
        self.happens()
        return self.tickets.update(ticket, was=was)

    def erase(self, company_id: CompanyId, client_id: ClientId) -> int:
        return self.tickets.erase(company_id, client_id)


@final
@frozen
class OvertakenWebhooks(Webhooks):
    """Webhooks, each change of which comes just after something else."""

    webhooks: Webhooks
    happens: Callable[[], object]

    def get(self, company_id: CompanyId, webhook_id: WebhookId) -> Webhook | None:
        return self.webhooks.get(company_id, webhook_id)

    def page(self, company_id: CompanyId, listing: Listing) -> Page[Webhook]:
        return self.webhooks.page(company_id, listing)

    def add(self, webhook: Webhook) -> None:
        self.webhooks.add(webhook)

    def update(self, webhook: Webhook) -> bool:
        self.happens()
        return self.webhooks.update(webhook)

    def remove(self, company_id: CompanyId, webhook_id: WebhookId) -> bool:
        return self.webhooks.remove(company_id, webhook_id)


@final
@frozen
class OvertakenDispatches(Dispatches):
    """Dispatches, each change of which comes just after something else."""

    dispatches: Dispatches
    happens: Callable[[], object]

    def get(self, company_id: CompanyId, dispatch_id: DispatchId) -> Dispatch | None:
        return self.dispatches.get(company_id, dispatch_id)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: DispatchFilter) -> Page[Dispatch]:
        return self.dispatches.page(company_id, listing, narrowed)

    def add(self, dispatches: Iterable[Dispatch]) -> None:
        self.dispatches.add(dispatches)

    def update(self, dispatch: Dispatch) -> bool:
        self.happens()
        return self.dispatches.update(dispatch)

    def remove(self, company_id: CompanyId, dispatch_ids: Collection[DispatchId]) -> int:
        return self.dispatches.remove(company_id, dispatch_ids)
