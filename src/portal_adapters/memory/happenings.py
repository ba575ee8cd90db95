"""Decisions, tickets, events, the audit log and kept answers in memory."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import final

from attrs import frozen

from portal_adapters.memory.paging import page_of, within
from portal_adapters.memory.tables import Tables
from portal_core.domain.audit import AuditEntry
from portal_core.domain.events import Event
from portal_core.domain.feedback import Ticket
from portal_core.domain.filters import AuditFilter, DecisionFilter, TicketFilter
from portal_core.domain.ids import ClientId, CompanyId, DecisionId, EventId, TicketId
from portal_core.domain.paging import Listing, Page, Position
from portal_core.domain.quotes import Decision, Quote, QuoteState
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Answers, AuditLog, Decisions, Events, KeptAnswer, KeyOfAnswer, Tickets


@final
@frozen
class MemoryDecisions(Decisions):
    tables: Tables

    def record(self, quote: Quote, decision: Decision, event: Event, entry: AuditEntry) -> bool:
        key = (quote.company_id, quote.id, quote.revision)
        kept = self.tables.documents_of(quote.company_id, quote.client_id).get(RecordRef(RecordType.QUOTE, quote.id))
        unchanged = (
            isinstance(kept, Quote)
            and kept.recorded_state is QuoteState.SENT
            and kept.revision == quote.revision
            and kept.document_sha256() == quote.document_sha256()
        )
        if not unchanged or key in self.tables.decisions:
            return False
        self.tables.put(self.tables.decisions, key, decision)
        MemoryEvents(self.tables).append(event)
        MemoryAuditLog(self.tables).append(entry)
        return True

    def get(self, company_id: CompanyId, decision_id: DecisionId) -> Decision | None:
        everything = self.tables.decisions.values()
        return next((each for each in everything if (each.company_id, each.id) == (company_id, decision_id)), None)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: DecisionFilter) -> Page[Decision]:
        shown = (
            each
            for each in self.tables.decisions.values()
            if each.company_id == company_id
            and narrowed.client_id in {None, each.client_id}
            and narrowed.quote_id in {None, each.quote_id}
            and (narrowed.answers is None or each.answer in narrowed.answers)
        )
        return page_of(shown, listing, place=lambda each: Position(each.decided_at, each.id))


@final
@frozen
class MemoryTickets(Tickets):
    tables: Tables

    def get(self, company_id: CompanyId, ticket_id: TicketId, narrowed: TicketFilter) -> Ticket | None:
        found = self.tables.tickets.get((company_id, ticket_id))
        return found if found is not None and _is_among(found, narrowed) else None

    def page(self, company_id: CompanyId, listing: Listing, narrowed: TicketFilter) -> Page[Ticket]:
        shown = (
            ticket
            for (owner, _), ticket in self.tables.tickets.items()
            if owner == company_id and _is_among(ticket, narrowed)
        )
        return page_of(shown, listing, place=lambda ticket: Position(ticket.created_at, ticket.id))

    def add(self, ticket: Ticket) -> None:
        self.tables.put(self.tables.tickets, (ticket.company_id, ticket.id), ticket)

    def update(self, ticket: Ticket, *, was: Ticket) -> bool:
        if self.tables.tickets.get((ticket.company_id, ticket.id)) != was:
            return False
        self.tables.put(self.tables.tickets, (ticket.company_id, ticket.id), ticket)
        return True

    def erase(self, company_id: CompanyId, client_id: ClientId) -> int:
        theirs = [
            each
            for each in self.tables.tickets.values()
            if (each.company_id, each.client_id) == (company_id, client_id)
        ]
        changed = [erased for each in theirs if (erased := each.without_texts()) != each]
        for ticket in changed:
            self.tables.put(self.tables.tickets, (ticket.company_id, ticket.id), ticket)
        return len(changed)


@final
@frozen
class MemoryEvents(Events):
    tables: Tables

    def append(self, event: Event) -> None:
        self.tables.put(self.tables.events, (event.company_id, event.id), event)

    def page(self, company_id: CompanyId, *, after: EventId | None, limit: int) -> Page[Event] | None:
        events = [event for (owner, _), event in self.tables.events.items() if owner == company_id]
        ids = [event.id for event in events]
        if after is not None and after not in ids:
            return None
        rest = events if after is None else events[ids.index(after) + 1 :]
        shown = rest[:limit]
        more = len(rest) > len(shown)
        return Page(items=tuple(shown), total=len(rest), next=Position(None, shown[-1].id) if more else None)

    def erase(self, company_id: CompanyId, client_id: ClientId) -> int:
        theirs = [
            each for each in self.tables.events.values() if (each.company_id, each.client_id) == (company_id, client_id)
        ]
        changed = [erased for each in theirs if (erased := each.without_texts()) != each]
        for event in changed:
            self.tables.put(self.tables.events, (event.company_id, event.id), event)
        return len(changed)


@final
@frozen
class MemoryAuditLog(AuditLog):
    tables: Tables

    def append(self, entry: AuditEntry) -> None:
        self.tables.put(self.tables.audit, (entry.act.company_id, entry.id), entry)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: AuditFilter) -> Page[AuditEntry]:
        shown = (
            entry
            for (owner, _), entry in self.tables.audit.items()
            if owner == company_id
            and narrowed.client_id in {None, entry.act.client_id}
            and narrowed.actor in {None, entry.actor.id}
            and (narrowed.actions is None or entry.act.action in narrowed.actions)
            and narrowed.target_id in {None, entry.act.target.id}
            and within(entry.created_at.astimezone(UTC).date(), "", listing)
        )
        return page_of(shown, listing, place=lambda entry: Position(entry.created_at, entry.id))


@final
@frozen
class MemoryAnswers(Answers):
    tables: Tables

    def find(self, key: KeyOfAnswer, *, since: datetime) -> KeptAnswer | None:
        kept = self.tables.answers.get(key)
        return kept if kept is not None and kept.answered_at >= since else None

    def keep(self, key: KeyOfAnswer, answer: KeptAnswer, *, since: datetime) -> bool:
        if self.find(key, since=since) is not None:
            return False
        self.tables.put(self.tables.answers, key, answer)
        return True

    def prune(self, *, before: datetime) -> int:
        old = [key for key, answer in self.tables.answers.items() if answer.answered_at < before]
        for key in old:
            self.tables.drop(self.tables.answers, key)
        return len(old)

    def forget(self, company_id: CompanyId, askers: Collection[str]) -> int:
        theirs = [key for key in self.tables.answers if key.company_id == company_id and key.asker in askers]
        for key in theirs:
            self.tables.drop(self.tables.answers, key)
        return len(theirs)


def _is_among(ticket: Ticket, narrowed: TicketFilter) -> bool:
    return (
        narrowed.client_id in {None, ticket.client_id}
        and (narrowed.documents is None or ticket.document in narrowed.documents)
        and (narrowed.states is None or ticket.state in narrowed.states)
    )
