"""What clients decided, with the evidence."""

from portal_core.domain.filters import DecisionFilter
from portal_core.domain.ids import ClientId, DecisionId, QuoteId
from portal_core.domain.paging import MOMENT_SORTS
from portal_core.domain.quotes import Answer as Decided
from portal_core.use_cases.decisions import list_decisions, read_decision
from portal_http import present
from portal_http.answers import Answer, answered
from portal_http.api.tokens import CLIENT_ID
from portal_http.calls import StaffCall
from portal_http.cursors import asked_list
from portal_http.queries import an_id, choices

QUOTE_ID = an_id("quote_id", "Decisions on one quote.")
ANSWER = choices("answer", Decided, "What was decided.")


async def list_all(call: StaffCall) -> Answer:
    """Return a page of decisions with their evidence."""
    asked, client_id, quote_id = asked_list(call, MOMENT_SORTS), call.query.get(CLIENT_ID), call.query.get(QUOTE_ID)
    narrowed = DecisionFilter(
        client_id=None if client_id is None else ClientId(client_id),
        quote_id=None if quote_id is None else QuoteId(quote_id),
        answers=call.query.get(ANSWER),
    )
    page = await call.read(lambda store: list_decisions(store, call.company_id, asked.listing, narrowed))
    return asked.answer(page, [present.decision_with_evidence(each) for each in page.items])


async def read_one(call: StaffCall) -> Answer:
    """Return one decision with its evidence."""
    found = await call.read(lambda store: read_decision(store, call.company_id, DecisionId(call.record_id)))
    return answered(present.decision_with_evidence(found))
