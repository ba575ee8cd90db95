"""Files into a store: validated whole, then applied by whole clients in transactions of about 10,000 records.

None is of more than 500 clients, however few records they have: a transaction has the turn of each.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from functools import partial
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import BinaryIO, Protocol, TypeAlias, TypeVar, final

from attrs import field, frozen

from portal_adapters import clock
from portal_adapters.records.helpers import Helpers
from portal_adapters.records.newcomers import Account, judge_newcomers, newcomers_of
from portal_adapters.records.placing import give_owners, give_units, located, require_company
from portal_adapters.records.recognising import recognised
from portal_adapters.records.staging import (
    ClientShare,
    FileRefused,
    Problems,
    Progress,
    Staging,
    staged,
)
from portal_core.domain.audit import PROGRAM, Actor
from portal_core.domain.errors import Busy, Refusal
from portal_core.domain.ids import CompanyId
from portal_core.domain.records import RecordType
from portal_core.ports import Settle, Store, Transactions
from portal_core.use_cases.records import (
    ClientRecords,
    Counts,
    Deletion,
    Outcome,
    Outline,
    RecordsDisagree,
    Upsert,
    delete_company,
    judge_company_deletion,
    judge_records,
    note_import,
    pack_of,
    settle_of,
    take_in_company,
    take_in_records,
)
from portal_core.use_cases.settling import RecordFault

TRANSACTION = 10_000
"""About how many records a transaction holds; one client's are never split."""

CLIENTS = 500
"""How many clients a transaction is of at most: PostgreSQL has room for some thousand locks in all transactions."""

_READ_ONCE = 2_000
"""A client with no more records than this is read from disk once, and kept in memory meanwhile."""

_TURN = 0.11
"""How many seconds leave others a turn where there was nothing to read beforehand: SQLite's who wait look every 0.1."""

_WAITS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0, 10.0, 10.0)
"""How many seconds to wait for a store that is busy, again and again; it has its own patience besides."""

Begin: TypeAlias = Callable[[], AbstractContextManager[Store]]

_Group: TypeAlias = Sequence[ClientShare]
"""Clients whose records make up a transaction."""

_Counted: TypeAlias = tuple[CompanyId, Counts]

T = TypeVar("T")


@final
class ImportOvertaken(Refusal):
    """Others changed what files were judged by while these were being kept; a part of them was kept before.

    That part is `kept`: whole clients. Importing again, once the problems are mended, passes it over and finishes.
    """

    code = "import_overtaken"

    def __init__(self, refused: FileRefused, kept: Counts) -> None:
        super().__init__(refused.detail)
        self.problems = refused.problems
        self.total = refused.total
        self.kept = kept


class _Step(Protocol):
    """A part of an import: it tells what became of a company's records."""

    def __call__(self, store: Store, *, keep: bool) -> Iterable[_Counted]: ...


def import_records(  # noqa: PLR0913 - what it takes in, and six choices of how
    transactions: Transactions,
    files: Iterable[tuple[str, BinaryIO]],
    *,
    reading: Begin | None = None,
    dry_run: bool = False,
    helpers: int = 0,
    progress: Progress = lambda _, __: None,
    pause: Callable[[float], None] = time.sleep,
    by: Actor = PROGRAM,
) -> Counts:
    """Take in files, each given with the name that errors tell it by, and return what became of each type.

    `reading` begins a transaction that only reads, where a store has such: checking and dry runs are then in
    nobody's way.
    `helpers` is how many other processes read the lines of large files; a program that asks for any must do so
    below `if __name__ == "__main__"`, as `multiprocessing` has it. The audit log says that it was done `by` somebody,
    once for each company and transaction that changed something.

    Refuses with FileRefused, which names every line and field, and then nothing was written. Files of more than one
    transaction are judged before they are kept: refuses with ImportOvertaken when in between others changed what
    they were judged by. Raises Busy when the store stays busy. What was kept until either is whole clients, and
    importing again finishes the rest.
    """
    problems = Problems()
    begins = _Begins(writing=transactions.begin, reading=reading or transactions.begin, pause=pause)
    pack = begins.read(pack_of)
    recognise = None if pack is None else partial(recognised, begins.read)
    with Staging(pack) as staging:
        work = _Import(begins=begins, staging=staging, progress=progress, by=by)
        with Helpers(helpers) as some:
            staged(staging, files, problems, progress, some, recognise)
            work.prepare(problems)
            if not work.is_small:
                work.judge(problems, some)
        return work.apply(keep=not dry_run)


