"""Facts: what the system of record says, and how one fact refers to another."""

from collections.abc import Iterator
from enum import StrEnum
from typing import TypeAlias

from attrs import frozen

from portal_core.domain.access import DocumentRef, DocumentType
from portal_core.domain.companies import Client, Company
from portal_core.domain.deliveries import Delivery
from portal_core.domain.ids import ClientId
from portal_core.domain.invoices import Invoice
from portal_core.domain.orders import Order
from portal_core.domain.payments import Payment
from portal_core.domain.quotes import Quote

Document: TypeAlias = Quote | Order | Delivery | Invoice | Payment
Fact: TypeAlias = Company | Client | Document


class RecordType(StrEnum):
    """The types of record, in the order of an export."""

    COMPANY = "company"
    CLIENT = "client"
    QUOTE = "quote"
    ORDER = "order"
    DELIVERY = "delivery"
    INVOICE = "invoice"
    PAYMENT = "payment"


@frozen
class RecordRef:
    """One record of a company's."""

    type: RecordType
    id: str


_TYPES: dict[type[Fact], RecordType] = {
    Company: RecordType.COMPANY,
    Client: RecordType.CLIENT,
    Quote: RecordType.QUOTE,
    Order: RecordType.ORDER,
    Delivery: RecordType.DELIVERY,
    Invoice: RecordType.INVOICE,
    Payment: RecordType.PAYMENT,
}


def ref_of(fact: Fact) -> RecordRef:
    """Return the type and id of a fact."""
    return RecordRef(_TYPES[type(fact)], fact.id)


def document_of(ref: RecordRef) -> DocumentRef | None:
    """Return the document that a record is, or nothing for a company and a client."""
    kind = next((each for each in DocumentType if each.value == ref.type.value), None)
    return None if kind is None else DocumentRef(kind, ref.id)


def client_of(fact: Fact) -> ClientId | None:
    """Return whose a fact is: a client's own id for a client, nothing for a company."""
    match fact:
        case Company():
            return None
        case Client():
            return fact.id
        case _:
            return fact.client_id


def references_of(fact: Fact) -> Iterator[tuple[str, RecordRef]]:
    """Yield the other documents that a fact names, each with the JSON pointer of the field that does."""
    yield from named_by(fact)
    if isinstance(fact, Invoice | Payment):
        targets = [part.invoice_id for part in fact.allocations]
        for index, target in enumerate(targets):
            yield f"/allocations/{index}/invoice_id", RecordRef(RecordType.INVOICE, target)


def named_by(fact: Fact) -> Iterator[tuple[str, RecordRef]]:
    """Yield the documents that a fact names, but the invoices that it is allocated to: they are a ledger's to judge."""
    match fact:
        case Invoice() | Delivery() | Quote() if fact.order_id is not None:
            yield "/order_id", RecordRef(RecordType.ORDER, fact.order_id)
        case Order() if fact.quote_id is not None:
            yield "/quote_id", RecordRef(RecordType.QUOTE, fact.quote_id)
        case _:
            pass
    if isinstance(fact, Delivery) and fact.backorder_of is not None:
        yield "/backorder_of", RecordRef(RecordType.DELIVERY, fact.backorder_of)
