"""The documents that a client may write about."""

from collections.abc import Callable, Mapping

from attrs import frozen

from portal_core.domain.access import DocumentRef, DocumentType
from portal_core.domain.errors import NotFound, PermissionDenied
from portal_core.domain.ids import DeliveryId, InvoiceId, OrderId, PaymentId, QuoteId
from portal_core.ports import Store
from portal_core.use_cases.deliveries import read_delivery
from portal_core.use_cases.invoices import read_invoice
from portal_core.use_cases.orders import read_order
from portal_core.use_cases.payments import read_payment
from portal_core.use_cases.quotes import read_quote
from portal_http.pages.asked import Asked


@frozen
class About:
    """A document that a client may write about: its address in a form, its type and its number."""

    value: str
    type: DocumentType
    number: str


def read_ref(text: str) -> DocumentRef:
    """Return the document of an address in a form; raise ValueError if it is none."""
    kind, _, document_id = text.partition(":")
    return DocumentRef(DocumentType(kind), document_id)


def offered(store: Store, asked: Asked) -> list[About]:
    """Return the documents that may be written about: those of a narrowed link, else the one that was come from."""
    narrowed = asked.visit.scope.documents
    refs = sorted(narrowed, key=lambda ref: (ref.type.value, ref.id)) if narrowed is not None else _asked_about(asked)
    return [about for ref in refs if (about := about_of(store, asked, ref)) is not None]


def _asked_about(asked: Asked) -> list[DocumentRef]:
    try:
        return [read_ref(asked.typed("about"))]
    except ValueError:
        return []


def about_of(store: Store, asked: Asked, ref: DocumentRef) -> About | None:
    """Return how a document is named, or nothing when the link does not show it."""
    try:
        number = _NUMBERS[ref.type](store, asked, ref.id)
    except (NotFound, PermissionDenied):
        return None
    return About(f"{ref.type.value}:{ref.id}", ref.type, number)


_NUMBERS: Mapping[DocumentType, Callable[[Store, Asked, str], str]] = {
    DocumentType.QUOTE: lambda store, asked, key: read_quote(store, asked.visit, QuoteId(key), now=asked.now).number,
    DocumentType.ORDER: lambda store, asked, key: (
        read_order(store, asked.visit, OrderId(key), now=asked.now).order.number
    ),
    DocumentType.INVOICE: lambda store, asked, key: (
        read_invoice(store, asked.visit, InvoiceId(key), now=asked.now).summary.number
    ),
    DocumentType.PAYMENT: lambda store, asked, key: (
        read_payment(store, asked.visit, PaymentId(key), now=asked.now).payment.number
    ),
    DocumentType.DELIVERY: lambda store, asked, key: (
        read_delivery(store, asked.visit, DeliveryId(key), now=asked.now).delivery.number
    ),
}


def paper_of(store: Store, asked: Asked, kind: DocumentType, document_id: str, *, printed: bool = True) -> str | None:
    """Return the path of a document's PDF, or nothing where it is neither printed nor was attached."""
    page = asked.address(kind, document_id)
    there = (printed and asked.shop is not None) or store.documents.has(
        asked.visit.scope, DocumentRef(kind, document_id)
    )
    return f"{page}/pdf" if page is not None and there else None
