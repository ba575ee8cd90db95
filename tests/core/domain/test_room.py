"""How much may move on one client's account."""

from collections.abc import Collection
from functools import partial

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    EUR,
    TODAY,
    USD,
    a_credit_note,
    a_payment,
    an_invoice,
    eur,
    paid,
)
from portal_core.domain.agreement import Fault
from portal_core.domain.invoices import Adjustment, Invoice, InvoiceState
from portal_core.domain.ledger import Ledger
from portal_core.domain.money import Money
from portal_core.domain.payments import Payment
from portal_core.domain.room import MOST_MOVED, Moved, Step, faults_of_room, moved_by

HALF = Money(MOST_MOVED // 2, EUR)
ONE_CENT = eur("0.01")


def faults(
    *after: Invoice | Payment, before: Collection[Invoice | Payment] = (), moved: Moved | None = None
) -> list[tuple[str, str]]:
    """Return what is at fault once these documents are what they are, which were others before."""
    was, now = Ledger.of(before), Ledger.of(after)
    earlier = {each.id: each for each in before}
    steps = [Step(earlier.pop(each.id, None), each) for each in after]
    steps += [Step(each, None) for each in earlier.values()]
    known = moved_by(was.movements()) if moved is None else moved
    found: list[Fault] = list(faults_of_room(was, now, lambda: known, lambda: steps))
    return [(each.id, each.pointer) for each in found]


def test_debits_and_credits_together_fill_an_account() -> None:
    assert not faults(an_invoice("I1", HALF), a_credit_note("C1", HALF))
    assert faults(an_invoice("I1", HALF), a_credit_note("C1", HALF + ONE_CENT)) == [("C1", "/total")]


def test_what_moved_before_counts() -> None:
    assert not faults(a_payment("P1", HALF), moved={EUR: HALF.minor})
    assert faults(a_payment("P1", HALF), moved={EUR: HALF.minor + 1}) == [("P1", "/amount")]


def test_each_currency_has_room_of_its_own() -> None:
    dollars = Money(HALF.minor + 1, USD)

    assert not faults(an_invoice("I1", HALF), an_invoice("I2", dollars))
    assert faults(an_invoice("I1", HALF), an_invoice("I2", dollars), an_invoice("I3", dollars)) == [("I2", "/total")]


def test_what_is_replaced_or_deleted_counts_no_more() -> None:
    kept = an_invoice("I1", HALF), an_invoice("I2", HALF)

    assert not faults(kept[0], evolve(kept[1], number="other"), before=kept)
    assert not faults(kept[0], an_invoice("I3", HALF), before=kept)


def test_an_account_may_shrink_whatever_it_holds() -> None:
    kept = an_invoice("I1", HALF)

    assert not faults(an_invoice("I1", HALF - ONE_CENT), before=[kept], moved={EUR: MOST_MOVED + 100})


def test_adjustments_and_conversions_move_the_account_too() -> None:
    adjusted = an_invoice("I1", HALF, adjustments=(Adjustment(amount=HALF, reason="Discount", adjusted_on=TODAY),))
    converted = paid("I2", Money(1, USD), using=HALF)

    assert not faults(adjusted)
    assert faults(adjusted, a_payment("P1", ONE_CENT)) == [("I1", "/total")]
    assert faults(an_invoice("I2", Money(1, USD)), a_payment("P1", HALF + ONE_CENT, allocations=(converted,))) == [
        ("P1", "/amount")
    ]


def test_a_conversion_that_begins_to_count_moves_the_account() -> None:
    draft = an_invoice("I1", Money(1, USD), state=InvoiceState.DRAFT)
    payment = a_payment("P1", HALF + ONE_CENT, allocations=(paid("I1", Money(1, USD), using=HALF),))

    assert not faults(draft, payment)
    assert faults(evolve(draft, state=InvoiceState.POSTED), payment, before=[draft, payment]) == [("P1", "/amount")]


def test_what_moved_before_is_asked_for_only_where_more_may_move() -> None:
    invoice, payment = an_invoice("I1", HALF), a_payment("P1", HALF)
    ledger = Ledger.of([invoice, payment])

    steps = [Step(invoice, invoice), Step(payment, payment), Step(invoice, None)]

    assert not list(faults_of_room(ledger, ledger, partial(pytest.fail, "was asked"), lambda: steps))


def test_an_allocation_within_a_currency_moves_nothing() -> None:
    invoice, payment = an_invoice("I1", HALF), a_payment("P1", HALF, allocations=(paid("I1", HALF),))

    assert not faults(invoice, payment)
