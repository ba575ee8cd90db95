"""The hottest reads by one statement each, link and all, handed to the driver the short way."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar, final

from attrs import field, frozen
from sqlalchemy import BindParameter, ColumnElement, String, and_, case, literal_column, select
from sqlalchemy.sql.visitors import replacement_traverse

from portal_adapters.sqlalchemy.access import OPENED, visit_of
from portal_adapters.sqlalchemy.balances import OPEN_AMOUNTS, aged_anywhere, open_amounts_of
from portal_adapters.sqlalchemy.briefs import FIRST_PAGE, asked_anywhere, first_page_seen
from portal_adapters.sqlalchemy.deliveries import DELIVERIES, ONE_DELIVERY, delivery_view
from portal_adapters.sqlalchemy.dialects import json_rows
from portal_adapters.sqlalchemy.direct import Fetch, Reading
from portal_adapters.sqlalchemy.documents import constant, kept_total
from portal_adapters.sqlalchemy.invoices import INVOICES, ONE_INVOICE, invoice_detail
from portal_adapters.sqlalchemy.joined import id_parameter
from portal_adapters.sqlalchemy.keyset import ListSource, newest
from portal_adapters.sqlalchemy.orders import ONE_ORDER, ORDERS, order_detail
from portal_adapters.sqlalchemy.payments import ONE_PAYMENT, payment_view
from portal_adapters.sqlalchemy.quotes import ONE_QUOTE, QUOTES, with_decision
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import grants
from portal_adapters.sqlalchemy.sections import Section
from portal_adapters.sqlalchemy.values import dump_permissions, load
from portal_core.domain.access import ALL_PERMISSIONS, DocumentRef, DocumentType, Visit
from portal_core.domain.dashboard import RECENT
from portal_core.domain.errors import DeadLink
from portal_core.domain.paging import DELIVERY_SORTS, INVOICE_SORTS, ORDER_SORTS, QUOTE_SORTS
from portal_core.ports.glances import (
    DELIVERY_FIELDS,
    INVOICE_FIELDS,
    ORDER_FIELDS,
    QUOTE_FIELDS,
    DashboardRows,
    Detail,
    FirstPageBriefs,
    Glance,
    Glances,
    InvoiceRows,
)

R = TypeVar("R")

_SEES_ALL = and_(grants.c.documents.is_(None), grants.c.permissions == constant(dump_permissions(ALL_PERMISSIONS)))

# Written as text, so that a question which names them is about the link that it is a part of.
_OF_THE_LINK = {name: literal_column(f"{grants.name}.{name}", String) for name in ("company_id", "client_id")}


def _of_the_link(question: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a question within a scope's parameters as one about the link's client, if the link sees all of it."""

    def of_the_link(element: Any, **_: Any) -> ColumnElement[str] | None:  # noqa: ANN401 - any part of a statement
        return _OF_THE_LINK.get(element.key) if isinstance(element, BindParameter) else None

    return case((_SEES_ALL, replacement_traverse(question, {}, of_the_link)))


def _rows(source: ListSource, sorts: Sequence[str], fields: Sequence[str]) -> ColumnElement[str]:
    rows = newest(source, sorts[0], frozenset()).subquery()
    return select(json_rows(*(rows.c[name] for name in fields))).scalar_subquery()


_INVOICES = _of_the_link(_rows(INVOICES, INVOICE_SORTS, INVOICE_FIELDS)).label("invoices")

_OPEN_AMOUNTS = OPEN_AMOUNTS.subquery()

_DASHBOARD = OPENED.add_columns(
    _of_the_link(_rows(QUOTES, QUOTE_SORTS, QUOTE_FIELDS)).label("quotes"),
    _of_the_link(_rows(ORDERS, ORDER_SORTS, ORDER_FIELDS)).label("orders"),
    _INVOICES,
    _of_the_link(_rows(DELIVERIES, DELIVERY_SORTS, DELIVERY_FIELDS)).label("deliveries"),
    _of_the_link(select(json_rows(*_OPEN_AMOUNTS.c)).scalar_subquery()).label("open_amounts"),
)

