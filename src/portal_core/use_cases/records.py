"""Taking in what the system of record says, one client's records at a time: judged whole, then kept or refused.

A caller that has more than one client's records judges all of them before it keeps any. It runs each function in
a transaction of its own choice, and rolls that back when the function refuses.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import TypeAlias, TypeVar

from attrs import define, evolve, field, frozen

from portal_core.domain.agreement import Claim, faults_of_claim
from portal_core.domain.audit import Act, Actor, AuditAction, Target, TargetType
from portal_core.domain.documents import JSON
from portal_core.domain.errors import Problem, Refusal
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.invoices import Invoice
from portal_core.domain.ledger import Ledger
from portal_core.domain.payments import Payment
from portal_core.domain.quotes import Quote
from portal_core.domain.records import Fact, RecordRef, RecordType, document_of, named_by, ref_of
from portal_core.ports import Kept, Newcomer, Pack, Packed, Settle, Store
from portal_core.use_cases.audit import note_act
from portal_core.use_cases.newcomers import newcomers_among
from portal_core.use_cases.settling import Changed, RecordFault, Settling, settlings_of
from portal_core.use_cases.withdrawing import faults_of_deletions

T = TypeVar("T")

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

Tell: TypeAlias = Callable[[RecordRef, Outcome], None]
"""Is told what became of each record, but for those that are the very ones that were taken in before."""


@frozen(kw_only=True)
class LineOutcome:
    """What became of one of several records that were pushed together, or everything that is wrong with it.

    Lines are counted from 1. A line that is no record has no `ref`; one that is refused has problems and no outcome.
    """

    line: int
    ref: RecordRef | None = None
    outcome: Outcome | None = None
    problems: Sequence[Problem] = ()


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

    def outline(self) -> "Outline":
        """Return as much of it as the rules between records ask for."""
        return Outline(
            ref=self.ref,
            whole=lambda: self,
            references=tuple(named_by(self.fact)),
            settling=settling_part(self.fact),
            claim=self.claim,
        )


@frozen
class Outline:
    """As much of an upsert as the rules between records ask for; `whole` reads all of it.

    `settling` is an invoice without its lines, or a payment. `form` is the fact packed for the store, if it was.
    """

    ref: RecordRef
    whole: Callable[[], Upsert]
    references: Sequence[tuple[str, RecordRef]] = ()
    settling: Invoice | Payment | None = None
    claim: Claim | None = None
    checksum: str | None = None
    form: bytes | None = None

    def outline(self) -> "Outline":
        """Return itself."""
        return self

    def packed(self, *, is_new: bool, form: bytes | None = None) -> Packed | None:
        """Return the fact as the store keeps it, where it was packed, or in the form of what became of it."""
        if self.form is None or self.checksum is None:
            return None
        return Packed(ref=self.ref, form=form or self.form, checksum=self.checksum, is_new=is_new)

    def is_kept_as(self, kept: Kept) -> bool:
        """Tell whether the very same record was taken in before."""
        return self.checksum is not None and self.checksum == kept.checksum


@frozen
class Deletion:
    """A record that takes a fact away; one that is not there is passed over."""

    ref: RecordRef


Change: TypeAlias = Upsert | Deletion
OutlinedChange: TypeAlias = Upsert | Outline | Deletion


def settling_part(fact: Fact) -> Invoice | Payment | None:
    """Return what of a fact settles others or is settled: not an invoice's lines, which take the most room."""
    if isinstance(fact, Invoice):
        return evolve(fact, lines=())
    return fact if isinstance(fact, Payment) else None


@frozen(kw_only=True)
class ClientRecords:
    """One client's changes, each record at most once.

    `read` may be called again and yields the same changes in the same order. It is asked whether they are to be
    kept: until then, outlines need no form. That is what lets a client of 100,000 invoices through.
    `newcomer` is all of them packed, with what follows, where `judge_newcomer` said what that is.
    """

    company_id: CompanyId
    client_id: ClientId
    read: Callable[[bool], Iterable[OutlinedChange]]
    newcomer: Newcomer | None = None


class RecordsDisagree(Refusal):
    """Records break rules among themselves or with what is kept; nothing of them may be committed."""

    code = "records_disagree"

    def __init__(self, faults: Sequence[RecordFault]) -> None:
        super().__init__("; ".join(f"{each.ref.type.value} {each.ref.id}: {each.detail}" for each in faults[:10]))
        self.faults = tuple(faults)


