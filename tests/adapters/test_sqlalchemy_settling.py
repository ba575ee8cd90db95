"""What is derived from allocations equals what the whole account says, whatever came before."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from portal_adapters.contract.builders import CLIENT, COMPANY, SCOPE, a_payment, an_invoice, eur, paid
from portal_adapters.contract.feeding import PEOPLE, feed, replace
from portal_adapters.contract.mint import CountingMint
from portal_adapters.contract.strategies import History, histories
from portal_adapters.sqlalchemy import SqlTransactions, store_on
from portal_adapters.sqlalchemy.schema import (
    allocations,
    document_counts,
    invoices,
    movements,
    open_amounts,
    payments,
)
from portal_core.domain.invoices import InvoiceState
from portal_core.domain.ledger import Ledger
from portal_core.domain.records import Document, RecordRef, RecordType
from portal_core.ports import Store
from tests.adapters.stores import sqlite_store

DERIVED = {
    "invoices": select(invoices.c.id, invoices.c.amount_due, invoices.c.payment_state, invoices.c.oldest_due_on),
    "payments": select(payments.c.id, payments.c.unallocated),
    "allocations": select(allocations),
    "open amounts": select(open_amounts),
    "movements": select(movements),
    "counts": select(document_counts).where(document_counts.c.documents != 0),
}

INVOICE = RecordRef(RecordType.INVOICE, "I1")


@pytest.fixture
def connection() -> Generator[Connection]:
    with _fresh() as connection:
        yield connection


@given(st.lists(histories(most=4), min_size=1, max_size=4))
def test_what_is_derived_does_not_depend_on_how_it_came_about(steps: list[History]) -> None:
    with _fresh() as changed, _fresh() as made_at_once:
        for step in steps:
            replace(_store(changed), SCOPE, step.documents)
        feed(_store(made_at_once), *steps[-1].documents)

        assert _derived(changed) == _derived(made_at_once)


@given(histories(most=4), st.data())
def test_documents_may_come_one_by_one_in_any_order(history: History, data: st.DataObject) -> None:
    order: list[Document] = data.draw(st.permutations(history.documents))
    with _fresh() as one_by_one, _fresh() as at_once:
        for document in order:
            feed(_store(one_by_one), document)
        feed(_store(at_once), *history.documents)

        assert _derived(one_by_one) == _derived(at_once)


@given(histories(most=4))
def test_taking_the_same_in_again_writes_nothing_anew(history: History) -> None:
    with _fresh() as connection:
        feed(_store(connection), *history.documents)
        before = _derived(connection)

        feed(_store(connection), *history.documents)

        assert _derived(connection) == before


def test_a_ledger_may_hold_more_before_or_after_than_what_changed(connection: Connection) -> None:
    store = _store(connection)
    first, second = (paid(each, eur("10.00")) for each in ("I1", "I2"))
    feed(store, an_invoice("I1"), an_invoice("I2"), a_payment("P1", allocations=(first,)), a_payment("P2"))
    moved = a_payment("P1", allocations=(second,))

    before = store.intake.ledger(COMPANY, CLIENT, [RecordRef(RecordType.PAYMENT, "P1")])
    store.intake.save([moved])
    everything = [RecordRef(RecordType.PAYMENT, each) for each in ("P1", "P2")]
    after = store.intake.ledger(COMPANY, CLIENT, everything)
    store.intake.settle(COMPANY, CLIENT, before=before, after=after)

    with _fresh() as expected:
        feed(_store(expected), an_invoice("I1"), an_invoice("I2"), moved, a_payment("P2"))
        assert _derived(connection) == _derived(expected)


def test_a_ledger_may_be_made_of_the_facts_themselves(connection: Connection) -> None:
    store = _store(connection)
    whole = paid("I1", eur("119.00"))
    feed(store, an_invoice("I1"), a_payment("P1", allocations=(whole,)))
    posted = Ledger([an_invoice("I1")], [a_payment("P1", allocations=(whole,))])
    cancelled = evolve(an_invoice("I1"), state=InvoiceState.CANCELLED)

    store.intake.save([cancelled])
    after = Ledger([cancelled], [a_payment("P1", allocations=(whole,))])
    store.intake.settle(COMPANY, CLIENT, before=posted, after=after)

    with _fresh() as expected:
        feed(_store(expected), cancelled, a_payment("P1", allocations=(whole,)))
        assert _derived(connection) == _derived(expected)


def test_a_ledger_holds_what_is_near_and_not_the_whole_account(connection: Connection) -> None:
    store = _store(connection)
    near, far = paid("I1", eur("1.00")), paid("I9", eur("1.00"))
    feed(
        store,
        an_invoice("I1"),
        an_invoice("I9"),
        a_payment("P1", allocations=(near,)),
        a_payment("P9", allocations=(far,)),
    )

    ledger = store.intake.ledger(COMPANY, CLIENT, [INVOICE])

    assert (set(ledger.invoices), set(ledger.payments)) == ({"I1"}, {"P1"})


def test_more_documents_than_a_statement_has_variables_are_found(connection: Connection) -> None:
    store = _store(connection)
    refs = [RecordRef(RecordType.INVOICE, f"I{place}") for place in range(33_000)]
    feed(store, an_invoice("I1"), an_invoice("I32999"))

    found = store.facts.find(COMPANY, refs)
    ledger = store.intake.ledger(COMPANY, CLIENT, refs)

    assert set(found) == {INVOICE, RecordRef(RecordType.INVOICE, "I32999")}
    assert set(ledger.invoices) == {"I1", "I32999"}


def _store(connection: Connection) -> Store:
    return store_on(connection, CountingMint())


def _derived(connection: Connection) -> dict[str, list[Any]]:
    return {name: sorted(map(repr, connection.execute(rows))) for name, rows in DERIVED.items()}


@contextmanager
def _fresh() -> Generator[Connection]:
    with sqlite_store(CountingMint()) as transactions:
        assert isinstance(transactions, SqlTransactions)
        with transactions.engine.connect() as connection:
            feed(_store(connection), *PEOPLE)
            yield connection
