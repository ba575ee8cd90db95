"""The peers' tables as SQLAlchemy's declarative models."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

from sqlalchemy import DateTime, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True)}


class Company(Base):
    __tablename__ = "company"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    timezone: Mapped[str]


class Client(Base):
    __tablename__ = "client"

    id: Mapped[str] = mapped_column(primary_key=True)
    company_id: Mapped[str] = mapped_column(ForeignKey("company.id"))
    name: Mapped[str]
    company: Mapped[Company] = relationship()


class AccessGrant(Base):
    __tablename__ = "access_grant"

    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    digest: Mapped[bytes]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    client: Mapped[Client] = relationship()


class Quote(Base):
    __tablename__ = "quote"

    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    number: Mapped[str]
    state: Mapped[str]
    revision: Mapped[int]
    issued_on: Mapped[date]
    valid_until: Mapped[date | None]
    currency: Mapped[str]
    subtotal: Mapped[Decimal]
    tax: Mapped[Decimal]
    total: Mapped[Decimal]
    decided_at: Mapped[datetime | None]


class SalesOrder(Base):
    __tablename__ = "sales_order"

    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    number: Mapped[str]
    state: Mapped[str]
    ordered_on: Mapped[date]
    client_reference: Mapped[str | None]
    delivery_status: Mapped[str]
    currency: Mapped[str]
    subtotal: Mapped[Decimal]
    tax: Mapped[Decimal]
    total: Mapped[Decimal]
    quote_id: Mapped[str | None] = mapped_column(ForeignKey("quote.id"))


class Delivery(Base):
    __tablename__ = "delivery"

    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    number: Mapped[str]
    state: Mapped[str]
    order_id: Mapped[str | None] = mapped_column(ForeignKey("sales_order.id"))
    carrier_name: Mapped[str | None]
    tracking_number: Mapped[str | None]
    tracking_url: Mapped[str | None]
    scheduled_on: Mapped[date | None]
    shipped_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    backorder_of: Mapped[str | None]
    order: Mapped[SalesOrder | None] = relationship()
    lines: Mapped[list["DeliveryLine"]] = relationship(order_by="DeliveryLine.position")

    @property
    def order_number(self) -> str | None:
        return None if self.order is None else self.order.number


class DeliveryLine(Base):
    __tablename__ = "delivery_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(ForeignKey("delivery.id"))
    position: Mapped[int]
    order_line_id: Mapped[str | None]
    description: Mapped[str]
    quantity: Mapped[Decimal]
    delivered_quantity: Mapped[Decimal]
    unit: Mapped[str | None]


class Invoice(Base):
    __tablename__ = "invoice"

    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    number: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    payment_state: Mapped[str]
    issued_on: Mapped[date]
    due_on: Mapped[date | None]
    currency: Mapped[str]
    subtotal: Mapped[Decimal]
    tax: Mapped[Decimal]
    total: Mapped[Decimal]
    amount_due: Mapped[Decimal]
    order_id: Mapped[str | None] = mapped_column(ForeignKey("sales_order.id"))
    reference: Mapped[str | None]
    payment_url: Mapped[str | None]
    payment_instructions: Mapped[str | None]
    lines: Mapped[list["InvoiceLine"]] = relationship(order_by="InvoiceLine.position")
    allocations: Mapped[list["Allocation"]] = relationship(order_by="Allocation.id")


class InvoiceLine(Base):
    __tablename__ = "invoice_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[str] = mapped_column(ForeignKey("invoice.id"))
    position: Mapped[int]
    line_id: Mapped[str]
    kind: Mapped[str]
    description: Mapped[str]
    quantity: Mapped[Decimal | None]
    unit: Mapped[str | None]
    unit_price: Mapped[Decimal | None]
    discount_percent: Mapped[Decimal | None]
    subtotal: Mapped[Decimal]
    total: Mapped[Decimal]


class Payment(Base):
    __tablename__ = "payment"

    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(ForeignKey("client.id"))
    number: Mapped[str]
    state: Mapped[str]
    received_on: Mapped[date]
    currency: Mapped[str]
    amount: Mapped[Decimal]
    unallocated: Mapped[Decimal]


class Allocation(Base):
    __tablename__ = "allocation"

    id: Mapped[int] = mapped_column(primary_key=True)
    payment_id: Mapped[str] = mapped_column(ForeignKey("payment.id"))
    invoice_id: Mapped[str] = mapped_column(ForeignKey("invoice.id"))
    amount: Mapped[Decimal]
    allocated_on: Mapped[date | None]
    payment: Mapped[Payment] = relationship()
