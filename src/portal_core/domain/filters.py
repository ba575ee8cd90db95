"""What the lists can be narrowed to; None leaves a list as it is."""

from datetime import date

from attrs import frozen

from portal_core.domain.access import DocumentRef, GrantState
from portal_core.domain.audit import AuditAction
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.feedback import TicketState
from portal_core.domain.ids import ClientId, QuoteId
from portal_core.domain.invoices import InvoiceKind, PaymentState
from portal_core.domain.orders import DeliveryStatus, OrderState
from portal_core.domain.outbox import Channel, DispatchState
from portal_core.domain.quotes import Answer, QuoteState


@frozen(kw_only=True)
class QuoteFilter:
    """States are those shown, so `sent` leaves out what has expired."""

    states: frozenset[QuoteState] | None = None


@frozen(kw_only=True)
class OrderFilter:
    """By state and by how far the goods are."""

    states: frozenset[OrderState] | None = None
    delivery_statuses: frozenset[DeliveryStatus] | None = None


@frozen(kw_only=True)
class InvoiceFilter:
    """By kind, payment state, whether something is overdue, and whether something open falls due by a day."""

    kinds: frozenset[InvoiceKind] | None = None
    payment_states: frozenset[PaymentState] | None = None
    overdue: bool | None = None
    due_by: date | None = None

    @property
    def kinds_meant(self) -> frozenset[InvoiceKind] | None:
        """The kinds asked for: to ask how an invoice is paid, without a kind, is to ask about invoices."""
        if self.kinds is None and (self.payment_states, self.overdue, self.due_by) != (None, None, None):
            return frozenset({InvoiceKind.INVOICE})
        return self.kinds


@frozen(kw_only=True)
class DeliveryFilter:
    """By state."""

    states: frozenset[DeliveryState] | None = None


@frozen(kw_only=True)
class GrantFilter:
    """By client and by whether the link still opens anything."""

    client_id: ClientId | None = None
    states: frozenset[GrantState] | None = None


@frozen(kw_only=True)
class DecisionFilter:
    """By client, quote and answer."""

    client_id: ClientId | None = None
    quote_id: QuoteId | None = None
    answers: frozenset[Answer] | None = None


@frozen(kw_only=True)
class TicketFilter:
    """By client, by whose turn it is, and to the tickets about some documents."""

    client_id: ClientId | None = None
    documents: frozenset[DocumentRef] | None = None
    states: frozenset[TicketState] | None = None


@frozen(kw_only=True)
class AuditFilter:
    """By client, by who acted (an actor's id), by what they did, and by the id of what they did it to."""

    client_id: ClientId | None = None
    actor: str | None = None
    actions: frozenset[AuditAction] | None = None
    target_id: str | None = None


@frozen(kw_only=True)
class DispatchFilter:
    """By way out, by receiver and by what became of it."""

    channel: Channel | None = None
    target: str | None = None
    states: frozenset[DispatchState] | None = None
