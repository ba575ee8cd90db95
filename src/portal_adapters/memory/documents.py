"""A client's documents in memory."""

from collections.abc import Iterator
from datetime import date
from typing import TypeVar, final

from attrs import evolve, frozen

from portal_adapters.memory.paging import page_of, within
from portal_adapters.memory.tables import Tables
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.balance import Balance, balances_of
from portal_core.domain.deliveries import Delivery, DeliveryView
from portal_core.domain.filters import DeliveryFilter, InvoiceFilter, OrderFilter, QuoteFilter
from portal_core.domain.ids import CompanyId, DeliveryId, InvoiceId, OrderId, PaymentId, QuoteId
from portal_core.domain.invoices import Invoice, InvoiceDetail, InvoiceSummary
from portal_core.domain.money import Currency
from portal_core.domain.orders import Order, OrderDetail, OrderSummary
from portal_core.domain.paging import Listing, Page, Position
from portal_core.domain.payments import Payment, PaymentView
from portal_core.domain.quotes import Quote, QuoteSummary
from portal_core.domain.records import Document, RecordRef, RecordType
from portal_core.domain.statement import AccountPeriod, periods_of
from portal_core.ports import Accounts, Balances, Deliveries, Invoices, Orders, Payments, Quotes

D = TypeVar("D", bound=Document)


@final
@frozen
class MemoryQuotes(Quotes):
    tables: Tables

    def get(self, scope: Scope, quote_id: QuoteId) -> Quote | None:
        found = _one(self.tables, scope, Quote, quote_id)
        return None if found is None or found.is_draft else with_decision(self.tables, scope.company_id, found)

    def page(self, scope: Scope, listing: Listing, narrowed: QuoteFilter, *, on: date) -> Page[QuoteSummary]:
        decided = (with_decision(self.tables, scope.company_id, quote) for quote in _all(self.tables, scope, Quote))
        shown = (
            _summary(quote)
            for quote in decided
            if not quote.is_draft
            and _among(quote.state(on), narrowed.states)
            and within(quote.issued_on, quote.number, listing)
        )
        return page_of(shown, listing, place=lambda quote: Position(getattr(quote, listing.sort), quote.id))


@final
@frozen
class MemoryOrders(Orders):
    tables: Tables

    def get(self, scope: Scope, order_id: OrderId) -> OrderDetail | None:
        order = _one(self.tables, scope, Order, order_id)
        if order is None:
            return None
        everything = Scope(scope.company_id, scope.client_id)
        deliveries = (each for each in _all(self.tables, everything, Delivery) if each.order_id == order_id)
        invoices = (each for each in _all(self.tables, everything, Invoice) if each.order_id == order_id)
        ledger = self.tables.ledger_of(scope.company_id, scope.client_id)
        return OrderDetail(
            order=evolve(order, quote_id=_shown_quote(self.tables, scope, order)),
            deliveries=tuple(
                _delivery_view(self.tables, scope, each)
                for each in sorted(deliveries, key=lambda each: (each.scheduled_on or date.max, each.id))
                if each.is_shown
            ),
            invoices=tuple(
                ledger.summary(each)
                for each in sorted(invoices, key=lambda each: (each.issued_on, each.id))
                if each.is_posted
            ),
        )

    def page(self, scope: Scope, listing: Listing, narrowed: OrderFilter) -> Page[OrderSummary]:
        shown = (
            self._summary(scope, order)
            for order in _all(self.tables, scope, Order)
            if _among(order.state, narrowed.states)
            and _among(order.delivery_status, narrowed.delivery_statuses)
            and within(order.ordered_on, order.number, listing)
        )
        return page_of(shown, listing, place=lambda order: Position(getattr(order, listing.sort), order.id))

    def _summary(self, scope: Scope, order: Order) -> OrderSummary:
        return OrderSummary(
            id=order.id,
            number=order.number,
            state=order.state,
            ordered_on=order.ordered_on,
            client_reference=order.client_reference,
            delivery_status=order.delivery_status,
            subtotal=order.subtotal,
            tax=order.tax,
            total=order.total,
            quote_id=_shown_quote(self.tables, scope, order),
        )


@final
@frozen
class MemoryDeliveries(Deliveries):
    tables: Tables

    def get(self, scope: Scope, delivery_id: DeliveryId) -> DeliveryView | None:
        found = _one(self.tables, scope, Delivery, delivery_id)
        return None if found is None or not found.is_shown else _delivery_view(self.tables, scope, found)

    def page(self, scope: Scope, listing: Listing, narrowed: DeliveryFilter) -> Page[DeliveryView]:
        shown = (
            _delivery_view(self.tables, scope, each)
            for each in _all(self.tables, scope, Delivery)
            if each.is_shown and _among(each.state, narrowed.states) and within(each.scheduled_on, each.number, listing)
        )
        return page_of(
            shown, listing, place=lambda view: Position(getattr(view.delivery, listing.sort), view.delivery.id)
        )


