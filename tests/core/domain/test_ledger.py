import pytest
from attrs import evolve
from hypothesis import given

from portal_core.domain.agreement import faults_of_invoice, faults_of_payment
from portal_core.domain.balance import OpenAmount
from portal_core.domain.ids import InvoiceId, PaymentId
from portal_core.domain.invoices import (
    Adjustment,
    CreditAllocation,
    InvoiceState,
    PaymentState,
    SettlementSource,
)
from portal_core.domain.ledger import Ledger
from portal_core.domain.payments import PaymentRecordState
from tests.core.histories import histories
from tests.core.samples import (
    DAY,
    EUR,
    JPY,
    TODAY,
    USD,
    a_credit_note,
    a_payment,
    a_quote,
    a_refund,
    an_invoice,
    euros,
    money,
    paying,
)

INVOICE = an_invoice()
DISCOUNT = Adjustment(amount=euros("3.00"), reason="Early payment", adjusted_on=TODAY - DAY)
CREDIT = CreditAllocation(invoice_id=INVOICE.id, amount=euros("25.00"), allocated_on=TODAY)


@given(histories())
def test_total_minus_settlements_is_what_is_due(ledger: Ledger) -> None:
    details = [ledger.detail(each) for each in ledger.invoices.values()]

    for detail in details:
        settled = sum(part.amount.minor for part in detail.settlements or ())
        given = sum(part.amount.minor for part in detail.allocations or ())

        assert detail.summary.amount_due.minor == detail.summary.total.minor - settled - given
        assert sum(part.amount_due.minor for part in detail.instalments) in {0, detail.summary.amount_due.minor}


@given(histories())
def test_a_history_that_breaks_no_rule_has_no_fault(ledger: Ledger) -> None:
    invoices, payments = ledger.invoices.values(), ledger.payments.values()

    faults = [
        *(fault for each in invoices for fault in faults_of_invoice(ledger, each)),
        *(fault for each in payments for fault in faults_of_payment(ledger, each)),
    ]

    assert faults == []
    assert all(ledger.amount_due(each).minor >= 0 for each in invoices)
    assert all(ledger.unallocated(each).minor >= 0 for each in payments)


@given(histories())
def test_the_order_in_which_documents_come_does_not_matter(ledger: Ledger) -> None:
    invoices, payments = list(ledger.invoices.values()), list(ledger.payments.values())

    shuffled = Ledger(reversed(invoices), reversed(payments))

    assert shuffled.movements() == ledger.movements()
    assert [shuffled.summary(each) for each in invoices] == [ledger.summary(each) for each in invoices]
    assert [shuffled.payment_view(each) for each in payments] == [ledger.payment_view(each) for each in payments]


@given(histories())
def test_a_ledger_of_one_document_and_all_around_it_is_right_about_it(ledger: Ledger) -> None:
    for invoice in ledger.invoices.values():
        named = {part.invoice_id for part in invoice.allocations}
        around = [
            each
            for each in ledger.invoices.values()
            if each.id == invoice.id or each.id in named or any(p.invoice_id == invoice.id for p in each.allocations)
        ]
        paid = [each for each in ledger.payments.values() if any(p.invoice_id == invoice.id for p in each.allocations)]

        part = Ledger(around, paid)

        assert part.detail(invoice) == ledger.detail(invoice)


def test_a_payment_a_credit_note_and_a_discount_settle_an_invoice() -> None:
    invoice = evolve(INVOICE, adjustments=(DISCOUNT,))
    note = a_credit_note(allocations=(CREDIT,))
    payment = a_payment(paying(invoice, euros("60.00")))

    detail = Ledger([invoice, note], [payment]).detail(invoice)

    assert detail.summary.amount_due == euros("12.00")
    assert detail.summary.payment_state is PaymentState.PARTIAL
    assert [
        (part.source, part.source_id, part.source_number, part.amount.amount) for part in detail.settlements or ()
    ] == [
        (SettlementSource.PAYMENT, "p1", "PAY1", "60.00"),
        (SettlementSource.ADJUSTMENT, None, "Early payment", "3.00"),
        (SettlementSource.CREDIT_NOTE, "n1", "RINV1", "25.00"),
    ]


def test_a_credit_note_tells_what_it_settled_and_what_is_still_open() -> None:
    note = a_credit_note(allocations=(CREDIT,))
    refund = a_refund(paying(note, euros("15.00")))

    detail = Ledger([INVOICE, note], [refund]).detail(note)

    assert detail.summary.amount_due == euros("0.00")
    assert detail.summary.payment_state is PaymentState.PAID
    assert [(part.invoice_number, part.amount) for part in detail.allocations or ()] == [("INV1", euros("25.00"))]
    assert [(part.source_number, part.amount) for part in detail.settlements or ()] == [("REF1", euros("15.00"))]
    assert detail.instalments == ()


