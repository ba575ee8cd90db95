"""What needs the client now, and what they may expect."""

from datetime import date, timedelta

from portal_core.domain.access import Permission
from portal_core.domain.dashboard import RECENT
from portal_core.domain.deliveries import DeliveryState, DeliveryView
from portal_core.domain.filters import DeliveryFilter, InvoiceFilter, QuoteFilter
from portal_core.domain.invoices import InvoiceSummary
from portal_core.domain.paging import OLDEST_DUE, Listing
from portal_core.domain.quotes import QuoteState, QuoteSummary
from portal_core.ports import Store
from portal_core.use_cases.deliveries import list_deliveries
from portal_core.use_cases.invoices import list_invoices
from portal_core.use_cases.quotes import list_quotes
from portal_http.pages.asked import Asked

SOON = timedelta(days=14)
"""What falls due within so many days needs the client now."""

_LOOKED_AT = 25
"""Among so many deliveries, the latest planned, the nearest are looked for."""


def quotes_to_answer(store: Store, asked: Asked) -> list[QuoteSummary]:
    """Return the newest quotes that await the client's answer, if the link may give it."""
    if not (asked.may(Permission.VIEW_QUOTES) and asked.may(Permission.ACCEPT_QUOTES)):
        return []
    narrowed = QuoteFilter(states=frozenset({QuoteState.SENT}))
    return list(list_quotes(store, asked.visit, _few("issued_on"), narrowed, now=asked.now).items)


def invoices_to_pay(store: Store, asked: Asked) -> list[InvoiceSummary]:
    """Return the invoices of which something is overdue or soon due, the longest overdue first."""
    if not asked.may(Permission.VIEW_INVOICES):
        return []
    due = InvoiceFilter(due_by=asked.today + SOON)
    return list(list_invoices(store, asked.visit, _few(OLDEST_DUE, descending=False), due, now=asked.now).items)


def deliveries_to_come(store: Store, asked: Asked) -> list[DeliveryView]:
    """Return the deliveries that are not there yet, those planned nearest to today first: a record may be forgotten."""
    if not asked.may(Permission.VIEW_DELIVERIES):
        return []
    coming = frozenset({DeliveryState.WAITING, DeliveryState.READY, DeliveryState.SHIPPED})
    latest = _few("scheduled_on", most=_LOOKED_AT)
    page = list_deliveries(store, asked.visit, latest, DeliveryFilter(states=coming), now=asked.now)
    return sorted(page.items, key=lambda each: _distance(each.delivery.scheduled_on, asked.today))[:RECENT]


def _distance(planned: date | None, today: date) -> timedelta:
    return timedelta.max if planned is None else abs(planned - today)


def _few(sort: str, *, descending: bool = True, most: int = RECENT) -> Listing:
    # A total that is known already is not counted again; nobody reads this one.
    return Listing(sort=sort, descending=descending, limit=most, total=0)
