"""Feedback: what clients write, and what staff answer."""

from datetime import datetime

from attrs import evolve, frozen

from portal_core.domain.access import DocumentRef, Permission, Visit
from portal_core.domain.audit import PROGRAM, Act, Actor, AuditAction, Target, TargetType
from portal_core.domain.errors import Busy, DeadLink, InvalidInput
from portal_core.domain.events import Event, EventType
from portal_core.domain.feedback import Category, Party, Reply, Ticket
from portal_core.domain.filters import TicketFilter
from portal_core.domain.ids import CompanyId, EventId, TicketId
from portal_core.domain.paging import Listing, Page
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Store
from portal_core.use_cases.audit import note_act
from portal_core.use_cases.finding import require_found
from portal_core.use_cases.sight import can_see
from portal_core.use_cases.typed import MESSAGE, SUBJECT, clean_message, cleaned

RATINGS = range(1, 6)


@frozen(kw_only=True)
class NewTicket:
    """What a client wants to say."""

    subject: str
    message: str
    category: Category = Category.OTHER
    rating: int | None = None
    document: DocumentRef | None = None


def submit_feedback(store: Store, visit: Visit, said: NewTicket, *, now: datetime) -> Ticket:
    """Open a ticket; refuse with InvalidInput at a text, a rating, or a document that the client cannot see.

    Refuses with DeadLink where the client is gone since the link was opened.
    """
    visit.grant.require(Permission.SUBMIT_FEEDBACK, at=now)
    texts = cleaned({"subject": (said.subject, SUBJECT), "message": (said.message, MESSAGE)})
    if said.rating is not None and said.rating not in RATINGS:
        raise InvalidInput.at("/rating", f"must be from {RATINGS[0]} to {RATINGS[-1]}")
    if said.document is None and visit.scope.documents is not None:
        raise InvalidInput.at("/document", "this link is about single documents: name the one that you mean")
    _hold_what_it_is_about(store, visit, said.document)
    ticket = Ticket(
        id=TicketId(store.mint.new_id()),
        company_id=visit.scope.company_id,
        client_id=visit.scope.client_id,
        subject=texts["subject"] or "",
        message=texts["message"] or "",
        category=said.category,
        rating=said.rating,
        document=said.document,
        created_at=now,
    )
    store.tickets.add(ticket)
    store.events.append(_event(store, ticket, EventType.FEEDBACK_SUBMITTED, now))
    return ticket


def list_feedback(store: Store, visit: Visit, listing: Listing, *, now: datetime) -> Page[Ticket]:
    """Return a page of the client's tickets."""
    visit.grant.require(Permission.SUBMIT_FEEDBACK, at=now)
    return store.tickets.page(visit.scope.company_id, listing, _theirs(visit))


def read_feedback(store: Store, visit: Visit, ticket_id: TicketId, *, now: datetime) -> Ticket:
    """Return one of the client's tickets with its replies."""
    visit.grant.require(Permission.SUBMIT_FEEDBACK, at=now)
    return _found(store, visit.scope.company_id, ticket_id, _theirs(visit))


def reply_as_client(store: Store, visit: Visit, ticket_id: TicketId, message: str, *, now: datetime) -> Ticket:
    """Add the client's reply, which waits for staff; refuse with NotOpen when the ticket is closed."""
    visit.grant.require(Permission.SUBMIT_FEEDBACK, at=now)
    reply = Reply(by=Party.CLIENT, message=clean_message(message), created_at=now)
    return _reply(store, visit.scope.company_id, ticket_id, _theirs(visit), reply, close=False)


def list_tickets(store: Store, company_id: CompanyId, listing: Listing, narrowed: TicketFilter) -> Page[Ticket]:
    """Return a page of a company's tickets, for staff."""
    return store.tickets.page(company_id, listing, narrowed)


def read_ticket(store: Store, company_id: CompanyId, ticket_id: TicketId) -> Ticket:
    """Return one of a company's tickets, for staff."""
    return _found(store, company_id, ticket_id, TicketFilter())


def reply_as_staff(
    store: Store,
    company_id: CompanyId,
    ticket_id: TicketId,
    message: str,
    *,
    close: bool,
    now: datetime,
    by: Actor = PROGRAM,
) -> Ticket:
    """Add a reply of staff and perhaps close the ticket; refuse with NotOpen when it is closed already."""
    reply = Reply(by=Party.STAFF, message=clean_message(message), created_at=now)
    ticket = _reply(store, company_id, ticket_id, TicketFilter(), reply, close=close)
    act = Act(
        action=AuditAction.FEEDBACK_CLOSED if close else AuditAction.FEEDBACK_REPLIED,
        company_id=company_id,
        client_id=ticket.client_id,
        target=Target(TargetType.FEEDBACK, ticket.id),
    )
    note_act(store, act, by=by, now=now)
    return ticket


def _hold_what_it_is_about(store: Store, visit: Visit, document: DocumentRef | None) -> None:
    """See to it that the document stays, and with it its client; or the client, where no document is named."""
    company_id, client_id = visit.scope.company_id, visit.scope.client_id
    if document is None:
        if store.clients.hold(company_id, client_id) is None:
            raise DeadLink
        return
    store.facts.hold(company_id, [RecordRef(RecordType(document.type.value), document.id)])
    if not can_see(store, visit, document):
        raise InvalidInput.at("/document/id", f"there is no {document.type.value} {document.id!r} here")


def _theirs(visit: Visit) -> TicketFilter:
    return TicketFilter(client_id=visit.scope.client_id, documents=visit.scope.documents)


def _found(store: Store, company_id: CompanyId, ticket_id: TicketId, narrowed: TicketFilter) -> Ticket:
    return require_found(store.tickets.get(company_id, ticket_id, narrowed), "feedback", ticket_id)


def _reply(
    store: Store, company_id: CompanyId, ticket_id: TicketId, narrowed: TicketFilter, reply: Reply, *, close: bool
) -> Ticket:
    was = _found(store, company_id, ticket_id, narrowed)
    ticket = was.reply(reply, close=close)
    if not store.tickets.update(ticket, was=was):
        raise Busy("Somebody else is writing in this conversation just now. Try again in a moment.")
    event = _event(store, ticket, EventType.FEEDBACK_REPLIED, reply.created_at)
    store.events.append(evolve(event, data={**event.data, "by": reply.by.value, "state": ticket.state.value}))
    return ticket


def _event(store: Store, ticket: Ticket, kind: EventType, now: datetime) -> Event:
    return Event(
        id=EventId(store.mint.new_id()),
        company_id=ticket.company_id,
        client_id=ticket.client_id,
        type=kind,
        occurred_at=now,
        data={"feedback_id": ticket.id, "subject": ticket.subject},
    )
