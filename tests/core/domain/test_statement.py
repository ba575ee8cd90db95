from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.ids import InvoiceId, PaymentId
from portal_core.domain.invoices import Adjustment
from portal_core.domain.ledger import Ledger
from portal_core.domain.money import Currency
from portal_core.domain.statement import MovementType, months_before, periods_of, running
from tests.core.histories import UNITS, days, histories, net_by_hand
from tests.core.samples import (
    DAY,
    EUR,
    JPY,
    KWD,
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


@given(histories(), st.none() | days)
def test_without_an_end_the_statement_closes_to_the_net_balance(ledger: Ledger, since: date | None) -> None:
    net = net_by_hand(ledger)

    periods = periods_of(ledger.movements(), unit=None, since=since, until=None, on=TODAY)

    assert [period.currency.code for period in periods] == sorted(unit.code for unit in net)
    for period in periods:
        lines = running(period.opening, period.movements)
        closing = lines[-1].balance if lines else period.opening
        assert closing.minor == net[period.currency]


@given(histories(), days, days, st.sampled_from(UNITS))
def test_opening_and_movements_make_the_closing_which_opens_the_next_period(
    ledger: Ledger, one: date, other: date, unit: Currency
) -> None:
    first, last = sorted((one, other))
    movements = ledger.movements()

    (period,) = periods_of(movements, unit=unit, since=first, until=last, on=TODAY)
    (following,) = periods_of(movements, unit=unit, since=last + DAY, until=date.max, on=TODAY)

    lines = running(period.opening, period.movements)
    balance = period.opening.minor
    for line in lines:
        balance += line.debit.minor if line.debit is not None else 0
        balance -= line.credit.minor if line.credit is not None else 0
        assert line.balance.minor == balance
        assert first <= line.on <= last
        assert (line.debit is None) != (line.credit is None)
    assert following.opening.minor == balance
    assert (period.since, period.until) == (first, last)


@given(histories())
def test_movements_are_ordered_by_day_type_and_id(ledger: Ledger) -> None:
    movements = ledger.movements()

    order = [(movement.on, movement.type.value, movement.id) for movement in movements]

    assert order == sorted(order)
    assert len({movement.order for movement in movements}) == len(movements)


@given(st.dates(date(1, 1, 1), date(9999, 12, 31)), st.integers(0, 30))
def test_months_before_is_the_same_day_or_the_last_of_a_shorter_month(day: date, months: int) -> None:
    earlier = months_before(day, months)

    if day.year > 3:
        assert (day.year - earlier.year) * 12 + day.month - earlier.month == months
        assert earlier.day == day.day or (earlier.day < day.day and (earlier + DAY).day == 1)
    assert earlier <= day or day.year <= 3


@pytest.mark.parametrize(
    "day, months, expected",
    [
        ("2026-11-23", 12, "2025-11-23"),
        ("2024-02-29", 12, "2023-02-28"),
        ("2025-03-31", 1, "2025-02-28"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2026-01-15", 1, "2025-12-15"),
        ("2026-12-31", 12, "2025-12-31"),
        ("2026-05-31", 6, "2025-11-30"),
        ("0001-06-15", 12, "0001-06-15"),
    ],
)
def test_twelve_months_before_the_end_of_a_month(day: str, months: int, expected: str) -> None:
    earlier = months_before(date.fromisoformat(day), months)

    assert earlier == date.fromisoformat(expected)


def test_a_period_starts_twelve_months_before_its_end_unless_it_is_told() -> None:
    movements = Ledger([an_invoice(issued_on=TODAY - 400 * DAY)], []).movements()

    (usual,) = periods_of(movements, unit=None, since=None, until=None, on=TODAY)
    (ending,) = periods_of(movements, unit=None, since=None, until=date(2024, 2, 29), on=TODAY)

    assert (usual.since, usual.until, usual.opening) == (date(2025, 11, 23), TODAY, euros("100.00"))
    assert (ending.since, ending.until, ending.opening) == (date(2023, 2, 28), date(2024, 2, 29), euros("0.00"))


def test_a_period_without_an_end_runs_to_the_last_movement_even_if_that_is_to_come() -> None:
    movements = Ledger([an_invoice(issued_on=TODAY + 9 * DAY)], []).movements()

    (period,) = periods_of(movements, unit=None, since=None, until=None, on=TODAY)

    assert period.until == TODAY + 9 * DAY
    assert len(period.movements) == 1


def test_on_one_day_the_type_comes_before_the_id() -> None:
    invoices = [an_invoice(id=InvoiceId(each), issued_on=TODAY) for each in ("z", "x")]
    payments = [a_payment(id=PaymentId(each), received_on=TODAY) for each in ("y", "a")]

    movements = Ledger(invoices, payments).movements()

    assert [each.id for each in movements] == ["x", "z", "a", "y"]


def test_both_days_of_a_period_count() -> None:
    movements = Ledger([an_invoice(issued_on=TODAY)], [a_payment(received_on=TODAY + DAY)]).movements()

    def amounts(since: date, until: date) -> list[str]:
        (period,) = periods_of(movements, unit=EUR, since=since, until=until, on=TODAY)
        return [movement.amount.amount for movement in period.movements]

    assert amounts(TODAY, TODAY + DAY) == ["100.00", "-60.00"]
    assert (amounts(TODAY + DAY, TODAY + DAY), amounts(TODAY, TODAY)) == (["-60.00"], ["100.00"])


def test_a_currency_that_never_moved_has_a_statement_only_if_asked_for() -> None:
    movements = Ledger([an_invoice()], []).movements()

    (asked,) = periods_of(movements, unit=KWD, since=None, until=None, on=TODAY)

    assert (asked.opening, asked.movements) == (money(0, KWD), ())
    assert [each.currency for each in periods_of(movements, unit=None, since=None, until=None, on=TODAY)] == [EUR]
    assert periods_of([], unit=None, since=None, until=None, on=TODAY) == ()


def test_every_kind_of_document_moves_the_account_in_its_direction() -> None:
    discount = Adjustment(amount=euros("3.00"), reason="Early payment", adjusted_on=TODAY)
    invoices = [an_invoice(adjustments=(discount, discount)), a_credit_note(adjustments=(discount,))]
    payments = [a_payment(), a_refund()]

    movements = Ledger(invoices, payments).movements()

    assert {(each.type.value, each.id, each.sequence): each.amount.amount for each in movements} == {
        ("invoice", "i1", 0): "100.00",
        ("adjustment", "i1", 0): "-3.00",
        ("adjustment", "i1", 1): "-3.00",
        ("credit_note", "n1", 0): "-40.00",
        ("adjustment", "n1", 0): "3.00",
        ("payment", "p1", 0): "-60.00",
        ("refund", "r1", 0): "15.00",
    }
    assert [each.on for each in movements] == sorted(each.on for each in movements)
    assert {each.number for each in movements if each.type is MovementType.ADJUSTMENT} == {"Early payment"}


def test_an_allocation_across_currencies_is_two_conversions() -> None:
    invoice = an_invoice(total=money(10_000, JPY), issued_on=TODAY - DAY)
    across = paying(invoice, money(9_000, JPY), payment_amount=money(5_500, USD))
    payment = a_payment(across, across, amount=money(12_000, USD), received_on=TODAY - 2 * DAY)

    movements = Ledger([invoice], [payment]).movements_of_payment(payment)

    assert [(each.on, each.type.value, each.id, each.number, str(each.amount)) for each in movements] == [
        (TODAY - 2 * DAY, "payment", "p1", "PAY1", "-120.00 USD"),
        (TODAY - DAY, "conversion", "p1", "PAY1", "55.00 USD"),
        (TODAY - DAY, "conversion", "p1", "PAY1", "-9000 JPY"),
        (TODAY - DAY, "conversion", "p1", "PAY1", "55.00 USD"),
        (TODAY - DAY, "conversion", "p1", "PAY1", "-9000 JPY"),
    ]


@pytest.mark.parametrize(
    "allocated, issued, received, expected", [(-9, -1, -2, -9), (None, -1, -2, -1), (None, -3, -2, -2), (5, -3, -2, 5)]
)
def test_a_conversion_is_dated_by_its_allocation_or_the_later_document(
    allocated: int | None, issued: int, received: int, expected: int
) -> None:
    invoice = an_invoice(id=InvoiceId("i9"), total=money(10_000, JPY), issued_on=TODAY + issued * DAY)
    on = None if allocated is None else TODAY + allocated * DAY
    across = paying(invoice, money(9_000, JPY), payment_amount=euros("55.00"), allocated_on=on)
    payment = a_payment(across, id=PaymentId("p9"), received_on=TODAY + received * DAY)

    dates = {each.on for each in Ledger([invoice], [payment]).movements_of_payment(payment) if "conv" in each.type}

    assert dates == {TODAY + expected * DAY}


def test_a_refund_across_currencies_converts_the_other_way() -> None:
    note = a_credit_note(total=money(9_000, JPY))
    refund = a_refund(paying(note, money(9_000, JPY), payment_amount=euros("15.00")))

    amounts = [str(each.amount) for each in Ledger([note], [refund]).movements_of_payment(refund)]

    assert amounts == ["15.00 EUR", "-15.00 EUR", "9000 JPY"]


def test_a_movement_of_nothing_is_a_debit_of_nothing() -> None:
    movements = Ledger([an_invoice(total=euros("0.00"))], []).movements()

    (line,) = running(euros("5.00"), movements)

    assert (line.debit, line.credit, line.balance) == (euros("0.00"), None, euros("5.00"))
