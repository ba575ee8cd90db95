"""Tickets in SQL."""

from collections.abc import Sequence
from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, and_, bindparam, exists, insert, or_, select, update

from portal_adapters.sqlalchemy.documents import among, constant, words
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import replies, tickets
from portal_adapters.sqlalchemy.sections import Section
from portal_adapters.sqlalchemy.values import dump_ref, load_ref
from portal_core.domain.feedback import Category, Party, Reply, Ticket, TicketState
from portal_core.domain.filters import TicketFilter
from portal_core.domain.ids import ClientId, CompanyId, TicketId
from portal_core.domain.paging import MOMENT_SORTS, Listing, Page
from portal_core.ports import Tickets

_REPLIES = Section(
    "replies",
    select(replies.c.by, replies.c.message, replies.c.created_at)
    .where(replies.c.company_id == tickets.c.company_id, replies.c.ticket_id == tickets.c.id)
    .order_by(replies.c.position)
    .correlate(tickets),
)

_OF_COMPANY = select(*tickets.c, _REPLIES.column).where(tickets.c.company_id == bindparam("company_id"))

_LIST = ListSource(
    rows=_OF_COMPANY,
    id=tickets.c.id,
    sorts={"created_at": tickets.c.created_at},
    conditions={
        "ticket_id": tickets.c.id == bindparam("ticket_id"),
        "client_id": tickets.c.client_id == bindparam("client_id"),
        "documents": among(tickets.c.document, "documents"),
        "states": among(tickets.c.state, "states"),
    },
    selective=frozenset({"ticket_id", "documents"}),
)

_ADD = insert(tickets)
_ADD_REPLIES = insert(replies)

_UPDATE = (
    update(tickets)
    .where(
        tickets.c.company_id == bindparam("this_company_id"),
        tickets.c.id == bindparam("this_id"),
        tickets.c.state == bindparam("this_state"),
        tickets.c.reply_count == bindparam("this_reply_count"),
        # Who read it before it was erased would tell of what was in it.
        tickets.c.subject == bindparam("this_subject"),
    )
    .values(state=bindparam("state"), reply_count=bindparam("reply_count"))
)

_THEIRS = and_(tickets.c.company_id == bindparam("this_company_id"), tickets.c.client_id == bindparam("this_client_id"))

_WRITTEN_REPLY = and_(
    replies.c.company_id == bindparam("this_company_id"),
    replies.c.by == constant(Party.CLIENT),
    replies.c.message != "",
)

_WRITTEN = select(tickets.c.id).where(
    _THEIRS,
    or_(
        tickets.c.subject != "",
        tickets.c.message != "",
        exists().where(_WRITTEN_REPLY, replies.c.ticket_id == tickets.c.id),
    ),
)

_ERASE = update(tickets).where(_THEIRS).values(subject="", message="")

_ERASE_REPLIES = (
    update(replies)
    .where(_WRITTEN_REPLY, replies.c.ticket_id.in_(select(tickets.c.id).where(_THEIRS)))
    .values(message="")
)


@final
@frozen
class SqlTickets(Tickets):
    connection: Connection

    def get(self, company_id: CompanyId, ticket_id: TicketId, narrowed: TicketFilter) -> Ticket | None:
        page = self._page(company_id, Listing(sort=MOMENT_SORTS[0], limit=1, total=0), narrowed, ticket_id=ticket_id)
        return next(iter(page.items), None)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: TicketFilter) -> Page[Ticket]:
        return self._page(company_id, listing, narrowed)

    def add(self, ticket: Ticket) -> None:
        self.connection.execute(_ADD, _values(ticket))
        self._add_replies(ticket, known=0)

    def update(self, ticket: Ticket, *, was: Ticket) -> bool:
        parameters = {
            "this_company_id": ticket.company_id,
            "this_id": ticket.id,
            "this_state": was.state.value,
            "this_reply_count": len(was.replies),
            "this_subject": was.subject,
            "state": ticket.state.value,
            "reply_count": len(ticket.replies),
        }
        if self.connection.execute(_UPDATE, parameters).rowcount != 1:
            return False
        self._add_replies(ticket, known=len(was.replies))
        return True

    def erase(self, company_id: CompanyId, client_id: ClientId) -> int:
        theirs = {"this_company_id": company_id, "this_client_id": client_id}
        written = len(self.connection.execute(_WRITTEN, theirs).all())
        if written:
            self.connection.execute(_ERASE, theirs)
            self.connection.execute(_ERASE_REPLIES, theirs)
        return written

    def _page(self, company_id: CompanyId, listing: Listing, narrowed: TicketFilter, **this: str) -> Page[Ticket]:
        documents = None if narrowed.documents is None else sorted(dump_ref(ref) for ref in narrowed.documents)
        asked = {"client_id": narrowed.client_id, "documents": documents, "states": words(narrowed.states), **this}
        return read_page(
            self.connection,
            _LIST,
            listing,
            scope={"company_id": company_id},
            narrowed={name: value for name, value in asked.items() if value is not None},
            read=_tickets,
        )

    def _add_replies(self, ticket: Ticket, *, known: int) -> None:
        fresh = [
            {
                "company_id": ticket.company_id,
                "ticket_id": ticket.id,
                "position": position,
                "by": reply.by.value,
                "message": reply.message,
                "created_at": reply.created_at,
            }
            for position, reply in enumerate(ticket.replies)
            if position >= known
        ]
        if fresh:
            self.connection.execute(_ADD_REPLIES, fresh)


def _tickets(rows: Sequence[AnyRow]) -> Sequence[Ticket]:
    return [_ticket(row) for row in rows]


def _ticket(row: AnyRow) -> Ticket:
    return Ticket(
        id=row.id,
        company_id=row.company_id,
        client_id=row.client_id,
        subject=row.subject,
        message=row.message,
        category=Category(row.category),
        rating=row.rating,
        document=None if row.document is None else load_ref(row.document),
        state=TicketState(row.state),
        created_at=row.created_at,
        replies=tuple(map(_reply, _REPLIES.read(row.replies))),
    )


def _reply(row: AnyRow) -> Reply:
    return Reply(by=Party(row.by), message=row.message, created_at=row.created_at)


def _values(ticket: Ticket) -> dict[str, Any]:
    return {
        "company_id": ticket.company_id,
        "id": ticket.id,
        "client_id": ticket.client_id,
        "subject": ticket.subject,
        "message": ticket.message,
        "category": ticket.category.value,
        "rating": ticket.rating,
        "document": None if ticket.document is None else dump_ref(ticket.document),
        "state": ticket.state.value,
        "created_at": ticket.created_at,
        "reply_count": len(ticket.replies),
    }
