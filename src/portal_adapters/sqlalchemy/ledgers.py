"""Ledgers of a part of some clients' documents: some invoices and payments, and two steps around them.

The first step holds what they settle and what settles them; the second makes the ledgers right about those, too.
Each step asks for all clients at once.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, bindparam, select

from portal_adapters.sqlalchemy.dialects import in_chunks
from portal_adapters.sqlalchemy.documents import among
from portal_adapters.sqlalchemy.facts import allocated_by
from portal_adapters.sqlalchemy.records import AnyRow, invoice_of, payment_of
from portal_adapters.sqlalchemy.schema import allocations, invoices, payments
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.invoices import Invoice
from portal_core.domain.ledger import Ledger
from portal_core.domain.payments import Payment
from portal_core.domain.records import RecordRef, RecordType

Place: TypeAlias = tuple[ClientId, RecordType, str]
"""In whose ledger a document is to be held, its type and its id; another client's document is never there."""

_KINDS = (RecordType.INVOICE, RecordType.PAYMENT)
_STEPS = 2

_INVOICES = select(*(column for column in invoices.c if column.name != "lines")).where(
    invoices.c.company_id == bindparam("company_id"), among(invoices.c.id, "ids")
)

_PAYMENTS = select(*payments.c).where(payments.c.company_id == bindparam("company_id"), among(payments.c.id, "ids"))

_GIVEN_BY = select(allocations.c.client_id, allocations.c.invoice_id).where(
    allocations.c.company_id == bindparam("company_id"),
    allocations.c.source_type == bindparam("source_type"),
    among(allocations.c.source_id, "ids"),
)

_GIVEN_TO = select(allocations.c.client_id, allocations.c.source_type, allocations.c.source_id).where(
    allocations.c.company_id == bindparam("company_id"), among(allocations.c.invoice_id, "ids")
)


def ledgers_around(
    connection: Connection, company_id: CompanyId, around: Mapping[ClientId, Collection[RecordRef]]
) -> Mapping[ClientId, Ledger]:
    """Return ledgers that are right about some documents of each client, what they settle and what settles them."""
    held = {(client_id, ref.type, ref.id) for client_id, refs in around.items() for ref in refs if ref.type in _KINDS}
    fresh = held
    for _ in range(_STEPS):
        fresh = set(_neighbours(connection, company_id, fresh)) - held
        held = held | fresh
    billed: dict[str, list[Invoice]] = defaultdict(list)
    paid: dict[str, list[Payment]] = defaultdict(list)
    for row, given in _documents(connection, company_id, _INVOICES, RecordType.INVOICE, held):
        billed[row.client_id].append(invoice_of(row, given, lines=False))
    for row, given in _documents(connection, company_id, _PAYMENTS, RecordType.PAYMENT, held):
        paid[row.client_id].append(payment_of(row, given))
    return {client_id: Ledger(billed[client_id], paid[client_id]) for client_id in around}


def _documents(
    connection: Connection,
    company_id: CompanyId,
    statement: Select[*tuple[Any, ...]],
    kind: RecordType,
    held: Collection[Place],
) -> Iterator[tuple[AnyRow, Sequence[AnyRow]]]:
    """Yield the rows of the documents of a type that are to be held, each with those of its allocations."""
    ids = _ids(held, kind)
    allocated = allocated_by(connection, company_id, kind, ids)
    for row in _rows(connection, statement, company_id, ids):
        if (row.client_id, kind, row.id) in held:
            yield row, allocated.get(row.id, ())


def _neighbours(connection: Connection, company_id: CompanyId, places: Collection[Place]) -> Iterator[Place]:
    for kind in _KINDS:
        for row in _rows(connection, _GIVEN_BY, company_id, _ids(places, kind), source_type=kind.value):
            yield row.client_id, RecordType.INVOICE, row.invoice_id
    for row in _rows(connection, _GIVEN_TO, company_id, _ids(places, RecordType.INVOICE)):
        yield row.client_id, RecordType(row.source_type), row.source_id


def _ids(places: Iterable[Place], kind: RecordType) -> set[str]:
    return {own_id for _, each, own_id in places if each is kind}


def _rows(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    company_id: CompanyId,
    ids: Iterable[str],
    **more: str,
) -> Iterator[AnyRow]:
    for chunk in in_chunks(ids):
        yield from connection.execute(statement, {"company_id": company_id, "ids": chunk, **more}).all()
