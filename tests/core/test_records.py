"""What may come in from the system of record, judged on one client's records at a time."""

from collections.abc import Collection, Generator, Iterable
from contextlib import contextmanager
from itertools import chain
from typing import final

import pytest
from attrs import evolve, frozen

from portal_adapters.contract.builders import (
    CLIENT,
    COMPANY,
    EUR,
    JPY,
    NEIGHBOUR,
    NOW,
    SCOPE,
    USD,
    a_client,
    a_company,
    a_credit_note,
    a_decision,
    a_delivery,
    a_grant,
    a_line,
    a_payment,
    a_quote,
    a_refund,
    a_ticket,
    an_invoice,
    an_order,
    credited,
    eur,
    paid,
)
from portal_adapters.contract.feeding import keep_decision
from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory.store import MemoryTransactions
from portal_core.domain.access import DocumentRef, DocumentType
from portal_core.domain.agreement import Claim
from portal_core.domain.ids import ClientId, CompanyId, OrderId, QuoteId
from portal_core.domain.invoices import Instalment, Invoice, InvoiceState, PaymentState
from portal_core.domain.ledger import Ledger
from portal_core.domain.money import Money
from portal_core.domain.payments import Payment
from portal_core.domain.quotes import Quote, QuoteState
from portal_core.domain.records import Fact, RecordRef, RecordType, ref_of
from portal_core.domain.room import MOST_MOVED
from portal_core.ports import Intake, Store, Transactions
from portal_core.use_cases.records import (
    Change,
    ClientRecords,
    Counts,
    Deletion,
    Outcome,
    RecordsDisagree,
    Upsert,
    delete_company,
    judge_company_deletion,
    judge_records,
    owners_of,
    take_in_company,
    take_in_records,
)


