"""Identifiers: opaque strings, minted by the system of record or by us."""

import re
from typing import NewType

CompanyId = NewType("CompanyId", str)
ClientId = NewType("ClientId", str)
GrantId = NewType("GrantId", str)
QuoteId = NewType("QuoteId", str)
DecisionId = NewType("DecisionId", str)
OrderId = NewType("OrderId", str)
DeliveryId = NewType("DeliveryId", str)
InvoiceId = NewType("InvoiceId", str)
PaymentId = NewType("PaymentId", str)
TicketId = NewType("TicketId", str)
EventId = NewType("EventId", str)
AuditEntryId = NewType("AuditEntryId", str)
WebhookId = NewType("WebhookId", str)
DispatchId = NewType("DispatchId", str)

_ID = re.compile(r"[A-Za-z0-9._:~-]{1,128}")

ID_RULE = "must be 1-128 characters of A-Z a-z 0-9 . _ : ~ - and neither '.' nor '..'"


def is_id(text: str) -> bool:
    """Tell whether a text can be an id; what holds other characters is a document's `number`."""
    return _ID.fullmatch(text) is not None and text not in {".", ".."}
