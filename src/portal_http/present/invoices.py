"""Invoices, credit notes, and payments."""

from datetime import date
from typing import cast

from portal_core.domain.invoices import (
    InstalmentDue,
    InvoiceDetail,
    InvoiceKind,
    InvoiceSummary,
    NumberedAllocation,
    Settlement,
)
from portal_core.domain.payments import PaymentView
from portal_http.present.values import line, money
from portal_http.shapes import (
    AllocationShape,
    CreditNoteDetailShape,
    DatedAllocationShape,
    InstalmentShape,
    InvoiceDetailShape,
    InvoiceShape,
    PaymentShape,
    SettlementShape,
)


def invoice_row(invoice: InvoiceSummary, on: date) -> InvoiceShape:
    """Return an invoice or credit note as a list shows it."""
    return {
        "id": invoice.id,
        "number": invoice.number,
        "kind": invoice.kind,
        "state": invoice.state,
        "payment_state": invoice.payment_state,
        "overdue": invoice.is_overdue(on),
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "currency": invoice.total.currency.code,
        "subtotal": money(invoice.subtotal),
        "tax": money(invoice.tax),
        "total": money(invoice.total),
        "amount_due": money(invoice.amount_due),
        "order_id": invoice.order_id,
        "payment_url": invoice.payment_url,
        "payment_instructions": invoice.payment_instructions,
    }


def invoice_detail(detail: InvoiceDetail, on: date) -> InvoiceDetailShape | CreditNoteDetailShape:
    """Return an invoice or credit note, with what settled it unless that is withheld."""
    if detail.summary.kind is InvoiceKind.CREDIT_NOTE:
        return _credit_note_detail(detail, on)
    parts = {
        "reference": detail.reference,
        "lines": [line(each) for each in detail.lines],
        "instalments": [_instalment(each) for each in detail.instalments],
    }
    shape = cast("InvoiceDetailShape", {**invoice_row(detail.summary, on), **parts})
    if detail.settlements is not None:
        shape["allocations"] = [_settlement(part) for part in detail.settlements]
    return shape


def payment(view: PaymentView) -> PaymentShape:
    """Return a payment or refund with what it paid."""
    fact = view.payment
    return {
        "id": fact.id,
        "number": fact.number,
        "kind": fact.kind,
        "state": fact.state,
        "received_on": fact.received_on,
        "method": fact.method,
        "reference": fact.reference,
        "amount": money(fact.amount),
        "unallocated": money(view.unallocated),
        "allocations": [_allocation(part) for part in view.allocations],
    }


def _credit_note_detail(detail: InvoiceDetail, on: date) -> CreditNoteDetailShape:
    parts = {"reference": detail.reference, "lines": [line(each) for each in detail.lines], "instalments": []}
    shape = cast("CreditNoteDetailShape", {**invoice_row(detail.summary, on), **parts})
    if detail.allocations is not None:
        shape["allocations"] = [_dated_allocation(part) for part in detail.allocations]
    if detail.settlements is not None:
        shape["settlements"] = [_settlement(part) for part in detail.settlements]
    return shape


def _instalment(part: InstalmentDue) -> InstalmentShape:
    return {"due_on": part.due_on, "amount": money(part.amount), "amount_due": money(part.amount_due)}


def _settlement(part: Settlement) -> SettlementShape:
    return {
        "source": part.source,
        "source_id": part.source_id,
        "source_number": part.source_number,
        "amount": money(part.amount),
        "allocated_on": part.allocated_on,
    }


def _allocation(part: NumberedAllocation) -> AllocationShape:
    return {"invoice_id": part.invoice_id, "invoice_number": part.invoice_number, "amount": money(part.amount)}


def _dated_allocation(part: NumberedAllocation) -> DatedAllocationShape:
    return {**_allocation(part), "allocated_on": part.allocated_on}
