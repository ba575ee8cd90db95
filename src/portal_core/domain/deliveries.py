"""Deliveries: what is on its way, with tracking and back-orders."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from attrs import frozen

from portal_core.domain.ids import ClientId, CompanyId, DeliveryId, OrderId


class DeliveryState(StrEnum):
    """The state of a delivery; a draft is never shown."""

    DRAFT = "draft"
    WAITING = "waiting"
    READY = "ready"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


SHOWN_DELIVERY_STATES = frozenset(DeliveryState) - {DeliveryState.DRAFT}


@frozen(kw_only=True)
class DeliveryLine:
    """How much of an order's line a delivery is to bring and has brought."""

    order_line_id: str | None = None
    description: str
    quantity: Decimal
    delivered_quantity: Decimal
    unit: str | None = None


@frozen(kw_only=True)
class DeliveryBrief:
    """What tells one shipment from another, what it brings and where it is."""

    id: DeliveryId
    number: str
    state: DeliveryState
    lines: tuple[DeliveryLine, ...]
    tracking_number: str | None = None
    tracking_url: str | None = None
    scheduled_on: date | None = None


@frozen(kw_only=True)
class Delivery(DeliveryBrief):
    """A shipment. A back-order names the delivery whose rest it brings."""

    company_id: CompanyId
    client_id: ClientId
    order_id: OrderId | None = None
    carrier_name: str | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    backorder_of: DeliveryId | None = None

    @property
    def is_shown(self) -> bool:
        """Whether the client may see it."""
        return self.state is not DeliveryState.DRAFT


@frozen(kw_only=True)
class DeliveryView:
    """A delivery as the client sees it: with its order's number, without a link to a draft."""

    delivery: Delivery
    order_number: str | None
    backorder_of: DeliveryId | None
