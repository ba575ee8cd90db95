from datetime import date

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.invoices import (
    SETTLED_STATES,
    Instalment,
    InvoiceState,
    PaymentState,
    instalments_due,
    oldest_open_day,
    paid_together,
    payment_state_of,
)
from portal_core.domain.ledger import Ledger
from tests.core.histories import days, schedules
from tests.core.samples import DAY, EUR, TODAY, a_credit_note, an_invoice, euros, money

THIRDS = (
    Instalment(due_on=TODAY + 60 * DAY, amount=euros("34.00")),
    Instalment(due_on=TODAY, amount=euros("33.00")),
    Instalment(due_on=TODAY + 30 * DAY, amount=euros("33.00")),
)


@given(st.integers(0, 500).flatmap(lambda total: schedules(total, EUR)), st.data())
def test_what_was_settled_went_to_the_oldest_instalment_first(
    plan: tuple[Instalment, ...], data: st.DataObject
) -> None:
    invoice = an_invoice(total=money(sum(part.amount.minor for part in plan)), instalments=plan)
    due = data.draw(st.integers(0, invoice.total.minor))

    parts = instalments_due(invoice.schedule(), money(due))

    assert [part.due_on for part in parts] == sorted(part.due_on for part in plan)
    assert sum(part.amount_due.minor for part in parts) == due
    assert all(0 <= part.amount_due.minor <= part.amount.minor for part in parts)
    open_from = next((place for place, part in enumerate(parts) if part.amount_due), len(parts))
    assert all(part.amount_due == part.amount for part in parts[open_from + 1 :])


def test_an_unsorted_plan_is_paid_off_in_order() -> None:
    invoice = an_invoice(instalments=THIRDS)

    parts = instalments_due(invoice.schedule(), euros("50.00"))

    assert [(part.due_on, part.amount_due.amount) for part in parts] == [
        (TODAY, "0.00"),
        (TODAY + 30 * DAY, "16.00"),
        (TODAY + 60 * DAY, "34.00"),
    ]
    assert oldest_open_day(parts) == TODAY + 30 * DAY


def test_instalments_of_one_day_stay_in_the_order_of_the_record() -> None:
    plan = tuple(Instalment(due_on=TODAY, amount=euros(text)) for text in ("70.00", "10.00", "20.00"))

    schedule = an_invoice(instalments=plan).schedule()

    assert schedule == plan


def test_an_instalment_of_nothing_is_never_open() -> None:
    plan = (Instalment(due_on=TODAY, amount=euros("0.00")), Instalment(due_on=TODAY + DAY, amount=euros("100.00")))

    parts = instalments_due(an_invoice(instalments=plan).schedule(), euros("100.00"))

    assert oldest_open_day(parts) == TODAY + DAY


@given(st.none() | days)
def test_without_instalments_the_whole_is_due_on_its_day_or_at_once(due_on: date | None) -> None:
    invoice = an_invoice(due_on=due_on)

    schedule = invoice.schedule()

    assert schedule == (Instalment(due_on=due_on or invoice.issued_on, amount=invoice.total),)


def test_a_credit_note_has_no_schedule() -> None:
    note = a_credit_note(due_on=TODAY)

    schedule = note.schedule()

    assert (schedule, instalments_due(schedule, note.total)) == ((), ())


@given(st.integers(0, 100), st.integers(0, 100))
def test_the_payment_state_follows_from_the_amounts(total: int, settled: int) -> None:
    due = max(total - settled, 0)

    state = payment_state_of(money(total), money(due))

    assert (state is PaymentState.PAID) == (due == 0)
    assert (state is PaymentState.NOT_PAID) == (due == total > 0)
    assert (state is PaymentState.PARTIAL) == (0 < due < total)


@pytest.mark.parametrize("stated", sorted(SETTLED_STATES))
def test_a_stated_state_is_shown_while_nothing_is_due(stated: PaymentState) -> None:
    invoice = an_invoice(stated_payment_state=stated)

    settled, due = invoice.payment_state(euros("0.00")), invoice.payment_state(euros("0.01"))

    assert (settled, due) == (stated, PaymentState.PARTIAL)


