"""How far each line of an order is."""

from decimal import Decimal

from attrs import frozen

from portal_core.domain.deliveries import DeliveryState, DeliveryView
from portal_core.domain.lines import LineKind
from portal_core.domain.orders import OrderDetail

_BEFORE = frozenset({DeliveryState.WAITING, DeliveryState.READY})


@frozen(kw_only=True)
class Trace:
    """How much of an order's line is where, in the line's unit."""

    ordered: Decimal
    delivered: Decimal
    shipped: Decimal
    back_ordered: Decimal
    invoiced: Decimal

    @property
    def share_delivered(self) -> int:
        """How many hundredths of what was ordered are delivered."""
        return self._share(self.delivered)

    @property
    def share_coming(self) -> int:
        """How many hundredths of what was ordered are delivered or on their way."""
        return self._share(self.delivered + self.shipped)

    def _share(self, part: Decimal) -> int:
        return int(min(max(part * 100 / self.ordered, Decimal(0)), Decimal(100))) if self.ordered else 0


def traces(detail: OrderDetail) -> dict[str, Trace]:
    """Return how far each item of an order is, by the line's id."""
    back_orders = tuple(each for each in detail.deliveries if each.delivery.backorder_of)
    return {
        line.id: Trace(
            ordered=line.quantity or Decimal(0),
            delivered=line.delivered_quantity or Decimal(0),
            shipped=_coming(detail.deliveries, line.id, frozenset({DeliveryState.SHIPPED})),
            back_ordered=_coming(back_orders, line.id, _BEFORE),
            invoiced=line.invoiced_quantity or Decimal(0),
        )
        for line in detail.order.lines
        if line.kind is LineKind.ITEM
    }


def _coming(deliveries: tuple[DeliveryView, ...], line_id: str, states: frozenset[DeliveryState]) -> Decimal:
    """Return how much of an order's line the deliveries in some states have yet to bring."""
    lines = (line for each in deliveries if each.delivery.state in states for line in each.delivery.lines)
    missing = (line.quantity - line.delivered_quantity for line in lines if line.order_line_id == line_id)
    return sum((max(each, Decimal(0)) for each in missing), Decimal(0))
