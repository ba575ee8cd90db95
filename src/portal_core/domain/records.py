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
    match fact:
        case Quote():
            yield from _optional("/order_id", RecordType.ORDER, fact.order_id)
        case Order():
            yield from _optional("/quote_id", RecordType.QUOTE, fact.quote_id)
        case Delivery():
            yield from _optional("/order_id", RecordType.ORDER, fact.order_id)
            yield from _optional("/backorder_of", RecordType.DELIVERY, fact.backorder_of)
        case Invoice():
            yield from _optional("/order_id", RecordType.ORDER, fact.order_id)
            yield from _allocated(fact)
        case Payment():
            yield from _allocated(fact)
        case _:
            return


def _optional(pointer: str, kind: RecordType, record_id: str | None) -> Iterator[tuple[str, RecordRef]]:
    if record_id is not None:
        yield pointer, RecordRef(kind, record_id)


def _allocated(fact: Invoice | Payment) -> Iterator[tuple[str, RecordRef]]:
    targets = [part.invoice_id for part in fact.allocations]
    for index, target in enumerate(targets):
        yield f"/allocations/{index}/invoice_id", RecordRef(RecordType.INVOICE, target)
