from typing import Any

import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from portal_core.domain.access import DocumentType
from portal_core.domain.agreement import Claim, Fault, faults_of_claim, faults_of_invoice, faults_of_payment
from portal_core.domain.ids import InvoiceId
from portal_core.domain.invoices import (
    Adjustment,
    CreditAllocation,
    Instalment,
    Invoice,
    InvoiceState,
    PaymentState,
)
from portal_core.domain.ledger import Ledger
from portal_core.domain.payments import Payment, PaymentRecordState
from tests.core.histories import histories
from tests.core.samples import (
    DAY,
    JPY,
    TODAY,
    USD,
    a_credit_note,
    a_payment,
    a_refund,
    an_invoice,
    euros,
    money,
    paying,
)

INVOICE = an_invoice()
NOTE = a_credit_note()


def invoice_faults(invoice: Invoice, *others: Invoice, payments: tuple[Payment, ...] = ()) -> list[Fault]:
    return list(faults_of_invoice(Ledger([*others, invoice], payments), invoice))


def payment_faults(payment: Payment, *invoices: Invoice) -> list[Fault]:
    return list(faults_of_payment(Ledger(invoices, [payment]), payment))


def claim_faults(claim: Claim, invoice: Invoice, *payments: Payment) -> list[Fault]:
    return list(faults_of_claim(Ledger([invoice], payments), invoice, claim))


def credit(amount: str, target: Invoice = INVOICE) -> CreditAllocation:
    return CreditAllocation(invoice_id=target.id, amount=euros(amount))


@given(st.integers(0, 300))
@example(200)
def test_allocations_never_exceed_the_payment(cents: int) -> None:
    payment = a_payment(paying(INVOICE, euros("1.00")), paying(INVOICE, money(cents)), amount=euros("3.00"))

    faults = payment_faults(payment, INVOICE)

    assert [fault.pointer for fault in faults] == (["/allocations"] if cents > 200 else [])


@given(st.integers(0, 12_000))
@example(10_000)
def test_allocations_never_exceed_the_invoice(cents: int) -> None:
    payment = a_payment(paying(INVOICE, money(cents)), amount=money(cents))

    faults = invoice_faults(INVOICE, payments=(payment,))

    assert [fault.pointer for fault in faults] == (["/total"] if cents > 10_000 else [])


@given(st.integers(0, 5_000))
@example(1_500)
def test_allocations_and_refunds_never_exceed_the_credit_note(cents: int) -> None:
    note = evolve(NOTE, allocations=(credit("25.00"),))
    refund = a_refund(paying(note, money(cents)), amount=money(cents))

    faults = invoice_faults(note, INVOICE, payments=(refund,))

    assert [fault.pointer for fault in faults] == (["/total"] if cents > 1_500 else [])


def test_a_refusal_names_both_figures() -> None:
    overpaid = a_payment(paying(INVOICE, euros("100.01")), amount=euros("100.00"))

    (of_payment,) = payment_faults(overpaid, INVOICE)
    (of_invoice,) = invoice_faults(INVOICE, payments=(overpaid,))

    assert of_payment == Fault(
        DocumentType.PAYMENT, "p1", "/allocations", "allocations use 100.01 EUR, more than the payment's 100.00 EUR"
    )
    assert "100.01 EUR" in of_invoice.detail
    assert "100.00 EUR" in of_invoice.detail


def test_what_is_void_exceeds_nothing() -> None:
    draft = evolve(INVOICE, id=InvoiceId("i2"), state=InvoiceState.DRAFT)
    payment = a_payment(paying(draft, euros("900.00")))
    cancelled = a_payment(paying(INVOICE, euros("900.00")), state=PaymentRecordState.CANCELLED)

    faults = [
        *payment_faults(payment, draft),
        *payment_faults(cancelled, INVOICE),
        *invoice_faults(draft, payments=(payment,)),
        *invoice_faults(INVOICE, payments=(cancelled,)),
    ]

    assert faults == []


DOLLARS = an_invoice(id=InvoiceId("usd"), total=money(100, USD))


@pytest.mark.parametrize(
    "payment, pointer, words",
    [
        (
            a_payment(paying(an_invoice(id=InvoiceId("x")), euros("1.00"))),
            "/allocations/0/invoice_id",
            "no invoice 'x'",
        ),
        (a_payment(paying(NOTE, euros("1.00"))), "/allocations/0/invoice_id", "n1 is no invoice"),
        (a_refund(paying(INVOICE, euros("1.00"))), "/allocations/0/invoice_id", "i1 is no credit_note"),
        (a_payment(paying(DOLLARS, euros("1.00"))), "/allocations/0/payment_amount", "is in USD, the payment in EUR"),
        (a_payment(paying(DOLLARS, money(1, USD))), "/allocations/0/payment_amount", "must be in EUR"),
        (
            a_payment(paying(INVOICE, euros("1.00"), payment_amount=euros("2.00"))),
            "/allocations/0/payment_amount",
            "must equal the amount of 1.00 EUR",
        ),
        (a_payment(paying(INVOICE, euros("-1.00"))), "/allocations/0/amount", "negative"),
        (
            a_payment(paying(DOLLARS, money(1, USD), payment_amount=euros("-1.00"))),
            "/allocations/0/payment_amount",
            "negative",
        ),
    ],
    ids=["unknown", "note", "invoice", "currency", "used", "same", "negative", "negative use"],
)
def test_a_payment_may_not_allocate_so(payment: Payment, pointer: str, words: str) -> None:
    invoices = (INVOICE, NOTE, DOLLARS)

    (fault,) = payment_faults(payment, *invoices)

    assert (fault.type, fault.id, fault.pointer) == (DocumentType.PAYMENT, payment.id, pointer)
    assert words in fault.detail


