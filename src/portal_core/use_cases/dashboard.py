"""What a client sees first."""

from datetime import datetime

from portal_core.domain.access import DocumentType, Permission, Visit
from portal_core.domain.dashboard import Dashboard
from portal_core.ports import Store
from portal_core.use_cases.narrowing import narrow_dashboard, within

_SECTIONS = {
    Permission.VIEW_QUOTES: DocumentType.QUOTE,
    Permission.VIEW_ORDERS: DocumentType.ORDER,
    Permission.VIEW_INVOICES: DocumentType.INVOICE,
    Permission.VIEW_DELIVERIES: DocumentType.DELIVERY,
}


def read_dashboard(store: Store, visit: Visit, *, now: datetime) -> Dashboard:
    """Return what the link may see of the dashboard; a link to some documents alone has no balances."""
    visit.grant.require(at=now)
    shown = frozenset(section for permission, section in _SECTIONS.items() if visit.grant.may(permission))
    balances = visit.grant.may(Permission.VIEW_INVOICES) and visit.scope.documents is None
    dashboard = store.dashboards.get(visit.scope, on=visit.today(now), shown=shown, balances=balances)
    return within(visit.scope, dashboard, narrow_dashboard)
