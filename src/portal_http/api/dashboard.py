"""Whose link it is, and what a client sees first."""

from functools import partial

from portal_core.use_cases.dashboard import read_dashboard
from portal_http import present
from portal_http.answers import Answer, answered
from portal_http.calls import ClientCall


async def view_link(call: ClientCall) -> Answer:
    """Return whose link it is and what it may do."""
    return answered(present.view(call.visit))


async def view_dashboard(call: ClientCall) -> Answer:
    """Return the newest documents and the balances."""
    found = await call.read(partial(read_dashboard, visit=call.visit, now=call.now))
    return answered(present.dashboard(found, call.visit, call.today))
