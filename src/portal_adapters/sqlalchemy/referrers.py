"""Who refers to a record, in SQL."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, Table, bindparam, func, select

from portal_adapters.sqlalchemy.schema import (
    allocations,
    clients,
    deliveries,
    grants,
    invoices,
    orders,
    payments,
    quotes,
    tickets,
)
from portal_adapters.sqlalchemy.values import dump, dump_ref, load_refs
from portal_core.domain.access import DocumentRef, DocumentType
from portal_core.domain.ids import CompanyId
from portal_core.domain.records import RecordRef, RecordType

_A_FEW = 500

_THIS: BindParameter[str] = bindparam("this")


def _ids(table: Table, condition: ColumnElement[bool]) -> Select[str]:
    return select(table.c.id).where(table.c.company_id == bindparam("company_id"), condition).order_by(table.c.id)


def _allocating(source_type: str) -> Select[str]:
    return (
        select(allocations.c.source_id)
        .where(
            allocations.c.company_id == bindparam("company_id"),
            allocations.c.invoice_id == _THIS,
            allocations.c.source_type == source_type,
        )
        .distinct()
    )


_OF_CLIENT: Mapping[str, Select[str]] = {
    word: _ids(table, table.c.client_id == _THIS)
    for word, table in (
        ("quote", quotes),
        ("order", orders),
        ("delivery", deliveries),
        ("invoice", invoices),
        ("payment", payments),
        ("feedback", tickets),
    )
} | {"token": _ids(grants, (grants.c.client_id == _THIS) & grants.c.revoked_at.is_(None))}

_BY_TYPE: Mapping[RecordType, Mapping[str, Select[str]]] = {
    RecordType.COMPANY: {"client": select(clients.c.id).where(clients.c.company_id == _THIS).order_by(clients.c.id)},
    RecordType.CLIENT: _OF_CLIENT,
    RecordType.QUOTE: {"order": _ids(orders, orders.c.quote_id == _THIS)},
    RecordType.ORDER: {
        "quote": _ids(quotes, quotes.c.order_id == _THIS),
        "delivery": _ids(deliveries, deliveries.c.order_id == _THIS),
        "invoice": _ids(invoices, invoices.c.order_id == _THIS),
    },
    RecordType.DELIVERY: {"delivery": _ids(deliveries, deliveries.c.backorder_of == _THIS)},
    RecordType.INVOICE: {"invoice": _allocating("invoice"), "payment": _allocating("payment")},
    RecordType.PAYMENT: {},
}

_ABOUT = _ids(tickets, tickets.c.document == _THIS)

# Those whose text names the document, perhaps as a part of another's id: which of them do, is told by reading them.
_NARROWED = select(grants.c.id, grants.c.documents).where(
    grants.c.company_id == bindparam("company_id"),
    grants.c.documents.is_not(None),
    grants.c.revoked_at.is_(None),
    func.replace(grants.c.documents, bindparam("named"), "") != grants.c.documents,
)


def referrers(connection: Connection, company_id: CompanyId, ref: RecordRef) -> Iterator[str]:
    """Yield what refers to a record, in words."""
    for word, statement in _BY_TYPE[ref.type].items():
        yield from _named(connection, word, statement, {"company_id": company_id, "this": ref.id})
    if ref.type in {RecordType.COMPANY, RecordType.CLIENT}:
        return
    document = DocumentRef(DocumentType(ref.type.value), ref.id)
    about = {"company_id": company_id, "this": dump_ref(document)}
    yield from _named(connection, "feedback", _ABOUT, about)
    named = {"company_id": company_id, "named": dump(dump_ref(document))}
    for row in connection.execute(_NARROWED, named).all():
        if document in load_refs(row.documents):
            yield f"token {row.id}"


def _named(connection: Connection, word: str, statement: Select[str], parameters: Mapping[str, Any]) -> Iterator[str]:
    found = connection.scalars(statement, parameters, execution_options={"yield_per": _A_FEW})
    # Who asks may have heard enough after the first.
    with closing(found):
        for each in found:
            yield f"{word} {each}"
