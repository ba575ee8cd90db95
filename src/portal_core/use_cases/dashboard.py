"""What a client sees first."""

from datetime import datetime

from portal_core.domain.access import DocumentType, Permission, Visit
from portal_core.domain.dashboard import Dashboard, FirstPage, PagePart
from portal_core.ports import Store
from portal_core.use_cases.narrowing import narrow_dashboard, narrow_first_page, within

_SECTIONS = {
    Permission.VIEW_QUOTES: DocumentType.QUOTE,
    Permission.VIEW_ORDERS: DocumentType.ORDER,
    Permission.VIEW_INVOICES: DocumentType.INVOICE,
    Permission.VIEW_DELIVERIES: DocumentType.DELIVERY,
}

_NEEDED = {
    PagePart.TO_ANSWER: frozenset({Permission.VIEW_QUOTES, Permission.ACCEPT_QUOTES}),
    PagePart.TO_PAY: frozenset({Permission.VIEW_INVOICES}),
    PagePart.TO_COME: frozenset({Permission.VIEW_DELIVERIES}),
    PagePart.QUOTES: frozenset({Permission.VIEW_QUOTES}),
    PagePart.ORDERS: frozenset({Permission.VIEW_ORDERS}),
    PagePart.INVOICES: frozenset({Permission.VIEW_INVOICES}),
    PagePart.BALANCES: frozenset({Permission.VIEW_INVOICES}),
}


def read_dashboard(store: Store, visit: Visit, *, now: datetime) -> Dashboard:
    """Return what the link may see of the dashboard; a link to some documents alone has no balances."""
    visit.grant.require(at=now)
    shown = frozenset(section for permission, section in _SECTIONS.items() if visit.grant.may(permission))
    balances = visit.grant.may(Permission.VIEW_INVOICES) and visit.scope.documents is None
    dashboard = store.dashboards.get(visit.scope, on=visit.today(now), shown=shown, balances=balances)
    return within(visit.scope, dashboard, narrow_dashboard)


def read_first_page(store: Store, visit: Visit, *, now: datetime) -> FirstPage:
    """Return what the link may see of the first page for people; to some documents alone it has no balances."""
    visit.grant.require(at=now)
    withheld = frozenset[PagePart]() if visit.scope.documents is None else frozenset({PagePart.BALANCES})
    parts = frozenset(part for part, needed in _NEEDED.items() if needed <= visit.grant.permissions) - withheld
    page = store.dashboards.first_page(visit.scope, on=visit.today(now), parts=parts)
    return within(visit.scope, page, narrow_first_page)