def test_allocations_by_and_to_what_is_not_shown_are_void() -> None:
    draft, cancelled = (
        evolve(INVOICE, id=InvoiceId(state.value), state=state)
        for state in (InvoiceState.DRAFT, InvoiceState.CANCELLED)
    )
    to_both = a_payment(paying(draft, euros("30.00")), paying(cancelled, euros("30.00")))
    by_draft = a_payment(paying(INVOICE, euros("60.00")), id=PaymentId("p2"), state=PaymentRecordState.DRAFT)
    by_draft_note = a_credit_note(state=InvoiceState.DRAFT, allocations=(CREDIT,))
    ledger = Ledger([INVOICE, draft, cancelled, by_draft_note], [to_both, by_draft])

    view = ledger.payment_view(to_both)

    assert (view.unallocated, view.allocations) == (euros("60.00"), ())
    assert ledger.amount_due(INVOICE) == INVOICE.total
    assert (ledger.payment_given(by_draft), ledger.credit_given(by_draft_note)) == ((), ())
    assert list(ledger.open_amounts_of_payment(by_draft)) == list(ledger.open_amounts_of_invoice(draft)) == []
    assert list(ledger.movements_of_payment(by_draft)) == list(ledger.movements_of_invoice(cancelled)) == []


def test_an_adjustment_in_another_currency_is_never_taken_for_one_in_the_invoices() -> None:
    foreign = evolve(DISCOUNT, amount=money(300, USD))

    with pytest.raises(ValueError, match="never mixed"):
        Ledger([evolve(INVOICE, adjustments=(foreign,))], [])


def test_adjustments_of_a_draft_are_void_too() -> None:
    draft = evolve(INVOICE, state=InvoiceState.DRAFT, adjustments=(DISCOUNT,))

    due = Ledger([draft], []).amount_due(draft)

    assert due == draft.total


def test_payments_in_process_count_like_paid_ones() -> None:
    payments = [a_payment(paying(INVOICE, euros("60.00")), state=state) for state in PaymentRecordState]

    due = {payment.state: Ledger([INVOICE], [payment]).amount_due(INVOICE).amount for payment in payments}

    assert due == {"draft": "100.00", "in_process": "40.00", "paid": "40.00", "cancelled": "100.00"}


def test_an_allocation_across_currencies_uses_up_another_amount_than_it_settles() -> None:
    dollars = a_payment(paying(INVOICE, euros("50.00"), payment_amount=money(5500, USD)), amount=money(6000, USD))

    ledger = Ledger([INVOICE], [dollars])

    assert ledger.amount_due(INVOICE) == euros("50.00")
    assert ledger.unallocated(dollars) == money(500, USD)


def test_allocations_of_the_wrong_kind_or_currency_are_void_and_never_mix_currencies() -> None:
    note = a_credit_note()
    wrong = [
        a_payment(paying(note, euros("10.00"))),
        a_refund(paying(INVOICE, euros("10.00"))),
        a_payment(paying(INVOICE, money(10, JPY)), amount=money(10, JPY)),
        a_payment(paying(INVOICE, euros("10.00")), amount=money(10, JPY)),
        a_payment(paying(an_invoice(id=InvoiceId("nowhere")), euros("10.00"))),
    ]
    paid_invoice = evolve(INVOICE, allocations=(CREDIT,))

    for payment in wrong:
        ledger = Ledger([INVOICE, note], [payment])

        assert ledger.unallocated(payment) == payment.amount
        assert (ledger.amount_due(INVOICE), ledger.amount_due(note)) == (INVOICE.total, note.total)
    assert Ledger([paid_invoice], []).amount_due(paid_invoice) == INVOICE.total
    for other in (a_credit_note(id=InvoiceId("n2")), an_invoice(id=InvoiceId("n2"), total=money(10, JPY))):
        giver = a_credit_note(allocations=(CreditAllocation(invoice_id=other.id, amount=euros("1.00")),))
        assert Ledger([giver, other], []).credit_given(giver) == ()


def test_a_refund_of_no_credit_note_lowers_the_clients_credit() -> None:
    overpaid, refund = a_payment(), a_refund()

    opened = list(Ledger([], [overpaid, refund]).open_amounts())

    assert opened == [OpenAmount(euros("60.00"), None), OpenAmount(euros("-15.00"), None)]


def test_a_settled_invoice_counts_with_nothing() -> None:
    invoice = an_invoice(total=euros("0.00"))

    opened = list(Ledger([invoice], []).open_amounts())

    assert opened == [OpenAmount(euros("0.00"), None)]


def test_a_ledger_takes_what_it_needs_from_any_facts() -> None:
    facts = [a_quote(), INVOICE, a_payment()]

    ledger = Ledger.of(iter(facts))

    assert (list(ledger.invoices), list(ledger.payments)) == ([INVOICE.id], [a_payment().id])
    assert ledger.amount_due(INVOICE).currency is EUR


def test_what_a_payment_gives_is_told_by_its_own_allocations_and_not_by_those_that_are_held() -> None:
    held = a_payment(paying(INVOICE, euros("40.00")))
    as_it_was = evolve(held, allocations=(paying(INVOICE, euros("25.00")),))

    ledger = Ledger([INVOICE], [held])

    assert ledger.payment_given(held) == held.allocations
    assert ledger.payment_given(as_it_was) == as_it_was.allocations
