"""Ports for a client's documents, always in the scope of one company and client.

What a client is not shown (drafts, what the scope leaves out) is not there for these ports.
"""

from abc import abstractmethod
from datetime import date
from typing import Protocol

from portal_core.domain.access import Scope
from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.filters import DeliveryFilter, InvoiceFilter, OrderFilter, QuoteFilter
from portal_core.domain.ids import DeliveryId, InvoiceId, OrderId, PaymentId, QuoteId
from portal_core.domain.invoices import InvoiceDetail, InvoiceSummary
from portal_core.domain.orders import OrderDetail, OrderSummary
from portal_core.domain.paging import Listing, Page
from portal_core.domain.payments import PaymentView
from portal_core.domain.quotes import Quote, QuoteSummary


class Quotes(Protocol):
    """Quotes; drafts are not shown."""

    __slots__ = ()

    @abstractmethod
    def get(self, scope: Scope, quote_id: QuoteId) -> Quote | None:
        """Return the quote with the decision on its current revision, or nothing if that client has none of that id."""

    @abstractmethod
    def page(self, scope: Scope, listing: Listing, narrowed: QuoteFilter, *, on: date) -> Page[QuoteSummary]:
        """Return a page by `issued_on` or `number`; the day decides which have expired."""


class Orders(Protocol):
    """Orders of every state."""

    __slots__ = ()

    @abstractmethod
    def get(self, scope: Scope, order_id: OrderId) -> OrderDetail | None:
        """Return the order with its deliveries and posted invoices, or nothing if that client has none of that id."""

    @abstractmethod
    def page(self, scope: Scope, listing: Listing, narrowed: OrderFilter) -> Page[OrderSummary]:
        """Return a page by `ordered_on` or `number`."""


class Deliveries(Protocol):
    """Deliveries; drafts are not shown."""

    __slots__ = ()

    @abstractmethod
    def get(self, scope: Scope, delivery_id: DeliveryId) -> DeliveryView | None:
        """Return the delivery, or nothing if that client has none of that id."""

    @abstractmethod
    def page(self, scope: Scope, listing: Listing, narrowed: DeliveryFilter) -> Page[DeliveryView]:
        """Return a page by `scheduled_on` or `number`."""


class Invoices(Protocol):
    """Posted invoices and credit notes."""

    __slots__ = ()

    @abstractmethod
    def get(self, scope: Scope, invoice_id: InvoiceId) -> InvoiceDetail | None:
        """Return the invoice or credit note, or nothing if that client has none posted of that id."""

    @abstractmethod
    def page(self, scope: Scope, listing: Listing, narrowed: InvoiceFilter, *, on: date) -> Page[InvoiceSummary]:
        """Return a page by `issued_on`, `due_on`, `oldest_due_on` or `number`; the day decides which are overdue."""


class Payments(Protocol):
    """Payments and refunds, in process and paid."""

    __slots__ = ()

    @abstractmethod
    def get(self, scope: Scope, payment_id: PaymentId) -> PaymentView | None:
        """Return the payment, or nothing if that client has none shown of that id."""

    @abstractmethod
    def page(self, scope: Scope, listing: Listing) -> Page[PaymentView]:
        """Return a page by `received_on` or `number`."""