def judge_records(store: Store, *clients: ClientRecords) -> Sequence[RecordFault]:
    """Return what is wrong with the changes of some clients of a company, given what is kept; nothing is written."""
    moving, _ = _moving(store, clients)
    cases = _opened(store, moving, lambda _, __: None)
    for case in cases:
        case.judge(store)
    for chunk in _chunks(_upserts(cases, keeping=False)):
        _weigh(store, chunk, whole=False)
    return _faults(cases)


def take_in_records(
    store: Store, *clients: ClientRecords, keep: bool = True, tell: Tell = lambda _, __: None
) -> Counts:
    """Judge the changes of some clients of a company, keep them, and return what became of each type.

    Refuses with RecordsDisagree, after which the caller rolls back; nothing was written if it was one change alone.
    Without `keep` nothing is written.
    """
    others, counts = _let_in(store, clients, keep=keep, tell=tell)
    moving, unchanged = _moving(store, others)
    counts += unchanged
    cases = _opened(store, moving, tell)
    for case in cases:
        if keep and case.changed.deleted:
            store.intake.claim(case.changed.company_id, case.changed.deleted)
        case.judge(store)
    for chunk in _chunks(_upserts(cases, keeping=True)):
        weighed = _weigh(store, chunk, whole=True)
        if keep and not _faults(cases):
            weighed.save(store)
    if faults := _faults(cases):
        raise RecordsDisagree(faults)
    _finish(store, cases, keep=keep)
    return sum((case.counts for case in cases), counts)


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


def note_import(store: Store, company_id: CompanyId, counts: Counts, *, by: Actor, now: datetime) -> None:
    """Add to the audit log how many records of a company a transaction of an import changed, if it did."""
    changed: dict[RecordType, dict[str, JSON]] = {}
    for (kind, outcome), count in sorted(counts.items()):
        if count and outcome is not Outcome.UNCHANGED:
            changed.setdefault(kind, {})[outcome.value] = count
    if changed:
        act = Act(
            action=AuditAction.RECORDS_IMPORTED,
            company_id=company_id,
            target=Target(TargetType.COMPANY, company_id),
            details={kind.value: parts for kind, parts in changed.items()},
        )
        note_act(store, act, by=by, now=now)


def pack_of(store: Store) -> Pack | None:
    """Return what makes the form in which a store keeps facts, if it has one."""
    way_in = store.intake.packed()
    return None if way_in is None else way_in.pack


def settle_of(store: Store) -> Settle | None:
    """Return what makes the form in which a store keeps what follows from a ledger, if it has one."""
    way_in = store.intake.packed()
    return None if way_in is None else way_in.settle


def owners_of(store: Store, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, ClientId]:
    """Return whose the records are that are kept; a deletion does not say it."""
    owners = {ref: kept.client_id for ref, kept in store.facts.kept(company_id, refs).items()}
    return {ref: owner for ref, owner in owners.items() if owner is not None}


@define
class _Case:
    """One client's changes while they are judged and kept: what they settle, what is wrong, what becomes of each."""

    records: ClientRecords
    changed: Changed
    settling: Settling
    is_known: bool
    tell: Tell
    faults: list[RecordFault] = field(factory=list[RecordFault])
    counts: Counts = field(factory=Counts)

    def judge(self, store: Store) -> None:
        """Take note of what is wrong with the changes taken together."""
        self.faults += self._faults_of_client()
        self.faults += self.settling.faults()
        self.faults += faults_of_deletions(store, self.changed)

    def count(self, ref: RecordRef, outcome: Outcome) -> None:
        """Take note of what becomes of a record."""
        self.counts[ref.type, outcome] += 1
        self.tell(ref, outcome)

    def settles(self) -> bool:
        """Tell whether anything changed that settles or is settled."""
        return any(self.counts[kind, each] for kind in _SETTLING for each in Outcome if each is not Outcome.UNCHANGED)

    def _faults_of_client(self) -> Iterator[RecordFault]:
        changed, client = self.changed, self.changed.client
        known = self.is_known or client in changed.replaced
        first = next(iter(changed.replaced), None)
        if first is not None and (not known or client in changed.deleted):
            yield RecordFault(first, "/client_id", f"the company has no client {changed.client_id!r}")


_Part: TypeAlias = tuple[_Case, Outline]
"""One of a client's changes."""


