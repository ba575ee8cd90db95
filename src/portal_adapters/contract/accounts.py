"""What is summed over a client's documents: settlement, balances, the account, the dashboard."""

from itertools import product

import pytest
from attrs import evolve
from hypothesis import given, settings

from portal_adapters.contract.builders import (
    EUR,
    JPY,
    KWD,
    NEIGHBOUR,
    SCOPE,
    STRANGER,
    TODAY,
    YESTERDAY,
    a_credit_note,
    a_delivery,
    a_payment,
    a_quote,
    a_refund,
    an_invoice,
    credited,
    day,
    eur,
    paid,
)
from portal_adapters.contract.feeding import feed, forget, prepare, replace
from portal_adapters.contract.strategies import History, histories
from portal_core.domain.access import DocumentRef, DocumentType, Scope
from portal_core.domain.balance import balances_of
from portal_core.domain.dashboard import FirstPage, PagePart
from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.invoices import Adjustment, Instalment, Invoice, InvoiceState
from portal_core.domain.ledger import Ledger
from portal_core.domain.money import LARGEST_MINOR, Money
from portal_core.domain.paging import Listing
from portal_core.domain.payments import Payment, PaymentRecordState
from portal_core.domain.records import ref_of
from portal_core.domain.statement import periods_of
from portal_core.ports import ComposedDashboards, Store, Transactions

HALVES = (Instalment(due_on=day(-45), amount=eur("60.00")), Instalment(due_on=day(10), amount=eur("60.00")))

INVOICES = (
    an_invoice("I1", eur("120.00"), issued_on=day(-60), instalments=HALVES),
    an_invoice("I2", eur("80.00"), issued_on=day(-400), due_on=day(-100)),
    an_invoice(
        "I3",
        eur("40.00"),
        due_on=day(-1),
        adjustments=(Adjustment(amount=eur("40.00"), reason="Written off", adjusted_on=TODAY),),
    ),
    an_invoice("I4", Money(9_000, JPY), issued_on=day(-9), due_on=day(-30)),
    an_invoice("I5", Money(1_234, KWD), state=InvoiceState.DRAFT),
    a_credit_note("C1", eur("30.00"), allocations=(credited("I2", eur("10.00"), on=day(-3)),)),
)
PAYMENTS = (
    a_payment("P1", eur("100.00"), allocations=(paid("I1", eur("70.00")),)),
    a_payment("P2", eur("50.00"), allocations=(paid("I4", Money(4_000, JPY), using=eur("25.00"), on=day(-2)),)),
    a_payment("P3", eur("10.00"), state=PaymentRecordState.CANCELLED, allocations=(paid("I2", eur("10.00")),)),
    a_refund("R1", eur("15.00"), allocations=(paid("C1", eur("5.00")),)),
)


