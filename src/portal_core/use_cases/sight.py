"""Whether a client can see a document."""

from portal_core.domain.access import DocumentRef, DocumentType, Permission, Visit
from portal_core.domain.ids import DeliveryId, InvoiceId, OrderId, PaymentId, QuoteId
from portal_core.ports import Store

PERMISSION_TO_VIEW = {
    DocumentType.QUOTE: Permission.VIEW_QUOTES,
    DocumentType.ORDER: Permission.VIEW_ORDERS,
    DocumentType.INVOICE: Permission.VIEW_INVOICES,
    DocumentType.PAYMENT: Permission.VIEW_PAYMENTS,
    DocumentType.DELIVERY: Permission.VIEW_DELIVERIES,
}


def can_see(store: Store, visit: Visit, document: DocumentRef) -> bool:
    """Tell whether the link shows a document: its permission, its scope, and that it is not a draft."""
    if not visit.grant.may(PERMISSION_TO_VIEW[document.type]):
        return False
    match document.type:
        case DocumentType.QUOTE:
            return store.quotes.get(visit.scope, QuoteId(document.id)) is not None
        case DocumentType.ORDER:
            return store.orders.get(visit.scope, OrderId(document.id)) is not None
        case DocumentType.INVOICE:
            return store.invoices.get(visit.scope, InvoiceId(document.id)) is not None
        case DocumentType.PAYMENT:
            return store.payments.get(visit.scope, PaymentId(document.id)) is not None
        case _:
            return store.deliveries.get(visit.scope, DeliveryId(document.id)) is not None
