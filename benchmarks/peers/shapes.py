"""What the peers on pydantic answer with."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer

Moment = Annotated[
    datetime, PlainSerializer(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"), return_type=str, when_used="json")
]
Quantity = Annotated[str, BeforeValidator(lambda number: str(number) if isinstance(number, Decimal) else number)]


class Shape(BaseModel):
    """Built from whatever has attributes of these names."""

    model_config = ConfigDict(from_attributes=True)


class Money(Shape):
    amount: str
    currency: str


class Party(Shape):
    id: str
    name: str


class QuoteRow(Shape):
    id: str
    number: str
    state: str
    revision: int
    issued_on: date
    valid_until: date | None
    currency: str
    subtotal: Money
    tax: Money
    total: Money
    decided_at: Moment | None


class OrderRow(Shape):
    id: str
    number: str
    state: str
    ordered_on: date
    client_reference: str | None
    delivery_status: str
    currency: str
    subtotal: Money
    tax: Money
    total: Money
    quote_id: str | None


class DeliveryLine(Shape):
    order_line_id: str | None
    description: str
    quantity: Quantity
    delivered_quantity: Quantity
    unit: str | None


class Delivery(Shape):
    id: str
    number: str
    state: str
    order_id: str | None
    order_number: str | None
    carrier_name: str | None
    tracking_number: str | None
    tracking_url: str | None
    scheduled_on: date | None
    shipped_at: Moment | None
    delivered_at: Moment | None
    backorder_of: str | None
    lines: list[DeliveryLine]


class InvoiceRow(Shape):
    id: str
    number: str
    kind: str
    state: str
    payment_state: str
    overdue: bool
    issued_on: date
    due_on: date | None
    currency: str
    subtotal: Money
    tax: Money
    total: Money
    amount_due: Money
    order_id: str | None
    payment_url: str | None
    payment_instructions: str | None


class InvoiceLine(Shape):
    id: str
    kind: str
    description: str
    quantity: Quantity | None
    unit: str | None
    unit_price: Quantity | None
    discount_percent: Quantity | None
    subtotal: Money | None
    total: Money | None


class Instalment(Shape):
    due_on: date | None
    amount: Money
    amount_due: Money


class Allocation(Shape):
    source: str
    source_id: str
    source_number: str
    amount: Money
    allocated_on: date | None


class InvoiceDetail(InvoiceRow):
    reference: str | None
    lines: list[InvoiceLine]
    instalments: list[Instalment]
    allocations: list[Allocation]


class Aging(Shape):
    current: Money
    days_1_30: Money
    days_31_60: Money
    days_61_90: Money
    over_90: Money


class Balance(Shape):
    currency: str
    outstanding: Money
    overdue: Money
    credit: Money
    net: Money
    aging: Aging


class Recent(Shape):
    quotes: list[QuoteRow]
    orders: list[OrderRow]
    invoices: list[InvoiceRow]
    deliveries: list[Delivery]


class Dashboard(Shape):
    client: Party
    company: Party
    recent: Recent
    balances: list[Balance]


class Meta(Shape):
    total: int
    limit: int
    offset: int
    hasMore: bool  # noqa: N815 - the contract's own spelling


class DashboardAnswer(Shape):
    data: Dashboard


class InvoicesAnswer(Shape):
    data: list[InvoiceRow]
    meta: Meta


class InvoiceAnswer(Shape):
    data: InvoiceDetail


def money(amount: Decimal, currency: str) -> Money:
    """Return an amount with its currency."""
    return Money(amount=f"{amount:.2f}", currency=currency)


def state_of(state: str, valid_until: date | None, today: date) -> str:
    """Return the state of a quote as of today."""
    return "expired" if state == "sent" and valid_until is not None and valid_until < today else state


def is_overdue(kind: str, amount_due: Decimal, due_on: date | None, today: date) -> bool:
    """Tell whether an invoice is overdue."""
    return kind == "invoice" and amount_due > 0 and due_on is not None and due_on < today


def balance(sums: Any, credit: Decimal) -> Balance:
    """Return a balance from what the database added up in one currency."""
    unit = sums["currency"]
    parts = ("current", "days_1_30", "days_31_60", "days_61_90", "over_90")
    aging = {name: sums[name] or Decimal(0) for name in parts}
    outstanding = sum(aging.values(), Decimal(0))
    return Balance(
        currency=unit,
        outstanding=money(outstanding, unit),
        overdue=money(outstanding - aging["current"], unit),
        credit=money(credit, unit),
        net=money(outstanding - credit, unit),
        aging=Aging(**{name: money(amount, unit) for name, amount in aging.items()}),
    )
