"""Any history of a client's account: documents of every state, in several currencies, settling one another."""

from collections.abc import Callable
from datetime import timedelta

from attrs import evolve
from hypothesis import strategies as st

from portal_core.domain.ids import InvoiceId, PaymentId
from portal_core.domain.invoices import (
    Adjustment,
    CreditAllocation,
    Instalment,
    Invoice,
    InvoiceKind,
    InvoiceState,
)
from portal_core.domain.ledger import Ledger
from portal_core.domain.money import Currency, Money
from portal_core.domain.payments import Payment, PaymentAllocation, PaymentKind, PaymentRecordState
from tests.core.samples import EUR, JPY, KWD, TODAY, a_payment, an_invoice, money

UNITS = (EUR, JPY, KWD)
LARGEST = 1_000

days = st.integers(-400, 60).map(lambda offset: TODAY + timedelta(days=offset))


def parts_of(draw: Callable[[st.SearchStrategy[int]], int], total: int, most: int) -> list[int]:
    """Cut a total into some parts that add up to it, each perhaps nothing."""
    parts: list[int] = []
    for _ in range(draw(st.integers(0, most))):
        part = draw(st.integers(0, total - sum(parts)))
        parts.append(part)
    return [*parts, total - sum(parts)]


@st.composite
def schedules(draw: st.DrawFn, total: int, unit: Currency) -> tuple[Instalment, ...]:
    """Draw instalments that add up to the total, in no order."""
    return tuple(Instalment(due_on=draw(days), amount=money(part, unit)) for part in parts_of(draw, total, 4))


@st.composite
def documents(draw: st.DrawFn, document_id: str, kind: InvoiceKind) -> Invoice:
    """Draw an invoice or credit note with its adjustments and without allocations."""
    unit, total = draw(st.sampled_from(UNITS)), draw(st.integers(0, LARGEST))
    adjusted = parts_of(draw, draw(st.integers(0, total)), 1) if draw(st.booleans()) else []
    return an_invoice(
        id=InvoiceId(document_id),
        number=document_id.upper(),
        kind=kind,
        state=draw(st.sampled_from([*[InvoiceState.POSTED] * 4, InvoiceState.DRAFT, InvoiceState.CANCELLED])),
        issued_on=draw(days),
        due_on=draw(st.none() | days),
        total=money(total, unit),
        instalments=draw(schedules(total, unit)) if kind is InvoiceKind.INVOICE and draw(st.booleans()) else (),
        adjustments=tuple(
            Adjustment(amount=money(each, unit), reason="Discount", adjusted_on=draw(days)) for each in adjusted
        ),
    )


@st.composite
def histories(draw: st.DrawFn) -> Ledger:
    """Draw a ledger that breaks no rule; some of its allocations are void."""
    invoices = {
        document_id: draw(documents(document_id, kind))
        for kind, letter, most in ((InvoiceKind.INVOICE, "i", 4), (InvoiceKind.CREDIT_NOTE, "n", 3))
        for document_id in (f"{letter}{number}" for number in range(draw(st.integers(0, most))))
    }
    rest = {
        document_id: each.total.minor - sum(part.amount.minor for part in each.adjustments)
        for document_id, each in invoices.items()
    }
    for document_id, each in invoices.items():
        if each.is_credit_note:
            invoices[document_id] = evolve(each, allocations=draw(credits_given(each, invoices, rest)))
    payments = [draw(payments_made(f"p{number}", invoices, rest)) for number in range(draw(st.integers(0, 5)))]
    return Ledger(invoices.values(), payments)


@st.composite
def credits_given(
    draw: st.DrawFn, note: Invoice, invoices: dict[str, Invoice], rest: dict[str, int]
) -> tuple[CreditAllocation, ...]:
    """Draw what a credit note gives, and take it off the rests where it counts."""
    targets = [each for each in invoices.values() if not each.is_credit_note and _unit(each) == _unit(note)]
    given: list[CreditAllocation] = []
    for target in draw(st.lists(st.sampled_from(targets), max_size=3)) if targets else ():
        counts = note.is_posted and target.is_posted
        amount = draw(st.integers(0, min(rest[note.id], rest[target.id]) if counts else LARGEST))
        if counts:
            rest[note.id] -= amount
            rest[target.id] -= amount
        on = draw(st.none() | days)
        given.append(CreditAllocation(invoice_id=target.id, amount=money(amount, _unit(note)), allocated_on=on))
    return tuple(given)


@st.composite
def payments_made(draw: st.DrawFn, payment_id: str, invoices: dict[str, Invoice], rest: dict[str, int]) -> Payment:
    """Draw a payment or refund, and take what it gives off the rests where it counts."""
    unit, amount = draw(st.sampled_from(UNITS)), draw(st.integers(0, LARGEST))
    payment = a_payment(
        id=PaymentId(payment_id),
        number=payment_id.upper(),
        kind=draw(st.sampled_from(PaymentKind)),
        state=draw(st.sampled_from([*[PaymentRecordState.PAID] * 3, *PaymentRecordState])),
        received_on=draw(days),
        amount=money(amount, unit),
    )
    targets = [each for each in invoices.values() if each.kind is payment.kind.settles]
    given: list[PaymentAllocation] = []
    for target in draw(st.lists(st.sampled_from(targets), max_size=3)) if targets else ():
        counts, across = payment.is_shown and target.is_posted, _unit(target) != unit
        used = draw(st.integers(0, amount if counts else LARGEST))
        settled = draw(st.integers(0, rest[target.id] if counts else LARGEST))
        if not across:
            used = settled = min(used, settled)
        if counts:
            amount -= used
            rest[target.id] -= settled
        given.append(
            PaymentAllocation(
                invoice_id=target.id,
                amount=money(settled, _unit(target)),
                payment_amount=money(used, unit) if across else draw(st.sampled_from([None, money(used, unit)])),
                allocated_on=draw(st.none() | days),
            )
        )
    return evolve(payment, allocations=tuple(given))


def net_by_hand(ledger: Ledger) -> dict[Currency, int]:
    """Return what the client owes, summed over the documents without any of the code under test."""
    net: dict[Currency, int] = {}

    def owe(amount: Money, sign: int) -> None:
        net[amount.currency] = net.get(amount.currency, 0) + sign * amount.minor

    for invoice in ledger.invoices.values():
        if invoice.state is InvoiceState.POSTED:
            sign = -1 if invoice.kind is InvoiceKind.CREDIT_NOTE else 1
            owe(invoice.total, sign)
            for part in invoice.adjustments:
                owe(part.amount, -sign)
    for payment in ledger.payments.values():
        if payment.state in {PaymentRecordState.PAID, PaymentRecordState.IN_PROCESS}:
            sign = 1 if payment.kind is PaymentKind.REFUND else -1
            owe(payment.amount, sign)
            for given in payment.allocations:
                if ledger.invoices[given.invoice_id].state is InvoiceState.POSTED and given.payment_amount is not None:
                    owe(given.payment_amount, -sign)
                    owe(given.amount, sign)
    return net


def _unit(document: Invoice) -> Currency:
    return document.total.currency
