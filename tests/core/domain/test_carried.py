"""What is only passed on arrives as it was."""

import re
from datetime import timedelta

from attrs import evolve, fields

from portal_core.domain.documents import JSON
from portal_core.domain.ids import DecisionId, InvoiceId, OrderId
from portal_core.domain.invoices import CreditAllocation, Invoice, InvoiceSummary
from portal_core.domain.ledger import Ledger
from portal_core.domain.money import CURRENCIES
from portal_core.domain.quotes import Answer
from portal_core.domain.statement import running
from portal_core.domain.text import clean_text
from tests.core.samples import (
    EUR,
    LENA,
    NOW,
    TODAY,
    a_credit_note,
    a_payment,
    a_quote,
    an_invoice,
    euros,
    money,
    paying,
)

CODE = re.compile("[A-Z]{3}")

DERIVED = {"payment_state", "amount_due", "oldest_due_on"}
"""What a summary says that no record says."""


def a_full_invoice() -> Invoice:
    return an_invoice(
        order_id=OrderId("o1"),
        due_on=TODAY,
        reference="our reference",
        payment_url="https://pay.example.com/1",
        payment_instructions="By bank transfer",
        lines=a_quote().lines,
    )


def test_a_summary_and_a_detail_say_what_the_record_says() -> None:
    invoice = a_full_invoice()
    ledger = Ledger([invoice], [])

    summary, detail = ledger.summary(invoice), ledger.detail(invoice)

    names = {field.name for field in fields(InvoiceSummary)} - DERIVED
    assert {name: getattr(summary, name) for name in names} == {name: getattr(invoice, name) for name in names}
    assert (detail.summary, detail.reference, detail.lines) == (summary, invoice.reference, invoice.lines)


def test_allocations_keep_their_day_and_name_both_documents() -> None:
    invoice = a_full_invoice()
    day = TODAY - timedelta(days=3)
    note = a_credit_note(
        allocations=(CreditAllocation(invoice_id=InvoiceId(invoice.id), amount=euros("1.00"), allocated_on=day),)
    )
    payment = a_payment(paying(invoice, euros("2.00"), allocated_on=day))
    ledger = Ledger([invoice, note], [payment])

    settlements = ledger.settlements(invoice)

    assert {(each.source_number, each.allocated_on) for each in settlements} == {
        (note.number, day),
        (payment.number, day),
    }
    given = [*(ledger.detail(note).allocations or ()), *(ledger.payment_view(payment).allocations or ())]
    assert [(each.invoice_number, each.allocated_on) for each in given] == [(invoice.number, day)] * 2


def test_a_line_of_a_statement_names_its_document() -> None:
    invoice = a_full_invoice()
    (movement,) = Ledger([invoice], []).movements()

    (line,) = running(money(0, EUR), [movement])

    assert (line.on, line.type, line.id, line.number) == (movement.on, movement.type, invoice.id, invoice.number)


def test_a_decided_quote_says_when() -> None:
    quote = a_quote()
    decision = quote.decide(Answer.ACCEPTED, LENA, decision_id=DecisionId("d1"), at=NOW, on=TODAY)

    assert quote.decided(decision).decided_at == NOW


def test_a_line_shows_its_discount() -> None:
    (line, *_) = a_quote().lines

    shown: dict[str, JSON] = evolve(line, discount_percent=line.quantity).as_json()

    assert shown["discount_percent"] == shown["quantity"]


def test_text_may_begin_with_marks() -> None:
    marks = "\u0316" * 30

    assert clean_text(marks, longest=100) == marks


def test_every_currency_is_listed_under_its_own_code_of_three_letters() -> None:
    assert {code for code, unit in CURRENCIES.items() if unit.code != code or not CODE.fullmatch(code)} == set()
