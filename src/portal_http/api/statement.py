"""The statement of account."""

from portal_core.domain.paging import LARGEST_LIMIT
from portal_core.use_cases.statement import read_statement
from portal_http import present
from portal_http.answers import Answer, answered, listed
from portal_http.calls import ClientCall
from portal_http.queries import CURRENCY, a_day

FROM = a_day("from", "The first day, counted in; 12 months before the last one if left out.")
TO = a_day("to", "The last day, counted in; that of the last movement if left out.")


async def view_statement(call: ClientCall) -> Answer:
    """Return the statement in one currency, or one for each currency that ever moved."""
    unit, since, until = call.query.get(CURRENCY), call.query.get(FROM), call.query.get(TO)
    found = await call.read(
        lambda store: read_statement(store, call.visit, unit=unit, since=since, until=until, now=call.now)
    )
    rows = [present.statement(each) for each in found]
    return answered(rows[0]) if unit is not None else listed(rows, total=len(rows), limit=LARGEST_LIMIT, cursor=None)
