"""Feedback, as staff read and answer it."""

from portal_core.domain.feedback import TicketState
from portal_core.domain.filters import TicketFilter
from portal_core.domain.ids import ClientId, TicketId
from portal_core.domain.paging import MOMENT_SORTS
from portal_core.ports import Store
from portal_core.use_cases.feedback import list_tickets, read_ticket, reply_as_staff
from portal_http import present
from portal_http.answers import Answer, answered
from portal_http.api.tokens import CLIENT_ID
from portal_http.calls import StaffCall
from portal_http.cursors import asked_list
from portal_http.queries import choices
from portal_http.requests import ReplyAsStaff

STATE = choices("state", TicketState, "Whose turn it is: `open` waits for staff, `answered` for the client.")


async def list_all(call: StaffCall) -> Answer:
    """Return a page of the company's tickets."""
    asked, client_id = asked_list(call, MOMENT_SORTS), call.query.get(CLIENT_ID)
    narrowed = TicketFilter(client_id=None if client_id is None else ClientId(client_id), states=call.query.get(STATE))
    page = await call.read(lambda store: list_tickets(store, call.company_id, asked.listing, narrowed))
    return asked.answer(page, [present.ticket_for_staff(each) for each in page.items])


async def read_one(call: StaffCall) -> Answer:
    """Return one ticket with its replies."""
    found = await call.read(lambda store: read_ticket(store, call.company_id, TicketId(call.record_id)))
    return answered(present.ticket_for_staff(found))


async def reply(call: StaffCall, asked: ReplyAsStaff) -> Answer:
    """Add a reply of staff, and perhaps close the ticket."""

    def work(store: Store) -> Answer:
        ticket_id, close = TicketId(call.record_id), asked.close
        found = reply_as_staff(
            store, call.company_id, ticket_id, asked.message, close=close, now=call.now, by=call.actor
        )
        return answered(present.ticket_for_staff(found), status=201)

    return await call.write(work)