def test_the_amount_used_may_be_told_where_it_is_the_same() -> None:
    payment = a_payment(
        paying(INVOICE, euros("2.00"), payment_amount=euros("2.00")),
        paying(DOLLARS, money(100, USD), payment_amount=euros("3.00")),
    )

    faults = payment_faults(payment, INVOICE, DOLLARS)

    assert faults == []


@pytest.mark.parametrize(
    "changes, pointer, words",
    [
        ({"allocations": (credit("1.00", DOLLARS),)}, "/allocations/0/amount", "is in USD"),
        ({"allocations": (credit("1.00", NOTE),)}, "/allocations/0/invoice_id", "not credit notes"),
        ({"allocations": (credit("1.00"), credit("1.00", an_invoice(id=InvoiceId("x"))))}, "/allocations/1", "'x'"),
        ({"allocations": (credit("-1.00"),)}, "/allocations/0/amount", "negative"),
        ({"instalments": (Instalment(due_on=TODAY, amount=NOTE.total),)}, "/instalments", "has none"),
    ],
    ids=["currency", "note", "unknown", "negative", "instalments"],
)
def test_a_credit_note_may_not_say_so(changes: dict[str, Any], pointer: str, words: str) -> None:
    note = a_credit_note(**{"id": InvoiceId("n2"), **changes})

    (fault,) = invoice_faults(note, INVOICE, NOTE, DOLLARS)

    assert (fault.type, fault.id) == (DocumentType.INVOICE, "n2")
    assert fault.pointer.startswith(pointer)
    assert words in fault.detail


def plan(*amounts: str) -> dict[str, Any]:
    return {"instalments": tuple(Instalment(due_on=TODAY, amount=euros(amount)) for amount in amounts)}


def adjusted(amount: str) -> dict[str, Any]:
    return {"adjustments": (Adjustment(amount=euros(amount), reason="x", adjusted_on=TODAY),)}


@pytest.mark.parametrize(
    "changes, pointers",
    [
        ({"allocations": (credit("1.00"), credit("1.00"))}, ["/allocations"]),
        (plan("50.00", "50.01"), ["/instalments"]),
        (plan("-1.00", "101.00"), ["/instalments/0/amount"]),
        (plan("99.99"), ["/instalments"]),
        (plan("0.00", "100.00"), []),
        (adjusted("100.00"), []),
        (adjusted("100.01"), ["/total"]),
        (adjusted("-0.01"), ["/adjustments"]),
        ({"total": euros("-5.00")}, ["/total"]),
        ({"total": euros("-5.00"), "state": InvoiceState.DRAFT}, []),
    ],
    ids=["allocations", "more", "negative", "less", "zero", "whole", "over", "raise", "minus", "draft"],
)
def test_an_invoice_must_add_up(changes: dict[str, Any], pointers: list[str]) -> None:
    invoice = an_invoice(**changes)

    faults = invoice_faults(invoice)

    assert [fault.pointer for fault in faults] == pointers


@given(histories())
def test_a_claim_that_repeats_what_follows_is_believed(ledger: Ledger) -> None:
    for invoice in ledger.invoices.values():
        summary = ledger.summary(invoice)
        order = sorted(range(len(invoice.instalments)), key=lambda place: invoice.instalments[place].due_on)
        due = {place: part.amount_due for place, part in zip(order, ledger.instalments_due(invoice), strict=False)}
        claim = Claim(
            amount_due=summary.amount_due,
            payment_state=summary.payment_state,
            instalments_due=tuple(due[place] for place in range(len(order))),
        )

        faults = list(faults_of_claim(ledger, invoice, claim))

        assert faults == []


@given(st.integers(0, 100), st.integers(0, 100), st.sampled_from(PaymentState))
def test_a_stated_payment_state_agrees_as_its_name_says(total: int, settled: int, stated: PaymentState) -> None:
    settled = min(total, settled)
    invoice, payment = an_invoice(total=money(total)), a_payment(paying(INVOICE, money(settled)), amount=money(settled))

    faults = claim_faults(Claim(payment_state=stated), invoice, payment)

    due = total - settled
    agrees = {
        PaymentState.NOT_PAID: due == total > 0,
        PaymentState.PARTIAL: 0 < due < total,
        PaymentState.PAID: due == 0,
        PaymentState.IN_PAYMENT: due == 0,
        PaymentState.REVERSED: due == 0,
    }
    assert [fault.pointer for fault in faults] == ([] if agrees[stated] else ["/payment_state"])


def test_what_disagrees_is_named_with_both_figures_where_it_stands_in_the_record() -> None:
    invoice = an_invoice(
        instalments=(
            Instalment(due_on=TODAY + DAY, amount=euros("70.00")),
            Instalment(due_on=TODAY, amount=euros("30.00")),
        )
    )
    claim = Claim(
        amount_due=euros("41.00"),
        payment_state=PaymentState.PAID,
        instalments_due=(euros("41.00"), euros("0.00"), euros("5.00")),
    )

    faults = claim_faults(claim, invoice, a_payment(paying(invoice, euros("60.00"))))

    assert [(fault.pointer, "40.00 EUR" in fault.detail) for fault in faults] == [
        ("/amount_due", True),
        ("/payment_state", True),
        ("/instalments/0/amount_due", True),
    ]
    assert "partial" in faults[1].detail
    assert "41.00 EUR" in faults[0].detail


def test_a_claim_may_be_silent() -> None:
    invoice = an_invoice(instalments=plan("50.00", "50.00")["instalments"])

    faults = [
        *claim_faults(Claim(), invoice),
        *claim_faults(Claim(instalments_due=(None,)), invoice),
        *claim_faults(Claim(amount_due=money(1, JPY)), evolve(invoice, state=InvoiceState.DRAFT)),
    ]

    assert faults == []
