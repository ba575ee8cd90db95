"""Outlines as a few bytes: what the rules between records ask for, without reading a record again."""

import marshal
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import cache
from typing import Any, TypeAlias

from portal_core.domain.agreement import Claim
from portal_core.domain.ids import ClientId, CompanyId, InvoiceId, PaymentId
from portal_core.domain.invoices import (
    Adjustment,
    CreditAllocation,
    Instalment,
    Invoice,
    InvoiceKind,
    InvoiceState,
    PaymentState,
)
from portal_core.domain.money import CURRENCIES, Currency, Money
from portal_core.domain.payments import Payment, PaymentAllocation, PaymentKind, PaymentRecordState
from portal_core.domain.records import RecordRef, RecordType, named_by
from portal_core.use_cases.records import Upsert

Owner: TypeAlias = tuple[CompanyId, ClientId]
Values: TypeAlias = tuple[Any, ...]
Outlined: TypeAlias = tuple[Sequence[tuple[str, RecordRef]], Invoice | Payment | None, Claim | None]
"""What a record refers to, what of it settles or is settled, and what it claims."""

NOTHING: Outlined = ((), None, None)


def dump_outline(upsert: Upsert) -> bytes | None:
    """Return the outline of a record as bytes, for this very version of the program; None where it is empty."""
    fact = upsert.fact
    named = [(pointer, ref.type.value, ref.id) for pointer, ref in named_by(fact)]
    settling = _invoice(fact) if isinstance(fact, Invoice) else _payment(fact) if isinstance(fact, Payment) else None
    if not named and settling is None:
        return None
    return marshal.dumps((named, settling, None if upsert.claim is None else _claim(upsert.claim)))


def load_outline(kept: bytes | None, kind: RecordType, record_id: str, owner: Owner) -> Outlined:
    """Return what `dump_outline` was given."""
    if kept is None:
        return NOTHING
    named, settling, claim = marshal.loads(kept)  # noqa: S302 - what this program wrote a moment ago, and nobody else
    references = [(pointer, RecordRef(RecordType(word), target)) for pointer, word, target in named]
    if kind is RecordType.INVOICE:
        unit = CURRENCIES[settling[0]]
        stated = None if claim is None else _loaded_claim(claim, unit)
        return references, _loaded_invoice(settling, record_id, owner, unit), stated
    return references, _loaded_payment(settling, record_id, owner) if kind is RecordType.PAYMENT else None, None


def _invoice(invoice: Invoice) -> Values:
    return (
        invoice.total.currency.code,
        invoice.number,
        invoice.kind.value,
        invoice.state.value,
        None if invoice.stated_payment_state is None else invoice.stated_payment_state.value,
        invoice.issued_on.isoformat(),
        _text(invoice.due_on),
        (invoice.subtotal.minor, invoice.tax.minor, invoice.total.minor),
        (invoice.reference, invoice.order_id, invoice.payment_url, invoice.payment_instructions),
        [(part.due_on.isoformat(), part.amount.minor) for part in invoice.instalments],
        [(part.amount.minor, part.reason, part.adjusted_on.isoformat()) for part in invoice.adjustments],
        [(part.invoice_id, part.amount.minor, _text(part.allocated_on)) for part in invoice.allocations],
    )


def _loaded_invoice(kept: Values, record_id: str, owner: Owner, unit: Currency) -> Invoice:
    _, number, kind, state, stated, issued_on, due_on, sums, others, instalments, adjustments, allocations = kept
    subtotal, tax, total = _amounts(sums, unit)
    reference, order_id, payment_url, payment_instructions = others
    return Invoice(
        company_id=owner[0],
        client_id=owner[1],
        id=InvoiceId(record_id),
        number=number,
        kind=InvoiceKind(kind),
        state=InvoiceState(state),
        stated_payment_state=None if stated is None else PaymentState(stated),
        issued_on=_day(issued_on),
        due_on=_maybe_day(due_on),
        subtotal=subtotal,
        tax=tax,
        total=total,
        reference=reference,
        order_id=order_id,
        payment_url=payment_url,
        payment_instructions=payment_instructions,
        instalments=tuple(Instalment(due_on=_day(on), amount=Money(minor, unit)) for on, minor in instalments),
        adjustments=tuple(
            Adjustment(amount=Money(minor, unit), reason=reason, adjusted_on=_day(on))
            for minor, reason, on in adjustments
        ),
        allocations=tuple(
            CreditAllocation(invoice_id=target, amount=Money(minor, unit), allocated_on=_maybe_day(on))
            for target, minor, on in allocations
        ),
    )


def _claim(claim: Claim) -> Values:
    due, state = claim.amount_due, claim.payment_state
    return (
        None if due is None else due.minor,
        None if state is None else state.value,
        [None if each is None else each.minor for each in claim.instalments_due],
    )


def _loaded_claim(kept: Values, unit: Currency) -> Claim:
    due, state, parts = kept
    return Claim(
        amount_due=None if due is None else Money(due, unit),
        payment_state=None if state is None else PaymentState(state),
        instalments_due=tuple(None if each is None else Money(each, unit) for each in parts),
    )


def _payment(payment: Payment) -> Values:
    return (
        payment.amount.currency.code,
        payment.amount.minor,
        payment.number,
        payment.kind.value,
        payment.state.value,
        payment.received_on.isoformat(),
        payment.method,
        payment.reference,
        [
            (
                part.invoice_id,
                part.amount.currency.code,
                part.amount.minor,
                None if part.payment_amount is None else part.payment_amount.minor,
                _text(part.allocated_on),
            )
            for part in payment.allocations
        ],
    )


def _loaded_payment(kept: Values, record_id: str, owner: Owner) -> Payment:
    code, minor, number, kind, state, received_on, method, reference, allocations = kept
    unit = CURRENCIES[code]
    return Payment(
        company_id=owner[0],
        client_id=owner[1],
        id=PaymentId(record_id),
        number=number,
        kind=PaymentKind(kind),
        state=PaymentRecordState(state),
        received_on=_day(received_on),
        amount=Money(minor, unit),
        method=method,
        reference=reference,
        allocations=tuple(
            PaymentAllocation(
                invoice_id=target,
                amount=Money(given, CURRENCIES[given_code]),
                payment_amount=None if used is None else Money(used, unit),
                allocated_on=_maybe_day(on),
            )
            for target, given_code, given, used, on in allocations
        ),
    )


def _amounts(minors: Iterable[int], unit: Currency) -> Iterator[Money]:
    return (Money(each, unit) for each in minors)


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _maybe_day(text: str | None) -> date | None:
    return None if text is None else _day(text)


_day = cache(date.fromisoformat)
