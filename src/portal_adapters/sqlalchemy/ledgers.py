"""Ledgers of a part of a client's documents: some invoices and payments, and two steps around them.

The first step holds what they settle and what settles them; the second makes the ledger right about those, too.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, TypeAlias

from sqlalchemy import Connection, Select, bindparam, select

from portal_adapters.sqlalchemy.dialects import in_chunks
from portal_adapters.sqlalchemy.documents import among, in_scope
from portal_adapters.sqlalchemy.facts import allocated_by
from portal_adapters.sqlalchemy.records import AnyRow, invoice_of, payment_of
from portal_adapters.sqlalchemy.schema import allocations, invoices, payments
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.ledger import Ledger
from portal_core.domain.records import RecordRef, RecordType

Owner: TypeAlias = tuple[CompanyId, ClientId]

_STEPS = 2

_INVOICES = select(*(column for column in invoices.c if column.name != "lines")).where(
    *in_scope(invoices), among(invoices.c.id, "ids")
)

_PAYMENTS = select(*payments.c).where(*in_scope(payments), among(payments.c.id, "ids"))

_GIVEN_BY = select(allocations.c.invoice_id).where(
    *in_scope(allocations),
    allocations.c.source_type == bindparam("source_type"),
    among(allocations.c.source_id, "ids"),
)

_GIVEN_TO = select(allocations.c.source_type, allocations.c.source_id).where(
    *in_scope(allocations), among(allocations.c.invoice_id, "ids")
)


def ledger_around(connection: Connection, owner: Owner, around: Collection[RecordRef]) -> Ledger:
    """Return a ledger that is right about some documents and all that they settle or that settles them."""
    held = {ref for ref in around if ref.type in {RecordType.INVOICE, RecordType.PAYMENT}}
    fresh = held
    for _ in range(_STEPS):
        fresh = set(_neighbours(connection, owner, fresh)) - held
        held = held | fresh
    kept = {kind: {ref.id for ref in held if ref.type is kind} for kind in (RecordType.INVOICE, RecordType.PAYMENT)}
    return _ledger(connection, owner, kept[RecordType.INVOICE], kept[RecordType.PAYMENT])


def _ledger(connection: Connection, owner: Owner, invoice_ids: Iterable[str], payment_ids: Iterable[str]) -> Ledger:
    notes = allocated_by(connection, owner[0], RecordType.INVOICE, invoice_ids)
    paid = allocated_by(connection, owner[0], RecordType.PAYMENT, payment_ids)
    return Ledger(
        (
            invoice_of(row, notes.get(row.id, ()), lines=False)
            for row in _rows(connection, _INVOICES, owner, invoice_ids)
        ),
        (payment_of(row, paid.get(row.id, ())) for row in _rows(connection, _PAYMENTS, owner, payment_ids)),
    )


def _neighbours(connection: Connection, owner: Owner, refs: Collection[RecordRef]) -> Iterator[RecordRef]:
    for kind in (RecordType.INVOICE, RecordType.PAYMENT):
        ids = {ref.id for ref in refs if ref.type is kind}
        for row in _rows(connection, _GIVEN_BY, owner, ids, source_type=kind.value):
            yield RecordRef(RecordType.INVOICE, row.invoice_id)
    for row in _rows(connection, _GIVEN_TO, owner, {ref.id for ref in refs if ref.type is RecordType.INVOICE}):
        yield RecordRef(RecordType(row.source_type), row.source_id)


def _rows(
    connection: Connection, statement: Select[*tuple[Any, ...]], owner: Owner, ids: Iterable[str], **more: str
) -> Iterator[AnyRow]:
    company_id, client_id = owner
    for chunk in in_chunks(ids):
        parameters = {"company_id": company_id, "client_id": client_id, "ids": chunk, **more}
        yield from connection.execute(statement, parameters).all()
