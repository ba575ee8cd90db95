"""Feedback, as clients give it."""

from portal_core.domain.ids import TicketId
from portal_core.domain.paging import MOMENT_SORTS
from portal_core.ports import Store
from portal_core.use_cases.feedback import list_feedback, read_feedback, reply_as_client, submit_feedback
from portal_http import present
from portal_http.answers import Answer, answered
from portal_http.calls import ClientCall
from portal_http.cursors import asked_list
from portal_http.requests import ReplyAsClient, SubmitFeedback


async def list_all(call: ClientCall) -> Answer:
    """Return a page of the client's tickets."""
    asked = asked_list(call, MOMENT_SORTS)
    page = await call.read(lambda store: list_feedback(store, call.visit, asked.listing, now=call.now))
    return asked.answer(page, [present.ticket(each) for each in page.items])


async def read_one(call: ClientCall) -> Answer:
    """Return one ticket with its replies."""
    found = await call.read(lambda store: read_feedback(store, call.visit, TicketId(call.record_id), now=call.now))
    return answered(present.ticket(found))


async def submit(call: ClientCall, asked: SubmitFeedback) -> Answer:
    """Open a ticket."""

    def work(store: Store) -> Answer:
        return answered(present.ticket(submit_feedback(store, call.visit, asked.said(), now=call.now)), status=201)

    return await call.write(work)


async def reply(call: ClientCall, asked: ReplyAsClient) -> Answer:
    """Add the client's reply."""

    def work(store: Store) -> Answer:
        ticket = reply_as_client(store, call.visit, TicketId(call.record_id), asked.message, now=call.now)
        return answered(present.ticket(ticket), status=201)

    return await call.write(work)
