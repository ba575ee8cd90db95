"""What a client sees first in SQL: the dashboard, and the first page for people."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, Select, select

from portal_adapters.sqlalchemy.balances import OPEN_AMOUNTS, aged_on, open_amounts_of
from portal_adapters.sqlalchemy.deliveries import DELIVERIES, delivery_views
from portal_adapters.sqlalchemy.direct import fetch
from portal_adapters.sqlalchemy.documents import only_of, scope_parameters
from portal_adapters.sqlalchemy.first_pages import read_first_page
from portal_adapters.sqlalchemy.invoices import INVOICES, invoice_summaries
from portal_adapters.sqlalchemy.keyset import ListSource, newest
from portal_adapters.sqlalchemy.orders import ORDERS, order_summaries
from portal_adapters.sqlalchemy.quotes import QUOTES, quote_summaries
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.sections import Section
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.balance import balances_of
from portal_core.domain.dashboard import RECENT, Dashboard, FirstPage, PagePart
from portal_core.domain.paging import DELIVERY_SORTS, INVOICE_SORTS, ORDER_SORTS, QUOTE_SORTS
from portal_core.ports import Dashboards

_LISTS: Mapping[DocumentType, tuple[ListSource, str]] = {
    DocumentType.QUOTE: (QUOTES, QUOTE_SORTS[0]),
    DocumentType.ORDER: (ORDERS, ORDER_SORTS[0]),
    DocumentType.INVOICE: (INVOICES, INVOICE_SORTS[0]),
    DocumentType.DELIVERY: (DELIVERIES, DELIVERY_SORTS[0]),
}

_KINDS = frozenset(_LISTS)

_BALANCES = Section("balances", OPEN_AMOUNTS)


@final
@frozen
class SqlDashboards(Dashboards):
    """All that is shown, each list a section of one statement."""

    connection: Connection

    def get(self, scope: Scope, *, on: date, shown: frozenset[DocumentType], balances: bool) -> Dashboard:
        kinds = shown & _KINDS
        if not kinds and not balances:
            return Dashboard(quotes=None, orders=None, invoices=None, deliveries=None, balances=None)
        only = {only_of(kind): scope.only(kind) for kind in kinds}
        narrowed = {name: sorted(ids) for name, ids in only.items() if ids is not None}
        statement = _statement(kinds, narrowed=bool(narrowed), balances=balances)
        asked = {**scope_parameters(scope), **narrowed, **aged_on(on), "on": on, "wanted": RECENT}
        (row,) = fetch(self.connection, statement, asked)
        return _dashboard(row, kinds, on=on, balances=balances)

    def first_page(self, scope: Scope, *, on: date, parts: frozenset[PagePart]) -> FirstPage:
        return read_first_page(self.connection, scope, on=on, parts=parts)


@cache
def _section(kind: DocumentType, *, narrowed: bool) -> Section:
    source, sort = _LISTS[kind]
    return Section(kind.value, newest(source, sort, frozenset({only_of(kind)} if narrowed else ())))


@cache
def _statement(kinds: frozenset[DocumentType], *, narrowed: bool, balances: bool) -> Select[*tuple[Any, ...]]:
    sections = [_section(kind, narrowed=narrowed) for kind in sorted(kinds)]
    return select(*(each.column for each in (*sections, *([_BALANCES] if balances else ()))))


def _dashboard(row: AnyRow, kinds: frozenset[DocumentType], *, on: date, balances: bool) -> Dashboard:
    shown = {kind: _section(kind, narrowed=False).read(getattr(row, kind.value)) for kind in kinds}
    quotes, orders = shown.get(DocumentType.QUOTE), shown.get(DocumentType.ORDER)
    invoices, deliveries = shown.get(DocumentType.INVOICE), shown.get(DocumentType.DELIVERY)
    return Dashboard(
        quotes=None if quotes is None else tuple(quote_summaries(quotes)),
        orders=None if orders is None else tuple(order_summaries(orders)),
        invoices=None if invoices is None else tuple(invoice_summaries(invoices)),
        deliveries=None if deliveries is None else tuple(delivery_views(deliveries)),
        balances=balances_of(open_amounts_of(_BALANCES.read(row.balances)), on) if balances else None,
    )
