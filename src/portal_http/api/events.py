"""What happened, for systems that would rather ask than be told."""

from portal_core.domain.ids import EventId
from portal_core.domain.paging import DEFAULT_LIMIT
from portal_core.use_cases.decisions import read_events
from portal_http import present
from portal_http.answers import Answer, listed
from portal_http.calls import StaffCall
from portal_http.queries import LIMIT, an_id

AFTER = an_id("after", "The id of an event; the answer starts with the one after it.")


async def list_all(call: StaffCall) -> Answer:
    """Return events, oldest first."""
    after, limit = call.query.get(AFTER), call.query.get(LIMIT) or DEFAULT_LIMIT
    since = None if after is None else EventId(after)
    page = await call.read(lambda store: read_events(store, call.company_id, after=since, limit=limit))
    rows = [present.event(each) for each in page.items]
    cursor = rows[-1]["id"] if rows and page.next is not None else None
    return listed(rows, total=page.total, limit=limit, cursor=cursor)
