"""Taking in what the system of record says, one client's records at a time: judged whole, then kept or refused.

A caller that has more than one client's records judges all of them before it keeps any. It runs each function in
a transaction of its own choice, and rolls that back when the function refuses.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import islice
from typing import TypeAlias

from attrs import evolve, frozen

from portal_core.domain.agreement import Claim, faults_of_claim
from portal_core.domain.errors import Refusal
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.invoices import Invoice
from portal_core.domain.ledger import Ledger
from portal_core.domain.quotes import Quote
from portal_core.domain.records import Fact, RecordRef, RecordType, client_of, ref_of, references_of
from portal_core.ports import Store
from portal_core.use_cases.settling import Changed, RecordFault, settling_of
from portal_core.use_cases.withdrawing import faults_of_deletions

CHUNK = 500
"""How many whole facts are held at once."""

_SETTLING = (RecordType.INVOICE, RecordType.PAYMENT)


class Outcome(StrEnum):
    """What became of a record."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    DELETED = "deleted"


Counts: TypeAlias = Counter[tuple[RecordType, Outcome]]


@frozen(kw_only=True)
class Upsert:
    """A record that brings or replaces a fact.

    It may leave out a quote's revision, and state what follows of an invoice.
    """

    fact: Fact
    revision_stated: bool = True
    claim: Claim | None = None

    @property
    def ref(self) -> RecordRef:
        """The type and id of the fact."""
        return ref_of(self.fact)


@frozen
class Deletion:
    """A record that takes a fact away; one that is not there is passed over."""

    ref: RecordRef


Change: TypeAlias = Upsert | Deletion


@frozen(kw_only=True)
class ClientRecords:
    """One client's changes, each record at most once.

    `read` may be called again and yields the same changes in the same order. When it is asked for less than whole
    facts, invoices and orders may come without their lines: that is what lets a client of 100,000 invoices through.
    """

    company_id: CompanyId
    client_id: ClientId
    read: Callable[[bool], Iterable[Change]]


class RecordsDisagree(Refusal):
    """Records break rules among themselves or with what is kept; nothing of them may be committed."""

    code = "records_disagree"

    def __init__(self, faults: Sequence[RecordFault]) -> None:
        super().__init__("; ".join(f"{each.ref.type.value} {each.ref.id}: {each.detail}" for each in faults[:10]))
        self.faults = tuple(faults)


def judge_records(store: Store, records: ClientRecords) -> Sequence[RecordFault]:
    """Return what is wrong with one client's changes, given what is kept; nothing is written."""
    changed = _gathered(records)
    faults = [*_faults_of_client(store, changed), *settling_of(store, changed).faults()]
    for each in _weighed(store, records, changed, before=None):
        faults += each.faults
    return [*faults, *faults_of_deletions(store, changed)]


def take_in_records(store: Store, records: ClientRecords, *, keep: bool = True) -> Counts:
    """Judge one client's changes, keep them, and return what became of each type.

    Refuses with RecordsDisagree, after which the caller rolls back. Without `keep` nothing is written.
    """
    changed = _gathered(records)
    settling = settling_of(store, changed)
    faults = [*_faults_of_client(store, changed), *settling.faults(), *faults_of_deletions(store, changed)]
    counts: Counts = Counter()
    for each in _weighed(store, records, changed, before=settling.before):
        faults += each.faults
        counts.update(each.outcomes)
        if keep and not faults:
            store.intake.save(each.facts)
    if faults:
        raise RecordsDisagree(faults)
    gone: Mapping[RecordRef, Fact] = store.facts.find(records.company_id, changed.deleted) if changed.deleted else {}
    counts.update((ref.type, Outcome.DELETED) for ref in gone)
    if keep:
        _remove(store, changed, [ref for ref in gone if ref.type is not RecordType.CLIENT])
        if any(counts[kind, each] for kind in _SETTLING for each in Outcome if each is not Outcome.UNCHANGED):
            store.intake.settle(changed.company_id, changed.client_id, before=settling.before, after=settling.after)
        _remove(store, changed, [ref for ref in gone if ref.type is RecordType.CLIENT])
    return counts


def take_in_company(store: Store, company: Upsert, *, keep: bool = True) -> Outcome:
    """Keep a company's own record and return what became of it."""
    company_id = CompanyId(company.ref.id)
    outcome = _outcome(company, company.fact, store.companies.get(company_id), before=None)
    if keep and outcome is not Outcome.UNCHANGED:
        store.intake.save([company.fact])
    return outcome


def judge_company_deletion(
    store: Store, company_id: CompanyId, *, leaving: Collection[ClientId]
) -> Sequence[RecordFault]:
    """Return why a company cannot be deleted: clients other than those that are leaving it anyway."""
    ref = RecordRef(RecordType.COMPANY, company_id)
    words = {f"{RecordType.CLIENT.value} {client_id}" for client_id in leaving}
    left = next((each for each in store.facts.referrers(company_id, ref) if each not in words), None)
    return [] if left is None else [RecordFault(ref, "", f"cannot be deleted: {left} is still there")]


