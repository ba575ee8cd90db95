"""What a link to single documents shows of them: nothing that would lead to a document that it does not open."""

from collections.abc import Callable
from typing import TypeVar

from attrs import evolve

from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.dashboard import Dashboard, FirstPage
from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.invoices import InvoiceDetail, InvoiceSummary, Settlement, SettlementSource
from portal_core.domain.orders import OrderDetail, OrderSummary
from portal_core.domain.paging import Page
from portal_core.domain.payments import PaymentView
from portal_core.domain.quotes import Quote

T = TypeVar("T")
Id = TypeVar("Id", bound=str)
Ordered = TypeVar("Ordered", bound=OrderSummary)

# An adjustment is no document.
_DOCUMENT_TYPES = {
    SettlementSource.PAYMENT: DocumentType.PAYMENT,
    SettlementSource.CREDIT_NOTE: DocumentType.INVOICE,
}


def within(scope: Scope, shown: T, narrow: Callable[[Scope, T], T]) -> T:
    """Return what is shown within a scope, untouched where the scope is not narrowed."""
    return shown if scope.documents is None else narrow(scope, shown)


def page_within(scope: Scope, page: Page[T], narrow: Callable[[Scope, T], T]) -> Page[T]:
    """Return a page with each of its items within a scope."""
    return page if scope.documents is None else evolve(page, items=_each(scope, page.items, narrow))


def narrow_quote(scope: Scope, quote: Quote) -> Quote:
    """Leave out an order that the scope does not cover."""
    return evolve(quote, order_id=_covered(scope, DocumentType.ORDER, quote.order_id))


def narrow_order(scope: Scope, order: Ordered) -> Ordered:
    """Leave out a quote that the scope does not cover."""
    return evolve(order, quote_id=_covered(scope, DocumentType.QUOTE, order.quote_id))


def narrow_order_detail(scope: Scope, detail: OrderDetail) -> OrderDetail:
    """Leave out the quote, the deliveries and the invoices that the scope does not cover."""
    return OrderDetail(
        order=narrow_order(scope, detail.order),
        deliveries=tuple(
            narrow_delivery(scope, each)
            for each in detail.deliveries
            if scope.covers(DocumentType.DELIVERY, each.delivery.id)
        ),
        invoices=None
        if detail.invoices is None
        else tuple(
            narrow_invoice(scope, each) for each in detail.invoices if scope.covers(DocumentType.INVOICE, each.id)
        ),
    )


def narrow_delivery(scope: Scope, view: DeliveryView) -> DeliveryView:
    """Leave out an order and a delivery that the scope does not cover."""
    order_id = _covered(scope, DocumentType.ORDER, view.delivery.order_id)
    backorder_of = _covered(scope, DocumentType.DELIVERY, view.backorder_of)
    return DeliveryView(
        delivery=evolve(view.delivery, order_id=order_id, backorder_of=backorder_of),
        order_number=None if order_id is None else view.order_number,
        backorder_of=backorder_of,
    )


def narrow_invoice(scope: Scope, summary: InvoiceSummary) -> InvoiceSummary:
    """Leave out an order that the scope does not cover."""
    return evolve(summary, order_id=_covered(scope, DocumentType.ORDER, summary.order_id))


def narrow_invoice_detail(scope: Scope, detail: InvoiceDetail) -> InvoiceDetail:
    """Leave out the order, and what settled or was settled by documents that the scope does not cover."""
    return evolve(
        detail,
        summary=narrow_invoice(scope, detail.summary),
        settlements=None
        if detail.settlements is None
        else tuple(each for each in detail.settlements if _shows(scope, each)),
        allocations=None
        if detail.allocations is None
        else tuple(each for each in detail.allocations if scope.covers(DocumentType.INVOICE, each.invoice_id)),
    )


def narrow_payment(scope: Scope, view: PaymentView) -> PaymentView:
    """Leave out the invoices paid that the scope does not cover."""
    return PaymentView(
        payment=evolve(
            view.payment,
            allocations=tuple(
                each for each in view.payment.allocations if scope.covers(DocumentType.INVOICE, each.invoice_id)
            ),
        ),
        allocations=tuple(each for each in view.allocations if scope.covers(DocumentType.INVOICE, each.invoice_id)),
        unallocated=view.unallocated,
    )


def narrow_dashboard(scope: Scope, dashboard: Dashboard) -> Dashboard:
    """Leave out of each section what the scope does not cover."""
    return evolve(
        dashboard,
        orders=_if_shown(scope, dashboard.orders, narrow_order),
        invoices=_if_shown(scope, dashboard.invoices, narrow_invoice),
        deliveries=_if_shown(scope, dashboard.deliveries, narrow_delivery),
    )


def narrow_first_page(scope: Scope, page: FirstPage) -> FirstPage:
    """Leave out of each part what the scope does not cover."""
    return evolve(
        page,
        to_pay=_each(scope, page.to_pay, narrow_invoice),
        to_come=_if_shown(scope, page.to_come, narrow_delivery),
        orders=_if_shown(scope, page.orders, narrow_order),
        invoices=_if_shown(scope, page.invoices, narrow_invoice),
    )


def _if_shown(scope: Scope, shown: tuple[T, ...] | None, narrow: Callable[[Scope, T], T]) -> tuple[T, ...] | None:
    return None if shown is None else _each(scope, shown, narrow)


def _each(scope: Scope, shown: tuple[T, ...], narrow: Callable[[Scope, T], T]) -> tuple[T, ...]:
    return tuple(narrow(scope, each) for each in shown)


def _covered(scope: Scope, kind: DocumentType, document_id: Id | None) -> Id | None:
    return document_id if document_id is not None and scope.covers(kind, document_id) else None


def _shows(scope: Scope, part: Settlement) -> bool:
    kind = _DOCUMENT_TYPES.get(part.source)
    return kind is None or scope.covers(kind, part.source_id or "")
