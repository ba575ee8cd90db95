"""For staff: what clients decided, and what happened."""

from portal_core.domain.errors import InvalidInput
from portal_core.domain.events import Event
from portal_core.domain.filters import DecisionFilter
from portal_core.domain.ids import CompanyId, DecisionId, EventId
from portal_core.domain.paging import Listing, Page
from portal_core.domain.quotes import Decision
from portal_core.ports import Store
from portal_core.use_cases.finding import require_found


def list_decisions(store: Store, company_id: CompanyId, listing: Listing, narrowed: DecisionFilter) -> Page[Decision]:
    """Return a page of decisions with their evidence."""
    return store.decisions.page(company_id, listing, narrowed)


def read_decision(store: Store, company_id: CompanyId, decision_id: DecisionId) -> Decision:
    """Return one decision with its evidence."""
    return require_found(store.decisions.get(company_id, decision_id), "decision", decision_id)


def read_events(store: Store, company_id: CompanyId, *, after: EventId | None, limit: int) -> Page[Event]:
    """Return what happened after an event, oldest first; refuse with InvalidInput if there is no such event."""
    page = store.events.page(company_id, after=after, limit=limit)
    if page is None:
        raise InvalidInput.in_parameter("after", f"there is no event {after!r}; leave it out to start at the first")
    return page
