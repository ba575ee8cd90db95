"""Payments and refunds in SQL."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import final

from attrs import frozen
from sqlalchemy import Connection, and_, bindparam, select

from portal_adapters.sqlalchemy.documents import (
    SELECTIVE,
    among,
    constant,
    count_of,
    document_conditions,
    in_scope,
    is_one_of,
    narrowing,
    scope_parameters,
)
from portal_adapters.sqlalchemy.invoices import numbered
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow, payment_of
from portal_adapters.sqlalchemy.schema import allocations, invoices, payments
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.ids import PaymentId
from portal_core.domain.money import CURRENCIES, Money
from portal_core.domain.paging import Listing, Page
from portal_core.domain.payments import SHOWN_PAYMENT_STATES, PaymentView
from portal_core.ports import Payments

_SHOWN = select(*payments.c).where(*in_scope(payments), is_one_of(payments.c.state, SHOWN_PAYMENT_STATES))

_ONE = _SHOWN.where(payments.c.id == bindparam("payment_id"))

_LIST = ListSource(
    rows=_SHOWN,
    id=payments.c.id,
    sorts={"received_on": payments.c.received_on, "number": payments.c.number},
    conditions=document_conditions(payments, payments.c.received_on),
    selective=SELECTIVE,
)

# What some payments gave to whom, with the number of what counts.
_GIVEN = (
    select(*allocations.c, invoices.c.number)
    .select_from(
        allocations.outerjoin(
            invoices, and_(invoices.c.company_id == allocations.c.company_id, invoices.c.id == allocations.c.invoice_id)
        )
    )
    .where(
        allocations.c.company_id == bindparam("company_id"),
        allocations.c.source_type == constant("payment"),
        among(allocations.c.source_id, "payment_ids"),
    )
    .order_by(allocations.c.source_id, allocations.c.position)
)


@final
@frozen
class SqlPayments(Payments):
    connection: Connection

    def get(self, scope: Scope, payment_id: PaymentId) -> PaymentView | None:
        if not scope.covers(DocumentType.PAYMENT, payment_id):
            return None
        rows = self.connection.execute(_ONE, {**scope_parameters(scope), "payment_id": payment_id}).all()
        return next(iter(self._views(rows)), None)

    def page(self, scope: Scope, listing: Listing) -> Page[PaymentView]:
        return read_page(
            self.connection,
            _LIST,
            listing,
            scope=scope_parameters(scope),
            narrowed=narrowing(scope, DocumentType.PAYMENT, listing),
            read=self._views,
            known_total=lambda: count_of(self.connection, scope, DocumentType.PAYMENT),
        )

    def _views(self, rows: Sequence[AnyRow]) -> Sequence[PaymentView]:
        if not rows:
            return ()
        given: dict[str, list[AnyRow]] = defaultdict(list)
        parameters = {"company_id": rows[0].company_id, "payment_ids": [row.id for row in rows]}
        for row in self.connection.execute(_GIVEN, parameters):
            given[row.source_id].append(row)
        return [_view(row, given[row.id]) for row in rows]


def _view(row: AnyRow, given: Iterable[AnyRow]) -> PaymentView:
    return PaymentView(
        payment=payment_of(row, given),
        allocations=tuple(numbered(each) for each in given if each.counts),
        unallocated=Money(row.unallocated, CURRENCIES[row.currency]),
    )
