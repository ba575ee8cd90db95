"""Quotes: read, accepted, declined."""

from datetime import datetime
from typing import Protocol

import orjson

from portal_core.domain.access import Visit
from portal_core.domain.filters import QuoteFilter
from portal_core.domain.ids import QuoteId
from portal_core.domain.paging import QUOTE_SORTS
from portal_core.domain.quotes import SHOWN_QUOTE_STATES, Evidence, Quote
from portal_core.ports import Store
from portal_core.use_cases.quotes import accept_quote, decline_quote, list_quotes, read_quote
from portal_http import present
from portal_http.answers import Answer, answered, tagged
from portal_http.api import glances
from portal_http.calls import ClientCall
from portal_http.cursors import asked_list
from portal_http.queries import choices
from portal_http.requests import AcceptQuote, DeclineQuote

STATE = choices("state", SHOWN_QUOTE_STATES, "The states shown; `sent` leaves out what has expired.")


class Decide(Protocol):
    """The two use cases that answer a quote."""

    def __call__(
        self, store: Store, visit: Visit, quote_id: QuoteId, evidence: Evidence, *, seen: int | None, now: datetime
    ) -> Quote:
        """Answer a quote and return it with the decision."""
        ...


async def list_all(call: ClientCall) -> Answer:
    """Return a page of quotes."""
    asked, narrowed = asked_list(call, QUOTE_SORTS), QuoteFilter(states=call.query.get(STATE))
    page = await call.read(lambda store: list_quotes(store, call.visit, asked.listing, narrowed, now=call.now))
    return asked.answer(page, [present.quote_row(each, call.today) for each in page.items])


async def read_one(call: ClientCall) -> Answer:
    """Return one quote; its entity tag is the revision."""
    quote = await call.read(lambda store: read_quote(store, call.visit, QuoteId(call.record_id), now=call.now))
    return glances.QUOTE.show(quote, call.visit, call.today)


async def accept(call: ClientCall, asked: AcceptQuote) -> Answer:
    """Accept a quote and return it with the decision."""
    return await _decide(call, asked, accept_quote)


async def decline(call: ClientCall, asked: DeclineQuote) -> Answer:
    """Decline a quote and return it with the decision."""
    return await _decide(call, asked, decline_quote)


async def _decide(call: ClientCall, asked: AcceptQuote | DeclineQuote, decide: Decide) -> Answer:
    evidence = asked.evidence(ip=call.address, user_agent=call.request.user_agent())
    quote_id, seen = QuoteId(call.record_id), call.request.revision_seen(asked.revision)

    def work(store: Store) -> Answer:
        quote = decide(store, call.visit, quote_id, evidence, seen=seen, now=call.now)
        return answered(present.quote_detail(quote, call.today))

    answer = await call.write(work)
    return tagged(answer, orjson.loads(answer.body)["data"]["revision"])
