from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.balance import AGING_BUCKETS, OpenAmount, aging_of, balances_of, bucket_of
from portal_core.domain.ledger import Ledger
from tests.core.histories import UNITS, days, histories, net_by_hand
from tests.core.samples import DAY, EUR, JPY, TODAY, euros, money

open_amounts = st.builds(
    OpenAmount, st.builds(money, st.integers(-1000, 1000), st.sampled_from(UNITS)), st.none() | days
)


@pytest.mark.parametrize(
    "late, bucket",
    [
        (-1, "current"),
        (0, "current"),
        (1, "days_1_30"),
        (30, "days_1_30"),
        (31, "days_31_60"),
        (60, "days_31_60"),
        (61, "days_61_90"),
        (90, "days_61_90"),
        (91, "over_90"),
        (100_000, "over_90"),
    ],
)
def test_what_is_due_is_aged_by_the_days_it_is_late(late: int, bucket: str) -> None:
    due_on = TODAY - late * DAY

    found = bucket_of(due_on, TODAY)

    assert found == bucket


@given(st.lists(open_amounts))
def test_the_aging_sums_to_what_is_outstanding_in_every_currency(amounts: list[OpenAmount]) -> None:
    balances = balances_of(amounts, TODAY)

    by_unit = {balance.currency: balance for balance in balances}

    assert [balance.currency.code for balance in balances] == sorted({each.amount.currency.code for each in amounts})
    for unit, balance in by_unit.items():
        own = [each for each in amounts if each.amount.currency == unit]
        aged = {bucket: getattr(balance.aging, bucket).minor for bucket in AGING_BUCKETS}
        assert sum(aged.values()) == balance.outstanding.minor
        assert balance.overdue.minor == balance.outstanding.minor - aged["current"]
        assert balance.outstanding.minor == sum(each.amount.minor for each in own if each.due_on)
        assert balance.credit.minor == sum(each.amount.minor for each in own if not each.due_on)
        assert balance.net == balance.outstanding - balance.credit


@given(histories(), days)
def test_what_is_owed_is_what_the_documents_leave_whatever_the_day(ledger: Ledger, on: date) -> None:
    amounts = list(ledger.open_amounts())

    balances = balances_of(amounts, on)

    assert {balance.currency: balance.net.minor for balance in balances} == net_by_hand(ledger)
    assert all(balance.outstanding.minor >= balance.overdue.minor >= 0 for balance in balances)


def test_what_counts_and_is_settled_still_has_its_balance_of_nothing() -> None:
    amounts = [OpenAmount(money(0, JPY), None), OpenAmount(euros("1.00"), TODAY)]

    euro, yen = balances_of(amounts, TODAY)

    assert (euro.net, yen.net) == (euros("1.00"), money(0, JPY))
    assert yen.aging == aging_of((), JPY, TODAY)


def test_nothing_has_no_balance() -> None:
    amounts: list[OpenAmount] = []

    balances = balances_of(amounts, TODAY)

    assert balances == ()
    assert aging_of((), EUR, TODAY).over_90 == euros("0.00")


def test_an_aging_is_of_one_currency_and_leaves_credit_out() -> None:
    amounts = [OpenAmount(euros("1.00"), TODAY), OpenAmount(euros("2.00"), None), OpenAmount(money(3, JPY), TODAY)]

    aging = aging_of(amounts, EUR, TODAY)

    assert aging == aging_of(amounts[:1], EUR, TODAY)
    assert aging.current == euros("1.00")
