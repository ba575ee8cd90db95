"""Records as rows."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, assert_never

from portal_adapters.sqlalchemy.values import (
    dump_adjustments,
    dump_delivery_lines,
    dump_instalments,
    dump_lines,
)
from portal_core.domain.companies import Client, Company
from portal_core.domain.deliveries import Delivery
from portal_core.domain.invoices import CreditAllocation, Invoice
from portal_core.domain.money import Money
from portal_core.domain.orders import Order
from portal_core.domain.payments import Payment, PaymentAllocation
from portal_core.domain.quotes import Quote
from portal_core.domain.records import Document, Fact, ref_of

Values: TypeAlias = dict[str, Any]


def row_of(fact: Fact) -> Values:
    """Return the columns of a fact, but those that are derived from other facts."""
    match fact:
        case Company():
            return _company(fact)
        case Client():
            return _client(fact)
        case _:
            return _name(fact) | _content(fact)


def allocation_rows_of(source: Invoice | Payment) -> Iterator[Values]:
    """Yield the rows of what a credit note or payment gives to invoices."""
    given: Sequence[PaymentAllocation | CreditAllocation] = source.allocations
    for position, part in enumerate(given):
        used = part.payment_amount if isinstance(part, PaymentAllocation) else None
        yield {
            "company_id": source.company_id,
            "source_type": ref_of(source).type.value,
            "source_id": source.id,
            "position": position,
            "client_id": source.client_id,
            **_allocation(part),
            "used_amount": None if used is None else used.minor,
            "used_currency": None if used is None else used.currency.code,
            "counts": True,
        }


def _allocation(part: PaymentAllocation | CreditAllocation) -> Values:
    return {
        "invoice_id": part.invoice_id,
        "amount": part.amount.minor,
        "currency": part.amount.currency.code,
        "allocated_on": part.allocated_on,
    }


def _company(company: Company) -> Values:
    return {
        "company_id": company.id,
        "name": company.name,
        "timezone": company.timezone.key,
        "currency": company.currency.code,
        "locale": company.locale,
        "email": company.email,
        "phone": company.phone,
        "website": company.website,
        "address": company.address,
        "payment_instructions": company.payment_instructions,
        "accent_colour": company.accent_colour,
        "footer": company.footer,
        "logo": company.logo,
    }


def _client(client: Client) -> Values:
    return {
        "company_id": client.company_id,
        "id": client.id,
        "name": client.name,
        "email": client.email,
        "locale": client.locale,
    }


def _name(document: Document) -> Values:
    return {
        "company_id": document.company_id,
        "id": document.id,
        "client_id": document.client_id,
        "number": document.number,
    }


def _content(document: Document) -> Values:
    match document:
        case Quote():
            return _quote(document)
        case Order():
            return _order(document)
        case Delivery():
            return _delivery(document)
        case Invoice():
            return _invoice(document)
        case Payment():
            return _payment(document)
        case _:
            assert_never(document)


def _sums(document: Quote | Order | Invoice) -> Values:
    unit = document.total.currency
    return {
        "currency": unit.code,
        "subtotal": _minor(document.subtotal, document),
        "tax": _minor(document.tax, document),
        "total": document.total.minor,
        "lines": dump_lines(document.lines, unit),
    }


def _minor(money: Money, document: Quote | Order | Invoice) -> int:
    unit = document.total.currency
    if money.currency is not unit and money.currency != unit:
        raise ValueError(f"{document.id} is in {unit.code}, and {money} is not; a document has one currency")
    return money.minor


def _quote(quote: Quote) -> Values:
    return _sums(quote) | {
        "state": quote.recorded_state.value,
        "revision": quote.revision,
        "issued_on": quote.issued_on,
        "valid_until": quote.valid_until,
        "order_id": quote.order_id,
        "document_sha256": bytes.fromhex(quote.document_sha256()),
        "notes": quote.notes,
        "terms": quote.terms,
        "withdrawn": quote.withdrawn,
    }


def _order(order: Order) -> Values:
    return _sums(order) | {
        "state": order.state.value,
        "ordered_on": order.ordered_on,
        "client_reference": order.client_reference,
        "delivery_status": order.delivery_status.value,
        "quote_id": order.quote_id,
    }


def _delivery(delivery: Delivery) -> Values:
    return {
        "state": delivery.state.value,
        "order_id": delivery.order_id,
        "carrier_name": delivery.carrier_name,
        "tracking_number": delivery.tracking_number,
        "tracking_url": delivery.tracking_url,
        "scheduled_on": delivery.scheduled_on,
        "shipped_at": delivery.shipped_at,
        "delivered_at": delivery.delivered_at,
        "backorder_of": delivery.backorder_of,
        "lines": dump_delivery_lines(delivery.lines),
    }


def _invoice(invoice: Invoice) -> Values:
    unit = invoice.total.currency
    stated = invoice.stated_payment_state
    return _sums(invoice) | {
        "kind": invoice.kind.value,
        "state": invoice.state.value,
        "stated_payment_state": None if stated is None else stated.value,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "order_id": invoice.order_id,
        "reference": invoice.reference,
        "payment_url": invoice.payment_url,
        "payment_instructions": invoice.payment_instructions,
        "instalments": dump_instalments(invoice.instalments, unit),
        "adjustments": dump_adjustments(invoice.adjustments, unit),
    }


def _payment(payment: Payment) -> Values:
    return {
        "kind": payment.kind.value,
        "state": payment.state.value,
        "received_on": payment.received_on,
        "currency": payment.amount.currency.code,
        "amount": payment.amount.minor,
        "method": payment.method,
        "reference": payment.reference,
    }
