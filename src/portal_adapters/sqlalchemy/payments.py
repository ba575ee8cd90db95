"""Payments and refunds in SQL."""

from collections.abc import Sequence
from typing import final

from attrs import frozen
from sqlalchemy import Connection, and_, bindparam, select

from portal_adapters.sqlalchemy.direct import one
from portal_adapters.sqlalchemy.documents import (
    SELECTIVE,
    constant,
    document_conditions,
    in_scope,
    is_one_of,
    kept_total,
    narrowing,
    scope_parameters,
    told,
)
from portal_adapters.sqlalchemy.invoices import numbered
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow, payment_of
from portal_adapters.sqlalchemy.schema import allocations, invoices, payments
from portal_adapters.sqlalchemy.sections import Section
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.ids import PaymentId
from portal_core.domain.money import CURRENCIES, Money
from portal_core.domain.paging import Listing, Page
from portal_core.domain.payments import SHOWN_PAYMENT_STATES, PaymentView
from portal_core.ports import Payments

# What a payment gave to whom, with the number of what counts.
_GIVEN = Section(
    "given",
    select(*allocations.c, invoices.c.number)
    .select_from(
        allocations.outerjoin(
            invoices, and_(invoices.c.company_id == allocations.c.company_id, invoices.c.id == allocations.c.invoice_id)
        )
    )
    .where(
        allocations.c.company_id == payments.c.company_id,
        allocations.c.source_type == constant("payment"),
        allocations.c.source_id == payments.c.id,
    )
    .order_by(allocations.c.position)
    .correlate(payments),
)

_SHOWN = select(*told(payments), _GIVEN.column).where(
    *in_scope(payments), is_one_of(payments.c.state, SHOWN_PAYMENT_STATES)
)

ONE_PAYMENT = _SHOWN.where(payments.c.id == bindparam("payment_id"))
"""The payment or refund `payment_id`, as `payment_view` reads it."""

_LIST = ListSource(
    rows=_SHOWN,
    id=payments.c.id,
    sorts={"received_on": payments.c.received_on, "number": payments.c.number},
    conditions=document_conditions(DocumentType.PAYMENT, payments, payments.c.received_on),
    selective=SELECTIVE,
    kept_total=kept_total(DocumentType.PAYMENT),
)


@final
@frozen
class SqlPayments(Payments):
    connection: Connection

    def get(self, scope: Scope, payment_id: PaymentId) -> PaymentView | None:
        if not scope.covers(DocumentType.PAYMENT, payment_id):
            return None
        row = one(self.connection, ONE_PAYMENT, {**scope_parameters(scope), "payment_id": payment_id})
        return None if row is None else payment_view(row)

    def page(self, scope: Scope, listing: Listing) -> Page[PaymentView]:
        return read_page(
            self.connection,
            _LIST,
            listing,
            scope=scope_parameters(scope),
            narrowed=narrowing(scope, DocumentType.PAYMENT, listing),
            read=_views,
        )


def _views(rows: Sequence[AnyRow]) -> Sequence[PaymentView]:
    return [payment_view(row) for row in rows]


def payment_view(row: AnyRow) -> PaymentView:
    """Return a payment or refund with what it paid."""
    given = _GIVEN.read(row.given)
    return PaymentView(
        payment=payment_of(row, given),
        allocations=tuple(numbered(each) for each in given if each.counts),
        unallocated=Money(row.unallocated, CURRENCIES[row.currency]),
    )
