"""From the domain to the shapes of the contract: plain dictionaries, written out by hand because lists are hot."""

from portal_http.present.audit import audit_entry
from portal_http.present.conversation import event, ticket, ticket_for_staff
from portal_http.present.files import file_row
from portal_http.present.glances import dashboard_seen, invoice_seen
from portal_http.present.invoices import invoice_detail, invoice_row, payment
from portal_http.present.links import issued_link, link_row
from portal_http.present.orders import delivery, order_detail, order_row
from portal_http.present.overview import dashboard, statement, view
from portal_http.present.quotes import decision_with_evidence, quote_detail, quote_row
from portal_http.present.webhooks import issued_webhook, sent, webhook_row

__all__ = [
    "audit_entry",
    "dashboard",
    "dashboard_seen",
    "decision_with_evidence",
    "delivery",
    "event",
    "file_row",
    "invoice_detail",
    "invoice_row",
    "invoice_seen",
    "issued_link",
    "issued_webhook",
    "link_row",
    "order_detail",
    "order_row",
    "payment",
    "quote_detail",
    "quote_row",
    "sent",
    "statement",
    "ticket",
    "ticket_for_staff",
    "view",
    "webhook_row",
]