@define
class _Weighed:
    """What is to be kept of a chunk of changes.

    A record that replaces another is renewed as it is, or as the fact that it became by succeeding the other.
    """

    company_id: CompanyId
    new: list[Outline] = field(factory=list[Outline])
    renewed: list[tuple[Outline, Fact | None]] = field(factory=list[tuple[Outline, Fact | None]])

    def save(self, store: Store) -> None:
        way_in = store.intake.packed()
        packed: list[Packed] = []
        facts: list[Fact] = []
        for outline in self.new:
            _sort(outline, None, outline.packed(is_new=True), packed, facts)
        for outline, became in self.renewed:
            form = None if became is None or way_in is None else way_in.pack(became)
            _sort(outline, became, outline.packed(is_new=False, form=form), packed, facts)
        if way_in is not None:
            way_in.save(self.company_id, packed)
        store.intake.save(facts)


def _sort(outline: Outline, became: Fact | None, ready: Packed | None, packed: list[Packed], facts: list[Fact]) -> None:
    if ready is None:
        facts.append(became or outline.whole().fact)
    else:
        packed.append(ready)


def _let_in(
    store: Store, clients: Sequence[ClientRecords], *, keep: bool, tell: Tell
) -> tuple[Sequence[ClientRecords], Counts]:
    """Let in those who were judged as newcomers, and still are; return the other clients, and the counts of those."""
    counts, way_in = Counts(), store.intake.packed()
    judged = [each.newcomer for each in clients if each.newcomer is not None]
    if way_in is None or not judged:
        return clients, counts
    company_id = clients[0].company_id
    # The turns of all, so that who takes in some of the same clients takes them in the same order.
    store.intake.ledgers(company_id, {each.client_id: () for each in clients})
    refs = {each.client_id: [fact.ref for fact in each.facts] for each in judged}
    new = newcomers_among(store, company_id, refs)
    if keep:
        way_in.let_in(company_id, [each for each in judged if each.client_id in new])
    for ref in (ref for client_id in new for ref in refs[client_id]):
        counts[ref.type, Outcome.CREATED] += 1
        tell(ref, Outcome.CREATED)
    return [each for each in clients if each.client_id not in new], counts


def _moving(store: Store, clients: Sequence[ClientRecords]) -> tuple[Sequence[ClientRecords], Counts]:
    """Return the clients of whom any record is not the very one that was taken in before, and the others' counts.

    There is nothing to judge of the others: all that such records said still holds.
    """
    moving: set[ClientId] = set()
    counts: dict[ClientId, Counts] = defaultdict(Counts)
    for chunk in _chunks(_changes_of_all_but(moving, clients)):
        kept = store.facts.kept(clients[0].company_id, [each.ref for _, each in chunk])
        for client_id, each in chunk:
            known = kept.get(each.ref)
            same = known is not None and isinstance(each, Outline) and each.is_kept_as(known)
            if known is None or known.client_id != client_id or not same:
                moving.add(client_id)
            counts[client_id][each.ref.type, Outcome.UNCHANGED] += 1
    unchanged = (some for client_id, some in counts.items() if client_id not in moving)
    return [each for each in clients if each.client_id in moving], sum(unchanged, Counts())


def _changes_of_all_but(
    moving: Collection[ClientId], clients: Iterable[ClientRecords]
) -> Iterator[tuple[ClientId, OutlinedChange]]:
    """Yield the changes of some clients, and no more of one as soon as it is found to move."""
    for records in clients:
        for each in records.read(False):  # noqa: FBT003 - the one question of a source: are they to be kept?
            if records.client_id in moving:
                break
            yield records.client_id, each


def _chunks(changes: Iterable[T]) -> Iterator[Sequence[T]]:
    rest = iter(changes)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _gathered(records: ClientRecords) -> Changed:
    changed = Changed(company_id=records.company_id, client_id=records.client_id)
    for change in records.read(False):  # noqa: FBT003 - as above
        if isinstance(change, Deletion):
            changed.delete(change.ref)
        else:
            outline = change.outline()
            changed.replace(outline.ref, outline.settling, outline.claim)
    return changed


def _opened(store: Store, clients: Sequence[ClientRecords], tell: Tell) -> Sequence[_Case]:
    """Return the cases of some clients, whose turns are taken before anything is read that their changes rely on."""
    changes = [_gathered(each) for each in clients]
    if not changes:
        return []
    store.intake.ledgers(changes[0].company_id, {each.client_id: () for each in changes})
    known = _known(store, changes)
    settlings = settlings_of(store, changes, known=known)
    return [
        _Case(
            records=records,
            changed=changed,
            settling=settlings[changed.client_id],
            is_known=changed.client_id in known,
            tell=tell,
        )
        for records, changed in zip(clients, changes, strict=True)
    ]


