"""What is summed over a client's documents in SQL, from what the intake adds up: balances, and the dashboard."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, Select, String, bindparam, case, func, select

from portal_adapters.sqlalchemy.deliveries import DELIVERIES, delivery_views
from portal_adapters.sqlalchemy.direct import fetch
from portal_adapters.sqlalchemy.documents import constant, in_scope, only_of, scope_parameters
from portal_adapters.sqlalchemy.invoices import INVOICES, invoice_summaries
from portal_adapters.sqlalchemy.keyset import ListSource, newest
from portal_adapters.sqlalchemy.orders import ORDERS, order_summaries
from portal_adapters.sqlalchemy.quotes import QUOTES, quote_summaries
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import open_amounts
from portal_adapters.sqlalchemy.sections import Section
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.balance import Balance, OpenAmount, balances_of
from portal_core.domain.dashboard import RECENT, Dashboard
from portal_core.domain.money import CURRENCIES, Money
from portal_core.domain.paging import DELIVERY_SORTS, INVOICE_SORTS, ORDER_SORTS, QUOTE_SORTS
from portal_core.ports import Balances, Dashboards

_AGES = (0, 30, 60, 90)

_DAY = timedelta(days=1)

# What falls into one bucket of the aging is added up here, and stands for itself with its oldest day. What may fall
# into either of two, since it may be more than one day just now, stays apart by the day that it is due.
_BUCKET = case(
    *(
        (open_amounts.c.due >= bindparam(f"{name}_{days}", type_=String), group)
        for days in _AGES
        for name, group in (("surely", constant(str(days))), ("maybe", open_amounts.c.due))
    ),
    (open_amounts.c.due != constant(""), constant("older")),
    else_=constant(""),
)

OPEN_AMOUNTS = (
    select(
        open_amounts.c.currency,
        func.min(open_amounts.c.due).label("due"),
        func.sum(open_amounts.c.amount).label("amount"),
    )
    .where(*in_scope(open_amounts))
    .group_by(open_amounts.c.currency, _BUCKET)
)
"""What is open, by currency and bucket as of a day; see `aged_on` and `aged_anywhere`."""

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
class SqlBalances(Balances):
    connection: Connection

    def get(self, scope: Scope, *, on: date) -> tuple[Balance, ...]:
        rows = self.connection.execute(OPEN_AMOUNTS, {**scope_parameters(scope), **aged_on(on)})
        return balances_of(open_amounts_of(rows), on)


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


def aged_on(on: date) -> Mapping[str, str]:
    """Return the parameters of OPEN_AMOUNTS: the first days of the aging's buckets as seen on a day."""
    return _aged_between(on, on)


def aged_anywhere(at: datetime) -> Mapping[str, str]:
    """Return the parameters of OPEN_AMOUNTS for whichever day it is at a moment, anywhere on Earth."""
    day = at.astimezone(UTC).date()
    return _aged_between(day - _DAY, day + _DAY)


@lru_cache(maxsize=8)
def _aged_between(first: date, last: date) -> Mapping[str, str]:
    seen_from = {"surely": last, "maybe": first}
    return {f"{name}_{days}": (day - timedelta(days)).isoformat() for name, day in seen_from.items() for days in _AGES}


def open_amounts_of(rows: Iterable[AnyRow]) -> Iterator[OpenAmount]:
    """Yield what the rows of OPEN_AMOUNTS say."""
    for currency, due, amount in rows:
        yield OpenAmount(Money(int(amount), CURRENCIES[currency]), date.fromisoformat(due) if due else None)


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