def test_only_posted_documents_count() -> None:
    invoices = [an_invoice(state=state) for state in InvoiceState]

    counted = [invoice.state for invoice in invoices if invoice.is_posted]

    assert counted == [InvoiceState.POSTED]


@given(st.integers(-3, 3))
def test_an_invoice_is_overdue_from_the_day_after_its_due_day(offset: int) -> None:
    invoice = an_invoice(due_on=TODAY)

    summary = Ledger([invoice], []).summary(invoice)

    assert summary.is_overdue(TODAY + offset * DAY) == (offset > 0)


def test_neither_a_credit_note_nor_a_settled_invoice_is_ever_overdue() -> None:
    documents = [a_credit_note(issued_on=date.min), an_invoice(total=euros("0.00"))]

    ledger = Ledger(documents, [])

    assert not any(ledger.summary(each).is_overdue(date.max) for each in documents)


@given(st.integers(1, 500).flatmap(lambda total: schedules(total, EUR)), st.data())
def test_what_is_to_be_paid_first_is_all_that_is_overdue_else_what_falls_due_next(
    plan: tuple[Instalment, ...], data: st.DataObject
) -> None:
    invoice = an_invoice(total=money(sum(part.amount.minor for part in plan)), instalments=plan)
    detail = Ledger([invoice], []).detail(invoice)
    today = data.draw(days)

    due = detail.due_now(today)

    assert due is not None
    parts = [part for part in detail.instalments if part.amount_due]
    overdue = sum(part.amount_due.minor for part in parts if part.due_on < today)
    following = sum(part.amount_due.minor for part in parts if part.due_on == parts[0].due_on)
    assert (due.on, due.amount.minor) == (parts[0].due_on, overdue or following)
    assert due.amount + due.later == detail.summary.amount_due


def test_nothing_is_to_be_paid_of_what_is_settled_or_a_credit_note() -> None:
    documents = [an_invoice(total=euros("0.00")), a_credit_note()]

    ledger = Ledger(documents, [])

    assert [ledger.detail(each).due_now(TODAY) for each in documents] == [None, None]


@given(st.integers(-3, 3))
def test_an_invoice_is_due_by_its_day_and_every_later_one(offset: int) -> None:
    invoice = an_invoice(due_on=TODAY)

    summary = Ledger([invoice], []).summary(invoice)

    assert summary.is_due_by(TODAY + offset * DAY) == (offset >= 0)
    assert not Ledger([], []).summary(an_invoice(total=euros("0.00"))).is_due_by(date.max)


def test_an_invoice_is_due_in_parts_while_something_falls_due_before_its_due_day() -> None:
    invoices = [
        an_invoice(instalments=THIRDS, due_on=TODAY + 60 * DAY),
        an_invoice(due_on=TODAY),
        an_invoice(due_on=None),
        an_invoice(total=euros("0.00")),
    ]

    assert [Ledger([each], []).summary(each).is_due_in_parts for each in invoices] == [True, False, False, False]


@pytest.mark.parametrize(
    "states, together",
    [
        ([], None),
        ([PaymentState.IN_PAYMENT], PaymentState.IN_PAYMENT),
        ([PaymentState.PAID, PaymentState.IN_PAYMENT], PaymentState.PAID),
        ([PaymentState.PAID, PaymentState.REVERSED], PaymentState.PAID),
        ([PaymentState.PAID, PaymentState.NOT_PAID], PaymentState.PARTIAL),
        ([PaymentState.NOT_PAID, PaymentState.NOT_PAID], PaymentState.NOT_PAID),
    ],
)
def test_invoices_are_paid_together_when_nothing_is_due(
    states: list[PaymentState], together: PaymentState | None
) -> None:
    nothing = an_invoice(total=euros("0.00"))
    summaries = [
        evolve(
            Ledger([], []).summary(an_invoice()),
            payment_state=state,
            amount_due=euros("1.00" if state is PaymentState.NOT_PAID else "0.00"),
        )
        for state in states
    ]
    beside = [Ledger([], []).summary(each) for each in (nothing, a_credit_note())]

    assert paid_together(summaries) == together
    assert paid_together([*summaries, *beside]) == (together or PaymentState.PAID)
