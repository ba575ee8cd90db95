"""Taking facts in, in SQL."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any, TypeAlias, final

from attrs import frozen
from sqlalchemy import Column, Connection, Delete, Select, bindparam, delete, select

from portal_adapters.sqlalchemy.dialects import MOST_IN_ONE_QUESTION, add_up, in_chunks, take_turns, upsert
from portal_adapters.sqlalchemy.documents import among
from portal_adapters.sqlalchemy.facts import TABLES
from portal_adapters.sqlalchemy.ledgers import ledger_around
from portal_adapters.sqlalchemy.schema import allocations, document_counts
from portal_adapters.sqlalchemy.settling import settle
from portal_adapters.sqlalchemy.written import allocation_rows_of, row_of
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.invoices import Invoice
from portal_core.domain.ledger import Ledger
from portal_core.domain.payments import Payment
from portal_core.domain.records import Fact, RecordRef, RecordType, ref_of
from portal_core.ports import Intake

Shown: TypeAlias = "Counter[tuple[str, str]]"
"""How many documents each client can see, by client and type."""

_HIDDEN: Mapping[RecordType, frozenset[str]] = {
    RecordType.QUOTE: frozenset({"draft"}),
    RecordType.ORDER: frozenset(),
    RecordType.DELIVERY: frozenset({"draft"}),
    RecordType.INVOICE: frozenset({"draft", "cancelled"}),
    RecordType.PAYMENT: frozenset({"draft", "cancelled"}),
}

_FORGET_ALLOCATIONS = delete(allocations).where(
    allocations.c.company_id == bindparam("of_company"),
    allocations.c.source_type == bindparam("of_type"),
    allocations.c.source_id == bindparam("of_id"),
    allocations.c.position >= bindparam("kept"),
)


@final
@frozen
class SqlIntake(Intake):
    connection: Connection

    def ledger(self, company_id: CompanyId, client_id: ClientId, around: Collection[RecordRef]) -> Ledger:
        take_turns(self.connection, company_id, client_id)
        return ledger_around(self.connection, (company_id, client_id), around)

    def save(self, facts: Iterable[Fact]) -> None:
        for batch in _batches(facts):
            by_type: dict[RecordType, list[Fact]] = defaultdict(list)
            for fact in batch:
                by_type[ref_of(fact).type].append(fact)
            for kind, some in by_type.items():
                self._save(kind, some)

    def remove(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        for kind in RecordType:
            for chunk in in_chunks(ref.id for ref in refs if ref.type is kind):
                self._count(company_id, kind, Counter(), chunk)
                self._forget_allocations(company_id, kind, dict.fromkeys(chunk, 0))
                self.connection.execute(_remove(kind), {"company_id": company_id, "ids": chunk})

    def settle(self, company_id: CompanyId, client_id: ClientId, *, before: Ledger, after: Ledger) -> None:
        settle(self.connection, (company_id, client_id), before=before, after=after)

    def _save(self, kind: RecordType, facts: list[Fact]) -> None:
        rows = [row_of(fact) for fact in facts]
        self._count(rows[0]["company_id"], kind, _shown(kind, rows), [fact.id for fact in facts])
        self.connection.execute(upsert(TABLES[kind], self.connection.dialect.name, frozenset(rows[0])), rows)
        self._allocate(rows[0]["company_id"], kind, [each for each in facts if isinstance(each, Invoice | Payment)])

    def _allocate(self, company_id: CompanyId, kind: RecordType, sources: Collection[Invoice | Payment]) -> None:
        self._forget_allocations(company_id, kind, {each.id: len(each.allocations) for each in sources})
        rows = [row for each in sources for row in allocation_rows_of(each)]
        if rows:
            dialect = self.connection.dialect.name
            self.connection.execute(upsert(allocations, dialect, frozenset(rows[0]), frozenset({"counts"})), rows)

    def _forget_allocations(self, company_id: CompanyId, kind: RecordType, kept: Mapping[str, int]) -> None:
        """Remove the allocations beyond the first few of each source, which are overwritten in their places."""
        if kept and kind in {RecordType.INVOICE, RecordType.PAYMENT}:
            self.connection.execute(
                _FORGET_ALLOCATIONS,
                [
                    {"of_company": company_id, "of_type": kind.value, "of_id": source, "kept": few}
                    for source, few in kept.items()
                ],
            )

    def _count(self, company_id: CompanyId, kind: RecordType, now: Shown, ids: Iterable[str]) -> None:
        """Keep the numbers of documents that clients can see, as some of them are replaced."""
        if kind not in _HIDDEN:
            return
        before: Shown = Counter()
        for chunk in in_chunks(ids):
            rows = self.connection.execute(_states(kind), {"company_id": company_id, "ids": chunk})
            before.update((row.client_id, kind.value) for row in rows if row.state not in _HIDDEN[kind])
        change = Counter(now)
        change.subtract(before)
        changed = [
            {"company_id": company_id, "client_id": client_id, "type": word, "documents": documents}
            for (client_id, word), documents in sorted(change.items())
            if documents
        ]
        if changed:
            self.connection.execute(add_up(document_counts, self.connection.dialect.name, "documents"), changed)


def _batches(facts: Iterable[Fact]) -> Iterator[Collection[Fact]]:
    """Yield the facts a few hundred at a time; of several of one name, the last."""
    rest = iter(facts)
    while some := {ref_of(fact): fact for fact in islice(rest, MOST_IN_ONE_QUESTION)}:
        yield some.values()


def _shown(kind: RecordType, rows: Iterable[Mapping[str, Any]]) -> Shown:
    if kind not in _HIDDEN:
        return Counter()
    return Counter((row["client_id"], kind.value) for row in rows if row["state"] not in _HIDDEN[kind])


@cache
def _states(kind: RecordType) -> Select[str, str]:
    table = TABLES[kind]
    client_id: Column[str] = table.c.client_id
    state: Column[str] = table.c.state
    return select(client_id, state).where(table.c.company_id == bindparam("company_id"), among(table.c.id, "ids"))


@cache
def _remove(kind: RecordType) -> Delete:
    table = TABLES[kind]
    if kind is RecordType.COMPANY:
        return delete(table).where(table.c.company_id == bindparam("company_id"), among(table.c.company_id, "ids"))
    return delete(table).where(table.c.company_id == bindparam("company_id"), among(table.c.id, "ids"))
