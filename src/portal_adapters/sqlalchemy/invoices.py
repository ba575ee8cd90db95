"""Invoices and credit notes in SQL."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, and_, bindparam, func, or_, select, true

from portal_adapters.sqlalchemy.direct import one
from portal_adapters.sqlalchemy.documents import (
    SELECTIVE,
    among,
    constant,
    document_conditions,
    in_scope,
    kept_total,
    narrowing,
    scope_parameters,
    told,
    words,
)
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow, invoice_of
from portal_adapters.sqlalchemy.schema import allocations, invoices, payments
from portal_adapters.sqlalchemy.sections import Section
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.ids import InvoiceId
from portal_core.domain.invoices import (
    Adjustment,
    InvoiceDetail,
    InvoiceKind,
    InvoiceState,
    InvoiceSummary,
    NumberedAllocation,
    PaymentState,
    Settlement,
    SettlementSource,
    instalments_due,
)
from portal_core.domain.money import CURRENCIES, Money
from portal_core.domain.paging import OLDEST_DUE, Listing, Page
from portal_core.ports import Invoices

_SOURCES = {"invoice": SettlementSource.CREDIT_NOTE, "payment": SettlementSource.PAYMENT}

_IS_POSTED = invoices.c.state == constant("posted")

_SUMMARY = (
    invoices.c.id,
    invoices.c.number,
    invoices.c.kind,
    invoices.c.state,
    invoices.c.payment_state,
    invoices.c.issued_on,
    invoices.c.due_on,
    invoices.c.currency,
    invoices.c.subtotal,
    invoices.c.tax,
    invoices.c.total,
    invoices.c.amount_due,
    invoices.c.oldest_due_on,
    invoices.c.order_id,
    invoices.c.payment_url,
    invoices.c.payment_instructions,
)

_SUMMARIES = select(*_SUMMARY).where(*in_scope(invoices), _IS_POSTED)

INVOICES_OF_ORDER = Section("invoices", _SUMMARIES.where(invoices.c.order_id == bindparam("order_id")))
"""What was invoiced for the order `order_id`, in no order."""

INVOICES = ListSource(
    rows=_SUMMARIES,
    id=invoices.c.id,
    sorts={
        "issued_on": invoices.c.issued_on,
        "due_on": invoices.c.due_on,
        "number": invoices.c.number,
        OLDEST_DUE: invoices.c.oldest_due_on,
    },
    conditions=document_conditions(DocumentType.INVOICE, invoices, invoices.c.issued_on)
    | {
        "kinds": among(invoices.c.kind, "kinds"),
        "payment_states": among(invoices.c.payment_state, "payment_states"),
        "due_by": invoices.c.oldest_due_on <= bindparam("due_by"),
        "overdue_on": invoices.c.oldest_due_on < bindparam("overdue_on"),
        "not_overdue_on": or_(
            invoices.c.oldest_due_on.is_(None), invoices.c.oldest_due_on >= bindparam("not_overdue_on")
        ),
    },
    nullable=frozenset({"due_on", OLDEST_DUE}),
    selective=SELECTIVE,
    kept_total=kept_total(DocumentType.INVOICE),
)
"""A client's invoices and credit notes."""

_note = invoices.alias("note")

_NOTE = and_(
    allocations.c.source_type == constant("invoice"),
    _note.c.company_id == allocations.c.company_id,
    _note.c.id == allocations.c.source_id,
)

_PAYMENT = and_(
    allocations.c.source_type == constant("payment"),
    payments.c.company_id == allocations.c.company_id,
    payments.c.id == allocations.c.source_id,
)

# What settled a document. Its order is left to Python: to be saved a sort of two rows, SQLite would read through
# all that the company has.
_SETTLEMENTS = Section(
    "settlements",
    select(
        allocations.c.source_type,
        allocations.c.source_id,
        allocations.c.position,
        allocations.c.amount,
        allocations.c.currency,
        allocations.c.allocated_on,
        func.coalesce(_note.c.number, payments.c.number).label("source_number"),
    )
    .select_from(allocations.outerjoin(_note, _NOTE).outerjoin(payments, _PAYMENT))
    .where(*in_scope(allocations), allocations.c.invoice_id == bindparam("invoice_id"), allocations.c.counts == true()),
)

# What a credit note settled.
_CREDIT = Section(
    "credit",
    select(*allocations.c, invoices.c.number)
    .join(invoices, and_(invoices.c.company_id == allocations.c.company_id, invoices.c.id == allocations.c.invoice_id))
    .where(
        *in_scope(allocations),
        allocations.c.source_type == constant("invoice"),
        allocations.c.source_id == bindparam("invoice_id"),
        allocations.c.counts == true(),
    )
    .order_by(allocations.c.position),
)