_FIRST_PAGE = OPENED.add_columns(*(_of_the_link(each.value).label(each.name) for each in FIRST_PAGE))

_INVOICE_LIST = OPENED.add_columns(_INVOICES, _of_the_link(kept_total(DocumentType.INVOICE)).label("in_all"))


@final
@frozen(eq=False)
class _Document:
    """How one document of a type is seen: as the only row of a section, read as the plain way reads it."""

    question: Reading
    detail: Callable[[AnyRow], Detail]
    _section: Section = field(init=False)
    statement: Reading = field(init=False)

    def __attrs_post_init__(self) -> None:
        section = Section("document", self.question)
        object.__setattr__(self, "_section", section)
        object.__setattr__(self, "statement", OPENED.add_columns(_of_the_link(section.value).label("document")))

    def read(self, row: AnyRow, _: Visit) -> Detail | None:
        """Return the document, if the link sees all and there is one."""
        found = () if row.document is None else self._section.read(row.document)
        return self.detail(found[0]) if found else None


_DOCUMENTS: Mapping[DocumentType, _Document] = {
    DocumentType.QUOTE: _Document(ONE_QUOTE, with_decision),
    DocumentType.ORDER: _Document(ONE_ORDER, order_detail),
    DocumentType.INVOICE: _Document(ONE_INVOICE, invoice_detail),
    DocumentType.PAYMENT: _Document(ONE_PAYMENT, payment_view),
    DocumentType.DELIVERY: _Document(ONE_DELIVERY, delivery_view),
}


@final
@frozen
class SqlGlances(Glances):
    """Glances at the tables of this store, by the short way of the runner that it is made for."""

    fetch: Fetch

    async def dashboard(self, digest: bytes, *, at: datetime) -> Glance[DashboardRows] | None:
        return await self._glance(_DASHBOARD, digest, at, _dashboard_rows, wanted=RECENT, **aged_anywhere(at))

    async def first_page(self, digest: bytes, *, at: datetime) -> Glance[FirstPageBriefs] | None:
        def read(row: AnyRow, visit: Visit) -> FirstPageBriefs | None:
            return None if row.invoices is None else first_page_seen(row, visit.today(at))

        return await self._glance(_FIRST_PAGE, digest, at, read, **asked_anywhere(at))

    async def invoices(self, digest: bytes, *, at: datetime, limit: int) -> Glance[InvoiceRows] | None:
        return await self._glance(_INVOICE_LIST, digest, at, _invoice_rows, wanted=limit + 1)

    async def document(self, digest: bytes, ref: DocumentRef, *, at: datetime) -> Glance[Detail] | None:
        document = _DOCUMENTS[ref.type]
        return await self._glance(document.statement, digest, at, document.read, **{id_parameter(ref.type): ref.id})

    async def _glance(
        self,
        statement: Reading,
        digest: bytes,
        at: datetime,
        read: Callable[[AnyRow, Visit], R | None],
        **asked: object,
    ) -> Glance[R] | None:
        rows = await self.fetch(statement, {"digest": digest, "at": at, **asked})
        if rows is None:
            return None
        visit = visit_of(rows[0], digest, at=at) if rows else None
        if visit is None:
            raise DeadLink
        return Glance(visit, read(rows[0], visit))


def _dashboard_rows(row: AnyRow, _: Visit) -> DashboardRows | None:
    if row.invoices is None:
        return None
    return DashboardRows(
        quotes=load(row.quotes),
        orders=load(row.orders),
        invoices=load(row.invoices),
        deliveries=load(row.deliveries),
        open_amounts=tuple(open_amounts_of(load(row.open_amounts))),
    )


def _invoice_rows(row: AnyRow, _: Visit) -> InvoiceRows | None:
    return None if row.invoices is None else InvoiceRows(rows=load(row.invoices), total=row.in_all or 0)
