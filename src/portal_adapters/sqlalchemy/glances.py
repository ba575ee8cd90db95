"""The two hottest reads by one statement each, link and all, handed to the driver the short way."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias, TypeVar, final

from attrs import frozen
from sqlalchemy import BindParameter, ColumnElement, String, and_, case, literal_column, select
from sqlalchemy.sql.visitors import replacement_traverse

from portal_adapters.sqlalchemy.access import OPENED, visit_of
from portal_adapters.sqlalchemy.balances import OPEN_AMOUNTS, aged_anywhere, open_amounts_of
from portal_adapters.sqlalchemy.deliveries import DELIVERIES
from portal_adapters.sqlalchemy.dialects import json_rows
from portal_adapters.sqlalchemy.direct import Reading
from portal_adapters.sqlalchemy.documents import constant, kept_total
from portal_adapters.sqlalchemy.invoices import INVOICES
from portal_adapters.sqlalchemy.keyset import ListSource, newest
from portal_adapters.sqlalchemy.orders import ORDERS
from portal_adapters.sqlalchemy.quotes import QUOTES
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import grants
from portal_adapters.sqlalchemy.values import dump_permissions, load
from portal_core.domain.access import ALL_PERMISSIONS, DocumentType
from portal_core.domain.dashboard import RECENT
from portal_core.domain.errors import DeadLink
from portal_core.domain.paging import DELIVERY_SORTS, INVOICE_SORTS, ORDER_SORTS, QUOTE_SORTS
from portal_core.ports.glances import (
    DELIVERY_FIELDS,
    INVOICE_FIELDS,
    ORDER_FIELDS,
    QUOTE_FIELDS,
    DashboardRows,
    Glance,
    Glances,
    InvoiceRows,
)

R = TypeVar("R")

Fetch: TypeAlias = Callable[[Reading, Mapping[str, Any]], Awaitable[Sequence[AnyRow] | None]]
"""What returns the rows of a statement by the short way, or nothing where that cannot be taken just now."""

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

_INVOICE_LIST = OPENED.add_columns(_INVOICES, _of_the_link(kept_total(DocumentType.INVOICE)).label("in_all"))


@final
@frozen
class SqlGlances(Glances):
    """Glances at the tables of this store, by the short way of the runner that it is made for."""

    fetch: Fetch

    async def dashboard(self, digest: bytes, *, at: datetime) -> Glance[DashboardRows] | None:
        return await self._glance(_DASHBOARD, digest, at, _dashboard_rows, wanted=RECENT, **aged_anywhere(at))

    async def invoices(self, digest: bytes, *, at: datetime, limit: int) -> Glance[InvoiceRows] | None:
        return await self._glance(_INVOICE_LIST, digest, at, _invoice_rows, wanted=limit + 1)

    async def _glance(
        self,
        statement: Reading,
        digest: bytes,
        at: datetime,
        read: Callable[[AnyRow], R],
        **asked: object,
    ) -> Glance[R] | None:
        rows = await self.fetch(statement, {"digest": digest, "at": at, **asked})
        if rows is None:
            return None
        visit = visit_of(rows[0], digest, at=at) if rows else None
        if visit is None:
            raise DeadLink
        return Glance(visit, None if rows[0].invoices is None else read(rows[0]))


def _dashboard_rows(row: AnyRow) -> DashboardRows:
    return DashboardRows(
        quotes=load(row.quotes),
        orders=load(row.orders),
        invoices=load(row.invoices),
        deliveries=load(row.deliveries),
        open_amounts=tuple(open_amounts_of(load(row.open_amounts))),
    )


def _invoice_rows(row: AnyRow) -> InvoiceRows:
    return InvoiceRows(rows=load(row.invoices), total=row.in_all or 0)