def delete_company(store: Store, company_id: CompanyId) -> Outcome | None:
    """Delete a company that has no client any more, and tell whether there was one; refuse with RecordsDisagree."""
    if store.companies.get(company_id) is None:
        return None
    faults = judge_company_deletion(store, company_id, leaving=())
    if faults:
        raise RecordsDisagree(faults)
    store.intake.remove(company_id, [RecordRef(RecordType.COMPANY, company_id)])
    return Outcome.DELETED


def owners_of(store: Store, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, ClientId]:
    """Return whose the records are that are kept; a deletion does not say it."""
    owners = {ref: client_of(fact) for ref, fact in store.facts.find(company_id, refs).items()}
    return {ref: owner for ref, owner in owners.items() if owner is not None}


@frozen
class _Weighed:
    """What a chunk of changes comes to: the facts to keep, what becomes of each, and what is wrong."""

    facts: Sequence[Fact]
    outcomes: Sequence[tuple[RecordType, Outcome]]
    faults: Sequence[RecordFault]


def _gathered(records: ClientRecords) -> Changed:
    changed = Changed(company_id=records.company_id, client_id=records.client_id)
    for change in records.read(False):  # noqa: FBT003 - the one question of a source: whole facts?
        if isinstance(change, Deletion):
            changed.delete(change.ref)
        else:
            changed.replace(change.ref, change.fact, change.claim)
    return changed


def _faults_of_client(store: Store, changed: Changed) -> Iterator[RecordFault]:
    client = RecordRef(RecordType.CLIENT, changed.client_id)
    known = client in changed.replaced or store.clients.get(changed.company_id, changed.client_id) is not None
    first = next(iter(changed.replaced), None)
    if first is not None and (not known or client in changed.deleted):
        yield RecordFault(first, "/client_id", f"the company has no client {changed.client_id!r}")


def _weighed(store: Store, records: ClientRecords, changed: Changed, *, before: Ledger | None) -> Iterator[_Weighed]:
    """Weigh the changes chunk by chunk; without a ledger of before, whole facts are not needed nor compared."""
    upserts = (each for each in records.read(before is not None) if isinstance(each, Upsert))
    while chunk := list(islice(upserts, CHUNK)):
        kept = store.facts.find(records.company_id, [each.ref for each in chunk])
        faults = list(_faults_of_references(store, changed, chunk))
        facts: list[Fact] = []
        outcomes: list[tuple[RecordType, Outcome]] = []
        for each in chunk:
            was = kept.get(each.ref)
            fact, fault = _succeeded(each, was)
            faults += () if fault is None else (fault,)
            outcome = _outcome(each, fact, was, before=before)
            outcomes.append((each.ref.type, outcome))
            if outcome is not Outcome.UNCHANGED:
                facts.append(fact)
        yield _Weighed(facts, outcomes, faults)


def _succeeded(change: Upsert, was: Fact | None) -> tuple[Fact, RecordFault | None]:
    fact = change.fact
    if was is None:
        return fact, None
    if client_of(was) != client_of(fact):
        detail = f"it is kept as client {client_of(was)!r}'s, and a record never changes its client"
        return fact, RecordFault(change.ref, "/client_id", detail)
    if isinstance(fact, Quote) and isinstance(was, Quote):
        try:
            return fact.succeed(was, revision_stated=change.revision_stated), None
        except ValueError as broken:
            return fact, RecordFault(change.ref, "/revision", str(broken))
    return fact, None


def _outcome(change: Upsert, fact: Fact, was: Fact | None, *, before: Ledger | None) -> Outcome:
    if was is None:
        return Outcome.CREATED
    if isinstance(was, Quote):
        was = evolve(was, answer=None, decided_at=None, decision=None)
    if fact != was:
        return Outcome.UPDATED
    if isinstance(fact, Invoice) and change.claim is not None and before is not None:
        restated = next(faults_of_claim(before, fact, change.claim), None) is not None
        return Outcome.UPDATED if restated else Outcome.UNCHANGED
    return Outcome.UNCHANGED


def _faults_of_references(store: Store, changed: Changed, chunk: Sequence[Upsert]) -> Iterator[RecordFault]:
    """Yield the references to what is not there or not this client's; allocations are the ledger's to judge."""
    named = [
        (each.ref, pointer, target)
        for each in chunk
        for pointer, target in references_of(each.fact)
        if not pointer.startswith("/allocations/") and target not in changed.replaced
    ]
    wanted = {target for _, _, target in named}
    kept: Mapping[RecordRef, Fact] = store.facts.find(changed.company_id, wanted) if wanted else {}
    for ref, pointer, target in named:
        found = kept.get(target)
        if found is None or target in changed.deleted or client_of(found) != changed.client_id:
            yield RecordFault(ref, pointer, f"the client has no {target.type.value} {target.id!r}")


def _remove(store: Store, changed: Changed, refs: Collection[RecordRef]) -> None:
    if refs:
        store.intake.remove(changed.company_id, refs)
