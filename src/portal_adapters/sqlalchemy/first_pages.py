"""The first page for people in SQL: each of its parts a section of one statement."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

from attrs import evolve, frozen
from sqlalchemy import ColumnElement, Connection, Date, Select, bindparam, func, or_, select

from portal_adapters.sqlalchemy.balances import OPEN_AMOUNTS, aged_on, open_amounts_of
from portal_adapters.sqlalchemy.deliveries import DELIVERIES, delivery_views
from portal_adapters.sqlalchemy.direct import fetch
from portal_adapters.sqlalchemy.documents import constant, number, only_of, scope_parameters
from portal_adapters.sqlalchemy.invoices import INVOICES, invoice_summaries
from portal_adapters.sqlalchemy.keyset import ListSource, newest
from portal_adapters.sqlalchemy.orders import ORDERS, order_summaries
from portal_adapters.sqlalchemy.quotes import QUOTES, quote_summaries
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import decisions, deliveries, invoices, quotes
from portal_adapters.sqlalchemy.sections import Section
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.balance import balances_of
from portal_core.domain.dashboard import COMING, LATEST_PLANNED, NEWEST, RECENT, SOON, FirstPage, PagePart, nearest
from portal_core.domain.paging import DELIVERY_SORTS, INVOICE_SORTS, OLDEST_DUE, ORDER_SORTS, QUOTE_SORTS


@frozen(eq=False, kw_only=True)
class _List:
    """Some documents of a type: the first `most` of a list, by one of its sorts, that meet all conditions."""

    kind: DocumentType
    source: ListSource
    sort: str
    descending: bool = True
    conditions: tuple[ColumnElement[bool], ...] = ()
    most: int = NEWEST

    def rows(self, *, narrowed: bool) -> Select[*tuple[Any, ...]]:
        """Return the rows; of a link that is narrowed to single documents, those of its own."""
        keys = [self.source.sorts[self.sort], self.source.id]
        rows = self.source.rows.where(*self.conditions).limit(number(self.most))
        if narrowed:
            # An order that no index has: see `ListSource.selective`.
            rows = rows.where(self.source.conditions[only_of(self.kind)])
            keys = [func.coalesce(each, each) for each in keys]
        return rows.order_by(*(each.desc() if self.descending else each.asc() for each in keys))


# The rule of QuoteSummary.state in SQL, for quotes that are shown as sent.
_AWAITS_ANSWER = (
    quotes.c.state == constant("sent"),
    decisions.c.answer.is_(None),
    or_(quotes.c.valid_until.is_(None), quotes.c.valid_until >= bindparam("on", type_=Date)),
)

_IS_SOON_DUE = (
    invoices.c.kind == constant("invoice"),
    invoices.c.oldest_due_on.is_not(None),
    invoices.c.oldest_due_on <= bindparam("soon", type_=Date),
)

LISTS: Mapping[PagePart, _List] = {
    PagePart.TO_ANSWER: _List(
        kind=DocumentType.QUOTE, source=QUOTES, sort=QUOTE_SORTS[0], conditions=_AWAITS_ANSWER, most=RECENT
    ),
    PagePart.TO_PAY: _List(
        kind=DocumentType.INVOICE,
        source=INVOICES,
        sort=OLDEST_DUE,
        descending=False,
        conditions=_IS_SOON_DUE,
        most=RECENT,
    ),
    PagePart.QUOTES: _List(kind=DocumentType.QUOTE, source=QUOTES, sort=QUOTE_SORTS[0]),
    PagePart.ORDERS: _List(kind=DocumentType.ORDER, source=ORDERS, sort=ORDER_SORTS[0]),
    PagePart.INVOICES: _List(kind=DocumentType.INVOICE, source=INVOICES, sort=INVOICE_SORTS[0]),
}
"""What each part shows of a list."""

_KINDS = {**{part: each.kind for part, each in LISTS.items()}, PagePart.TO_COME: DocumentType.DELIVERY}

TO_COME = evolve(DELIVERIES, rows=DELIVERIES.rows.where(deliveries.c.state.in_(map(constant, sorted(COMING)))))
"""A client's deliveries that are not there yet."""

_READ: Mapping[PagePart, Callable[[Sequence[AnyRow], date], Sequence[Any]]] = {
    PagePart.TO_ANSWER: lambda rows, _: quote_summaries(rows),
    PagePart.TO_PAY: lambda rows, _: invoice_summaries(rows),
    PagePart.TO_COME: lambda rows, on: delivery_views(nearest(rows, on, lambda row: row.scheduled_on)),
    PagePart.QUOTES: lambda rows, _: quote_summaries(rows),
    PagePart.ORDERS: lambda rows, _: order_summaries(rows),
    PagePart.INVOICES: lambda rows, _: invoice_summaries(rows),
    PagePart.BALANCES: lambda rows, on: balances_of(open_amounts_of(rows), on),
}


def read_first_page(connection: Connection, scope: Scope, *, on: date, parts: frozenset[PagePart]) -> FirstPage:
    """Return some parts of the first page, as `Dashboards.first_page` promises."""
    if not parts:
        return FirstPage()
    only = {only_of(kind): scope.only(kind) for part, kind in _KINDS.items() if part in parts}
    narrowed = {name: sorted(ids) for name, ids in only.items() if ids is not None}
    sections, statement = _statement(parts, narrowed=bool(narrowed))
    asked = {
        **scope_parameters(scope),
        **narrowed,
        **aged_on(on),
        "on": on,
        "soon": on + SOON,
        "wanted": LATEST_PLANNED,
    }
    (row,) = fetch(connection, statement, asked)
    read = zip(sections, row, strict=True)
    return FirstPage(**{each.name: tuple(_READ[PagePart(each.name)](each.read(text), on)) for each, text in read})


@cache
def _statement(parts: frozenset[PagePart], *, narrowed: bool) -> tuple[Sequence[Section], Select[*tuple[Any, ...]]]:
    sections = [Section(part.value, _rows(part, narrowed=narrowed)) for part in sorted(parts)]
    return sections, select(*(each.column for each in sections))


def _rows(part: PagePart, *, narrowed: bool) -> Select[*tuple[Any, ...]]:
    if part is PagePart.BALANCES:
        return OPEN_AMOUNTS
    if part is PagePart.TO_COME:
        only = frozenset({only_of(DocumentType.DELIVERY)} if narrowed else ())
        return newest(TO_COME, DELIVERY_SORTS[0], only)
    return LISTS[part].rows(narrowed=narrowed)
