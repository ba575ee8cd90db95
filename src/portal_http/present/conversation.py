"""Feedback and events."""

from portal_core.domain.events import Event
from portal_core.domain.feedback import Reply, Ticket
from portal_http.present.values import document, moment
from portal_http.shapes import EventShape, ReplyShape, StaffTicketShape, TicketShape


def ticket(found: Ticket) -> TicketShape:
    """Return a ticket with its replies."""
    return {
        "id": found.id,
        "subject": found.subject,
        "message": found.message,
        "category": found.category,
        "rating": found.rating,
        "document": None if found.document is None else document(found.document),
        "state": found.state,
        "created_at": moment(found.created_at),
        "replies": [_reply(each) for each in found.replies],
    }


def ticket_for_staff(found: Ticket) -> StaffTicketShape:
    """Return a ticket, with whose it is."""
    return {**ticket(found), "client_id": found.client_id}


def event(found: Event) -> EventShape:
    """Return something that happened."""
    return {
        "id": found.id,
        "type": found.type,
        "occurred_at": moment(found.occurred_at),
        "client_id": found.client_id,
        "data": dict(found.data),
    }


def _reply(found: Reply) -> ReplyShape:
    return {"by": found.by, "message": found.message, "created_at": moment(found.created_at)}