def _known(store: Store, changes: Sequence[Changed]) -> set[ClientId]:
    """Return those of the clients that there are; one that no record brings may be kept elsewhere than its facts."""
    kept = store.facts.kept(changes[0].company_id, [each.client for each in changes])
    return {
        each.client_id
        for each in changes
        if each.client in kept
        or (each.client not in each.replaced and store.clients.get(each.company_id, each.client_id))
    }


def _upserts(cases: Iterable[_Case], *, keeping: bool) -> Iterator[_Part]:
    for case in cases:
        yield from ((case, each.outline()) for each in case.records.read(keeping) if not isinstance(each, Deletion))


def _weigh(store: Store, chunk: Sequence[_Part], *, whole: bool) -> _Weighed:
    """Return what is to be kept of some changes; unless they are to be wholly weighed, look for what is wrong alone."""
    weighed = _Weighed(chunk[0][0].changed.company_id)
    kept = store.facts.kept(weighed.company_id, [each.ref for _, each in chunk])
    _judge_references(store, weighed.company_id, chunk)
    differing: list[_Part] = []
    for case, each in chunk:
        known = kept.get(each.ref)
        if known is None:
            case.count(each.ref, Outcome.CREATED)
            weighed.new.append(each)
        elif known.client_id != case.changed.client_id:
            detail = f"it is kept as client {known.client_id!r}'s, and a record never changes its client"
            case.faults.append(RecordFault(each.ref, "/client_id", detail))
        elif each.is_kept_as(known):
            case.count(each.ref, Outcome.UNCHANGED)
        elif whole or each.ref.type is RecordType.QUOTE:
            differing.append((case, each))
    if differing:
        _compare(store, differing, weighed)
    return weighed


def _compare(store: Store, differing: Sequence[_Part], weighed: _Weighed) -> None:
    """Weigh records that differ from those that they replace, at least in how they are written."""
    earlier = store.facts.find(weighed.company_id, [each.ref for _, each in differing])
    for case, each in differing:
        change, was = each.whole(), earlier[each.ref]
        try:
            fact = _successor(change, was)
        except ValueError as broken:
            case.faults.append(RecordFault(each.ref, "/revision", str(broken)))
            continue
        outcome = _outcome(change, fact, was, before=case.settling.before)
        case.count(each.ref, outcome)
        if outcome is not Outcome.UNCHANGED or each.form is not None:
            weighed.renewed.append((each, None if fact == change.fact else fact))


def _successor(change: Upsert, was: Fact) -> Fact:
    fact = change.fact
    if isinstance(fact, Quote) and isinstance(was, Quote):
        return fact.succeed(was, revision_stated=change.revision_stated)
    return fact


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


def _judge_references(store: Store, company_id: CompanyId, chunk: Sequence[_Part]) -> None:
    """Take note of references to what is not there or not this client's; allocations are the ledger's to judge."""
    named = [
        (case, each.ref, pointer, target)
        for case, each in chunk
        for pointer, target in each.references
        if target not in case.changed.replaced
    ]
    wanted = {target for *_, target in named}
    kept: Mapping[RecordRef, Kept] = store.facts.kept(company_id, wanted) if wanted else {}
    for case, ref, pointer, target in named:
        found = kept.get(target)
        if found is None or target in case.changed.deleted or found.client_id != case.changed.client_id:
            detail = f"the client has no {target.type.value} {target.id!r}"
            case.faults.append(RecordFault(ref, pointer, detail))


def _faults(cases: Iterable[_Case]) -> Sequence[RecordFault]:
    return [fault for case in cases for fault in case.faults]


def _finish(store: Store, cases: Sequence[_Case], *, keep: bool) -> None:
    """Delete what is to go, and settle the rest; without `keep` only count."""
    for case in cases:
        changed = case.changed
        gone: Collection[RecordRef] = store.facts.find(changed.company_id, changed.deleted) if changed.deleted else ()
        for ref in gone:
            case.count(ref, Outcome.DELETED)
        if keep:
            _remove(store, changed, [ref for ref in gone if ref.type is not RecordType.CLIENT])
    settled = [case for case in cases if keep and case.settles()]
    if settled:
        ledgers = {case.changed.client_id: (case.settling.before, case.settling.after) for case in settled}
        store.intake.settle_all(settled[0].changed.company_id, ledgers)
    for case in cases:
        if keep and case.changed.client in case.changed.deleted:
            _remove(store, case.changed, [case.changed.client])


def _remove(store: Store, changed: Changed, refs: Collection[RecordRef]) -> None:
    if refs:
        store.intake.remove(changed.company_id, refs)
        store.attachments.remove(changed.company_id, [each for each in map(document_of, refs) if each is not None])
