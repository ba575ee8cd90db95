"""Rows as records: what the system of record said, with all of its fields."""

from collections.abc import Iterable
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from portal_adapters.sqlalchemy.values import (
    load_adjustments,
    load_delivery_lines,
    load_instalments,
    load_lines,
    load_order_lines,
)
from portal_core.domain.companies import Client, Company
from portal_core.domain.deliveries import Delivery, DeliveryState
from portal_core.domain.invoices import CreditAllocation, Invoice, InvoiceKind, InvoiceState, PaymentState
from portal_core.domain.money import CURRENCIES, Money
from portal_core.domain.orders import DeliveryStatus, Order, OrderState
from portal_core.domain.payments import Payment, PaymentAllocation, PaymentKind, PaymentRecordState
from portal_core.domain.quotes import Quote, QuoteState

AnyRow: TypeAlias = Row[*tuple[Any, ...]]


def company_of(row: AnyRow) -> Company:
    """Return a company."""
    return Company(
        id=row.company_id,
        name=row.name,
        timezone=ZoneInfo(row.timezone),
        currency=CURRENCIES[row.currency],
        locale=row.locale,
        email=row.email,
        phone=row.phone,
        website=row.website,
        address=row.address,
        payment_instructions=row.payment_instructions,
        accent_colour=row.accent_colour,
        footer=row.footer,
        logo=row.logo,
    )


def client_of(row: AnyRow) -> Client:
    """Return a client."""
    return Client(company_id=row.company_id, id=row.id, name=row.name, email=row.email, locale=row.locale)


def quote_of(row: AnyRow) -> Quote:
    """Return a quote, without any decision on it."""
    unit = CURRENCIES[row.currency]
    return Quote(
        company_id=row.company_id,
        client_id=row.client_id,
        id=row.id,
        number=row.number,
        recorded_state=QuoteState(row.state),
        revision=row.revision,
        issued_on=row.issued_on,
        valid_until=row.valid_until,
        subtotal=Money(row.subtotal, unit),
        tax=Money(row.tax, unit),
        total=Money(row.total, unit),
        lines=load_lines(row.lines, unit),
        notes=row.notes,
        terms=row.terms,
        order_id=row.order_id,
        withdrawn=row.withdrawn,
    )


def order_of(row: AnyRow) -> Order:
    """Return an order."""
    unit = CURRENCIES[row.currency]
    return Order(
        company_id=row.company_id,
        client_id=row.client_id,
        id=row.id,
        number=row.number,
        state=OrderState(row.state),
        ordered_on=row.ordered_on,
        client_reference=row.client_reference,
        delivery_status=DeliveryStatus(row.delivery_status),
        subtotal=Money(row.subtotal, unit),
        tax=Money(row.tax, unit),
        total=Money(row.total, unit),
        quote_id=row.quote_id,
        lines=load_order_lines(row.lines, unit),
    )


def delivery_of(row: AnyRow) -> Delivery:
    """Return a delivery."""
    return Delivery(
        company_id=row.company_id,
        client_id=row.client_id,
        id=row.id,
        number=row.number,
        state=DeliveryState(row.state),
        lines=load_delivery_lines(row.lines),
        order_id=row.order_id,
        carrier_name=row.carrier_name,
        tracking_number=row.tracking_number,
        tracking_url=row.tracking_url,
        scheduled_on=row.scheduled_on,
        shipped_at=row.shipped_at,
        delivered_at=row.delivered_at,
        backorder_of=row.backorder_of,
    )


def invoice_of(row: AnyRow, allocated: Iterable[AnyRow], *, lines: bool = True) -> Invoice:
    """Return an invoice or credit note; its lines only if they were asked for."""
    unit = CURRENCIES[row.currency]
    return Invoice(
        company_id=row.company_id,
        client_id=row.client_id,
        id=row.id,
        number=row.number,
        kind=InvoiceKind(row.kind),
        state=InvoiceState(row.state),
        stated_payment_state=None if row.stated_payment_state is None else PaymentState(row.stated_payment_state),
        issued_on=row.issued_on,
        due_on=row.due_on,
        subtotal=Money(row.subtotal, unit),
        tax=Money(row.tax, unit),
        total=Money(row.total, unit),
        reference=row.reference,
        order_id=row.order_id,
        payment_url=row.payment_url,
        payment_instructions=row.payment_instructions,
        lines=load_lines(row.lines, unit) if lines else (),
        instalments=load_instalments(row.instalments, unit),
        adjustments=load_adjustments(row.adjustments, unit),
        allocations=tuple(_credit_of(each) for each in allocated),
    )


def payment_of(row: AnyRow, allocated: Iterable[AnyRow]) -> Payment:
    """Return a payment or refund."""
    return Payment(
        company_id=row.company_id,
        client_id=row.client_id,
        id=row.id,
        number=row.number,
        kind=PaymentKind(row.kind),
        state=PaymentRecordState(row.state),
        received_on=row.received_on,
        amount=Money(row.amount, CURRENCIES[row.currency]),
        method=row.method,
        reference=row.reference,
        allocations=tuple(_allocation_of(each) for each in allocated),
    )


def _credit_of(row: AnyRow) -> CreditAllocation:
    return CreditAllocation(
        invoice_id=row.invoice_id,
        amount=Money(row.amount, CURRENCIES[row.currency]),
        allocated_on=row.allocated_on,
    )


def _allocation_of(row: AnyRow) -> PaymentAllocation:
    used = None if row.used_amount is None else Money(row.used_amount, CURRENCIES[row.used_currency])
    return PaymentAllocation(
        invoice_id=row.invoice_id,
        amount=Money(row.amount, CURRENCIES[row.currency]),
        payment_amount=used,
        allocated_on=row.allocated_on,
    )
