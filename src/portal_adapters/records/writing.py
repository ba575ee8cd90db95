"""Facts to JSON Lines, in the one order and form that a fact has: what was imported comes out the same every time."""

import base64
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import groupby, islice
from typing import Any, TypeAlias

import orjson

from portal_core.domain.access import DocumentRef
from portal_core.domain.companies import Client, Company
from portal_core.domain.deliveries import Delivery
from portal_core.domain.documents import JSON, decimal_json
from portal_core.domain.feedback import Ticket
from portal_core.domain.filters import DecisionFilter, TicketFilter
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.invoices import Invoice
from portal_core.domain.ledger import Ledger
from portal_core.domain.lines import Line, LineKind, OrderLine
from portal_core.domain.money import Money
from portal_core.domain.orders import Order
from portal_core.domain.paging import every
from portal_core.domain.payments import Payment
from portal_core.domain.quotes import Decision, Quote
from portal_core.domain.records import Fact, RecordRef, ref_of
from portal_core.ports import Store

Object: TypeAlias = dict[str, JSON]

_CHUNK = 500


def export_records(
    store: Store, *, company_id: CompanyId | None = None, client_id: ClientId | None = None, decisions: bool = False
) -> Iterator[bytes]:
    """Yield the lines of everything, or of one company, or of one client: by company, then type, then id.

    What follows of other records (what is due, the payment state) is written as it is now. With `decisions`, each
    company's decisions and feedback follow its facts; an import does not take them.
    """
    facts = store.facts.each(company_id) if client_id is None else _facts_of_client(store, company_id, client_id)
    for owner, group in groupby(facts, key=_company_of):
        yield from _company_lines(store, owner, group)
        if decisions:
            yield from map(line_of, _decisions(store, owner, client_id))
            yield from map(line_of, _tickets(store, owner, client_id))


def _facts_of_client(store: Store, company_id: CompanyId | None, client_id: ClientId) -> Iterator[Fact]:
    """Yield the facts of every client of that id, each after its company."""
    known = store.facts.each() if company_id is None else (store.companies.get(company_id),)
    for company in (each for each in known if isinstance(each, Company)):
        if store.clients.get(company.id, client_id) is not None:
            yield from store.facts.each(company.id, client_id)


def _company_lines(store: Store, company_id: CompanyId, facts: Iterator[Fact]) -> Iterator[bytes]:
    for invoices, group in groupby(facts, key=lambda fact: isinstance(fact, Invoice)):
        if invoices:
            yield from _invoices(store, company_id, (fact for fact in group if isinstance(fact, Invoice)))
        else:
            yield from (line_of(_fact(fact)) for fact in group)


def _company_of(fact: Fact) -> CompanyId:
    return fact.id if isinstance(fact, Company) else fact.company_id


def _invoices(store: Store, company_id: CompanyId, invoices: Iterator[Invoice]) -> Iterator[bytes]:
    """Yield the lines of invoices, asking for the ledgers of some at a time."""
    while chunk := list(islice(invoices, _CHUNK)):
        by_client: dict[ClientId, list[RecordRef]] = defaultdict(list)
        for each in chunk:
            by_client[each.client_id].append(ref_of(each))
        ledgers = store.intake.ledgers(company_id, by_client)
        yield from (line_of(_invoice(each, ledgers[each.client_id])) for each in chunk)


def line_of(record: Object) -> bytes:
    """Return an object as a line."""
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def _fact(fact: Fact) -> Object:
    write = _WRITERS[type(fact)]
    return write(fact)


def _company(company: Company) -> Object:
    return {
        "type": "company",
        "id": company.id,
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
        "logo": None if company.logo is None else base64.b64encode(company.logo).decode(),
        "footer": company.footer,
    }


def _client(client: Client) -> Object:
    return {
        "type": "client",
        "company_id": client.company_id,
        "id": client.id,
        "name": client.name,
        "email": client.email,
        "locale": client.locale,
    }


