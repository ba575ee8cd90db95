"""What settles what among one client's invoices, credit notes and payments."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TypeAlias

from portal_core.domain.balance import OpenAmount
from portal_core.domain.ids import InvoiceId, PaymentId
from portal_core.domain.invoices import (
    CreditAllocation,
    InstalmentDue,
    Invoice,
    InvoiceDetail,
    InvoiceKind,
    InvoiceSummary,
    NumberedAllocation,
    Settlement,
    SettlementSource,
    instalments_due,
    oldest_open_day,
)
from portal_core.domain.money import Money, total_of
from portal_core.domain.payments import Payment, PaymentAllocation, PaymentKind, PaymentView
from portal_core.domain.statement import Movement, MovementType

_Settled: TypeAlias = tuple[SettlementSource, str | None, str, Money, date | None]
"""The values of a settlement: what it takes to make one is spared where nobody looks at them."""


class Ledger:
    """One client's documents and the allocations between them.

    Allocations by or to a document that is not shown (a draft, a cancelled one) are void: they are kept and
    count nowhere. So are those of the wrong kind or currency, which `portal_core.domain.agreement` refuses.
    A ledger may hold a part of a client's documents; what it says of one is right when it holds all that the
    one allocates to and all that allocates to it.
    """

    def __init__(self, invoices: Iterable[Invoice], payments: Iterable[Payment]) -> None:
        self.invoices: Mapping[InvoiceId, Invoice] = {invoice.id: invoice for invoice in invoices}
        self.payments: Mapping[PaymentId, Payment] = {payment.id: payment for payment in payments}
        self._settlements: dict[InvoiceId, list[_Settled]] = defaultdict(list)
        self._settled_minor: dict[InvoiceId, int] = defaultdict(int)
        self._given: dict[PaymentId, tuple[PaymentAllocation, ...]] = {}
        for invoice in self.invoices.values():
            self._gather_adjustments(invoice)
            self._gather_credit(invoice)
        for payment in self.payments.values():
            self._gather_payment(payment)

    @classmethod
    def of(cls, facts: Iterable[object]) -> "Ledger":
        """Return the ledger of the invoices and payments among some facts."""
        kept = list(facts)
        return cls(
            (fact for fact in kept if isinstance(fact, Invoice)), (fact for fact in kept if isinstance(fact, Payment))
        )

    def settlements(self, invoice: Invoice) -> tuple[Settlement, ...]:
        """Return what settled a document, adjustments included, ordered by day (unknown ones first), source and id."""
        parts = (
            Settlement(source=source, source_id=source_id, source_number=number, amount=amount, allocated_on=on)
            for source, source_id, number, amount, on in self._settlements.get(invoice.id, ())
        )
        return tuple(sorted(parts, key=lambda part: part.order))

    def amount_due(self, invoice: Invoice) -> Money:
        """Return what is still due; of a credit note, what is still open in the client's favour."""
        settled, unit = self._settled_minor.get(invoice.id, 0), invoice.total.currency
        if invoice.allocations:
            settled += total_of((part.amount for part in self.credit_given(invoice)), unit).minor
        return Money(invoice.total.minor - settled, unit)

    def instalments_due(self, invoice: Invoice) -> tuple[InstalmentDue, ...]:
        """Return the instalments with what is due of each; a credit note has none."""
        return instalments_due(invoice.schedule(), self.amount_due(invoice))

    def credit_given(self, invoice: Invoice) -> tuple[CreditAllocation, ...]:
        """Return the allocations of a posted credit note to posted invoices; of any other document, nothing."""
        if not (invoice.is_posted and invoice.is_credit_note):
            return ()
        return tuple(part for part in invoice.allocations if self._settles(part, InvoiceKind.INVOICE))

    def payment_given(self, payment: Payment) -> tuple[PaymentAllocation, ...]:
        """Return the allocations of a shown payment to posted documents; of any other payment, nothing."""
        if self.payments.get(payment.id) is payment:
            return self._given[payment.id]
        return self._allocations_given(payment)

    def unallocated(self, payment: Payment) -> Money:
        """Return what a payment has not given to any posted document."""
        return payment.amount - total_of((part.used for part in self.payment_given(payment)), payment.amount.currency)

    def summary(self, invoice: Invoice) -> InvoiceSummary:
        """Return a document as a list shows it."""
        due = self.amount_due(invoice)
        return InvoiceSummary(
            id=invoice.id,
            number=invoice.number,
            kind=invoice.kind,
            state=invoice.state,
            payment_state=invoice.payment_state(due),
            issued_on=invoice.issued_on,
            due_on=invoice.due_on,
            subtotal=invoice.subtotal,
            tax=invoice.tax,
            total=invoice.total,
            amount_due=due,
            oldest_due_on=oldest_open_day(self.instalments_due(invoice)),
            order_id=invoice.order_id,
            payment_url=invoice.payment_url,
            payment_instructions=invoice.payment_instructions,
        )

    def detail(self, invoice: Invoice) -> InvoiceDetail:
        """Return a document with all that a client sees of it."""
        return InvoiceDetail(
            summary=self.summary(invoice),
            reference=invoice.reference,
            lines=invoice.lines,
            instalments=self.instalments_due(invoice),
            settlements=self.settlements(invoice),
            allocations=tuple(self._numbered(part) for part in self.credit_given(invoice)),
        )

    def payment_view(self, payment: Payment) -> PaymentView:
        """Return a payment as the client sees it."""
        return PaymentView(
            payment=payment,
            allocations=tuple(self._numbered(part) for part in self.payment_given(payment)),
            unallocated=self.unallocated(payment),
        )

    def open_amounts_of_invoice(self, invoice: Invoice) -> Iterator[OpenAmount]:
        """Yield what a document adds to the balance: its open instalments, or its open credit; zero when settled."""
        if not invoice.is_posted:
            return
        due = self.amount_due(invoice)
        if invoice.is_credit_note or not due:
            yield OpenAmount(due, None)
            return
        for part in instalments_due(invoice.schedule(), due):
            if part.amount_due:
                yield OpenAmount(part.amount_due, part.due_on)

    def open_amounts_of_payment(self, payment: Payment) -> Iterator[OpenAmount]:
        """Yield what a payment adds to the balance: what is unallocated, a refund's against the client."""
        if payment.is_shown:
            rest = self.unallocated(payment)
            sign = -1 if payment.kind is PaymentKind.REFUND else 1
            yield OpenAmount(Money(sign * rest.minor, rest.currency), None)

    def open_amounts(self) -> Iterator[OpenAmount]:
        """Yield everything open among the documents held."""
        for invoice in self.invoices.values():
            yield from self.open_amounts_of_invoice(invoice)
        for payment in self.payments.values():
            yield from self.open_amounts_of_payment(payment)

    def movements_of_invoice(self, invoice: Invoice) -> Iterator[Movement]:
        """Yield what a posted document and its adjustments move on the account."""
        if not invoice.is_posted:
            return
        sign = -1 if invoice.is_credit_note else 1
        kind = MovementType.CREDIT_NOTE if invoice.is_credit_note else MovementType.INVOICE
        yield _movement(invoice.issued_on, kind, invoice.id, invoice.number, sign, invoice.total)
        for sequence, part in enumerate(invoice.adjustments):
            yield _movement(
                part.adjusted_on, MovementType.ADJUSTMENT, invoice.id, part.reason, -sign, part.amount, sequence
            )

    def movements_of_payment(self, payment: Payment) -> Iterator[Movement]:
        """Yield what a shown payment moves, whole, and the two conversions of each allocation across currencies."""
        if not payment.is_shown:
            return
        sign = 1 if payment.kind is PaymentKind.REFUND else -1
        kind = MovementType(payment.kind.value)
        yield _movement(payment.received_on, kind, payment.id, payment.number, sign, payment.amount)
        for sequence, part in enumerate(self.payment_given(payment)):
            if part.used.currency != part.amount.currency:
                on = part.allocated_on or max(payment.received_on, self.invoices[part.invoice_id].issued_on)
                for side, signed, amount in ((0, -sign, part.used), (1, sign, part.amount)):
                    place = 2 * sequence + side
                    yield _movement(on, MovementType.CONVERSION, payment.id, payment.number, signed, amount, place)

    def movements(self) -> list[Movement]:
        """Return all movements of the documents held, in a statement's order."""
        of_invoices = (each for invoice in self.invoices.values() for each in self.movements_of_invoice(invoice))
        of_payments = (each for payment in self.payments.values() for each in self.movements_of_payment(payment))
        return sorted([*of_invoices, *of_payments], key=lambda movement: movement.order)

    def _allocations_given(self, payment: Payment) -> tuple[PaymentAllocation, ...]:
        if not payment.is_shown:
            return ()
        unit, kind = payment.amount.currency, payment.kind.settles
        return tuple(part for part in payment.allocations if part.used.currency == unit and self._settles(part, kind))

    def _settles(self, part: PaymentAllocation | CreditAllocation, kind: InvoiceKind) -> bool:
        found = self.invoices.get(part.invoice_id)
        return (
            found is not None
            and found.is_posted
            and found.kind is kind
            and found.total.currency == part.amount.currency
        )

    def _gather_adjustments(self, invoice: Invoice) -> None:
        for part in invoice.adjustments if invoice.is_posted else ():
            invoice.total.require_same_currency(part.amount)
            source = SettlementSource.ADJUSTMENT
            self._gather(invoice.id, source, None, part.reason, part.amount, part.adjusted_on)

    def _gather_credit(self, note: Invoice) -> None:
        for part in self.credit_given(note):
            source = SettlementSource.CREDIT_NOTE
            self._gather(part.invoice_id, source, note.id, note.number, part.amount, part.allocated_on)

    def _gather_payment(self, payment: Payment) -> None:
        given = self._given[payment.id] = self._allocations_given(payment)
        for part in given:
            source = SettlementSource.PAYMENT
            self._gather(part.invoice_id, source, payment.id, payment.number, part.amount, part.allocated_on)

    def _gather(
        self,
        invoice_id: InvoiceId,
        source: SettlementSource,
        source_id: str | None,
        number: str,
        amount: Money,
        on: date | None,
    ) -> None:
        self._settled_minor[invoice_id] += amount.minor
        self._settlements[invoice_id].append((source, source_id, number, amount, on))

    def _numbered(self, part: PaymentAllocation | CreditAllocation) -> NumberedAllocation:
        return NumberedAllocation(
            invoice_id=part.invoice_id,
            invoice_number=self.invoices[part.invoice_id].number,
            amount=part.amount,
            allocated_on=part.allocated_on,
        )


def _movement(
    on: date, kind: MovementType, document_id: str, number: str, sign: int, amount: Money, sequence: int = 0
) -> Movement:
    signed = Money(sign * amount.minor, amount.currency)
    return Movement(on=on, type=kind, id=document_id, sequence=sequence, number=number, amount=signed)