ONE_INVOICE = select(
    *_SUMMARY,
    *(column for column in told(invoices) if column not in set(_SUMMARY)),
    _SETTLEMENTS.column,
    _CREDIT.column,
).where(*in_scope(invoices), _IS_POSTED, invoices.c.id == bindparam("invoice_id"))
"""The invoice or credit note `invoice_id`, as `invoice_detail` reads it."""


@final
@frozen
class SqlInvoices(Invoices):
    connection: Connection

    def get(self, scope: Scope, invoice_id: InvoiceId) -> InvoiceDetail | None:
        if not scope.covers(DocumentType.INVOICE, invoice_id):
            return None
        row = one(self.connection, ONE_INVOICE, {**scope_parameters(scope), "invoice_id": invoice_id})
        return None if row is None else invoice_detail(row)

    def page(self, scope: Scope, listing: Listing, narrowed: InvoiceFilter, *, on: date) -> Page[InvoiceSummary]:
        asked = {
            "kinds": words(narrowed.kinds_meant),
            "payment_states": words(narrowed.payment_states),
            "due_by": narrowed.due_by,
            "overdue_on": on if narrowed.overdue is True else None,
            "not_overdue_on": on if narrowed.overdue is False else None,
        }
        return read_page(
            self.connection,
            INVOICES,
            listing,
            scope=scope_parameters(scope),
            narrowed=narrowing(scope, DocumentType.INVOICE, listing, **asked),
            read=invoice_summaries,
        )


def invoice_summaries(rows: Sequence[AnyRow]) -> Sequence[InvoiceSummary]:
    """Return invoices as a list shows them."""
    return [_summary(row) for row in rows]


def _summary(row: Iterable[Any]) -> InvoiceSummary:
    # Taking a row apart at once, in the order of _SUMMARY, takes a third of the time of asking for each column.
    (
        invoice_id,
        number,
        kind,
        state,
        payment_state,
        issued_on,
        due_on,
        currency,
        subtotal,
        tax,
        total,
        amount_due,
        oldest_due_on,
        order_id,
        payment_url,
        payment_instructions,
        *_,
    ) = row
    unit = CURRENCIES[currency]
    return InvoiceSummary(
        id=invoice_id,
        number=number,
        kind=InvoiceKind(kind),
        state=InvoiceState(state),
        payment_state=PaymentState(payment_state),
        issued_on=issued_on,
        due_on=due_on,
        subtotal=Money(subtotal, unit),
        tax=Money(tax, unit),
        total=Money(total, unit),
        amount_due=Money(amount_due, unit),
        oldest_due_on=oldest_due_on,
        order_id=order_id,
        payment_url=payment_url,
        payment_instructions=payment_instructions,
    )


def invoice_detail(row: AnyRow) -> InvoiceDetail:
    """Return an invoice or credit note with what settled it."""
    summary, invoice = _summary(row), invoice_of(row, ())
    settlements = sorted(_SETTLEMENTS.read(row.settlements), key=lambda each: each.position)
    settled = [*_adjusted(invoice.adjustments), *map(_settlement, settlements)]
    return InvoiceDetail(
        summary=summary,
        reference=invoice.reference,
        lines=invoice.lines,
        instalments=instalments_due(invoice.schedule(), summary.amount_due),
        settlements=tuple(sorted(settled, key=lambda part: part.order)),
        allocations=tuple(map(numbered, _CREDIT.read(row.credit))),
    )


def numbered(row: AnyRow) -> NumberedAllocation:
    """Return what was given to a posted document, with that document's number."""
    return NumberedAllocation(
        invoice_id=row.invoice_id,
        invoice_number=row.number,
        amount=Money(row.amount, CURRENCIES[row.currency]),
        allocated_on=row.allocated_on,
    )


def _adjusted(adjustments: Iterable[Adjustment]) -> Iterator[Settlement]:
    for part in adjustments:
        yield Settlement(
            source=SettlementSource.ADJUSTMENT,
            source_id=None,
            source_number=part.reason,
            amount=part.amount,
            allocated_on=part.adjusted_on,
        )


def _settlement(row: AnyRow) -> Settlement:
    return Settlement(
        source=_SOURCES[row.source_type],
        source_id=row.source_id,
        source_number=row.source_number,
        amount=Money(row.amount, CURRENCIES[row.currency]),
        allocated_on=row.allocated_on,
    )
