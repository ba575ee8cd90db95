"""Filters go by what is shown, not by what is recorded, and totals count what they leave."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    CLIENT,
    COMPANY,
    NEIGHBOUR,
    NOW,
    SCOPE,
    TODAY,
    TOMORROW,
    YESTERDAY,
    a_credit_note,
    a_decision,
    a_delivery,
    a_grant,
    a_payment,
    a_quote,
    a_ticket,
    an_audit_entry,
    an_invoice,
    an_order,
    eur,
    moment,
    paid,
)
from portal_adapters.contract.feeding import keep_decision, prepare
from portal_core.domain.access import DocumentRef, DocumentType, GrantState
from portal_core.domain.audit import COMMAND_LINE, AuditAction, Target, TargetType
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.feedback import TicketState
from portal_core.domain.filters import (
    AuditFilter,
    DecisionFilter,
    DeliveryFilter,
    GrantFilter,
    InvoiceFilter,
    OrderFilter,
    QuoteFilter,
    TicketFilter,
)
from portal_core.domain.ids import QuoteId, TicketId
from portal_core.domain.invoices import Instalment, InvoiceKind, PaymentState
from portal_core.domain.orders import DeliveryStatus, OrderState
from portal_core.domain.paging import OLDEST_DUE, Listing
from portal_core.domain.quotes import Answer, QuoteState
from portal_core.ports import Transactions

BY_NUMBER = Listing(sort="number", descending=False)
BY_MOMENT = Listing(sort="created_at", descending=False)

DECIDED = {
    "accepted by the client": Answer.ACCEPTED,
    "accepted, then expired": Answer.ACCEPTED,
    "accepted, then cancelled": Answer.ACCEPTED,
    "declined by the client": Answer.DECLINED,
}
QUOTES = {
    QuoteState.SENT: ("sent", "sent until today"),
    QuoteState.EXPIRED: ("sent until yesterday",),
    QuoteState.ACCEPTED: ("accepted by the client", "accepted by record", "accepted, then expired"),
    QuoteState.DECLINED: ("declined by the client", "declined by record"),
    QuoteState.CANCELLED: ("accepted, then cancelled", "cancelled"),
    QuoteState.DRAFT: (),
}

PAYMENT_STATES = {
    PaymentState.NOT_PAID: ("open", "overdue", "second part overdue"),
    PaymentState.PARTIAL: ("partly paid", "first part paid"),
    PaymentState.PAID: ("paid", "nothing to pay"),
    PaymentState.IN_PAYMENT: ("in payment",),
    PaymentState.REVERSED: (),
}
OVERDUE = ("overdue", "partly paid", "second part overdue")


class FiltersContract:
    """Every filter of every list."""

    @pytest.mark.parametrize("state", QuoteState)
    def test_quotes_are_filtered_by_the_state_that_is_shown(
        self, transactions: Transactions, state: QuoteState
    ) -> None:
        _prepare_quotes(transactions)

        with transactions.begin() as store:
            page = store.quotes.page(SCOPE, BY_NUMBER, QuoteFilter(states=frozenset({state})), on=TODAY)

        assert _numbers(page.items) == sorted(QUOTES[state])
        assert {each.state(TODAY) for each in page.items} <= {state}
        assert page.total == len(QUOTES[state])

    def test_several_states_of_quotes_are_either_of_them(self, transactions: Transactions) -> None:
        wanted = frozenset({QuoteState.SENT, QuoteState.EXPIRED, QuoteState.CANCELLED})
        _prepare_quotes(transactions)

        with transactions.begin() as store:
            page = store.quotes.page(SCOPE, BY_NUMBER, QuoteFilter(states=wanted), on=TODAY)
            none = store.quotes.page(SCOPE, BY_NUMBER, QuoteFilter(states=frozenset()), on=TODAY)

        assert _numbers(page.items) == sorted(name for state in wanted for name in QUOTES[state])
        assert (none.items, none.total) == ((), 0)

    def test_a_quote_expires_on_the_day_after_its_last(self, transactions: Transactions) -> None:
        prepare(transactions, a_quote("Q1", valid_until=TODAY))
        sent = QuoteFilter(states=frozenset({QuoteState.SENT}))

        with transactions.begin() as store:
            totals = [store.quotes.page(SCOPE, BY_NUMBER, sent, on=on).total for on in (YESTERDAY, TODAY, TOMORROW)]

        assert totals == [1, 1, 0]

    @pytest.mark.parametrize("state", OrderState)
    @pytest.mark.parametrize("status", DeliveryStatus)
    def test_orders_are_filtered_by_state_and_delivery_status(
        self, transactions: Transactions, state: OrderState, status: DeliveryStatus
    ) -> None:
        orders = [
            an_order(f"{each.value}-{goods.value}", state=each, delivery_status=goods)
            for each in OrderState
            for goods in DeliveryStatus
        ]
        narrowed = OrderFilter(states=frozenset({state}), delivery_statuses=frozenset({status}))
        prepare(transactions, *orders)

        with transactions.begin() as store:
            both = store.orders.page(SCOPE, BY_NUMBER, narrowed)
            one = store.orders.page(SCOPE, BY_NUMBER, evolve(narrowed, states=None))

        assert _numbers(both.items) == [f"N-{state.value}-{status.value}"]
        assert one.total == len(OrderState)

    @pytest.mark.parametrize("state", DeliveryState)
    def test_deliveries_are_filtered_by_state(self, transactions: Transactions, state: DeliveryState) -> None:
        prepare(transactions, *(a_delivery(each.value, state=each) for each in DeliveryState))

        with transactions.begin() as store:
            page = store.deliveries.page(SCOPE, BY_NUMBER, DeliveryFilter(states=frozenset({state})))

        promised = [] if state is DeliveryState.DRAFT else [state.value]
        assert [view.delivery.id for view in page.items] == promised

    @pytest.mark.parametrize("state", PaymentState)
    def test_invoices_are_filtered_by_how_they_are_paid(self, transactions: Transactions, state: PaymentState) -> None:
        _prepare_invoices(transactions)

        with transactions.begin() as store:
            narrowed = InvoiceFilter(payment_states=frozenset({state}))
            page = store.invoices.page(SCOPE, BY_NUMBER, narrowed, on=TODAY)

        assert _numbers(page.items) == sorted(PAYMENT_STATES[state])
        assert {each.payment_state for each in page.items} <= {state}
        assert page.total == len(PAYMENT_STATES[state])

    def test_invoices_are_filtered_by_what_is_overdue(self, transactions: Transactions) -> None:
        _prepare_invoices(transactions)
        everything = {name for names in PAYMENT_STATES.values() for name in names}

        with transactions.begin() as store:
            overdue = store.invoices.page(SCOPE, BY_NUMBER, InvoiceFilter(overdue=True), on=TODAY)
            not_overdue = store.invoices.page(SCOPE, BY_NUMBER, InvoiceFilter(overdue=False), on=TODAY)
            earlier = store.invoices.page(SCOPE, BY_NUMBER, InvoiceFilter(overdue=True), on=YESTERDAY)

        assert _numbers(overdue.items) == sorted(OVERDUE)
        assert _numbers(not_overdue.items) == sorted(everything - set(OVERDUE))
        assert (earlier.items, earlier.total) == ((), 0)

    def test_invoices_of_which_something_is_due_by_a_day_come_oldest_first(self, transactions: Transactions) -> None:
        _prepare_invoices(transactions)
        oldest_first = Listing(sort=OLDEST_DUE, descending=False)

        with transactions.begin() as store:
            by_yesterday, ever = (
                store.invoices.page(SCOPE, oldest_first, InvoiceFilter(due_by=day), on=TODAY).items
                for day in (YESTERDAY, date.max)
            )

        open_ones = PAYMENT_STATES[PaymentState.NOT_PAID] + PAYMENT_STATES[PaymentState.PARTIAL]
        days = [each.oldest_due_on or date.min for each in ever]
        assert sorted(_numbers(by_yesterday)) == sorted(OVERDUE)
        assert sorted(_numbers(ever)) == sorted(open_ones)
        assert days == sorted(days)

    def test_credit_notes_are_filtered_by_kind(self, transactions: Transactions) -> None:
        _prepare_invoices(transactions)
        notes = frozenset({InvoiceKind.CREDIT_NOTE})

        with transactions.begin() as store:
            everything = store.invoices.page(SCOPE, BY_NUMBER, InvoiceFilter(), on=TODAY)
            by_kind = store.invoices.page(SCOPE, BY_NUMBER, InvoiceFilter(kinds=notes), on=TODAY)
            overdue = store.invoices.page(SCOPE, BY_NUMBER, InvoiceFilter(kinds=notes, overdue=True), on=TODAY)
            not_paid = InvoiceFilter(kinds=notes, payment_states=frozenset({PaymentState.NOT_PAID}))
            open_notes = store.invoices.page(SCOPE, BY_NUMBER, not_paid, on=TODAY)

        assert everything.total == 1 + sum(map(len, PAYMENT_STATES.values()))
        assert _numbers(by_kind.items) == _numbers(open_notes.items) == ["a credit note"]
        assert overdue.total == 0

    @pytest.mark.parametrize("state", GrantState)
    def test_grants_are_filtered_by_client_and_by_state_at_a_moment(
        self, transactions: Transactions, state: GrantState
    ) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            store.grants.add(a_grant("active", expires_at=moment(1)))
            store.grants.add(a_grant("expired", expires_at=NOW))
            store.grants.add(a_grant("revoked", revoked_at=NOW))
            store.grants.add(a_grant("theirs", scope=NEIGHBOUR))

        with transactions.begin() as store:
            narrowed = GrantFilter(client_id=CLIENT, states=frozenset({state}))
            page = store.grants.page(COMPANY, BY_MOMENT, narrowed, at=NOW)
            everybody = store.grants.page(COMPANY, BY_MOMENT, GrantFilter(), at=NOW)

        assert [grant.id for grant in page.items] == [state.value]
        assert everybody.total == 4

    def test_decisions_are_filtered_by_client_quote_and_answer(self, transactions: Transactions) -> None:
        quotes = [a_quote("Q1"), a_quote("Q2"), a_quote("Q3", scope=NEIGHBOUR)]
        prepare(transactions, *quotes)
        with transactions.begin() as store:
            for quote, answer in zip(quotes, (Answer.ACCEPTED, Answer.DECLINED, Answer.DECLINED), strict=True):
                keep_decision(store, quote, a_decision(quote, answer))

        def quotes_with(narrowed: DecisionFilter) -> list[str]:
            with transactions.begin() as store:
                return [each.quote_id for each in store.decisions.page(COMPANY, BY_MOMENT, narrowed).items]

        assert quotes_with(DecisionFilter()) == ["Q1", "Q2", "Q3"]
        assert quotes_with(DecisionFilter(client_id=CLIENT)) == ["Q1", "Q2"]
        assert quotes_with(DecisionFilter(quote_id=QuoteId("Q2"))) == ["Q2"]
        assert quotes_with(DecisionFilter(answers=frozenset({Answer.DECLINED}))) == ["Q2", "Q3"]
        assert quotes_with(DecisionFilter(client_id=CLIENT, answers=frozenset({Answer.DECLINED}))) == ["Q2"]

    def test_tickets_are_filtered_by_client_document_and_state(self, transactions: Transactions) -> None:
        about = DocumentRef(DocumentType.QUOTE, "Q1")
        prepare(transactions, a_quote("Q1"))
        with transactions.begin() as store:
            store.tickets.add(a_ticket("T1", document=about, state=TicketState.CLOSED))
            store.tickets.add(a_ticket("T2"))
            store.tickets.add(a_ticket("T3", scope=NEIGHBOUR))

        def tickets_with(narrowed: TicketFilter) -> list[str]:
            with transactions.begin() as store:
                page = store.tickets.page(COMPANY, BY_MOMENT, narrowed)
                found = [each for each in page.items if store.tickets.get(COMPANY, each.id, narrowed) == each]
                others = [store.tickets.get(COMPANY, each, narrowed) for each in map(TicketId, ("T1", "T2", "T3"))]
                assert len(found) == page.total == len([each for each in others if each is not None])
                return [each.id for each in found]

        assert tickets_with(TicketFilter()) == ["T1", "T2", "T3"]
        assert tickets_with(TicketFilter(client_id=CLIENT)) == ["T1", "T2"]
        assert tickets_with(TicketFilter(documents=frozenset({about}))) == ["T1"]
        assert tickets_with(TicketFilter(documents=frozenset())) == []
        assert tickets_with(TicketFilter(states=frozenset({TicketState.OPEN}))) == ["T2", "T3"]

    def test_the_audit_log_is_filtered_by_client_actor_action_target_and_day(self, transactions: Transactions) -> None:
        midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
        prepare(transactions)
        with transactions.begin() as store:
            store.audit.append(an_audit_entry("A1", created_at=midnight - timedelta(microseconds=1)))
            store.audit.append(an_audit_entry("A2", created_at=midnight, target=Target(TargetType.TOKEN, "G2")))
            store.audit.append(an_audit_entry("A3", created_at=midnight + timedelta(hours=24), client_id=None))
            store.audit.append(an_audit_entry("A4", created_at=midnight + timedelta(hours=25), scope=NEIGHBOUR))
            store.audit.append(
                an_audit_entry(
                    "A5",
                    created_at=midnight + timedelta(hours=26),
                    action=AuditAction.RECORDS_IMPORTED,
                    actor=COMMAND_LINE,
                )
            )

        def found(narrowed: AuditFilter, **asked: Any) -> list[str]:
            with transactions.begin() as store:
                page = store.audit.page(COMPANY, evolve(BY_MOMENT, **asked), narrowed)
                assert page.total == len(page.items)
                return [each.id for each in page.items]

        today = midnight.date()
        assert found(AuditFilter()) == ["A1", "A2", "A3", "A4", "A5"]
        assert found(AuditFilter(client_id=CLIENT)) == ["A1", "A2", "A5"]
        assert found(AuditFilter(actor=COMMAND_LINE.id)) == ["A5"]
        assert found(AuditFilter(actor="ada")) == []
        assert found(AuditFilter(actions=frozenset({AuditAction.RECORDS_IMPORTED}))) == ["A5"]
        assert found(AuditFilter(actions=frozenset())) == []
        assert found(AuditFilter(target_id="G2")) == ["A2"]
        assert found(AuditFilter(), since=today) == ["A2", "A3", "A4", "A5"]
        assert found(AuditFilter(), until=today) == ["A1", "A2"]
        assert found(AuditFilter(), since=today, until=today) == ["A2"]
        assert found(AuditFilter(), since=date.min, until=date.max) == ["A1", "A2", "A3", "A4", "A5"]


def _prepare_quotes(transactions: Transactions) -> None:
    names = [name for names in QUOTES.values() for name in names]
    quotes = {name: a_quote(f"Q{place}", number=name) for place, name in enumerate(names)}
    prepare(transactions, a_quote("draft", recorded_state=QuoteState.DRAFT), *quotes.values())
    with transactions.begin() as store:
        for name, answer in DECIDED.items():
            assert keep_decision(store, quotes[name], a_decision(quotes[name], answer))
    prepare(
        transactions,
        evolve(quotes["sent until today"], valid_until=TODAY),
        evolve(quotes["sent until yesterday"], valid_until=YESTERDAY),
        evolve(quotes["accepted, then expired"], valid_until=YESTERDAY),
        evolve(quotes["accepted by record"], recorded_state=QuoteState.ACCEPTED, valid_until=YESTERDAY),
        evolve(quotes["declined by record"], recorded_state=QuoteState.DECLINED),
        evolve(quotes["cancelled"], recorded_state=QuoteState.CANCELLED, valid_until=YESTERDAY),
        evolve(quotes["accepted, then cancelled"], recorded_state=QuoteState.CANCELLED),
    )


def _prepare_invoices(transactions: Transactions) -> None:
    whole, half = eur("100.00"), eur("50.00")
    parts = (Instalment(due_on=YESTERDAY, amount=half), Instalment(due_on=TOMORROW, amount=half))
    prepare(
        transactions,
        an_invoice("I1", whole, number="open"),
        an_invoice("I2", whole, number="overdue", due_on=YESTERDAY),
        an_invoice("I3", whole, number="second part overdue", due_on=TOMORROW, instalments=parts[::-1]),
        an_invoice("I4", whole, number="partly paid", due_on=None, issued_on=YESTERDAY),
        an_invoice("I5", whole, number="first part paid", due_on=YESTERDAY, instalments=parts),
        an_invoice("I6", whole, number="paid", due_on=YESTERDAY),
        an_invoice("I7", eur("0.00"), number="nothing to pay", due_on=YESTERDAY),
        an_invoice("I8", whole, number="in payment", stated_payment_state=PaymentState.IN_PAYMENT),
        a_credit_note("C1", whole, number="a credit note", due_on=YESTERDAY),
        a_payment("P1", whole, allocations=(paid("I4", eur("1.00")), paid("I5", half))),
        a_payment("P2", eur("200.00"), allocations=(paid("I6", whole), paid("I8", whole))),
    )


def _numbers(items: Iterable[Any]) -> list[str]:
    return [each.number for each in items]