@final
@frozen
class NarrowIntake(Intake):
    """An intake whose ledgers hold no more than is promised."""

    inner: Intake

    def ledger(self, company_id: CompanyId, client_id: ClientId, around: Collection[RecordRef]) -> Ledger:
        whole = self.inner.ledger(company_id, client_id, around)
        documents: dict[RecordRef, Invoice | Payment] = {ref_of(each): each for each in whole.invoices.values()}
        documents |= {ref_of(each): each for each in whole.payments.values()}
        wanted = {*around, *chain.from_iterable(targets_of(documents[ref]) for ref in around if ref in documents)}
        wanted |= {ref for ref, each in documents.items() if not wanted.isdisjoint(targets_of(each))}
        return Ledger(
            (each for each in whole.invoices.values() if ref_of(each) in wanted),
            (each for each in whole.payments.values() if ref_of(each) in wanted),
        )

    def save(self, facts: Iterable[Fact]) -> None:
        self.inner.save(facts)

    def claim(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        self.inner.claim(company_id, refs)

    def remove(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        self.inner.remove(company_id, refs)

    def settle(self, company_id: CompanyId, client_id: ClientId, *, before: Ledger, after: Ledger) -> None:
        self.inner.settle(company_id, client_id, before=before, after=after)


def targets_of(document: Invoice | Payment) -> set[RecordRef]:
    return {RecordRef(RecordType.INVOICE, part.invoice_id) for part in document.allocations}


@final
@frozen
class NarrowTransactions(Transactions):
    inner: Transactions

    @contextmanager
    def begin(self) -> Generator[Store]:
        with self.inner.begin() as store:
            yield evolve(store, intake=NarrowIntake(store.intake))


@pytest.fixture(params=["whole", "narrow"])
def transactions(request: pytest.FixtureRequest) -> Transactions:
    memory = MemoryTransactions(CountingMint())
    transactions = memory if request.param == "whole" else NarrowTransactions(memory)
    with transactions.begin() as store:
        take_in_company(store, Upsert(fact=a_company()))
    take_in(transactions, a_client())
    take_in(transactions, a_client(NEIGHBOUR), client_id=NEIGHBOUR.client_id)
    return transactions


def records_of(changes: Iterable[Fact | Change], client_id: ClientId = CLIENT) -> ClientRecords:
    wanted: list[Change] = [each if isinstance(each, Upsert | Deletion) else Upsert(fact=each) for each in changes]
    return ClientRecords(company_id=COMPANY, client_id=client_id, read=lambda _: wanted)


def take_in(
    transactions: Transactions, *changes: Fact | Change, client_id: ClientId = CLIENT, keep: bool = True
) -> Counts:
    with transactions.begin() as store:
        return take_in_records(store, records_of(changes, client_id), keep=keep)


def faults(transactions: Transactions, *changes: Fact | Change, client_id: ClientId = CLIENT) -> set[tuple[str, str]]:
    """Return the records and fields at fault, which judging and taking in agree on; nothing is kept."""
    records = records_of(changes, client_id)
    with transactions.begin() as store:
        judged = {(each.ref.id, each.pointer) for each in judge_records(store, records)}
    if not judged:
        take_in(transactions, *changes, client_id=client_id, keep=False)
        return judged
    with pytest.raises(RecordsDisagree) as refused:
        take_in(transactions, *changes, client_id=client_id)
    assert {(each.ref.id, each.pointer) for each in refused.value.faults} == judged
    return judged


def gone(fact: Fact) -> Deletion:
    return Deletion(ref_of(fact))


def kept(transactions: Transactions, fact: Fact) -> Fact | None:
    with transactions.begin() as store:
        return store.facts.find(COMPANY, [ref_of(fact)]).get(ref_of(fact))


def decide(transactions: Transactions, quote: Quote) -> None:
    with transactions.begin() as store:
        assert keep_decision(store, quote, a_decision(quote))


def test_counts_what_is_new_changed_and_unchanged(transactions: Transactions) -> None:
    take_in(transactions, a_quote("Q1"), a_quote("Q2"), an_order("O1"))

    counts = take_in(transactions, a_quote("Q1"), a_quote("Q2", recorded_state=QuoteState.CANCELLED), a_quote("Q3"))

    assert counts == {
        (RecordType.QUOTE, Outcome.UNCHANGED): 1,
        (RecordType.QUOTE, Outcome.UPDATED): 1,
        (RecordType.QUOTE, Outcome.CREATED): 1,
    }


def test_without_keeping_only_tells_what_would_change(transactions: Transactions) -> None:
    counts = take_in(transactions, an_order("O1"), keep=False)

    assert counts == {(RecordType.ORDER, Outcome.CREATED): 1}
    assert kept(transactions, an_order("O1")) is None


def test_an_unchanged_quote_stays_unchanged_after_a_decision(transactions: Transactions) -> None:
    take_in(transactions, a_quote("Q1"))
    decide(transactions, a_quote("Q1"))

    assert take_in(transactions, a_quote("Q1")) == {(RecordType.QUOTE, Outcome.UNCHANGED): 1}


def test_an_invoice_whose_restated_due_changed_counts_as_updated(transactions: Transactions) -> None:
    invoice, payment = an_invoice("I1"), a_payment("P1", allocations=(paid("I1", eur("19.00")),))
    take_in(transactions, invoice)

    counts = take_in(transactions, Upsert(fact=invoice, claim=Claim(amount_due=eur("100.00"))), payment)

    assert counts[RecordType.INVOICE, Outcome.UPDATED] == 1
    again = take_in(transactions, Upsert(fact=invoice, claim=Claim(amount_due=eur("100.00"))), payment)
    assert again == {(RecordType.INVOICE, Outcome.UNCHANGED): 1, (RecordType.PAYMENT, Outcome.UNCHANGED): 1}


def test_records_need_their_client(transactions: Transactions) -> None:
    scope = evolve(SCOPE, client_id=ClientId("nobody"))

    assert faults(transactions, an_order("O1", scope=scope), client_id=scope.client_id) == {("O1", "/client_id")}
    assert not faults(transactions, an_order("O1", scope=scope), a_client(scope), client_id=scope.client_id)


def test_a_record_never_changes_its_client(transactions: Transactions) -> None:
    take_in(transactions, an_order("O1", scope=NEIGHBOUR), client_id=NEIGHBOUR.client_id)

    assert faults(transactions, an_order("O1")) == {("O1", "/client_id")}


@pytest.mark.parametrize(
    "referring, pointer",
    [
        (a_quote("R", order_id="other"), "/order_id"),
        (an_order("R", quote_id="other"), "/quote_id"),
        (a_delivery("R", order_id="other"), "/order_id"),
        (a_delivery("R", backorder_of="other"), "/backorder_of"),
        (an_invoice("R", order_id="other"), "/order_id"),
        (a_payment("R", allocations=(paid("other", eur("1.00")),)), "/allocations/0/invoice_id"),
        (a_credit_note("R", allocations=(credited("other", eur("1.00")),)), "/allocations/0/invoice_id"),
    ],
)
def test_a_reference_must_be_to_a_record_of_the_same_client(
    transactions: Transactions, referring: Fact, pointer: str
) -> None:
    others: list[Fact] = [
        a_quote("other", scope=NEIGHBOUR),
        an_order("other", scope=NEIGHBOUR),
        a_delivery("other", scope=NEIGHBOUR),
        an_invoice("other", scope=NEIGHBOUR),
    ]
    assert faults(transactions, referring) == {("R", pointer)}

    take_in(transactions, *others, client_id=NEIGHBOUR.client_id)

    assert faults(transactions, referring) == {("R", pointer)}


def test_records_may_refer_to_each_other_in_any_order(transactions: Transactions) -> None:
    quote, order = a_quote("Q1", order_id=OrderId("O1")), an_order("O1", quote_id=QuoteId("Q1"))

    assert not faults(transactions, order, quote)


def test_records_may_refer_to_what_is_kept(transactions: Transactions) -> None:
    take_in(transactions, an_order("O1"))

    assert not faults(transactions, a_delivery("D1", order_id="O1"), an_invoice("I1", order_id="O1"))


def test_a_changed_quote_must_raise_its_revision(transactions: Transactions) -> None:
    take_in(transactions, a_quote("Q1"))

    assert faults(transactions, a_quote("Q1", terms="Other")) == {("Q1", "/revision")}


def test_a_revision_left_out_is_raised_for_it(transactions: Transactions) -> None:
    take_in(transactions, a_quote("Q1"))

    take_in(transactions, Upsert(fact=a_quote("Q1", terms="Other"), revision_stated=False))

    assert kept(transactions, a_quote("Q1")) == a_quote("Q1", terms="Other", revision=2)


def test_an_allocation_must_fit_what_is_kept_already(transactions: Transactions) -> None:
    take_in(transactions, an_invoice("I1", eur("100.00")), a_payment("P1", allocations=(paid("I1", eur("60.00")),)))

    assert not faults(transactions, a_payment("P2", allocations=(paid("I1", eur("40.00")),)))
    assert faults(transactions, a_payment("P2", allocations=(paid("I1", eur("40.01")),))) == {("I1", "/total")}


def test_a_payment_gives_no_more_than_it_has(transactions: Transactions) -> None:
    invoices = [an_invoice("I1", eur("60.00")), an_invoice("I2", eur("60.00"))]
    both = (paid("I1", eur("60.00")), paid("I2", eur("60.00")))

    assert faults(transactions, *invoices, a_payment("P1", eur("119.99"), allocations=both)) == {("P1", "/allocations")}


def test_an_invoice_that_becomes_valid_again_is_judged_with_what_pays_it(transactions: Transactions) -> None:
    """The payment itself does not change; its second allocation starts to count."""
    draft = an_invoice("I2", eur("60.00"), state=InvoiceState.DRAFT)
    both = (paid("I1", eur("60.00")), paid("I2", eur("60.00")))
    take_in(transactions, an_invoice("I1", eur("60.00")), draft, a_payment("P1", eur("100.00"), allocations=both))

    assert faults(transactions, evolve(draft, state=InvoiceState.POSTED)) == {("P1", "/allocations")}


def test_an_invoice_cannot_change_its_currency_under_its_payments(transactions: Transactions) -> None:
    take_in(transactions, an_invoice("I1"), a_payment("P1", allocations=(paid("I1", eur("19.00")),)))

    dollars = an_invoice("I1", Money(11_900, USD))

    assert faults(transactions, dollars) == {("P1", "/allocations/0/payment_amount")}


def test_what_moves_on_an_account_must_leave_room_to_add_it_up(transactions: Transactions) -> None:
    most = Money(MOST_MOVED, EUR)
    take_in(transactions, an_invoice("I1", most - eur("1.00")))

    assert not faults(transactions, a_payment("P1", eur("1.00")))
    assert faults(transactions, a_payment("P1", eur("1.01"))) == {("P1", "/amount")}
    assert not faults(transactions, gone(an_invoice("I1")), a_payment("P1", most))
    assert not faults(transactions, an_invoice("I2", most, scope=NEIGHBOUR), client_id=NEIGHBOUR.client_id)


def test_what_an_invoice_states_must_follow_from_the_others(transactions: Transactions) -> None:
    instalments = (Instalment(due_on=NOW.date(), amount=eur("119.00")),)
    invoice = an_invoice("I1", instalments=instalments)
    claim = Claim(amount_due=eur("1.00"), payment_state=PaymentState.PAID, instalments_due=(eur("2.00"),))

    at_fault = faults(transactions, Upsert(fact=invoice, claim=claim))

    assert at_fault == {("I1", "/amount_due"), ("I1", "/payment_state"), ("I1", "/instalments/0/amount_due")}


def test_a_deleted_payment_leaves_its_invoice_due_again(transactions: Transactions) -> None:
    payment = a_payment("P1", allocations=(paid("I1", eur("119.00")),))
    take_in(transactions, an_invoice("I1"), payment)

    counts = take_in(transactions, gone(payment))

    assert counts == {(RecordType.PAYMENT, Outcome.DELETED): 1}
    with transactions.begin() as store:
        (found,) = store.balances.get(SCOPE, on=NOW.date())
        assert found.outstanding == eur("119.00")


def test_who_asks_is_told_what_became_of_each_record(transactions: Transactions) -> None:
    told: list[tuple[RecordRef, Outcome]] = []
    gone = RecordRef(RecordType.INVOICE, "I1")
    take_in(transactions, an_invoice("I1"))

    with transactions.begin() as store:
        records = records_of([an_invoice("I2"), Deletion(gone)], CLIENT)
        take_in_records(store, records, tell=lambda ref, outcome: told.append((ref, outcome)))

    assert told == [(RecordRef(RecordType.INVOICE, "I2"), Outcome.CREATED), (gone, Outcome.DELETED)]


def test_deleting_what_is_not_there_counts_nothing(transactions: Transactions) -> None:
    assert not take_in(transactions, gone(an_order("O1")))


def test_a_decided_quote_cannot_be_deleted_even_at_a_later_revision(transactions: Transactions) -> None:
    take_in(transactions, a_quote("Q1"))
    decide(transactions, a_quote("Q1"))
    take_in(transactions, a_quote("Q1", revision=2, terms="Other"))

    assert faults(transactions, gone(a_quote("Q1"))) == {("Q1", "")}


def test_what_is_referred_to_cannot_be_deleted(transactions: Transactions) -> None:
    referring: list[Fact] = [
        a_delivery("D1", order_id="O1"),
        a_payment("P1", allocations=(paid("I1", eur("1.00")),)),
        a_refund("R1", allocations=(paid("C1", eur("1.00")),)),
    ]
    targets: list[Fact] = [an_order("O1"), an_invoice("I1"), a_credit_note("C1")]
    take_in(transactions, *targets, *referring)

    assert faults(transactions, *map(gone, targets)) == {("O1", ""), ("I1", ""), ("C1", "")}


def test_a_payment_of_a_deleted_invoice_is_judged_by_that_alone(transactions: Transactions) -> None:
    both = (paid("I1", eur("10.00")), paid("I2", eur("10.00")))
    take_in(transactions, an_invoice("I1"), an_invoice("I2"), a_payment("P1", allocations=both))

    assert faults(transactions, gone(an_invoice("I1")), an_invoice("I2", number="new")) == {("I1", "")}


def test_what_refers_may_go_together_with_what_it_refers_to(transactions: Transactions) -> None:
    facts: list[Fact] = [an_order("O1"), a_delivery("D1", order_id="O1"), an_invoice("I1", order_id="O1")]
    take_in(transactions, *facts)

    counts = take_in(transactions, gone(facts[0]), gone(facts[1]), an_invoice("I1"))

    assert counts[RecordType.ORDER, Outcome.DELETED] == counts[RecordType.DELIVERY, Outcome.DELETED] == 1
    assert kept(transactions, an_order("O1")) is None


def test_what_still_refers_in_the_same_records_is_at_fault(transactions: Transactions) -> None:
    order = an_order("O1")
    take_in(transactions, order)

    assert faults(transactions, gone(order), a_delivery("D1", order_id="O1")) == {("D1", "/order_id")}


def test_tickets_and_living_links_hold_what_they_are_about(transactions: Transactions) -> None:
    order, invoice = an_order("O1"), an_invoice("I1")
    take_in(transactions, order, invoice)
    with transactions.begin() as store:
        store.tickets.add(a_ticket(document=DocumentRef(DocumentType.ORDER, "O1")))
        store.grants.add(a_grant(documents=frozenset({DocumentRef(DocumentType.INVOICE, "I1")})))

    assert faults(transactions, gone(order), gone(invoice)) == {("O1", ""), ("I1", "")}


def test_a_client_goes_when_nothing_of_theirs_is_left(transactions: Transactions) -> None:
    order = an_order("O1")
    take_in(transactions, order)
    assert faults(transactions, gone(a_client())) == {(CLIENT, "")}

    counts = take_in(transactions, gone(a_client()), gone(order))

    assert counts == {(RecordType.CLIENT, Outcome.DELETED): 1, (RecordType.ORDER, Outcome.DELETED): 1}


def test_a_client_cannot_go_and_get_records(transactions: Transactions) -> None:
    assert faults(transactions, gone(a_client()), an_order("O1")) == {("O1", "/client_id")}


def test_a_company_is_created_updated_and_unchanged(transactions: Transactions) -> None:
    with transactions.begin() as store:
        assert take_in_company(store, Upsert(fact=a_company())) is Outcome.UNCHANGED
        assert take_in_company(store, Upsert(fact=a_company(currency=JPY)), keep=False) is Outcome.UPDATED
        assert store.companies.get(COMPANY) == a_company()
        assert take_in_company(store, Upsert(fact=a_company("new"))) is Outcome.CREATED


def test_a_company_goes_when_no_client_is_left(transactions: Transactions) -> None:
    clients = {CLIENT, NEIGHBOUR.client_id}
    with transactions.begin() as store:
        assert judge_company_deletion(store, COMPANY, leaving={CLIENT})
        assert not judge_company_deletion(store, COMPANY, leaving=clients)
        with pytest.raises(RecordsDisagree, match="still there"):
            delete_company(store, COMPANY)
    for each in clients:
        take_in(transactions, Deletion(RecordRef(RecordType.CLIENT, each)), client_id=each)

    with transactions.begin() as store:
        assert delete_company(store, COMPANY) is Outcome.DELETED
        assert delete_company(store, COMPANY) is None
        assert store.companies.get(COMPANY) is None


def test_it_is_known_whose_the_kept_records_are(transactions: Transactions) -> None:
    take_in(transactions, an_order("O1"))
    refs = [ref_of(an_order("O1")), ref_of(an_order("O2")), ref_of(a_client()), ref_of(a_company())]

    with transactions.begin() as store:
        assert owners_of(store, COMPANY, refs) == {refs[0]: CLIENT, refs[2]: CLIENT}
        assert not owners_of(store, CompanyId("other"), refs)


def test_more_records_than_one_chunk_are_all_kept(transactions: Transactions) -> None:
    orders = [an_order(f"O{index}") for index in range(1_201)]

    assert take_in(transactions, *orders) == {(RecordType.ORDER, Outcome.CREATED): 1_201}
    assert (
        take_in(transactions, *orders, a_quote("Q1", lines=(a_line("2"),)))[RecordType.ORDER, Outcome.UNCHANGED]
        == 1_201
    )


@pytest.mark.timeout(30)
def test_many_faults_take_no_longer_than_their_number() -> None:
    transactions = MemoryTransactions(CountingMint())
    ids = [f"{place}" for place in range(6_000)]
    with transactions.begin() as store:
        take_in_company(store, Upsert(fact=a_company()))
    take_in(transactions, a_client(), *(an_invoice(each) for each in ids))

    with transactions.begin() as store:
        payments = records_of(a_payment(each, allocations=(paid(each, eur("119.01")),)) for each in ids)
        found = judge_records(store, payments)

    blamed = [(each.ref.id, each.because_of.ref.id) for each in found if each.because_of is not None]
    assert blamed == [(each, each) for each in ids]


def causes(transactions: Transactions, *changes: Fact | Change) -> dict[str, tuple[str, str]]:
    """Return, for each kept record at fault, which change is to blame and where in it."""
    with transactions.begin() as store:
        found = judge_records(store, records_of(changes))
    return {each.ref.id: (each.because_of.ref.id, each.because_of.pointer) for each in found if each.because_of}


def test_what_gives_more_is_to_blame_and_not_what_gives_less_or_as_much(transactions: Transactions) -> None:
    first, second, third = (
        a_payment(each, allocations=(paid("I0", eur("1.00")), paid("I1", eur(amount))))
        for each, amount in (("P1", "60.00"), ("P2", "20.00"), ("P3", "39.02"))
    )
    take_in(transactions, an_invoice("I0"), an_invoice("I1"), first, second)
    less = evolve(first, allocations=(paid("I1", eur("59.99")),))
    same = evolve(second, number="other")

    assert causes(transactions, less, same, third) == {"I1": ("P3", "/allocations/1")}
    assert causes(transactions, less, same, evolve(third, allocations=()), a_credit_note("C1")) == {}


def test_what_begins_to_count_is_to_blame(transactions: Transactions) -> None:
    draft = an_invoice("I2", eur("60.00"), state=InvoiceState.DRAFT)
    first = an_invoice("I1", eur("60.00"))
    both = (paid("I1", eur("60.00")), paid("I2", eur("60.00")))
    take_in(transactions, first, draft, a_payment("P1", eur("100.00"), allocations=both))

    renumbered = evolve(first, number="other")

    assert causes(transactions, renumbered, evolve(draft, state=InvoiceState.POSTED)) == {"P1": ("I2", "")}


def test_what_touches_is_to_blame_where_nothing_gives_more(transactions: Transactions) -> None:
    note = a_credit_note("C1", eur("50.00"), allocations=(credited("I1", eur("20.00")),))
    take_in(transactions, an_invoice("I1"), note)

    assert causes(transactions, an_order("O1"), an_invoice("I1", Money(11_900, USD))) == {"C1": ("I1", "")}


def test_faults_come_in_the_order_of_the_changes(transactions: Transactions) -> None:
    ids = [f"{place}" for place in range(9, 0, -1)]
    take_in(transactions, *(an_invoice(each) for each in sorted(ids)))

    with transactions.begin() as store:
        payments = (a_payment(f"P{each}", allocations=(paid(each, eur("119.01")),)) for each in ids)
        found = judge_records(store, records_of(payments))

    assert [each.ref.id for each in found] == [*ids, *(f"P{each}" for each in ids)]


def test_of_no_client_there_is_nothing_to_judge_nor_to_keep(store: Store) -> None:
    assert list(judge_records(store)) == []
    assert take_in_records(store) == Counts()


def test_a_client_may_be_kept_elsewhere_than_its_facts() -> None:
    changes = records_of([Upsert(fact=a_quote())], CLIENT)
    here, there = MemoryTransactions(CountingMint()), MemoryTransactions(CountingMint())

    with here.begin() as store, there.begin() as elsewhere:
        store.intake.save([a_company()])
        elsewhere.intake.save([a_company(), a_client()])
        mixed = evolve(store, clients=elsewhere.clients)

        assert list(judge_records(mixed, changes)) == []
        assert [each.pointer for each in judge_records(store, changes)] == ["/client_id"]
