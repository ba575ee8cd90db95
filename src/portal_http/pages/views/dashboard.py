"""The first page: what needs the client now, what they owe, what is on its way."""

from datetime import timedelta

from portal_core.domain.access import Permission
from portal_core.domain.balance import Balance
from portal_core.domain.dashboard import RECENT, Dashboard
from portal_core.domain.deliveries import DeliveryState, DeliveryView
from portal_core.domain.filters import DeliveryFilter, InvoiceFilter, QuoteFilter
from portal_core.domain.invoices import InvoiceSummary, PaymentState
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import QuoteState, QuoteSummary
from portal_core.ports import Store
from portal_core.use_cases.dashboard import read_dashboard
from portal_core.use_cases.deliveries import list_deliveries
from portal_core.use_cases.invoices import list_invoices
from portal_core.use_cases.quotes import list_quotes
from portal_http.answers import Answer
from portal_http.pages.asked import Asked
from portal_http.pages.charts import aging_bar

SOON = timedelta(days=14)
"""What falls due within so many days needs the client now."""


async def show(asked: Asked, _document_id: str) -> Answer:
    """Show the first page."""

    def gather(store: Store) -> tuple[Dashboard, list[QuoteSummary], list[InvoiceSummary], list[DeliveryView]]:
        return (
            read_dashboard(store, asked.visit, now=asked.now),
            _to_answer(store, asked),
            _to_pay(store, asked),
            _on_its_way(store, asked),
        )

    dashboard, to_answer, to_pay, on_its_way = await asked.read(gather)
    return asked.page(
        "dashboard.html",
        dashboard=dashboard,
        to_answer=to_answer,
        to_pay=to_pay,
        on_its_way=on_its_way,
        few=RECENT,
        balances=[(balance, aging_bar(balance.aging)) for balance in dashboard.balances or () if _counts(balance)],
    )


def _to_answer(store: Store, asked: Asked) -> list[QuoteSummary]:
    if not (asked.may(Permission.VIEW_QUOTES) and asked.may(Permission.ACCEPT_QUOTES)):
        return []
    narrowed = QuoteFilter(states=frozenset({QuoteState.SENT}))
    return list(list_quotes(store, asked.visit, _few("issued_on"), narrowed, now=asked.now).items)


def _to_pay(store: Store, asked: Asked) -> list[InvoiceSummary]:
    if not asked.may(Permission.VIEW_INVOICES):
        return []
    narrowed = InvoiceFilter(payment_states=frozenset({PaymentState.NOT_PAID, PaymentState.PARTIAL}))
    page = list_invoices(store, asked.visit, _few("due_on", descending=False), narrowed, now=asked.now)
    soon = asked.today + SOON
    dated = [(each.oldest_due_on, each) for each in page.items if each.oldest_due_on is not None]
    return [each for due_on, each in sorted(dated, key=lambda pair: pair[0]) if due_on <= soon]


def _on_its_way(store: Store, asked: Asked) -> list[DeliveryView]:
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


def _counts(balance: Balance) -> bool:
    return bool(balance.outstanding or balance.credit)
