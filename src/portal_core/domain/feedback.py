"""Feedback: a ticket about the business or one of its documents, and the conversation that follows."""

from datetime import datetime
from enum import StrEnum

from attrs import evolve, frozen

from portal_core.domain.access import DocumentRef
from portal_core.domain.errors import NotOpen
from portal_core.domain.ids import ClientId, CompanyId, TicketId


class Category(StrEnum):
    """What a ticket is about."""

    QUESTION = "question"
    PROBLEM = "problem"
    PRAISE = "praise"
    OTHER = "other"


class TicketState(StrEnum):
    """Whose turn it is: open waits for staff, answered for the client, closed for nobody."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


class Party(StrEnum):
    """Who wrote a reply."""

    CLIENT = "client"
    STAFF = "staff"


@frozen(kw_only=True)
class Reply:
    """One message of the conversation."""

    by: Party
    message: str
    created_at: datetime


@frozen(kw_only=True)
class Ticket:
    """What a client wrote, perhaps about a document they can see, with a rating of 1 to 5, and the replies in order."""

    id: TicketId
    company_id: CompanyId
    client_id: ClientId
    subject: str
    message: str
    category: Category
    rating: int | None = None
    document: DocumentRef | None = None
    state: TicketState = TicketState.OPEN
    created_at: datetime
    replies: tuple[Reply, ...] = ()

    def reply(self, reply: Reply, *, close: bool = False) -> "Ticket":
        """Return the ticket with one more reply; refuse with NotOpen when it is closed."""
        if self.state is TicketState.CLOSED:
            raise NotOpen("This conversation is closed. Start a new one.")
        waiting = TicketState.OPEN if reply.by is Party.CLIENT else TicketState.ANSWERED
        return evolve(self, replies=(*self.replies, reply), state=TicketState.CLOSED if close else waiting)

    def without_texts(self) -> "Ticket":
        """Return the ticket without what the client wrote in it; what staff wrote stays."""
        replies = (evolve(each, message="") if each.by is Party.CLIENT else each for each in self.replies)
        return evolve(self, subject="", message="", replies=tuple(replies))