def _quote(quote: Quote) -> Object:
    return {
        **_owned(quote),
        "state": quote.recorded_state.value,
        "revision": quote.revision,
        "issued_on": quote.issued_on.isoformat(),
        "valid_until": _day(quote.valid_until),
        **_sums(quote),
        "lines": [_priced(line) for line in quote.lines],
        "notes": quote.notes,
        "terms": quote.terms,
        "order_id": quote.order_id,
    }


def _order(order: Order) -> Object:
    return {
        **_owned(order),
        "state": order.state.value,
        "ordered_on": order.ordered_on.isoformat(),
        **_sums(order),
        "delivery_status": order.delivery_status.value,
        "lines": [_ordered(line) for line in order.lines],
        "client_reference": order.client_reference,
        "quote_id": order.quote_id,
    }


def _delivery(delivery: Delivery) -> Object:
    return {
        **_owned(delivery),
        "state": delivery.state.value,
        "lines": [
            {
                "order_line_id": line.order_line_id,
                "description": line.description,
                "quantity": decimal_json(line.quantity),
                "delivered_quantity": decimal_json(line.delivered_quantity),
                "unit": line.unit,
            }
            for line in delivery.lines
        ],
        "order_id": delivery.order_id,
        "carrier_name": delivery.carrier_name,
        "tracking_number": delivery.tracking_number,
        "tracking_url": delivery.tracking_url,
        "scheduled_on": _day(delivery.scheduled_on),
        "shipped_at": moment(delivery.shipped_at),
        "delivered_at": moment(delivery.delivered_at),
        "backorder_of": delivery.backorder_of,
    }


def _invoice(invoice: Invoice, ledger: Ledger) -> Object:
    due = ledger.amount_due(invoice)
    return {
        **_owned(invoice),
        "kind": invoice.kind.value,
        "state": invoice.state.value,
        "issued_on": invoice.issued_on.isoformat(),
        **_sums(invoice),
        "lines": [_priced(line) for line in invoice.lines],
        "due_on": _day(invoice.due_on),
        "payment_state": invoice.payment_state(due).value,
        "amount_due": due.amount,
        "instalments": None if invoice.is_credit_note else _instalments(invoice, ledger),
        "adjustments": [
            {"amount": part.amount.amount, "reason": part.reason, "adjusted_on": part.adjusted_on.isoformat()}
            for part in invoice.adjustments
        ],
        "allocations": [
            {"invoice_id": part.invoice_id, "amount": part.amount.amount, "allocated_on": _day(part.allocated_on)}
            for part in invoice.allocations
        ]
        if invoice.is_credit_note
        else None,
        "reference": invoice.reference,
        "order_id": invoice.order_id,
        "payment_url": invoice.payment_url,
        "payment_instructions": invoice.payment_instructions,
    }


def _instalments(invoice: Invoice, ledger: Ledger) -> JSON:
    """Return the instalments in the order of the record, each with what is left of it."""
    order = sorted(range(len(invoice.instalments)), key=lambda index: invoice.instalments[index].due_on)
    parts = dict(zip(order, ledger.instalments_due(invoice), strict=False))
    return [
        {
            "due_on": part.due_on.isoformat(),
            "amount": part.amount.amount,
            "amount_due": parts[index].amount_due.amount,
        }
        for index, part in enumerate(invoice.instalments)
    ]


def _payment(payment: Payment) -> Object:
    return {
        **_owned(payment),
        "state": payment.state.value,
        "received_on": payment.received_on.isoformat(),
        "currency": payment.amount.currency.code,
        "amount": payment.amount.amount,
        "kind": payment.kind.value,
        "method": payment.method,
        "reference": payment.reference,
        "allocations": [
            {
                "invoice_id": part.invoice_id,
                "amount": part.amount.amount,
                "payment_amount": None if part.payment_amount is None else part.payment_amount.amount,
                "allocated_on": _day(part.allocated_on),
            }
            for part in payment.allocations
        ],
    }


