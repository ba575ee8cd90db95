"""The nine lists that a store pages through, described once for the promises that hold for all of them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time
from typing import Any

from attrs import evolve, frozen

from portal_adapters.contract.builders import (
    NOW,
    TODAY,
    a_decision,
    a_delivery,
    a_grant,
    a_payment,
    a_quote,
    a_ticket,
    an_audit_entry,
    an_invoice,
    an_order,
    day,
)
from portal_adapters.contract.feeding import feed, keep_decision
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.filters import (
    AuditFilter,
    DecisionFilter,
    DeliveryFilter,
    GrantFilter,
    InvoiceFilter,
    OrderFilter,
    QuoteFilter,
    TicketFilter,
)
from portal_core.domain.ids import DecisionId, DeliveryId, GrantId, InvoiceId, OrderId, PaymentId, QuoteId, TicketId
from portal_core.domain.paging import (
    DELIVERY_SORTS,
    INVOICE_SORTS,
    MOMENT_SORTS,
    ORDER_SORTS,
    PAYMENT_SORTS,
    QUOTE_SORTS,
    Listing,
    Page,
    Position,
    SortValue,
)
from portal_core.domain.records import Fact
from portal_core.ports import Store


@frozen(kw_only=True)
class Entry:
    """What matters of a record in a list: its id, its number, its day, and the day that may be missing."""

    id: str
    number: str = "1"
    on: date = TODAY
    due: date | None = None


ENTRIES = (
    Entry(id="b", on=day(0), due=None, number="10"),
    Entry(id="a", on=day(0), due=day(3), number="9"),
    Entry(id="C", on=day(-1), due=day(3), number="É"),
    Entry(id="d", on=day(2), due=None, number="a"),
    Entry(id="_", on=day(0), due=day(1), number="B"),
    Entry(id="~e", on=day(-1), due=None, number="9"),
    Entry(id="f", on=day(5), due=day(2), number="😀"),
    Entry(id="g", on=day(5), due=day(2), number="\uff5e"),
    Entry(id="A", on=day(2), due=day(0), number="10"),
)
"""Nine records with ties and gaps, in no order; ids and numbers that a store might sort by the rules of a language."""


@frozen(kw_only=True)
class Listed:
    """One list: how it is filled, read in pages and looked into; what is listed of a company has no document type."""

    name: str
    sorts: tuple[str, ...]
    document: DocumentType | None = None
    fill: Callable[[Store, Scope, Sequence[Entry]], None]
    page: Callable[[Store, Scope, Listing], Page[Any]]
    get: Callable[[Store, Scope, str], object | None]

    def newest(self, **asked: Any) -> Listing:
        """Return a listing by the list's default sort, or as asked."""
        return evolve(Listing(sort=self.sorts[0]), **asked)

    def value(self, entry: Entry, sort: str) -> SortValue:
        """Return what an entry is sorted by."""
        match sort:
            case "number":
                return entry.number
            case "due_on" | "scheduled_on":
                return entry.due
            case "created_at":
                return _moment(entry)
            case _:
                return entry.on

    def positions(self, entries: Sequence[Entry], sort: str, *, descending: bool) -> list[Position]:
        """Return the positions of entries in the order promised: by value, then id; those without a value last."""
        places = [Position(self.value(entry, sort), entry.id) for entry in entries]
        valued = sorted(filter(_has_value, places), key=_sort_key, reverse=descending)
        bare = sorted((each for each in places if each.value is None), key=_sort_key, reverse=descending)
        return valued + bare

    def ids(self, page: Page[Any]) -> list[str]:
        """Return the ids of a page's records."""
        return [_document(item).id for item in page.items]

    def walk(self, store: Store, scope: Scope, listing: Listing) -> Iterator[Page[Any]]:
        """Yield the pages from the one asked for to the last."""
        while True:
            page = self.page(store, scope, listing)
            yield page
            if page.next is None:
                return
            listing = evolve(listing, after=page.next)


def _quotes(store: Store, scope: Scope, entries: Sequence[Entry]) -> None:
    feed(store, *(a_quote(each.id, scope=scope, number=each.number, issued_on=each.on) for each in entries))


def _orders(store: Store, scope: Scope, entries: Sequence[Entry]) -> None:
    feed(store, *(an_order(each.id, scope=scope, number=each.number, ordered_on=each.on) for each in entries))


def _deliveries(store: Store, scope: Scope, entries: Sequence[Entry]) -> None:
    feed(store, *(a_delivery(each.id, scope=scope, number=each.number, scheduled_on=each.due) for each in entries))


def _invoices(store: Store, scope: Scope, entries: Sequence[Entry]) -> None:
    facts: list[Fact] = [
        an_invoice(each.id, scope=scope, number=each.number, issued_on=each.on, due_on=each.due) for each in entries
    ]
    feed(store, *facts)


def _payments(store: Store, scope: Scope, entries: Sequence[Entry]) -> None:
    feed(store, *(a_payment(each.id, scope=scope, number=each.number, received_on=each.on) for each in entries))


