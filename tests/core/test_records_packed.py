"""Records with a checksum, packed for the store: taken in like any other, and passed over when they are the same."""

import pickle
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import final

import pytest
from attrs import evolve, field, frozen

from portal_adapters.contract.builders import (
    CLIENT,
    COMPANY,
    NEIGHBOUR,
    a_client,
    a_company,
    a_payment,
    a_quote,
    an_invoice,
    an_order,
    eur,
    paid,
)
from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory.store import MemoryTransactions
from portal_core.domain.agreement import Claim
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.ledger import Ledger
from portal_core.domain.records import Fact, RecordRef, RecordType, ref_of
from portal_core.ports import Facts, Intake, Kept, Pack, Packed, PackedIntake, Store, Transactions
from portal_core.use_cases.records import (
    ClientRecords,
    Counts,
    Deletion,
    Outcome,
    Outline,
    RecordsDisagree,
    Upsert,
    judge_records,
    pack_of,
    take_in_company,
    take_in_records,
)


@final
@frozen
class RememberingFacts(Facts):
    """Facts that tell with which checksum they came."""

    inner: Facts
    checksums: Mapping[RecordRef, str]

    def find(self, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, Fact]:
        return self.inner.find(company_id, refs)

    def kept(self, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, Kept]:
        kept = self.inner.kept(company_id, refs)
        return {ref: Kept(each.client_id, self.checksums.get(ref)) for ref, each in kept.items()}

    def referrers(self, company_id: CompanyId, ref: RecordRef) -> Iterator[str]:
        return self.inner.referrers(company_id, ref)

    def each(self, company_id: CompanyId | None = None, client_id: ClientId | None = None) -> Iterator[Fact]:
        return self.inner.each(company_id, client_id)


