from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings

from portal_adapters.memory.store import MemoryTransactions
from portal_adapters.randomness import RandomMint
from portal_core.domain.access import DocumentType, Permission
from portal_core.domain.balance import aging_of
from portal_core.domain.errors import InvalidInput, NarrowedLink, PermissionDenied
from portal_core.domain.invoices import Adjustment
from portal_core.domain.ledger import Ledger
from portal_core.domain.money import Currency
from portal_core.domain.statement import MOST_MOVEMENTS, Statement
from portal_core.ports import Store
from portal_core.use_cases.dashboard import read_dashboard
from portal_core.use_cases.statement import read_statement
from tests.core.histories import histories
from tests.core.samples import (
    CLIENT,
    COMPANY,
    DAY,
    EUR,
    JPY,
    NOW,
    TODAY,
    a_payment,
    a_visit,
    an_invoice,
    euros,
    money,
    only,
)


def read(
    store: Store, *, unit: Currency | None = None, since: date | None = None, until: date | None = None
) -> tuple[Statement, ...]:
    return read_statement(store, a_visit(), unit=unit, since=since, until=until, now=NOW)


@given(histories())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_the_statement_closes_to_the_net_of_the_balance_in_every_currency(ledger: Ledger) -> None:
    with MemoryTransactions(RandomMint()).begin() as store:
        store.intake.save([COMPANY, CLIENT, *ledger.invoices.values(), *ledger.payments.values()])

        statements = read(store)

        balances = read_dashboard(store, a_visit(), now=NOW).balances or ()
        closings = {statement.currency: statement.closing for statement in statements}
        agings = {statement.currency: statement.aging for statement in statements}
        assert closings == {balance.currency: balance.net for balance in balances}
        assert agings == {balance.currency: balance.aging for balance in balances}


def test_a_statement_says_what_moved_and_what_that_makes(store: Store) -> None:
    store.intake.save([an_invoice(issued_on=TODAY - 2 * DAY), a_payment(received_on=TODAY - DAY)])

    (statement,) = read(store, since=TODAY - DAY)

    assert (statement.opening, statement.closing) == (euros("100.00"), euros("40.00"))
    (line,) = statement.lines
    assert (line.on, line.debit, line.credit, line.balance) == (TODAY - DAY, None, euros("60.00"), euros("40.00"))
    assert (statement.since, statement.until) == (TODAY - DAY, TODAY)


def test_a_period_without_movements_closes_as_it_opened(store: Store) -> None:
    store.intake.save([an_invoice(issued_on=TODAY - 2 * DAY)])

    (statement,) = read(store, since=TODAY)

    assert (statement.opening, statement.closing, statement.lines) == (euros("100.00"), euros("100.00"), ())


def test_the_aging_is_todays_and_left_out_of_a_period_that_is_past(store: Store) -> None:
    store.intake.save([an_invoice(due_on=TODAY - 31 * DAY)])

    agings = {until: read(store, until=until)[0].aging for until in (None, TODAY + DAY, TODAY, TODAY - DAY)}

    assert agings.pop(TODAY - DAY) is None
    assert {aging.days_31_60 for aging in agings.values() if aging} == {euros("100.00")}
    assert None not in agings.values()


def test_a_currency_in_which_nothing_is_open_has_an_aging_of_nothing(store: Store) -> None:
    store.intake.save([an_invoice()])

    (statement,) = read(store, unit=JPY)

    assert (statement.opening, statement.closing, statement.aging) == (
        money(0, JPY),
        money(0, JPY),
        aging_of((), JPY, TODAY),
    )
    assert [each.currency for each in read(store)] == [EUR]


def test_a_period_that_ends_before_it_starts_is_refused(store: Store) -> None:
    with pytest.raises(InvalidInput) as refused:
        read(store, since=TODAY, until=TODAY - DAY)

    assert refused.value.problems[0].parameter == "from"
    assert read(store, unit=EUR, since=TODAY, until=TODAY)[0].lines == ()


def test_a_period_that_starts_after_all_that_is_known_is_empty_and_in_order(store: Store) -> None:
    store.intake.save([an_invoice()])

    (statement,) = read(store, since=TODAY + 9 * DAY)

    assert (statement.since, statement.until) == (TODAY + 9 * DAY, TODAY + 9 * DAY)
    assert statement.opening == statement.closing == euros("100.00")


def test_five_thousand_movements_are_told_and_one_more_asks_for_a_shorter_period(store: Store) -> None:
    def written_off(parts: int) -> None:
        part = Adjustment(amount=money(1), reason="x", adjusted_on=TODAY)
        store.intake.save([an_invoice(adjustments=(part,) * parts)])

    written_off(MOST_MOVEMENTS - 1)
    (statement,) = read(store)
    assert len(statement.lines) == 5_000

    written_off(MOST_MOVEMENTS)
    with pytest.raises(InvalidInput, match="5,000") as refused:
        read(store)
    assert refused.value.problems[0].parameter == "from"
    assert read(store, until=TODAY - DAY)


@pytest.mark.parametrize(
    "lacking, named",
    [
        ((Permission.VIEW_INVOICES, Permission.VIEW_PAYMENTS), "view_invoices"),
        ((Permission.VIEW_INVOICES,), "view_invoices"),
        ((Permission.VIEW_PAYMENTS,), "view_payments"),
    ],
    ids=["both", "invoices", "payments"],
)
def test_a_statement_needs_invoices_and_payments(store: Store, lacking: tuple[Permission, ...], named: str) -> None:
    with pytest.raises(PermissionDenied) as refused:
        read_statement(store, a_visit(*lacking), unit=None, since=TODAY, until=TODAY - DAY, now=NOW)

    assert refused.value.permission == named


def test_a_link_to_single_documents_has_no_statement(store: Store) -> None:
    narrowed = a_visit(documents=only((DocumentType.INVOICE, "i1")))

    with pytest.raises(NarrowedLink):
        read_statement(store, narrowed, unit=None, since=None, until=None, now=NOW)

    assert read(store) == ()