class AccountsContract:
    """Whatever a store derives, keeps or sums for itself equals what the ledger of all documents says."""

    def test_a_clients_account_is_what_its_ledger_says(self, transactions: Transactions) -> None:
        prepare(transactions, *INVOICES, *PAYMENTS)

        with transactions.begin() as store:
            _agree(store, SCOPE, Ledger(INVOICES, PAYMENTS))
            _agree(store, NEIGHBOUR, Ledger((), ()))
            _agree(store, STRANGER, Ledger((), ()))

    def test_any_account_is_what_its_ledger_says_however_it_came_about(self, transactions: Transactions) -> None:
        prepare(transactions)

        @settings(deadline=None, max_examples=settings().max_examples // 2)
        @given(histories(), histories())
        def holds(first: History, second: History) -> None:
            with transactions.begin() as store:
                replace(store, SCOPE, first.documents)
                _agree(store, SCOPE, first.ledger)
            with transactions.begin() as store:
                replace(store, SCOPE, second.documents)
            with transactions.begin() as store:
                _agree(store, SCOPE, second.ledger)

        holds()

    def test_an_account_follows_every_change_of_a_document(self, transactions: Transactions) -> None:
        invoices, payments = {each.id: each for each in INVOICES}, {each.id: each for each in PAYMENTS}
        prepare(transactions, *INVOICES, *PAYMENTS)
        changed: list[Invoice | Payment] = [
            a_payment("P1", eur("100.00"), allocations=(paid("I2", eur("70.00")),)),
            a_payment("P1", eur("100.00"), state=PaymentRecordState.DRAFT, allocations=(paid("I2", eur("70.00")),)),
            a_credit_note(
                "C1", eur("30.00"), state=InvoiceState.CANCELLED, allocations=(credited("I2", eur("10.00")),)
            ),
            an_invoice("I2", eur("80.00"), state=InvoiceState.CANCELLED, due_on=day(-100)),
            an_invoice("I2", eur("90.00"), due_on=day(1)),
            a_payment("P1", eur("70.00"), allocations=(paid("I2", eur("70.00")),)),
            an_invoice("I4", Money(9_001, JPY), issued_on=day(-8)),
            a_payment("P2", eur("50.00")),
        ]

        for each in changed:
            if isinstance(each, Invoice):
                invoices[each.id] = each
            else:
                payments[each.id] = each
            with transactions.begin() as store:
                feed(store, each)

            with transactions.begin() as store:
                _agree(store, SCOPE, Ledger(invoices.values(), payments.values()))

    def test_an_account_follows_the_removal_of_documents(self, transactions: Transactions) -> None:
        prepare(transactions, *INVOICES, *PAYMENTS)

        with transactions.begin() as store:
            forget(store, SCOPE.company_id, *map(ref_of, PAYMENTS))
        with transactions.begin() as store:
            _agree(store, SCOPE, Ledger(INVOICES, ()))
            forget(store, SCOPE.company_id, *map(ref_of, INVOICES))
        with transactions.begin() as store:
            _agree(store, SCOPE, Ledger((), ()))

    def test_a_client_with_nothing_has_no_balance(self, transactions: Transactions) -> None:
        prepare(transactions)

        with transactions.begin() as store:
            assert store.balances.get(SCOPE, on=TODAY) == ()

    def test_a_settled_account_is_a_balance_of_nothing(self, transactions: Transactions) -> None:
        prepare(transactions, an_invoice("I1"), a_payment("P1", allocations=(paid("I1", eur("119.00")),)))

        with transactions.begin() as store:
            (balance,) = store.balances.get(SCOPE, on=TODAY)

        assert (balance.outstanding, balance.overdue, balance.credit, balance.net) == (eur("0.00"),) * 4

    def test_what_is_due_ages_by_the_day(self, transactions: Transactions) -> None:
        offsets = (0, 1, 30, 31, 60, 61, 90, 91)
        prepare(
            transactions,
            *(an_invoice(f"I{place}", Money(10**place, EUR), due_on=day(-days)) for place, days in enumerate(offsets)),
        )

        with transactions.begin() as store:
            (balance,) = store.balances.get(SCOPE, on=TODAY)
            (before,) = store.balances.get(SCOPE, on=day(-91))

        aging = balance.aging
        buckets = (aging.current, aging.days_1_30, aging.days_31_60, aging.days_61_90, aging.over_90)
        assert [each.minor for each in buckets] == [1, 110, 11_000, 1_100_000, 10_000_000]
        assert balance.overdue == balance.outstanding - Money(1, EUR)
        assert (before.aging.current, before.overdue) == (balance.outstanding, Money(0, EUR))

    def test_the_largest_amounts_are_summed_exactly(self, transactions: Transactions) -> None:
        largest = Money(LARGEST_MINOR, EUR)
        prepare(transactions, *(an_invoice(f"I{each}", largest) for each in range(9)))

        with transactions.begin() as store:
            (balance,) = store.balances.get(SCOPE, on=TODAY)
            (period,) = store.accounts.periods(SCOPE, unit=None, since=day(1), until=day(1), on=TODAY, most=9)

        assert balance.outstanding.minor == period.opening.minor == 9 * LARGEST_MINOR

    def test_a_narrowed_scope_is_not_looked_at_by_balances(self, transactions: Transactions) -> None:
        prepare(transactions, *INVOICES, *PAYMENTS)
        narrowed = evolve(SCOPE, documents=frozenset({DocumentRef(DocumentType.INVOICE, "I1")}))

        with transactions.begin() as store:
            assert store.balances.get(narrowed, on=TODAY) == store.balances.get(SCOPE, on=TODAY)

    @pytest.mark.parametrize("most", [1, 2, 100])
    def test_a_period_holds_one_movement_more_than_the_most(self, transactions: Transactions, most: int) -> None:
        prepare(transactions, *INVOICES, *PAYMENTS)

        with transactions.begin() as store:
            found = store.accounts.periods(SCOPE, unit=EUR, since=day(-70), until=TODAY, on=TODAY, most=most)

        ledger = Ledger(INVOICES, PAYMENTS)
        (promised,) = periods_of(
            ledger.movements(), ledger.open_amounts(), unit=EUR, since=day(-70), until=TODAY, on=TODAY
        )
        assert found == (evolve(promised, movements=promised.movements[: most + 1]),)

    @pytest.mark.parametrize("balances", [True, False])
    def test_a_dashboard_is_the_newest_of_each_list_and_the_balances(
        self, transactions: Transactions, *, balances: bool
    ) -> None:
        prepare(transactions, *INVOICES, *PAYMENTS)
        prepare(transactions, *(an_invoice(f"I9{each}", issued_on=day(each % 3)) for each in range(7)))
        documents = frozenset({DocumentRef(DocumentType.INVOICE, "I1"), DocumentRef(DocumentType.INVOICE, "I95")})

        with transactions.begin() as store:
            composed = _composed(store)
            for scope, left_out in product((SCOPE, NEIGHBOUR, evolve(SCOPE, documents=documents)), DocumentType):
                shown = frozenset(DocumentType) - {left_out, DocumentType.PAYMENT}
                found = store.dashboards.get(scope, on=TODAY, shown=shown, balances=balances)
                assert found == composed.get(scope, on=TODAY, shown=shown, balances=balances)

    def test_the_first_page_is_what_needs_the_client_and_the_newest_of_each_list(
        self, transactions: Transactions
    ) -> None:
        prepare(transactions, *INVOICES, *PAYMENTS)
        prepare(
            transactions,
            *(an_invoice(f"I9{each}", issued_on=day(-each % 4), due_on=day(15 - each)) for each in range(7)),
        )
        prepare(transactions, *(a_quote(f"Q{each}", valid_until=day(each - 2)) for each in range(9)))
        prepare(transactions, *(a_delivery(f"D{each}", scheduled_on=day(each * 7 - 90)) for each in range(30)))
        documents = frozenset(
            {
                DocumentRef(DocumentType.INVOICE, "I95"),
                DocumentRef(DocumentType.QUOTE, "Q5"),
                DocumentRef(DocumentType.DELIVERY, "D3"),
            }
        )

        with transactions.begin() as store:
            composed = _composed(store)
            for scope, left_out in product((SCOPE, NEIGHBOUR, evolve(SCOPE, documents=documents)), PagePart):
                parts = frozenset(PagePart) - {left_out}
                assert store.dashboards.first_page(scope, on=TODAY, parts=parts) == composed.first_page(
                    scope, on=TODAY, parts=parts
                )
            assert store.dashboards.first_page(SCOPE, on=TODAY, parts=frozenset()) == FirstPage()


def _agree(store: Store, scope: Scope, ledger: Ledger) -> None:
    for invoice in ledger.invoices.values():
        assert store.invoices.get(scope, invoice.id) == (ledger.detail(invoice) if invoice.is_posted else None)
    for payment in ledger.payments.values():
        assert store.payments.get(scope, payment.id) == (ledger.payment_view(payment) if payment.is_shown else None)
    listed = store.invoices.page(scope, Listing(sort="number", limit=100), InvoiceFilter(), on=TODAY)
    assert {each.id: each for each in listed.items} == {
        each.id: ledger.summary(each) for each in ledger.invoices.values() if each.is_posted
    }
    for on in (TODAY, day(-50)):
        assert store.balances.get(scope, on=on) == balances_of(ledger.open_amounts(), on)
    for unit, since, until in product((None, EUR, KWD), (None, day(-5)), (None, YESTERDAY)):
        found = store.accounts.periods(scope, unit=unit, since=since, until=until, on=TODAY, most=1_000)
        assert found == periods_of(
            ledger.movements(), ledger.open_amounts(), unit=unit, since=since, until=until, on=TODAY
        )
    shown = frozenset(DocumentType)
    dashboard = store.dashboards.get(scope, on=TODAY, shown=shown, balances=True)
    assert dashboard == _composed(store).get(scope, on=TODAY, shown=shown, balances=True)
    page = store.dashboards.first_page(scope, on=TODAY, parts=frozenset(PagePart))
    assert page == _composed(store).first_page(scope, on=TODAY, parts=frozenset(PagePart))


def _composed(store: Store) -> ComposedDashboards:
    return ComposedDashboards(store.quotes, store.orders, store.invoices, store.deliveries, store.balances)
