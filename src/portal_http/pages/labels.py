"""The words for what the domain names, and the tone in which each is shown."""

from collections.abc import Mapping
from enum import StrEnum

from portal_core.domain.access import DocumentType
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.feedback import Category, TicketState
from portal_core.domain.invoices import InvoiceKind, PaymentState, SettlementSource
from portal_core.domain.orders import DeliveryStatus, OrderState
from portal_core.domain.payments import PaymentKind, PaymentRecordState
from portal_core.domain.quotes import Answer, QuoteState
from portal_core.domain.statement import MovementType


def N_(message: str) -> str:  # noqa: N802 - the name by which messages are found that are translated later
    """Mark a message for the catalogues."""
    return message


_LABELS: Mapping[type[StrEnum], Mapping[str, str]] = {
    QuoteState: {
        "sent": N_("To answer"),
        "accepted": N_("Accepted"),
        "declined": N_("Declined"),
        "cancelled": N_("Cancelled"),
        "expired": N_("Expired"),
    },
    OrderState: {"confirmed": N_("Confirmed"), "done": N_("Done"), "cancelled": N_("Cancelled")},
    DeliveryStatus: {
        "none": N_("Nothing to deliver"),
        "pending": N_("Not delivered yet"),
        "partial": N_("Partly delivered"),
        "delivered": N_("Delivered"),
    },
    DeliveryState: {
        "waiting": N_("Being prepared"),
        "ready": N_("Ready to ship"),
        "shipped": N_("On its way"),
        "delivered": N_("Delivered"),
        "cancelled": N_("Cancelled"),
    },
    InvoiceKind: {"invoice": N_("Invoice"), "credit_note": N_("Credit note")},
    PaymentState: {
        "not_paid": N_("Not paid"),
        "partial": N_("Partly paid"),
        "in_payment": N_("Payment in process"),
        "paid": N_("Paid"),
        "reversed": N_("Reversed"),
    },
    PaymentKind: {"payment": N_("Payment"), "refund": N_("Refund")},
    PaymentRecordState: {"in_process": N_("In process"), "paid": N_("Received")},
    SettlementSource: {
        "payment": N_("Payment"),
        "credit_note": N_("Credit note"),
        "adjustment": N_("Adjustment"),
    },
    MovementType: {
        "invoice": N_("Invoice"),
        "credit_note": N_("Credit note"),
        "payment": N_("Payment"),
        "refund": N_("Refund"),
        "adjustment": N_("Adjustment"),
        "conversion": N_("Conversion"),
    },
    Category: {
        "question": N_("Question"),
        "problem": N_("Problem"),
        "praise": N_("Praise"),
        "other": N_("Something else"),
    },
    TicketState: {"open": N_("Waiting for our answer"), "answered": N_("Answered"), "closed": N_("Closed")},
    DocumentType: {
        "quote": N_("Quote"),
        "order": N_("Order"),
        "invoice": N_("Invoice"),
        "payment": N_("Payment"),
        "delivery": N_("Delivery"),
    },
}

_TONES: Mapping[type[StrEnum], Mapping[str, str]] = {
    Answer: {"accepted": "good"},
    QuoteState: {"accepted": "good", "sent": "busy"},
    OrderState: {"done": "good", "confirmed": "busy"},
    DeliveryStatus: {"delivered": "good", "partial": "busy"},
    DeliveryState: {"delivered": "good", "ready": "busy", "shipped": "busy"},
    PaymentState: {"paid": "good", "partial": "busy", "in_payment": "busy", "not_paid": "busy"},
    PaymentRecordState: {"paid": "good", "in_process": "busy"},
    TicketState: {"answered": "good", "open": "busy"},
}


def label(value: StrEnum) -> str:
    """Return the English words for a value."""
    return _LABELS[type(value)][str(value)]


def tone(value: StrEnum) -> str:
    """Return `good`, `busy` or `quiet`: how loudly a state is shown."""
    return _TONES.get(type(value), {}).get(str(value), "quiet")
