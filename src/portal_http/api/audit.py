"""The audit log: who did what, when and from where."""

from portal_core.domain.audit import AuditAction
from portal_core.domain.filters import AuditFilter
from portal_core.domain.ids import ClientId
from portal_core.domain.paging import MOMENT_SORTS
from portal_core.use_cases.audit import list_audit_entries
from portal_http import present
from portal_http.answers import Answer
from portal_http.api.tokens import CLIENT_ID
from portal_http.calls import StaffCall
from portal_http.cursors import asked_list
from portal_http.queries import a_day, a_name, an_id, choices

ACTOR = a_name("actor", "Who acted: the subject of staff's token, a link's id, or `command line`.")
ACTION = choices("action", AuditAction, "What they did.")
TARGET_ID = an_id("target_id", "The id of what they did it to.")
FROM = a_day("from", "The first day, counted in, in UTC.")
TO = a_day("to", "The last day, counted in, in UTC.")


async def list_all(call: StaffCall) -> Answer:
    """Return a page of the audit log."""
    asked, client_id = asked_list(call, MOMENT_SORTS), call.query.get(CLIENT_ID)
    narrowed = AuditFilter(
        client_id=None if client_id is None else ClientId(client_id),
        actor=call.query.get(ACTOR),
        actions=call.query.get(ACTION),
        target_id=call.query.get(TARGET_ID),
    )
    page = await call.read(lambda store: list_audit_entries(store, call.company_id, asked.listing, narrowed))
    return asked.answer(page, [present.audit_entry(each) for each in page.items])