def _grants(store: Store, scope: Scope, entries: Sequence[Entry]) -> None:
    for each in entries:
        store.grants.add(a_grant(each.id, scope=scope, created_at=_moment(each)))


def _decisions(store: Store, scope: Scope, entries: Sequence[Entry]) -> None:
    for each in entries:
        quote = a_quote(f"quote-{each.id}", scope=scope)
        feed(store, quote)
        keep_decision(store, quote, a_decision(quote, id=DecisionId(each.id), decided_at=_moment(each)))


def _tickets(store: Store, scope: Scope, entries: Sequence[Entry]) -> None:
    for each in entries:
        store.tickets.add(a_ticket(each.id, scope=scope, created_at=_moment(each)))


def _audit(store: Store, scope: Scope, entries: Sequence[Entry]) -> None:
    for each in entries:
        store.audit.append(an_audit_entry(each.id, scope=scope, created_at=_moment(each)))


def _audit_entry(store: Store, scope: Scope, entry_id: str) -> object | None:
    page = store.audit.page(scope.company_id, Listing(sort=MOMENT_SORTS[0], limit=100), AuditFilter())
    return next((entry for entry in page.items if entry.id == entry_id), None)


DOCUMENT_LISTS = (
    Listed(
        name="quotes",
        document=DocumentType.QUOTE,
        sorts=QUOTE_SORTS,
        fill=_quotes,
        page=lambda store, scope, listing: store.quotes.page(scope, listing, QuoteFilter(), on=TODAY),
        get=lambda store, scope, record_id: store.quotes.get(scope, QuoteId(record_id)),
    ),
    Listed(
        name="orders",
        document=DocumentType.ORDER,
        sorts=ORDER_SORTS,
        fill=_orders,
        page=lambda store, scope, listing: store.orders.page(scope, listing, OrderFilter()),
        get=lambda store, scope, record_id: store.orders.get(scope, OrderId(record_id)),
    ),
    Listed(
        name="deliveries",
        document=DocumentType.DELIVERY,
        sorts=DELIVERY_SORTS,
        fill=_deliveries,
        page=lambda store, scope, listing: store.deliveries.page(scope, listing, DeliveryFilter()),
        get=lambda store, scope, record_id: store.deliveries.get(scope, DeliveryId(record_id)),
    ),
    Listed(
        name="invoices",
        document=DocumentType.INVOICE,
        sorts=INVOICE_SORTS,
        fill=_invoices,
        page=lambda store, scope, listing: store.invoices.page(scope, listing, InvoiceFilter(), on=TODAY),
        get=lambda store, scope, record_id: store.invoices.get(scope, InvoiceId(record_id)),
    ),
    Listed(
        name="payments",
        document=DocumentType.PAYMENT,
        sorts=PAYMENT_SORTS,
        fill=_payments,
        page=lambda store, scope, listing: store.payments.page(scope, listing),
        get=lambda store, scope, record_id: store.payments.get(scope, PaymentId(record_id)),
    ),
)

COMPANY_LISTS = (
    Listed(
        name="grants",
        sorts=MOMENT_SORTS,
        fill=_grants,
        page=lambda store, scope, listing: store.grants.page(
            scope.company_id, listing, GrantFilter(client_id=scope.client_id), at=NOW
        ),
        get=lambda store, scope, record_id: store.grants.get(scope.company_id, GrantId(record_id)),
    ),
    Listed(
        name="decisions",
        sorts=MOMENT_SORTS,
        fill=_decisions,
        page=lambda store, scope, listing: store.decisions.page(
            scope.company_id, listing, DecisionFilter(client_id=scope.client_id)
        ),
        get=lambda store, scope, record_id: store.decisions.get(scope.company_id, DecisionId(record_id)),
    ),
    Listed(
        name="tickets",
        sorts=MOMENT_SORTS,
        fill=_tickets,
        page=lambda store, scope, listing: store.tickets.page(
            scope.company_id, listing, TicketFilter(client_id=scope.client_id)
        ),
        get=lambda store, scope, record_id: store.tickets.get(
            scope.company_id, TicketId(record_id), TicketFilter(client_id=scope.client_id)
        ),
    ),
    Listed(
        name="audit log",
        sorts=MOMENT_SORTS,
        fill=_audit,
        page=lambda store, scope, listing: store.audit.page(
            scope.company_id, listing, AuditFilter(client_id=scope.client_id)
        ),
        get=_audit_entry,
    ),
)

LISTS = (*DOCUMENT_LISTS, *COMPANY_LISTS)


def name_of(listed: Listed) -> str:
    """Return what a test about a list is called."""
    return listed.name


def _moment(entry: Entry) -> datetime:
    return datetime.combine(entry.on, time(microsecond=1), tzinfo=NOW.tzinfo)


def _has_value(place: Position) -> bool:
    return place.value is not None


def _sort_key(place: Position) -> tuple[Any, str]:
    return ("" if place.value is None else place.value, place.id)


def _document(item: Any) -> Any:  # noqa: ANN401 - whatever a page holds
    return getattr(item, "delivery", None) or getattr(item, "payment", None) or item
