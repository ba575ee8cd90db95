"""Taking facts in, in SQL."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, islice
from typing import Any, TypeAlias, TypeVar, final

from attrs import frozen
from sqlalchemy import Column, ColumnElement, Connection, Delete, Select, bindparam, delete, select
from sqlalchemy.exc import IntegrityError

from portal_adapters.sqlalchemy.bulk import Row, execute_many
from portal_adapters.sqlalchemy.counting import HIDDEN, count_shown
from portal_adapters.sqlalchemy.dialects import MOST_IN_ONE_QUESTION, in_chunks, take_turns, upsert
from portal_adapters.sqlalchemy.documents import among
from portal_adapters.sqlalchemy.engine import busy
from portal_adapters.sqlalchemy.facts import TABLES
from portal_adapters.sqlalchemy.ledgers import ledgers_around
from portal_adapters.sqlalchemy.newcomers import let_in, settled_form
from portal_adapters.sqlalchemy.packing import ALLOCATION_COLUMNS, COLUMNS, Rows, pack, rows_of, unpack
from portal_adapters.sqlalchemy.schema import allocations
from portal_adapters.sqlalchemy.settling import settle
from portal_core.domain.companies import Company
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.ledger import Ledger
from portal_core.domain.records import Fact, RecordRef, RecordType, ref_of
from portal_core.ports import Intake, Newcomer, Pack, Packed, PackedIntake, Settle

There: TypeAlias = Mapping[str, tuple[str, str]]
"""Documents that are kept already: the client and the state of each, by id."""

Written: TypeAlias = tuple[Rows, str | None, bool]
"""The rows of a fact, its checksum, and whether it is new for sure."""

T = TypeVar("T")

_SETTLING = frozenset({RecordType.INVOICE, RecordType.PAYMENT})

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
        return self.ledgers(company_id, {client_id: around})[client_id]

    def ledgers(
        self, company_id: CompanyId, around: Mapping[ClientId, Collection[RecordRef]]
    ) -> Mapping[ClientId, Ledger]:
        take_turns(self.connection, company_id, around)
        return ledgers_around(self.connection, company_id, around)

    def save(self, facts: Iterable[Fact]) -> None:
        for kind, batch in _batches(facts, ref_of):
            written = [(rows_of(fact), None, False) for fact in batch]
            _save(self.connection, _company_of(batch[0]), kind, written)

    def packed(self) -> PackedIntake:
        return SqlPackedIntake(self.connection)

    def claim(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        for kind in RecordType if self.connection.dialect.name == "postgresql" else ():
            for chunk in in_chunks(ref.id for ref in refs if ref.type is kind):
                self.connection.execute(_claim(kind), {"company_id": company_id, "ids": chunk}).close()

    def remove(self, company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        for kind in RecordType:
            for chunk in in_chunks(ref.id for ref in refs if ref.type is kind):
                there = _there(self.connection, company_id, kind, chunk)
                count_shown(self.connection, company_id, kind, before=there.values(), now=())
                if kind in _SETTLING:
                    _forget_allocations(self.connection, company_id, kind, dict.fromkeys(there, 0))
                self.connection.execute(_remove(kind), {"company_id": company_id, "ids": chunk})

    def settle(self, company_id: CompanyId, client_id: ClientId, *, before: Ledger, after: Ledger) -> None:
        self.settle_all(company_id, {client_id: (before, after)})

    def settle_all(self, company_id: CompanyId, ledgers: Mapping[ClientId, tuple[Ledger, Ledger]]) -> None:
        settle(self.connection, company_id, ledgers)


@final
@frozen
class SqlPackedIntake(PackedIntake):
    connection: Connection

    @property
    def pack(self) -> Pack:
        return pack

    @property
    def settle(self) -> Settle:
        return settled_form

    def save(self, company_id: CompanyId, packed: Iterable[Packed]) -> None:
        for kind, batch in _batches(packed, lambda each: each.ref):
            written = [(unpack(each.form), each.checksum, each.is_new) for each in batch]
            _save(self.connection, company_id, kind, written)

    def let_in(self, company_id: CompanyId, newcomers: Collection[Newcomer]) -> None:
        let_in(self.connection, company_id, newcomers)


def _save(connection: Connection, company_id: CompanyId, kind: RecordType, written: Sequence[Written]) -> None:
    dialect, columns = connection.dialect.name, (*COLUMNS[kind], "checksum")
    rows = [(*own, checksum) for (own, _), checksum, _ in written]
    there: There = {}
    if kind in HIDDEN:
        perhaps = [row for row, (_, _, is_new) in zip(rows, written, strict=True) if not is_new]
        there = _there(connection, company_id, kind, _values(kind, "id", perhaps))
        now = zip(_values(kind, "client_id", rows), _values(kind, "state", rows), strict=True)
        count_shown(connection, company_id, kind, before=there.values(), now=now)
    try:
        execute_many(connection, upsert(TABLES[kind], dialect, frozenset(columns)), columns, rows)
    except IntegrityError as error:
        raise busy() from error
    if kind in _SETTLING:
        allocated = {own_id: given for own_id, ((_, given), *_) in zip(_values(kind, "id", rows), written, strict=True)}
        _forget_allocations(connection, company_id, kind, {each: len(allocated[each]) for each in there})
        statement = upsert(allocations, dialect, frozenset(ALLOCATION_COLUMNS), frozenset({"counts"}))
        execute_many(connection, statement, ALLOCATION_COLUMNS, chain.from_iterable(allocated.values()))


def _forget_allocations(
    connection: Connection, company_id: CompanyId, kind: RecordType, kept: Mapping[str, int]
) -> None:
    """Remove the allocations beyond the first few of each source, which are overwritten in their places."""
    names = ("of_company", "of_type", "of_id", "kept")
    rows = ((company_id, kind.value, source, few) for source, few in kept.items())
    execute_many(connection, _FORGET_ALLOCATIONS, names, rows)


def _there(connection: Connection, company_id: CompanyId, kind: RecordType, ids: Iterable[str]) -> There:
    if kind not in HIDDEN:
        return {}
    found: dict[str, tuple[str, str]] = {}
    for chunk in in_chunks(ids):
        rows = connection.execute(_states(kind), {"company_id": company_id, "ids": chunk})
        found.update((own_id, (client_id, state)) for own_id, client_id, state in rows)
    return found


def _batches(items: Iterable[T], ref: Callable[[T], RecordRef]) -> Iterator[tuple[RecordType, Sequence[T]]]:
    """Yield what is of one type together, a few hundred at a time; of several of one name, the last."""
    rest = iter(items)
    while some := {ref(item): item for item in islice(rest, MOST_IN_ONE_QUESTION)}:
        by_type: dict[RecordType, list[T]] = defaultdict(list)
        for each, item in some.items():
            by_type[each.type].append(item)
        yield from by_type.items()


def _company_of(fact: Fact) -> CompanyId:
    return fact.id if isinstance(fact, Company) else fact.company_id


def _values(kind: RecordType, column: str, rows: Iterable[Row]) -> list[Any]:
    place = COLUMNS[kind].index(column)
    return [row[place] for row in rows]


@cache
def _states(kind: RecordType) -> Select[str, str, str]:
    table = TABLES[kind]
    own_id: Column[str] = table.c.id
    client_id: Column[str] = table.c.client_id
    state: Column[str] = table.c.state
    of_company = table.c.company_id == bindparam("company_id")
    return select(own_id, client_id, state).where(of_company, among(own_id, "ids"))


@cache
def _claim(kind: RecordType) -> Select[str]:
    # In order, so that two who claim the same facts do not wait for each other.
    return select(_own_id(kind)).where(*_named(kind)).order_by(_own_id(kind)).with_for_update()


@cache
def _remove(kind: RecordType) -> Delete:
    return delete(TABLES[kind]).where(*_named(kind))


def _named(kind: RecordType) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return TABLES[kind].c.company_id == bindparam("company_id"), among(_own_id(kind), "ids")


def _own_id(kind: RecordType) -> Column[str]:
    table = TABLES[kind]
    return table.c.company_id if kind is RecordType.COMPANY else table.c.id
