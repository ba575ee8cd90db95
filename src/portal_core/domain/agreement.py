"""The rules between a client's documents: what a record may allocate, and what it may say that others decide."""

from collections.abc import Iterator

from attrs import frozen

from portal_core.domain.access import DocumentType
from portal_core.domain.invoices import SETTLED_STATES, Invoice, PaymentState, payment_state_of
from portal_core.domain.ledger import Ledger
from portal_core.domain.money import Money, total_of
from portal_core.domain.payments import Payment, PaymentAllocation


@frozen
class Fault:
    """A rule that a record breaks: which record, where in it (a JSON pointer), and what to do about it."""

    type: DocumentType
    id: str
    pointer: str
    detail: str


@frozen(kw_only=True)
class Claim:
    """What a record says about an invoice that follows from other records; it is checked and not kept."""

    amount_due: Money | None = None
    payment_state: PaymentState | None = None
    instalments_due: tuple[Money | None, ...] = ()


def faults_of_invoice(ledger: Ledger, invoice: Invoice) -> Iterator[Fault]:
    """Yield the rules that an invoice or credit note breaks among the documents of a ledger."""
    for index, part in enumerate(invoice.allocations):
        pointer = f"/allocations/{index}"
        target = ledger.invoices.get(part.invoice_id)
        if not invoice.is_credit_note:
            yield _fault(invoice, "/allocations", "only a credit note has allocations; a payment carries its own")
            return
        if target is None:
            yield _fault(invoice, f"{pointer}/invoice_id", f"the client has no invoice {part.invoice_id!r}")
        elif target.is_credit_note:
            yield _fault(invoice, f"{pointer}/invoice_id", "a credit note settles invoices, not credit notes")
        elif target.total.currency != invoice.total.currency:
            detail = f"invoice {target.id} is in {target.total.currency.code}; a credit note settles its own currency"
            yield _fault(invoice, f"{pointer}/amount", detail)
        if part.amount.minor < 0:
            yield _fault(invoice, f"{pointer}/amount", "must not be negative")
    if invoice.is_posted:
        yield from _faults_of_due(invoice, ledger.amount_due(invoice))
    if invoice.instalments:
        yield from _faults_of_schedule(invoice)


def faults_of_payment(ledger: Ledger, payment: Payment) -> Iterator[Fault]:
    """Yield the rules that a payment or refund breaks among the documents of a ledger."""
    for index, part in enumerate(payment.allocations):
        yield from _faults_of_allocation(ledger, payment, part, f"/allocations/{index}")
    if payment.is_shown:
        used = total_of((part.used for part in ledger.payment_given(payment)), payment.amount.currency)
        if used.minor > payment.amount.minor:
            detail = f"allocations use {used}, more than the payment's {payment.amount}"
            yield _payment_fault(payment, "/allocations", detail)


def faults_of_claim(ledger: Ledger, invoice: Invoice, claim: Claim) -> Iterator[Fault]:
    """Yield where what a posted document's record states disagrees with what its allocations leave."""
    if not invoice.is_posted:
        return
    due = ledger.amount_due(invoice)
    if claim.amount_due is not None and claim.amount_due != due:
        detail = f"the record states {claim.amount_due}; allocations and adjustments leave {due}"
        yield _fault(invoice, "/amount_due", detail)
    if claim.payment_state is not None and not _agrees(claim.payment_state, invoice.total, due):
        detail = (
            f"the record states {claim.payment_state.value}; {due} of {invoice.total} is due, "
            f"which is {payment_state_of(invoice.total, due).value}"
        )
        yield _fault(invoice, "/payment_state", detail)
    yield from _faults_of_instalments(ledger, invoice, claim)


def _faults_of_due(invoice: Invoice, due: Money) -> Iterator[Fault]:
    if due.minor < 0:
        detail = f"allocations and adjustments come to {invoice.total - due}, more than the total of {invoice.total}"
        yield _fault(invoice, "/total", detail)
    adjusted = total_of((part.amount for part in invoice.adjustments), invoice.total.currency)
    if adjusted.minor < 0:
        detail = f"adjustments settle a document; they come to {adjusted} and would raise what is due"
        yield _fault(invoice, "/adjustments", detail)


def _faults_of_schedule(invoice: Invoice) -> Iterator[Fault]:
    if invoice.is_credit_note:
        yield _fault(invoice, "/instalments", "a credit note has none: it is open at once")
        return
    for index, part in enumerate(invoice.instalments):
        if part.amount.minor < 0:
            yield _fault(invoice, f"/instalments/{index}/amount", "must not be negative")
    planned = total_of((part.amount for part in invoice.instalments), invoice.total.currency)
    if planned != invoice.total:
        yield _fault(invoice, "/instalments", f"they come to {planned}, and the total is {invoice.total}")


def _faults_of_instalments(ledger: Ledger, invoice: Invoice, claim: Claim) -> Iterator[Fault]:
    order = sorted(range(len(invoice.instalments)), key=lambda index: invoice.instalments[index].due_on)
    for index, part in zip(order, ledger.instalments_due(invoice), strict=False):
        stated = claim.instalments_due[index] if index < len(claim.instalments_due) else None
        if stated is not None and stated != part.amount_due:
            detail = (
                f"the record states {stated}; what was settled goes to the oldest instalment first "
                f"and leaves {part.amount_due}"
            )
            yield _fault(invoice, f"/instalments/{index}/amount_due", detail)


def _faults_of_allocation(ledger: Ledger, payment: Payment, part: PaymentAllocation, pointer: str) -> Iterator[Fault]:
    target = ledger.invoices.get(part.invoice_id)
    if target is None:
        yield _payment_fault(payment, f"{pointer}/invoice_id", f"the client has no invoice {part.invoice_id!r}")
        return
    if target.kind is not payment.kind.settles:
        detail = (
            f"{target.id} is no {payment.kind.settles.value}: a payment pays invoices, a refund pays back credit notes"
        )
        yield _payment_fault(payment, f"{pointer}/invoice_id", detail)
    if target.total.currency != part.amount.currency:
        detail = (
            f"invoice {target.id} is in {target.total.currency.code}, the payment in {payment.amount.currency.code}: "
            "give the amount in the invoice's currency and payment_amount in the payment's"
        )
        yield _payment_fault(payment, f"{pointer}/payment_amount", detail)
    elif part.used.currency != payment.amount.currency:
        detail = f"must be in {payment.amount.currency.code}: it is what the allocation uses up of the payment"
        yield _payment_fault(payment, f"{pointer}/payment_amount", detail)
    elif part.amount.currency == payment.amount.currency and part.used != part.amount:
        detail = f"the currencies are the same, so it must equal the amount of {part.amount}, or be left out"
        yield _payment_fault(payment, f"{pointer}/payment_amount", detail)
    if part.amount.minor < 0:
        yield _payment_fault(payment, f"{pointer}/amount", "must not be negative")
    if part.payment_amount is not None and part.payment_amount.minor < 0:
        yield _payment_fault(payment, f"{pointer}/payment_amount", "must not be negative")


def _agrees(stated: PaymentState, total: Money, due: Money) -> bool:
    if stated in SETTLED_STATES:
        return not due
    return stated is payment_state_of(total, due)


def _fault(invoice: Invoice, pointer: str, detail: str) -> Fault:
    return Fault(DocumentType.INVOICE, invoice.id, pointer, detail)


def _payment_fault(payment: Payment, pointer: str, detail: str) -> Fault:
    return Fault(DocumentType.PAYMENT, payment.id, pointer, detail)
