"""Payments and refunds, and what each of them paid."""

from datetime import date
from enum import StrEnum

from attrs import frozen

from portal_core.domain.ids import ClientId, CompanyId, InvoiceId, PaymentId
from portal_core.domain.invoices import InvoiceKind, NumberedAllocation
from portal_core.domain.money import Money


class PaymentKind(StrEnum):
    """A payment comes from the client; a refund goes back to them."""

    PAYMENT = "payment"
    REFUND = "refund"

    @property
    def settles(self) -> InvoiceKind:
        """The kind of document that it can be allocated to: a refund pays back credit notes."""
        return InvoiceKind.CREDIT_NOTE if self is PaymentKind.REFUND else InvoiceKind.INVOICE


class PaymentRecordState(StrEnum):
    """The state of a payment; only those in process and paid are shown and counted."""

    DRAFT = "draft"
    IN_PROCESS = "in_process"
    PAID = "paid"
    CANCELLED = "cancelled"


SHOWN_PAYMENT_STATES = frozenset({PaymentRecordState.IN_PROCESS, PaymentRecordState.PAID})


@frozen(kw_only=True)
class PaymentAllocation:
    """What a payment gave to an invoice, or a refund to a credit note.

    `amount` is in the invoice's currency; `payment_amount` is what it used up of the payment, where the
    currencies differ.
    """

    invoice_id: InvoiceId
    amount: Money
    payment_amount: Money | None = None
    allocated_on: date | None = None

    @property
    def used(self) -> Money:
        """What it uses up of the payment, in the payment's currency."""
        return self.amount if self.payment_amount is None else self.payment_amount


@frozen(kw_only=True)
class Payment:
    """Money that came in, or went back as a refund, as the system of record has it."""

    company_id: CompanyId
    client_id: ClientId
    id: PaymentId
    number: str
    kind: PaymentKind = PaymentKind.PAYMENT
    state: PaymentRecordState
    received_on: date
    amount: Money
    method: str | None = None
    reference: str | None = None
    allocations: tuple[PaymentAllocation, ...] = ()

    @property
    def is_shown(self) -> bool:
        """Whether the client sees it and it counts."""
        return self.state in SHOWN_PAYMENT_STATES


@frozen(kw_only=True)
class PaymentView:
    """A payment as the client sees it: the posted documents it paid, with their numbers, and what is left of it."""

    payment: Payment
    allocations: tuple[NumberedAllocation, ...]
    unallocated: Money
