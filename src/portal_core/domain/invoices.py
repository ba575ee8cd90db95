"""Invoices and credit notes: what is billed, what settled it, and what is still due."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum

from attrs import frozen

from portal_core.domain.ids import ClientId, CompanyId, InvoiceId, OrderId
from portal_core.domain.lines import Line
from portal_core.domain.money import Money, total_of


class InvoiceKind(StrEnum):
    """A credit note's amounts are positive, in the client's favour."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class InvoiceState(StrEnum):
    """Only posted documents are shown and counted."""

    DRAFT = "draft"
    POSTED = "posted"
    CANCELLED = "cancelled"


class PaymentState(StrEnum):
    """How far an invoice is settled. `in_payment` and `reversed` are stated by the system of record alone."""

    NOT_PAID = "not_paid"
    PARTIAL = "partial"
    IN_PAYMENT = "in_payment"
    PAID = "paid"
    REVERSED = "reversed"


SETTLED_STATES = frozenset({PaymentState.PAID, PaymentState.IN_PAYMENT, PaymentState.REVERSED})


def payment_state_of(total: Money, due: Money) -> PaymentState:
    """Return the payment state that follows from the amounts; a zero total is paid."""
    if not due:
        return PaymentState.PAID
    return PaymentState.NOT_PAID if due == total else PaymentState.PARTIAL


@frozen(kw_only=True)
class Instalment:
    """A part of an invoice's total and the day it falls due."""

    due_on: date
    amount: Money


@frozen(kw_only=True)
class InstalmentDue:
    """An instalment with what is still due of it."""

    due_on: date
    amount: Money
    amount_due: Money


@frozen(kw_only=True)
class Adjustment:
    """A write-off or a discount for early payment: it settles without a payment."""

    amount: Money
    reason: str
    adjusted_on: date


@frozen(kw_only=True)
class CreditAllocation:
    """What a credit note settles of an invoice."""

    invoice_id: InvoiceId
    amount: Money
    allocated_on: date | None = None


@frozen(kw_only=True)
class Invoice:
    """An invoice or a credit note, as the system of record has it.

    `stated_payment_state` is kept only for what cannot be derived: `in_payment` and `reversed`.
    `allocations` are a credit note's.
    """

    company_id: CompanyId
    client_id: ClientId
    id: InvoiceId
    number: str
    kind: InvoiceKind
    state: InvoiceState
    stated_payment_state: PaymentState | None = None
    issued_on: date
    due_on: date | None = None
    subtotal: Money
    tax: Money
    total: Money
    reference: str | None = None
    order_id: OrderId | None = None
    payment_url: str | None = None
    payment_instructions: str | None = None
    lines: tuple[Line, ...] = ()
    instalments: tuple[Instalment, ...] = ()
    adjustments: tuple[Adjustment, ...] = ()
    allocations: tuple[CreditAllocation, ...] = ()

    @property
    def is_posted(self) -> bool:
        """Whether it is shown to the client and counted."""
        return self.state is InvoiceState.POSTED

    @property
    def is_credit_note(self) -> bool:
        """Whether it is in the client's favour."""
        return self.kind is InvoiceKind.CREDIT_NOTE

    def schedule(self) -> tuple[Instalment, ...]:
        """Return what falls due when, oldest first: without instalments the whole on `due_on`, else at once."""
        if self.is_credit_note:
            return ()
        whole = Instalment(due_on=self.due_on or self.issued_on, amount=self.total)
        return tuple(sorted(self.instalments, key=lambda part: part.due_on)) or (whole,)

    def payment_state(self, due: Money) -> PaymentState:
        """Return the payment state at an amount due: the stated one while it agrees, else the derived one."""
        stated = self.stated_payment_state
        return payment_state_of(self.total, due) if stated is None or due else stated


def instalments_due(schedule: Sequence[Instalment], due: Money) -> tuple[InstalmentDue, ...]:
    """Return the instalments with what is due of each: whatever was settled went to the oldest first."""
    unit = due.currency
    settled = total_of((part.amount for part in schedule), unit).minor - due.minor
    parts: list[InstalmentDue] = []
    for part in schedule:
        covered = min(settled, part.amount.minor)
        settled -= covered
        left = Money(part.amount.minor - covered, unit)
        parts.append(InstalmentDue(due_on=part.due_on, amount=part.amount, amount_due=left))
    return tuple(parts)


