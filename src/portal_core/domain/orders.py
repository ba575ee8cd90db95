"""Orders: what a client ordered, and how much of it was delivered and invoiced."""

from datetime import date
from enum import StrEnum

from attrs import frozen

from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.ids import ClientId, CompanyId, OrderId, QuoteId
from portal_core.domain.invoices import InvoiceSummary
from portal_core.domain.lines import OrderLine
from portal_core.domain.money import Money


class OrderState(StrEnum):
    """The state of an order."""

    CONFIRMED = "confirmed"
    DONE = "done"
    CANCELLED = "cancelled"


class DeliveryStatus(StrEnum):
    """How far the goods of an order are; `none` when nothing is to be delivered."""

    NONE = "none"
    PENDING = "pending"
    PARTIAL = "partial"
    DELIVERED = "delivered"


@frozen(kw_only=True)
class OrderBrief:
    """What tells one order from another, and where it stands."""

    id: OrderId
    number: str
    state: OrderState
    ordered_on: date
    delivery_status: DeliveryStatus
    total: Money


@frozen(kw_only=True)
class OrderSummary(OrderBrief):
    """An order as a list shows it."""

    client_reference: str | None = None
    subtotal: Money
    tax: Money
    quote_id: QuoteId | None = None


@frozen(kw_only=True)
class Order(OrderSummary):
    """A client's order."""

    company_id: CompanyId
    client_id: ClientId
    lines: tuple[OrderLine, ...]


@frozen(kw_only=True)
class OrderDetail:
    """An order with what was delivered and invoiced for it: oldest first, by day and id.

    `invoices` is None where it is withheld from a link that may not view invoices.
    """

    order: Order
    deliveries: tuple[DeliveryView, ...]
    invoices: tuple[InvoiceSummary, ...] | None