_WRITERS: dict[type[Fact], Callable[[Any], Object]] = {
    Company: _company,
    Client: _client,
    Quote: _quote,
    Order: _order,
    Delivery: _delivery,
    Payment: _payment,
}


def _owned(document: Quote | Order | Delivery | Invoice | Payment) -> Object:
    return {
        "type": ref_of(document).type.value,
        "company_id": document.company_id,
        "id": document.id,
        "client_id": document.client_id,
        "number": document.number,
    }


def _sums(document: Quote | Order | Invoice) -> Object:
    return {
        "currency": document.total.currency.code,
        "subtotal": document.subtotal.amount,
        "tax": document.tax.amount,
        "total": document.total.amount,
    }


def _priced(line: Line) -> Object:
    if line.kind is not LineKind.ITEM:
        return {"id": line.id, "kind": line.kind.value, "description": line.description}
    return {
        "id": line.id,
        "kind": line.kind.value,
        "description": line.description,
        "quantity": decimal_json(line.quantity),
        "unit": line.unit,
        "unit_price": decimal_json(line.unit_price),
        "discount_percent": decimal_json(line.discount_percent),
        "subtotal": _amount(line.subtotal),
        "total": _amount(line.total),
    }


def _ordered(line: OrderLine) -> Object:
    priced = _priced(line)
    if line.kind is LineKind.ITEM:
        priced["delivered_quantity"] = decimal_json(line.delivered_quantity)
        priced["invoiced_quantity"] = decimal_json(line.invoiced_quantity)
    return priced


def _decisions(store: Store, company_id: CompanyId, client_id: ClientId | None) -> Iterator[Object]:
    narrowed = DecisionFilter(client_id=client_id)
    found = every(lambda listing: store.decisions.page(company_id, listing, narrowed), descending=False)
    return map(_decision, found)


def _decision(decision: Decision) -> Object:
    evidence = decision.evidence
    return {
        "type": "decision",
        "company_id": decision.company_id,
        "id": decision.id,
        "client_id": decision.client_id,
        "quote_id": decision.quote_id,
        "quote_number": decision.quote_number,
        "revision": decision.revision,
        "answer": decision.answer.value,
        "decided_at": moment(decision.decided_at),
        "name": evidence.name,
        "title": evidence.title,
        "email": evidence.email,
        "purchase_order": evidence.purchase_order,
        "comment": evidence.comment,
        "reason": evidence.reason,
        "ip": evidence.ip,
        "user_agent": evidence.user_agent,
        "consent_text": evidence.consent_text,
        "grant_id": evidence.grant_id,
        "secret_hint": evidence.secret_hint,
        "document": decision.document,
        "document_sha256": decision.document_sha256,
        "consent_sha256": decision.consent_sha256,
    }


def _tickets(store: Store, company_id: CompanyId, client_id: ClientId | None) -> Iterator[Object]:
    narrowed = TicketFilter(client_id=client_id)
    found = every(lambda listing: store.tickets.page(company_id, listing, narrowed), descending=False)
    return map(_ticket, found)


def _ticket(ticket: Ticket) -> Object:
    return {
        "type": "feedback",
        "company_id": ticket.company_id,
        "id": ticket.id,
        "client_id": ticket.client_id,
        "subject": ticket.subject,
        "message": ticket.message,
        "category": ticket.category.value,
        "rating": ticket.rating,
        "document": _document(ticket.document),
        "state": ticket.state.value,
        "created_at": moment(ticket.created_at),
        "replies": [
            {"by": reply.by.value, "message": reply.message, "created_at": moment(reply.created_at)}
            for reply in ticket.replies
        ],
    }


def _document(ref: DocumentRef | None) -> JSON:
    return None if ref is None else {"type": ref.type.value, "id": ref.id}


def _amount(money: Money | None) -> str | None:
    return None if money is None else money.amount


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def moment(at: datetime | None) -> str | None:
    """Return a moment as RFC 3339 has it, in UTC."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")