def oldest_open_day(parts: Iterable[InstalmentDue]) -> date | None:
    """Return the first day on which something that is still due fell or falls due."""
    return min((part.due_on for part in parts if part.amount_due), default=None)


class SettlementSource(StrEnum):
    """What can settle an invoice."""

    PAYMENT = "payment"
    CREDIT_NOTE = "credit_note"
    ADJUSTMENT = "adjustment"


@frozen(kw_only=True)
class Settlement:
    """What settled a part of an invoice or credit note; an adjustment's number is its reason and it has no id."""

    source: SettlementSource
    source_id: str | None
    source_number: str
    amount: Money
    allocated_on: date | None

    @property
    def order(self) -> tuple[date, str, str]:
        """The order in which they are shown: day (unknown ones first), source, id."""
        return (self.allocated_on or date.min, self.source.value, self.source_id or self.source_number)


@frozen(kw_only=True)
class NumberedAllocation:
    """What a payment or credit note gave to a posted invoice or credit note, in that document's currency."""

    invoice_id: InvoiceId
    invoice_number: str
    amount: Money
    allocated_on: date | None


@frozen(kw_only=True)
class InvoiceBrief:
    """What tells one posted invoice or credit note from another, and where it stands.

    A credit note's `amount_due` is what is still open in the client's favour. `oldest_due_on` is the first
    day on which something still due falls due, None for credit notes and settled invoices.
    """

    id: InvoiceId
    number: str
    kind: InvoiceKind
    payment_state: PaymentState
    issued_on: date
    due_on: date | None
    total: Money
    amount_due: Money
    oldest_due_on: date | None

    @property
    def is_due_in_parts(self) -> bool:
        """Whether what falls due first need not be all that is due."""
        return self.oldest_due_on is not None and self.oldest_due_on != (self.due_on or self.issued_on)

    def is_overdue(self, on: date) -> bool:
        """Tell whether something fell due before a day and is still open."""
        return self.oldest_due_on is not None and self.oldest_due_on < on

    def is_due_by(self, day: date) -> bool:
        """Tell whether something that is still open fell or falls due by a day, that day counted."""
        return self.oldest_due_on is not None and self.oldest_due_on <= day


@frozen(kw_only=True)
class InvoiceSummary(InvoiceBrief):
    """A posted invoice or credit note as a list shows it."""

    state: InvoiceState
    subtotal: Money
    tax: Money
    order_id: OrderId | None
    payment_url: str | None
    payment_instructions: str | None


def paid_together(invoices: Iterable[InvoiceSummary]) -> PaymentState | None:
    """Return how far some invoices are paid together, None where there are none; credit notes do not count.

    An invoice of nothing says nothing beside others.
    """
    posted = [each for each in invoices if each.kind is InvoiceKind.INVOICE]
    counted = [each for each in posted if each.total] or posted
    states = {each.payment_state for each in counted}
    if len(states) <= 1:
        return next(iter(states), None)
    return PaymentState.PARTIAL if any(each.amount_due for each in counted) else PaymentState.PAID


@frozen(kw_only=True)
class DueNow:
    """What of an invoice is to be paid first: all that is overdue, else what falls due next; and what follows later."""

    amount: Money
    on: date
    later: Money


@frozen(kw_only=True)
class InvoiceDetail:
    """A posted invoice or credit note with all that a client sees of it.

    `settlements` are what settled it, ordered by day, source and id; `allocations` are what a credit note settled.
    Settlements and allocations of a credit note, together with what is due, make its total. Both are None where
    they are withheld from a link that may not view payments.
    """

    summary: InvoiceSummary
    reference: str | None
    lines: tuple[Line, ...]
    instalments: tuple[InstalmentDue, ...]
    settlements: tuple[Settlement, ...] | None
    allocations: tuple[NumberedAllocation, ...] | None

    def due_now(self, today: date) -> DueNow | None:
        """Return what is to be paid first, nothing where nothing is due."""
        parts = [each for each in self.instalments if each.amount_due]
        if not parts:
            return None
        until = max(parts[0].due_on, today - timedelta(days=1))
        due = total_of((each.amount_due for each in parts if each.due_on <= until), self.summary.total.currency)
        return DueNow(amount=due, on=parts[0].due_on, later=self.summary.amount_due - due)
