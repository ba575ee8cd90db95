"""Records that a system of record pushes: the lines of one request, staged at first, then kept in one transaction."""

import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import final

from attrs import define, field

from portal_adapters.records.importing import CLIENTS
from portal_adapters.records.placing import give_owners, give_units, located, require_company
from portal_adapters.records.staging import ClientShare, LineProblem, Problems, StagedLine, Staging
from portal_core.domain.audit import Actor
from portal_core.domain.errors import InvalidInput, Problem
from portal_core.domain.ids import CompanyId
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Pack, Store
from portal_core.use_cases.records import (
    ClientRecords,
    Counts,
    Deletion,
    LineOutcome,
    Outcome,
    OutlinedChange,
    RecordsDisagree,
    Upsert,
    delete_company,
    note_import,
    take_in_company,
    take_in_records,
)
from portal_core.use_cases.settling import RecordFault

_BODY = "the body"

_TOGETHER = 25
"""So many clients are taken in at once: more would be quicker, and keep others waiting where reads share the thread."""


@final
@define(eq=False)
class Shipment:
    """The lines of one request, which were read: a thread may do that while others use the store."""

    company_id: CompanyId
    staging: Staging
    refs: Mapping[int, RecordRef]
    problems: Problems
    _outcomes: dict[RecordRef, Outcome] = field(factory=dict[RecordRef, Outcome], init=False)

    def take_in(self, store: Store, *, atomic: bool, by: Actor, now: datetime) -> Sequence[LineOutcome]:
        """Keep the records and return what became of each, in the order of the lines.

        Either all of them, in any order, and refuse with InvalidInput if anything is wrong; or each by itself and one
        after the other, where those that are wrong are passed over and told. It is all of one transaction.
        """
        self._outcomes.clear()
        problems = Problems(most=sys.maxsize)
        problems.add_all(self.problems)
        if atomic:
            _refuse_if_any(problems)
        give_owners(store, self.staging, self.company_id)
        give_units(store, self.staging, self.company_id, problems)
        if self.staging.count_clients() > CLIENTS:
            raise InvalidInput.at("", f"is about more than {CLIENTS} clients; send it in several parts")
        if atomic:
            self._keep_all(store, problems)
        else:
            problems.add_each(self._keep_each(store, {each.line for each in problems.told}))
        counts: Counts = Counter((ref.type, outcome) for ref, outcome in self._outcomes.items())
        note_import(store, self.company_id, counts, by=by, now=now)
        return self._told(problems)

    def close(self) -> None:
        """Let go of the lines."""
        self.staging.close()

    def _keep_all(self, store: Store, problems: Problems) -> None:
        company = self.staging.company(self.company_id)
        if isinstance(company, Upsert):
            self._tell(company.ref, take_in_company(store, company))
        else:
            require_company(store, self.staging, self.company_id, company, problems)
        _refuse_if_any(problems)
        shares = list(self.staging.clients())
        for start in range(0, len(shares), _TOGETHER):
            self._keep_clients(store, shares[start : start + _TOGETHER], problems)
        _refuse_if_any(problems)
        if isinstance(company, Deletion):
            faults = self._delete_company(store, company)
            problems.add_each(located(self.staging, self.company_id, each) for each in faults)
        _refuse_if_any(problems)

    def _keep_clients(self, store: Store, shares: Sequence[ClientShare], problems: Problems) -> None:
        try:
            take_in_records(store, *map(self._records_of, shares), keep=not problems.total, tell=self._tell)
        except RecordsDisagree as wrong:
            problems.add_each(located(self.staging, self.company_id, each) for each in wrong.faults)

    def _records_of(self, share: ClientShare) -> ClientRecords:
        read = list(self.staging.outlines(share, keeping=True))
        return ClientRecords(company_id=self.company_id, client_id=share.client_id, read=lambda _: read)

    def _keep_each(self, store: Store, wrong: set[int | None]) -> Iterator[LineProblem]:
        # Lines come in any order. Who takes the turns of clients as they come, and keeps them, locks others out.
        store.intake.ledgers(self.company_id, {share.client_id: () for share in self.staging.clients()})
        for each in list(self.staging.each()):
            if each.line not in wrong:
                for fault in self._keep_one(store, each):
                    about = "" if fault.ref == each.ref else f"{fault.ref.type.value} {fault.ref.id}: "
                    pointer = fault.pointer if fault.ref == each.ref else ""
                    yield LineProblem(file=_BODY, line=each.line, pointer=pointer, detail=about + fault.detail)

    def _keep_one(self, store: Store, given: StagedLine) -> Iterable[RecordFault]:
        """Keep one record and return what is wrong with it; then nothing of it is kept."""
        change = given.change
        if given.ref.type is RecordType.COMPANY:
            if isinstance(change, Upsert):
                self._tell(given.ref, take_in_company(store, change))
                return ()
            return self._delete_company(store, Deletion(given.ref))
        if given.client_id is None:
            return ()
        if store.companies.get(self.company_id) is None:
            return [RecordFault(given.ref, "/company_id", f"there is no company {self.company_id!r}")]
        alone: Sequence[OutlinedChange] = [change]
        records = ClientRecords(company_id=self.company_id, client_id=given.client_id, read=lambda _: alone)
        try:
            take_in_records(store, records, tell=self._tell)
        except RecordsDisagree as disagree:
            # Said before anything was written: what was told of it does not hold.
            self._outcomes.pop(given.ref, None)
            return disagree.faults
        return ()

    def _delete_company(self, store: Store, deletion: Deletion) -> Iterable[RecordFault]:
        try:
            deleted = delete_company(store, self.company_id)
        except RecordsDisagree as wrong:
            return wrong.faults
        if deleted is not None:
            self._tell(deletion.ref, deleted)
        return ()

    def _tell(self, ref: RecordRef, outcome: Outcome) -> None:
        self._outcomes[ref] = outcome

    def _told(self, problems: Problems) -> Sequence[LineOutcome]:
        wrong: dict[int, list[Problem]] = {}
        for each in problems.told:
            wrong.setdefault(each.line or 0, []).append(Problem(each.detail, pointer=each.pointer))
        told = [
            LineOutcome(line=line, ref=ref, outcome=self._outcomes.get(ref, Outcome.UNCHANGED))
            for line, ref in self.refs.items()
            if line not in wrong
        ]
        told += [LineOutcome(line=line, ref=self.refs.get(line), problems=each) for line, each in wrong.items()]
        return sorted(told, key=lambda each: each.line)


def stage_push(content: bytes, company_id: CompanyId, pack: Pack | None) -> Shipment:
    """Read lines that a company's system pushed; `pack` is how the store keeps facts, where it has such a form.

    What is wrong with any line is told when they are taken in.
    """
    problems = Problems(most=sys.maxsize)
    staging = Staging(pack)
    staging.read(_BODY, io.BytesIO(content), problems, lambda _, __: None)
    staging.index(problems)
    staging.refuse_others(company_id, problems)
    refs = {each.line: each.ref for each in staging.each()}
    for each in problems.told:
        staging.forget(each.line)
    return Shipment(company_id, staging, refs, problems)


def _refuse_if_any(problems: Problems) -> None:
    if problems.total:
        told = sorted(problems.told, key=lambda each: each.line or 0)
        raise InvalidInput([Problem(each.detail, pointer=each.pointer, line=each.line) for each in told])