@final
@frozen(kw_only=True)
class _Begins:
    """Transactions, begun again and again while the store is busy."""

    writing: Begin
    reading: Begin
    pause: Callable[[float], None] = field(repr=False)

    def read(self, work: Callable[[Store], T]) -> T:
        return self._patiently(self.reading, work)

    def write(self, work: Callable[[Store], T]) -> T:
        return self._patiently(self.writing, work)

    def _patiently(self, begin: Begin, work: Callable[[Store], T]) -> T:
        for wait in _WAITS:
            try:
                with begin() as store:
                    return work(store)
            except Busy:
                self.pause(wait)
        with begin() as store:
            return work(store)


@final
@frozen(kw_only=True)
class _Import:
    begins: _Begins
    staging: Staging
    progress: Progress
    by: Actor

    @property
    def is_small(self) -> bool:
        """Tell whether all of it goes into one transaction, which judges and keeps at once."""
        return self.staging.count() <= TRANSACTION and self.staging.count_clients() <= CLIENTS

    def prepare(self, problems: Problems) -> None:
        """Find out what a line alone does not tell: that its company exists, whose a deletion is, some currencies."""
        for company_id in self.staging.company_ids():
            problems.add_all(self.begins.read(partial(self._prepare_company, company_id=company_id)))
        _refuse_if_any(problems)

    def judge(self, problems: Problems, helpers: Helpers) -> None:
        """Judge all clients before the first of them is kept: newcomers by themselves, others beside what is kept."""
        done = 0
        settle = self.begins.read(settle_of)
        with closing(self.staging.clients()) as shares:
            for group, others in self._with_others(_groups(shares), settle, helpers):
                if others:
                    faults = self.begins.read(partial(self._judge_group, group=others))
                    problems.add_each(located(self.staging, company_id, fault) for company_id, fault in faults)
                done += sum(share.count for share in group)
                self.progress("checking", done)
        _refuse_if_any(problems)

    def _with_others(
        self, groups: Iterable[_Group], settle: Settle | None, helpers: Helpers
    ) -> Iterator[tuple[_Group, _Group]]:
        """Judge newcomers, and yield each group with those of it who are none, or whose records break a rule."""
        if settle is None:
            yield from ((group, group) for group in groups)
            return
        task = partial(judge_newcomers, settle=settle)
        accounts = ((group, self._newcomers(group)) for group in groups)
        for (group, newcomers), settled in helpers.done(task, accounts, itemgetter(1)):
            good = {account[:2]: form for account, form in zip(newcomers, settled, strict=True) if form is not None}
            self.staging.keep_settled(good)
            yield group, [share for share in group if (share.company_id, share.client_id) not in good]

    def _newcomers(self, group: _Group) -> list[Account]:
        """Return the outlines of those of a group of whom nothing is kept; not of clients with very many records."""
        accounts = (self.staging.account(share) for share in group if share.count <= _READ_ONCE)
        given = [account for account in accounts if account is not None]
        return self.begins.read(lambda store: list(newcomers_of(store, given)))

    def apply(self, *, keep: bool) -> Counts:
        """Keep companies, then clients, then delete companies: at once where there is little, else by groups."""
        counts = Counts({(kind, Outcome.UNCHANGED): count for kind, count in self.staging.passed_over().items()})
        if self.is_small:
            return counts + self._run([self._apply_companies, self._apply_clients, self._delete_companies], keep=keep)
        try:
            for some in self._by_groups(keep=keep):
                counts += some
        except FileRefused as refused:
            if keep and any(outcome is not Outcome.UNCHANGED for _, outcome in counts):
                raise ImportOvertaken(refused, counts) from refused
            raise
        return counts

    def _by_groups(self, *, keep: bool) -> Iterator[Counts]:
        yield self._run([self._apply_companies], keep=keep)
        done = 0
        for group in _groups(self.staging.clients()):
            # Read before the transaction begins: it is shorter for that, and others who write get their turn meanwhile.
            records = [self._records_of(share, keeping=True) for share in group]
            yield self._run([partial(self._apply_group, group=records)], keep=keep)
            if any(share.count > _READ_ONCE for share in group):
                self.begins.pause(_TURN)
            done += sum(share.count for share in group)
            self.progress("keeping" if keep else "checking", done)
        yield self._run([self._delete_companies], keep=keep)

    def _run(self, steps: Sequence[_Step], *, keep: bool) -> Counts:
        """Take some steps in one transaction, which notes for each company what it changed."""

        def work(store: Store) -> Counts:
            counts, of_company = Counts(), defaultdict[CompanyId, Counts](Counts)
            for step in steps:
                for company_id, some in step(store, keep=keep):
                    counts += some
                    of_company[company_id] += some
            if keep:
                for company_id, some in of_company.items():
                    note_import(store, company_id, some, by=self.by, now=clock.now())
            return counts

        return self.begins.write(work) if keep else self.begins.read(work)

    def _prepare_company(self, store: Store, company_id: CompanyId) -> Problems:
        problems = Problems()
        give_owners(store, self.staging, company_id)
        record = self.staging.company(company_id)
        if isinstance(record, Deletion):
            faults = judge_company_deletion(store, company_id, leaving=self.staging.leaving_clients(company_id))
            problems.add_each(located(self.staging, company_id, fault) for fault in faults)
        if not isinstance(record, Upsert):
            require_company(store, self.staging, company_id, record, problems)
        give_units(store, self.staging, company_id, problems)
        return problems

    def _judge_group(self, store: Store, group: _Group) -> list[tuple[CompanyId, RecordFault]]:
        return [
            (company_id, fault)
            for company_id, some in _by_company(self._records_of(share, keeping=False) for share in group)
            for fault in judge_records(store, *some)
        ]

    def _apply_companies(self, store: Store, *, keep: bool) -> Iterator[_Counted]:
        for company_id in self.staging.company_ids():
            record = self.staging.company(company_id)
            if isinstance(record, Upsert):
                yield company_id, Counter({(RecordType.COMPANY, take_in_company(store, record, keep=keep)): 1})

    def _apply_clients(self, store: Store, *, keep: bool) -> Iterator[_Counted]:
        records = [self._records_of(share, keeping=True) for share in self.staging.clients()]
        return self._apply_group(store, records, keep=keep)

    def _apply_group(self, store: Store, group: Sequence[ClientRecords], *, keep: bool) -> Iterator[_Counted]:
        problems = Problems()
        for company_id, some in _by_company(group):
            try:
                yield company_id, take_in_records(store, *some, keep=keep and not problems.total)
            except RecordsDisagree as wrong:
                problems.add_each(located(self.staging, company_id, fault) for fault in wrong.faults)
        _refuse_if_any(problems)

    def _delete_companies(self, store: Store, *, keep: bool) -> Iterator[_Counted]:
        for company_id in self.staging.company_ids():
            if not isinstance(self.staging.company(company_id), Deletion):
                continue
            if not keep:
                deleted = store.companies.get(company_id) is not None
            else:
                deleted = self._delete_company(store, company_id)
            if deleted:
                yield company_id, Counter({(RecordType.COMPANY, Outcome.DELETED): 1})

    def _delete_company(self, store: Store, company_id: CompanyId) -> bool:
        try:
            return delete_company(store, company_id) is not None
        except RecordsDisagree as wrong:
            problems = Problems()
            problems.add_each(located(self.staging, company_id, fault) for fault in wrong.faults)
            raise FileRefused(problems) from wrong

    def _records_of(self, share: ClientShare, *, keeping: bool) -> ClientRecords:
        newcomer = self.staging.newcomer(share) if keeping else None
        read = _reader(self.staging, share, keeping=keeping, at_once=newcomer is None and share.count <= _READ_ONCE)
        return ClientRecords(company_id=share.company_id, client_id=share.client_id, read=read, newcomer=newcomer)


def _reader(
    staging: Staging, share: ClientShare, *, keeping: bool, at_once: bool
) -> Callable[[bool], Iterable[Outline | Deletion]]:
    """Return what reads a client's records: at once, or from disk again each time."""
    if not at_once:
        return lambda to_keep: staging.outlines(share, keeping=to_keep)
    read = list(staging.outlines(share, keeping=keeping))
    return lambda _: read


def _groups(shares: Iterable[ClientShare]) -> Iterator[_Group]:
    """Yield clients together until they make up a transaction: by their records, or by their own number."""
    group: list[ClientShare] = []
    count = 0
    for share in shares:
        group.append(share)
        count += share.count
        if count >= TRANSACTION or len(group) == CLIENTS:
            yield group
            group, count = [], 0
    if group:
        yield group


def _by_company(group: Iterable[ClientRecords]) -> Iterator[tuple[CompanyId, Iterator[ClientRecords]]]:
    return groupby(group, key=attrgetter("company_id"))


def _refuse_if_any(problems: Problems) -> None:
    if problems.total:
        raise FileRefused(problems)