@final
@frozen
class PackingIntake(Intake):
    """A way in for facts of which some are packed."""

    inner: Intake
    checksums: dict[RecordRef, str]

    def ledger(self, company_id: CompanyId, client_id: ClientId, around: Collection[RecordRef]) -> Ledger:
        return self.inner.ledger(company_id, client_id, around)

    def packed(self) -> PackedIntake:
        return PackedWayIn(self.inner, self.checksums)

    def save(self, facts: Iterable[Fact]) -> None:
        for fact in facts:
            self.inner.save([fact])
            self.checksums.pop(ref_of(fact), None)

    def claim(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        self.inner.claim(company_id, refs)

    def remove(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        self.inner.remove(company_id, refs)

    def settle(self, company_id: CompanyId, client_id: ClientId, *, before: Ledger, after: Ledger) -> None:
        self.inner.settle(company_id, client_id, before=before, after=after)


@final
@frozen
class PackedWayIn(PackedIntake):
    inner: Intake
    checksums: dict[RecordRef, str]

    @property
    def pack(self) -> Pack:
        return pickle.dumps

    def save(self, company_id: CompanyId, packed: Iterable[Packed]) -> None:
        assert company_id == COMPANY
        for each in packed:
            assert each.is_new == (each.ref not in self.checksums)
            self.inner.save([pickle.loads(each.form)])  # noqa: S301 - what this test packed
            self.checksums[each.ref] = each.checksum


@final
@frozen
class PackingTransactions(Transactions):
    inner: Transactions
    checksums: dict[RecordRef, str] = field(factory=dict[RecordRef, str])

    @contextmanager
    def begin(self) -> Generator[Store]:
        with self.inner.begin() as store:
            facts = RememberingFacts(store.facts, self.checksums)
            yield evolve(store, facts=facts, intake=PackingIntake(store.intake, self.checksums))


@pytest.fixture
def transactions() -> PackingTransactions:
    transactions = PackingTransactions(MemoryTransactions(CountingMint()))
    with transactions.begin() as store:
        take_in_company(store, Upsert(fact=a_company()))
    take_in(transactions, a_client())
    take_in(transactions, a_client(NEIGHBOUR), client_id=NEIGHBOUR.client_id)
    return transactions


def outlined(change: Fact | Upsert, checksum: str) -> Outline:
    upsert = change if isinstance(change, Upsert) else Upsert(fact=change)
    return evolve(upsert.outline(), checksum=checksum, form=pickle.dumps(upsert.fact))


def records_of(
    *changes: Fact | Upsert | Deletion, client_id: ClientId = CLIENT, checksum: str = "first"
) -> ClientRecords:
    read = [each if isinstance(each, Deletion) else outlined(each, checksum) for each in changes]
    return ClientRecords(company_id=COMPANY, client_id=client_id, read=lambda _: read)


def take_in(
    transactions: Transactions,
    *changes: Fact | Upsert | Deletion,
    client_id: ClientId = CLIENT,
    checksum: str = "first",
) -> Counts:
    with transactions.begin() as store:
        return take_in_records(store, records_of(*changes, client_id=client_id, checksum=checksum))


def test_what_is_new_is_kept_with_its_checksum(transactions: PackingTransactions) -> None:
    assert take_in(transactions, an_order("O1")) == {(RecordType.ORDER, Outcome.CREATED): 1}

    with transactions.begin() as store:
        ref = ref_of(an_order("O1"))
        assert store.facts.find(COMPANY, [ref]) == {ref: an_order("O1")}
        assert store.facts.kept(COMPANY, [ref]) == {ref: Kept(CLIENT, "first")}


def test_the_very_same_records_are_passed_over_unread(transactions: PackingTransactions) -> None:
    quote, order = a_quote("Q1"), an_order("O1")
    take_in(transactions, quote, order)
    unread = [evolve(outlined(each, "first"), whole=partial(pytest.fail, "was read")) for each in (quote, order)]
    records = ClientRecords(company_id=COMPANY, client_id=CLIENT, read=lambda _: unread)

    with transactions.begin() as store:
        assert not judge_records(store, records)
        assert take_in_records(store, records) == {
            (RecordType.QUOTE, Outcome.UNCHANGED): 1,
            (RecordType.ORDER, Outcome.UNCHANGED): 1,
        }


def test_the_same_records_beside_others_are_not_read_either(transactions: PackingTransactions) -> None:
    take_in(transactions, a_quote("Q1"))
    unread = evolve(outlined(a_quote("Q1"), "first"), whole=partial(pytest.fail, "was read"))
    mixed = [unread, outlined(an_order("O1"), "first")]
    records = ClientRecords(company_id=COMPANY, client_id=CLIENT, read=lambda _: mixed)

    with transactions.begin() as store:
        assert not judge_records(store, records)
        counts = take_in_records(store, records)

    assert counts == {(RecordType.QUOTE, Outcome.UNCHANGED): 1, (RecordType.ORDER, Outcome.CREATED): 1}


def test_what_is_only_written_otherwise_is_unchanged_and_gets_the_new_checksum(
    transactions: PackingTransactions,
) -> None:
    take_in(transactions, an_order("O1"))

    assert take_in(transactions, an_order("O1"), checksum="second") == {(RecordType.ORDER, Outcome.UNCHANGED): 1}
    assert transactions.checksums[ref_of(an_order("O1"))] == "second"


def test_what_differs_is_judged_and_updated(transactions: PackingTransactions) -> None:
    take_in(transactions, an_order("O1"), a_quote("Q1"))
    changed: list[Fact] = [an_order("O1", number="other"), a_quote("Q1", terms="Other", revision=2)]

    with transactions.begin() as store:
        assert not judge_records(store, records_of(*changed, checksum="second"))
    assert take_in(transactions, *changed, checksum="second") == {
        (RecordType.ORDER, Outcome.UPDATED): 1,
        (RecordType.QUOTE, Outcome.UPDATED): 1,
    }


def test_a_quote_that_became_another_by_succeeding_is_passed_over_the_next_time(
    transactions: PackingTransactions,
) -> None:
    take_in(transactions, a_quote("Q1"))
    left_out = Upsert(fact=a_quote("Q1", terms="Other"), revision_stated=False)

    assert take_in(transactions, left_out, checksum="second") == {(RecordType.QUOTE, Outcome.UPDATED): 1}

    ref = left_out.ref
    with transactions.begin() as store:
        assert store.facts.find(COMPANY, [ref]) == {ref: a_quote("Q1", terms="Other", revision=2)}
        assert store.facts.kept(COMPANY, [ref]) == {ref: Kept(CLIENT, "second")}
    unread = evolve(outlined(left_out, "second"), whole=partial(pytest.fail, "was read"))
    with transactions.begin() as store:
        records = ClientRecords(company_id=COMPANY, client_id=CLIENT, read=lambda _: [unread])
        assert take_in_records(store, records) == {(RecordType.QUOTE, Outcome.UNCHANGED): 1}


def test_a_quote_without_a_revision_that_is_only_written_otherwise_gets_the_new_checksum(
    transactions: PackingTransactions,
) -> None:
    left_out = Upsert(fact=a_quote("Q1", terms="Other"), revision_stated=False)
    take_in(transactions, a_quote("Q1"))
    take_in(transactions, left_out, checksum="second")

    assert take_in(transactions, left_out, checksum="third") == {(RecordType.QUOTE, Outcome.UNCHANGED): 1}

    with transactions.begin() as store:
        assert store.facts.find(COMPANY, [left_out.ref]) == {left_out.ref: a_quote("Q1", terms="Other", revision=2)}
        assert store.facts.kept(COMPANY, [left_out.ref]) == {left_out.ref: Kept(CLIENT, "third")}


def test_a_changed_quote_must_raise_its_revision(transactions: PackingTransactions) -> None:
    take_in(transactions, a_quote("Q1"))

    with pytest.raises(RecordsDisagree, match="revision"):
        take_in(transactions, a_quote("Q1", terms="Other"), checksum="second")


def test_the_record_of_another_client_is_none_of_ours(transactions: PackingTransactions) -> None:
    take_in(transactions, an_order("O1", scope=NEIGHBOUR), client_id=NEIGHBOUR.client_id)

    with pytest.raises(RecordsDisagree, match="never changes its client"):
        take_in(transactions, an_order("O1"))


def test_what_the_same_records_claim_is_judged_with_what_changes(transactions: PackingTransactions) -> None:
    claiming = Upsert(fact=an_invoice("I1"), claim=Claim(amount_due=eur("119.00")))
    take_in(transactions, claiming)

    with pytest.raises(RecordsDisagree, match=r"states 119\.00"):
        take_in(transactions, claiming, a_payment("P1", allocations=(paid("I1", eur("19.00")),)))


def test_a_deletion_beside_the_same_records_is_carried_out(transactions: PackingTransactions) -> None:
    take_in(transactions, an_order("O1"), an_order("O2"))

    counts = take_in(transactions, an_order("O1"), Deletion(ref_of(an_order("O2"))))

    assert counts == {(RecordType.ORDER, Outcome.UNCHANGED): 1, (RecordType.ORDER, Outcome.DELETED): 1}


def test_a_store_says_how_it_packs_facts_or_that_it_does_not(transactions: PackingTransactions) -> None:
    with transactions.begin() as packing, MemoryTransactions(CountingMint()).begin() as plain:
        pack = pack_of(packing)

        assert pack is not None
        assert pack(a_company()) == pickle.dumps(a_company())
        assert pack_of(plain) is None
