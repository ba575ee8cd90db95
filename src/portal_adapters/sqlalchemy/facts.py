"""Reading facts back in SQL: by name, by who refers to them, and all of them, a few hundred at a time."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias, final

from attrs import frozen
from sqlalchemy import Column, ColumnElement, Connection, Select, Table, bindparam, func, null, select

from portal_adapters.sqlalchemy.decisions import DECISION_COLUMNS
from portal_adapters.sqlalchemy.dialects import MOST_IN_ONE_QUESTION, holding, in_chunks
from portal_adapters.sqlalchemy.documents import among, in_scope
from portal_adapters.sqlalchemy.quotes import DECIDED, with_decision
from portal_adapters.sqlalchemy.records import (
    AnyRow,
    client_of,
    company_of,
    delivery_of,
    invoice_of,
    order_of,
    payment_of,
)
from portal_adapters.sqlalchemy.referrers import referrers
from portal_adapters.sqlalchemy.schema import (
    allocations,
    clients,
    companies,
    decisions,
    deliveries,
    invoices,
    movements,
    orders,
    payments,
    quotes,
)
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.money import CURRENCIES
from portal_core.domain.records import Fact, RecordRef, RecordType
from portal_core.domain.room import Moved
from portal_core.ports import Facts, Kept

TABLES: Mapping[RecordType, Table] = {
    RecordType.COMPANY: companies,
    RecordType.CLIENT: clients,
    RecordType.QUOTE: quotes,
    RecordType.ORDER: orders,
    RecordType.DELIVERY: deliveries,
    RecordType.INVOICE: invoices,
    RecordType.PAYMENT: payments,
}
"""Where the facts of each type are kept."""

_Rows: TypeAlias = Select[*tuple[Any, ...]]

_ROWS: Mapping[RecordType, Select[*tuple[Any, ...]]] = {
    kind: select(*table.c).where(table.c.company_id == bindparam("company_id")) for kind, table in TABLES.items()
} | {
    RecordType.QUOTE: select(*quotes.c, *DECISION_COLUMNS)
    .select_from(quotes.outerjoin(decisions, DECIDED))
    .where(quotes.c.company_id == bindparam("company_id")),
}

_COMPANY_IDS = select(companies.c.company_id).order_by(companies.c.company_id)

_ALLOCATED = (
    select(*allocations.c)
    .where(
        allocations.c.company_id == bindparam("company_id"),
        allocations.c.source_type == bindparam("source_type"),
        among(allocations.c.source_id, "ids"),
    )
    .order_by(allocations.c.source_id, allocations.c.position)
)

_MOVED = (
    select(movements.c.currency, func.sum(func.abs(movements.c.amount)))
    .where(*in_scope(movements))
    .group_by(movements.c.currency)
)


@final
@frozen
class SqlFacts(Facts):
    connection: Connection

    def find(self, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, Fact]:
        return {
            RecordRef(kind, fact.id): fact
            for kind, ids in _by_type(refs).items()
            for fact in self._named(company_id, kind, ids)
        }

    def kept(self, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, Kept]:
        return dict(self._kept(company_id, refs, _kept))

    def hold(self, company_id: CompanyId, refs: Collection[RecordRef]) -> Mapping[RecordRef, Kept]:
        def question(kind: RecordType) -> _Rows:
            return holding(self.connection, TABLES[kind], _kept(kind).order_by(_id(kind)))

        return dict(self._kept(company_id, refs, question))

    def referrers(self, company_id: CompanyId, ref: RecordRef) -> Iterator[str]:
        return referrers(self.connection, company_id, ref)

    def moved(self, company_id: CompanyId, client_id: ClientId) -> Moved:
        rows = self.connection.execute(_MOVED, {"company_id": company_id, "client_id": client_id})
        return {CURRENCIES[code]: int(minor) for code, minor in rows}

    def each(self, company_id: CompanyId | None = None, client_id: ClientId | None = None) -> Iterator[Fact]:
        owners = self.connection.scalars(_COMPANY_IDS).all() if company_id is None else [company_id]
        for owner in owners:
            for kind in RecordType:
                if client_id is None or kind is RecordType.COMPANY:
                    yield from self._all(CompanyId(owner), kind)
                else:
                    yield from self._all_of_client(CompanyId(owner), kind, client_id)

    def _kept(
        self, company_id: CompanyId, refs: Collection[RecordRef], question: Callable[[RecordType], _Rows]
    ) -> Iterator[tuple[RecordRef, Kept]]:
        for kind, ids in _by_type(refs).items():
            for chunk in in_chunks(ids):
                rows = self.connection.execute(question(kind), {"company_id": company_id, "ids": chunk})
                for own_id, owner, checksum in rows:
                    yield RecordRef(kind, own_id), Kept(owner, checksum)

    def _named(self, company_id: CompanyId, kind: RecordType, ids: Iterable[str]) -> Iterator[Fact]:
        for chunk in in_chunks(ids):
            rows = self.connection.execute(_by_name(kind), {"company_id": company_id, "ids": chunk}).all()
            yield from facts_of(self.connection, company_id, kind, rows)

    def _all(self, company_id: CompanyId, kind: RecordType) -> Iterator[Fact]:
        parameters = {"company_id": company_id, "after": ""}
        while rows := self.connection.execute(_in_order(kind), parameters).all():
            yield from facts_of(self.connection, company_id, kind, rows)
            if len(rows) < MOST_IN_ONE_QUESTION:
                return
            parameters["after"] = rows[-1].id

    def _all_of_client(self, company_id: CompanyId, kind: RecordType, client_id: ClientId) -> Iterator[Fact]:
        parameters = {"company_id": company_id, "client_id": client_id}
        yield from self._named(company_id, kind, self.connection.scalars(_ids_of_client(kind), parameters).all())


def facts_of(connection: Connection, company_id: CompanyId, kind: RecordType, rows: Sequence[AnyRow]) -> Iterable[Fact]:
    """Return the facts of some rows of one type, with what they allocate."""
    if kind not in {RecordType.INVOICE, RecordType.PAYMENT}:
        return map(_PLAIN[kind], rows)
    allocated = allocated_by(connection, company_id, kind, [row.id for row in rows])
    make: Callable[[AnyRow, Sequence[AnyRow]], Fact] = invoice_of if kind is RecordType.INVOICE else payment_of
    return (make(row, allocated[row.id]) for row in rows)


def allocated_by(
    connection: Connection, company_id: CompanyId, kind: RecordType, ids: Iterable[str]
) -> Mapping[str, list[AnyRow]]:
    """Return what each of some invoices or payments allocates, in the order of the record."""
    found: dict[str, list[AnyRow]] = defaultdict(list)
    for chunk in in_chunks(ids):
        parameters = {"company_id": company_id, "source_type": kind.value, "ids": chunk}
        for row in connection.execute(_ALLOCATED, parameters):
            found[row.source_id].append(row)
    return found


_PLAIN: Mapping[RecordType, Callable[[AnyRow], Fact]] = {
    RecordType.COMPANY: company_of,
    RecordType.CLIENT: client_of,
    RecordType.QUOTE: with_decision,
    RecordType.ORDER: order_of,
    RecordType.DELIVERY: delivery_of,
}


def _by_type(refs: Iterable[RecordRef]) -> Mapping[RecordType, set[str]]:
    """Return the ids of each type, in the order of the types: who holds facts and who claims them go the same way."""
    asked: dict[RecordType, set[str]] = defaultdict(set)
    for ref in refs:
        asked[ref.type].add(ref.id)
    return {kind: asked[kind] for kind in RecordType if kind in asked}


@cache
def _kept(kind: RecordType) -> Select[*tuple[Any, ...]]:
    table, own_id = TABLES[kind], _id(kind)
    of_company = table.c.company_id == bindparam("company_id")
    return select(own_id, _owner(kind), table.c.checksum).where(of_company, among(own_id, "ids"))


@cache
def _by_name(kind: RecordType) -> Select[*tuple[Any, ...]]:
    own_id = _id(kind)
    return _ROWS[kind].where(among(own_id, "ids")).order_by(own_id)


@cache
def _in_order(kind: RecordType) -> Select[*tuple[Any, ...]]:
    own_id = _id(kind)
    return _ROWS[kind].where(own_id > bindparam("after")).order_by(own_id).limit(MOST_IN_ONE_QUESTION)


@cache
def _ids_of_client(kind: RecordType) -> Select[str]:
    table, own_id = TABLES[kind], _id(kind)
    owner = own_id if kind is RecordType.CLIENT else table.c.client_id
    return select(own_id).where(table.c.company_id == bindparam("company_id"), owner == bindparam("client_id"))


def _owner(kind: RecordType) -> ColumnElement[Any]:
    if kind is RecordType.COMPANY:
        return null()
    return TABLES[kind].c.id if kind is RecordType.CLIENT else TABLES[kind].c.client_id


def _id(kind: RecordType) -> Column[str]:
    table = TABLES[kind]
    return table.c.company_id if kind is RecordType.COMPANY else table.c.id
