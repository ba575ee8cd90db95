"""What needs the client now, and what they may expect."""

from datetime import timedelta

from portal_core.domain.access import Permission
from portal_core.domain.dashboard import RECENT
from portal_core.domain.deliveries import DeliveryState, DeliveryView
from portal_core.domain.filters import DeliveryFilter, InvoiceFilter, QuoteFilter
from portal_core.domain.invoices import InvoiceSummary, PaymentState
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import QuoteState, QuoteSummary
from portal_core.ports import Store
from portal_core.use_cases.deliveries import list_deliveries
from portal_core.use_cases.invoices import list_invoices
from portal_core.use_cases.quotes import list_quotes
from portal_http.pages.asked import Asked

SOON = timedelta(days=14)
"""What falls due within so many days needs the client now."""


def quotes_to_answer(store: Store, asked: Asked) -> list[QuoteSummary]:
    """Return the newest quotes that await the client's answer, if the link may give it."""
    if not (asked.may(Permission.VIEW_QUOTES) and asked.may(Permission.ACCEPT_QUOTES)):
        return []
    narrowed = QuoteFilter(states=frozenset({QuoteState.SENT}))
    return list(list_quotes(store, asked.visit, _few("issued_on"), narrowed, now=asked.now).items)


def invoices_to_pay(store: Store, asked: Asked) -> list[InvoiceSummary]:
    """Return the invoices of which something is overdue or soon due, the oldest first."""
    if not asked.may(Permission.VIEW_INVOICES):
        return []
    narrowed = InvoiceFilter(payment_states=frozenset({PaymentState.NOT_PAID, PaymentState.PARTIAL}))
    page = list_invoices(store, asked.visit, _few("due_on", descending=False), narrowed, now=asked.now)
    soon = asked.today + SOON
    dated = [(each.oldest_due_on, each) for each in page.items if each.oldest_due_on is not None]
    return [each for due_on, each in sorted(dated, key=lambda pair: pair[0]) if due_on <= soon]


def deliveries_to_come(store: Store, asked: Asked) -> list[DeliveryView]:
    """Return the deliveries that are not there yet, the next one first."""
    if not asked.may(Permission.VIEW_DELIVERIES):
        return []
    coming = frozenset({DeliveryState.WAITING, DeliveryState.READY, DeliveryState.SHIPPED})
    page = list_deliveries(
        store, asked.visit, _few("scheduled_on", descending=False), DeliveryFilter(states=coming), now=asked.now
    )
    return list(page.items)


def _few(sort: str, *, descending: bool = True) -> Listing:
    # A total that is known already is not counted again; nobody reads this one.
    return Listing(sort=sort, descending=descending, limit=RECENT, total=0)