@final
@frozen
class MemoryInvoices(Invoices):
    tables: Tables

    def get(self, scope: Scope, invoice_id: InvoiceId) -> InvoiceDetail | None:
        found = _one(self.tables, scope, Invoice, invoice_id)
        if found is None or not found.is_posted:
            return None
        return self.tables.ledger_of(scope.company_id, scope.client_id).detail(found)

    def page(self, scope: Scope, listing: Listing, narrowed: InvoiceFilter, *, on: date) -> Page[InvoiceSummary]:
        ledger = self.tables.ledger_of(scope.company_id, scope.client_id)
        posted = (ledger.summary(each) for each in _all(self.tables, scope, Invoice) if each.is_posted)
        shown = (
            each
            for each in posted
            if _among(each.kind, narrowed.kinds_meant)
            and _among(each.payment_state, narrowed.payment_states)
            and narrowed.overdue in {None, each.is_overdue(on)}
            and (narrowed.due_by is None or each.is_due_by(narrowed.due_by))
            and within(each.issued_on, each.number, listing)
        )
        return page_of(shown, listing, place=lambda each: Position(getattr(each, listing.sort), each.id))


@final
@frozen
class MemoryPayments(Payments):
    tables: Tables

    def get(self, scope: Scope, payment_id: PaymentId) -> PaymentView | None:
        found = _one(self.tables, scope, Payment, payment_id)
        if found is None or not found.is_shown:
            return None
        return self.tables.ledger_of(scope.company_id, scope.client_id).payment_view(found)

    def page(self, scope: Scope, listing: Listing) -> Page[PaymentView]:
        ledger = self.tables.ledger_of(scope.company_id, scope.client_id)
        shown = (
            ledger.payment_view(each)
            for each in _all(self.tables, scope, Payment)
            if each.is_shown and within(each.received_on, each.number, listing)
        )
        return page_of(
            shown, listing, place=lambda view: Position(getattr(view.payment, listing.sort), view.payment.id)
        )


@final
@frozen
class MemoryBalances(Balances):
    tables: Tables

    def get(self, scope: Scope, *, on: date) -> tuple[Balance, ...]:
        return balances_of(self.tables.ledger_of(scope.company_id, scope.client_id).open_amounts(), on)


@final
@frozen
class MemoryAccounts(Accounts):
    tables: Tables

    def periods(
        self, scope: Scope, *, unit: Currency | None, since: date | None, until: date | None, on: date, most: int
    ) -> tuple[AccountPeriod, ...]:
        ledger = self.tables.ledger_of(scope.company_id, scope.client_id)
        periods = periods_of(ledger.movements(), ledger.open_amounts(), unit=unit, since=since, until=until, on=on)
        return tuple(evolve(period, movements=period.movements[: most + 1]) for period in periods)


def with_decision(tables: Tables, company_id: CompanyId, quote: Quote) -> Quote:
    """Return the quote with the decision on its current revision, if there is one."""
    decision = tables.decisions.get((company_id, quote.id, quote.revision))
    return quote if decision is None else quote.decided(decision)


def _all(tables: Tables, scope: Scope, kind: type[D]) -> Iterator[D]:
    for ref, document in tables.documents_of(scope.company_id, scope.client_id).items():
        if isinstance(document, kind) and scope.covers(DocumentType(ref.type.value), ref.id):
            yield document


def _one(tables: Tables, scope: Scope, kind: type[D], document_id: str) -> D | None:
    return next((document for document in _all(tables, scope, kind) if document.id == document_id), None)


def _among(value: object, wanted: frozenset[object] | None) -> bool:
    return wanted is None or value in wanted


def _summary(quote: Quote) -> QuoteSummary:
    return QuoteSummary(
        id=quote.id,
        number=quote.number,
        recorded_state=quote.recorded_state,
        revision=quote.revision,
        issued_on=quote.issued_on,
        valid_until=quote.valid_until,
        subtotal=quote.subtotal,
        tax=quote.tax,
        total=quote.total,
        answer=quote.answer,
        decided_at=quote.decided_at,
    )


def _shown_quote(tables: Tables, scope: Scope, order: Order) -> QuoteId | None:
    documents = tables.documents_of(scope.company_id, scope.client_id)
    quote = documents.get(RecordRef(RecordType.QUOTE, order.quote_id or ""))
    return quote.id if isinstance(quote, Quote) and not quote.is_draft else None


def _delivery_view(tables: Tables, scope: Scope, delivery: Delivery) -> DeliveryView:
    documents = tables.documents_of(scope.company_id, scope.client_id)
    order = documents.get(RecordRef(RecordType.ORDER, delivery.order_id or ""))
    first = documents.get(RecordRef(RecordType.DELIVERY, delivery.backorder_of or ""))
    return DeliveryView(
        delivery=delivery,
        order_number=order.number if isinstance(order, Order) else None,
        backorder_of=first.id if isinstance(first, Delivery) and first.is_shown else None,
    )
