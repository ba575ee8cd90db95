"""Records with a checksum, packed for the store: taken in like any other, and passed over when they are the same."""

import pickle
from collections import Counter
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
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
from portal_core.domain.access import Scope
from portal_core.domain.agreement import Claim
from portal_core.domain.ids import ClientId, CompanyId, OrderId
from portal_core.domain.ledger import Ledger
from portal_core.domain.records import Fact, RecordRef, RecordType, named_by, ref_of
from portal_core.ports import Facts, Intake, Kept, Newcomer, Pack, Packed, PackedIntake, Settle, Store, Transactions
from portal_core.use_cases.newcomers import judge_newcomer, newcomers_among
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
    settle_of,
    take_in_company,
    take_in_records,
)
from portal_core.use_cases.settling import Changed


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

    @property
    def settle(self) -> Settle:
        return settled_form

    def let_in(self, company_id: CompanyId, newcomers: Collection[Newcomer]) -> None:
        for each in newcomers:
            self.save(company_id, each.facts)
            ledger = pickle.loads(each.settled)  # noqa: S301 - as below
            self.inner.settle(company_id, each.client_id, before=Ledger((), ()), after=ledger)

    def save(self, company_id: CompanyId, packed: Iterable[Packed]) -> None:
        assert company_id == COMPANY
        for each in packed:
            assert each.is_new == (each.ref not in self.checksums)
            self.inner.save([pickle.loads(each.form)])  # noqa: S301 - what this test packed
            self.checksums[each.ref] = each.checksum


NEWCOMER = Scope(COMPANY, ClientId("newcomer"))

FACTS: Sequence[Fact] = (
    a_client(NEWCOMER),
    an_order("O9", scope=NEWCOMER),
    an_invoice("I9", scope=NEWCOMER, order_id=OrderId("O9")),
    a_payment("P9", scope=NEWCOMER, allocations=(paid("I9", eur("19.00")),)),
)
"""All records of a client of whom nothing is kept."""


def settled_form(company_id: CompanyId, _: ClientId, ledger: Ledger) -> bytes:
    assert company_id == COMPANY
    return pickle.dumps(ledger)


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


def outlined(change: Fact | Upsert, checksum: str = "first") -> Outline:
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


def judged(*facts: Fact, client_id: ClientId = NEWCOMER.client_id) -> bytes | None:
    """Return what follows from the records of a client of whom nothing is kept."""
    changed = Changed(company_id=COMPANY, client_id=client_id)
    for each in map(outlined, facts):
        changed.replace(each.ref, each.settling, each.claim)
    named = [target for each in facts for _, target in named_by(each)]
    return judge_newcomer(changed, named, settled_form)


def newcomer_of(*facts: Fact) -> ClientRecords:
    """Return the records of a client who was judged as a newcomer, unreadable in any other way."""
    settled = judged(*facts)
    assert settled is not None
    packed = [Packed(ref=ref_of(each), form=pickle.dumps(each), checksum="first", is_new=True) for each in facts]
    newcomer = Newcomer(client_id=NEWCOMER.client_id, facts=packed, settled=settled)
    return ClientRecords(
        company_id=COMPANY, client_id=NEWCOMER.client_id, read=lambda _: pytest.fail("was read"), newcomer=newcomer
    )


def test_a_newcomer_is_let_in_with_what_follows_from_its_records(transactions: PackingTransactions) -> None:
    newcomer = newcomer_of(*FACTS)
    told: list[RecordRef] = []

    with transactions.begin() as store:
        counts = take_in_records(store, newcomer, tell=lambda ref, _: told.append(ref))

    assert counts == Counter((ref_of(each).type, Outcome.CREATED) for each in FACTS)
    assert told == [ref_of(each) for each in FACTS]
    with transactions.begin() as store:
        refs = list(map(ref_of, FACTS))
        assert store.facts.find(COMPANY, refs) == dict(zip(refs, FACTS, strict=True))
        assert store.facts.kept(COMPANY, refs) == dict.fromkeys(refs, Kept(NEWCOMER.client_id, "first"))


def test_newcomers_are_let_in_beside_others(transactions: PackingTransactions) -> None:
    with transactions.begin() as store:
        counts = take_in_records(store, newcomer_of(*FACTS), records_of(an_order("O1")))

    assert counts == Counter((ref_of(each).type, Outcome.CREATED) for each in (*FACTS, an_order("O1")))


def test_without_keeping_newcomers_are_only_counted(transactions: PackingTransactions) -> None:
    with transactions.begin() as store:
        counts = take_in_records(store, newcomer_of(*FACTS), keep=False)

        assert sum(counts.values()) == len(FACTS)
        assert not store.facts.kept(COMPANY, list(map(ref_of, FACTS)))


def test_who_came_to_be_known_meanwhile_is_taken_in_like_any_other(transactions: PackingTransactions) -> None:
    client, *others = FACTS
    take_in(transactions, client, client_id=NEWCOMER.client_id)
    records = evolve(newcomer_of(*FACTS), read=records_of(*FACTS, client_id=NEWCOMER.client_id).read)

    with transactions.begin() as store:
        assert take_in_records(store, records) == Counter(
            [(RecordType.CLIENT, Outcome.UNCHANGED), *((ref_of(each).type, Outcome.CREATED) for each in others)]
        )


@pytest.mark.parametrize(
    "facts",
    [
        [an_invoice(scope=NEWCOMER)],
        [a_client(NEWCOMER), an_invoice(scope=NEWCOMER, order_id=OrderId("O1"))],
        [a_client(NEWCOMER), a_payment(scope=NEWCOMER, allocations=(paid("I1", eur("1.00")),))],
    ],
    ids=["no client", "no order", "no invoice"],
)
def test_nothing_follows_from_records_that_break_a_rule(facts: Sequence[Fact]) -> None:
    assert judged(*facts) is None


def test_who_is_kept_or_has_a_record_that_is_kept_is_no_newcomer(transactions: PackingTransactions) -> None:
    take_in(transactions, an_order("O1"))
    stranger, thief = ClientId("stranger"), ClientId("thief")

    with transactions.begin() as store:
        asked = {CLIENT: [ref_of(an_order("O2"))], stranger: [ref_of(an_order("O2"))], thief: [ref_of(an_order("O1"))]}
        assert newcomers_among(store, COMPANY, asked) == {stranger}


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
        assert settle_of(packing) is settled_form

        assert pack is not None
        assert pack(a_company()) == pickle.dumps(a_company())
        assert pack_of(plain) is None
        assert settle_of(plain) is None
