"""The lines of quotes, orders and invoices."""

from decimal import Decimal
from enum import StrEnum

from attrs import frozen

from portal_core.domain.documents import JSON, decimal_json, money_json
from portal_core.domain.money import Money


class LineKind(StrEnum):
    """An item is priced; sections and notes only structure what is read."""

    ITEM = "item"
    SECTION = "section"
    NOTE = "note"


@frozen(kw_only=True)
class Line:
    """One line of a document. Sections and notes have a description alone.

    `unit_price` may have more decimals than the currency; `subtotal` is before tax, `total` with it.
    """

    id: str
    kind: LineKind
    description: str
    quantity: Decimal | None = None
    unit: str | None = None
    unit_price: Decimal | None = None
    discount_percent: Decimal | None = None
    subtotal: Money | None = None
    total: Money | None = None

    def as_json(self) -> dict[str, JSON]:
        """Return the line as the contract shows it and as an accepted quote is written down."""
        return {
            "id": self.id,
            "kind": self.kind.value,
            "description": self.description,
            "quantity": decimal_json(self.quantity),
            "unit": self.unit,
            "unit_price": decimal_json(self.unit_price),
            "discount_percent": decimal_json(self.discount_percent),
            "subtotal": money_json(self.subtotal),
            "total": money_json(self.total),
        }


@frozen(kw_only=True)
class OrderLine(Line):
    """A line of an order, with how much of it was delivered and invoiced so far."""

    delivered_quantity: Decimal | None = None
    invoiced_quantity: Decimal | None = None
