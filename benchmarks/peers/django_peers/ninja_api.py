"""The portal in django-ninja."""

from datetime import date
from typing import Annotated

from django.http import HttpRequest
from ninja import NinjaAPI, Query
from ninja.errors import HttpError

import shapes
from django_peers import asking
from django_peers.models import AccessGrant, Delivery, Invoice, Quote, SalesOrder

api = NinjaAPI(openapi_url=None, docs_url=None)


def require(grant: AccessGrant, permission: str) -> None:
    if permission not in grant.permissions:
        raise HttpError(403, "permission_denied")


@api.get("view/{token}/dashboard", response=shapes.DashboardAnswer)
def dashboard(request: HttpRequest, token: str) -> shapes.DashboardAnswer:
    grant = asking.open_grant(token)
    client, today = grant.client, asking.today_of(grant)
    return shapes.DashboardAnswer(
        data=shapes.Dashboard(
            client=shapes.Party.model_validate(client),
            company=shapes.Party.model_validate(client.company),
            recent=shapes.Recent(
                quotes=[quote_row(each, today) for each in asking.newest_quotes(client.id)],
                orders=[order_row(each) for each in asking.newest_orders(client.id)],
                invoices=[invoice_row(each, today) for each in asking.posted_invoices(client.id)[:5]],
                deliveries=[delivery(each) for each in asking.newest_deliveries(client.id)],
            ),
            balances=asking.balances(client.id, today),
        )
    )


@api.get("view/{token}/invoices", response=shapes.InvoicesAnswer)
def list_invoices(
    request: HttpRequest,
    token: str,
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> shapes.InvoicesAnswer:
    grant = asking.open_grant(token)
    require(grant, "view_invoices")
    shown, today = asking.posted_invoices(grant.client_id), asking.today_of(grant)
    total = shown.count()
    return shapes.InvoicesAnswer(
        data=[invoice_row(each, today) for each in shown[offset : offset + limit]],
        meta=shapes.Meta(total=total, limit=limit, offset=offset, hasMore=offset + limit < total),
    )


@api.get("view/{token}/invoices/{invoice_id}", response=shapes.InvoiceAnswer)
def read_invoice(request: HttpRequest, token: str, invoice_id: str) -> shapes.InvoiceAnswer:
    grant = asking.open_grant(token)
    require(grant, "view_invoices")
    invoice = asking.one_invoice(grant.client_id, invoice_id)
    return shapes.InvoiceAnswer(data=invoice_detail(invoice, asking.today_of(grant)))


def quote_row(quote: Quote, today: date) -> shapes.QuoteRow:
    return shapes.QuoteRow(
        id=quote.id,
        number=quote.number,
        state=shapes.state_of(quote.state, quote.valid_until, today),
        revision=quote.revision,
        issued_on=quote.issued_on,
        valid_until=quote.valid_until,
        currency=quote.currency,
        subtotal=shapes.money(quote.subtotal, quote.currency),
        tax=shapes.money(quote.tax, quote.currency),
        total=shapes.money(quote.total, quote.currency),
        decided_at=quote.decided_at,
    )


def order_row(order: SalesOrder) -> shapes.OrderRow:
    return shapes.OrderRow(
        id=order.id,
        number=order.number,
        state=order.state,
        ordered_on=order.ordered_on,
        client_reference=order.client_reference,
        delivery_status=order.delivery_status,
        currency=order.currency,
        subtotal=shapes.money(order.subtotal, order.currency),
        tax=shapes.money(order.tax, order.currency),
        total=shapes.money(order.total, order.currency),
        quote_id=order.quote_id,
    )


def delivery(found: Delivery) -> shapes.Delivery:
    return shapes.Delivery(
        id=found.id,
        number=found.number,
        state=found.state,
        order_id=found.order_id,
        order_number=None if found.order is None else found.order.number,
        carrier_name=found.carrier_name,
        tracking_number=found.tracking_number,
        tracking_url=found.tracking_url,
        scheduled_on=found.scheduled_on,
        shipped_at=found.shipped_at,
        delivered_at=found.delivered_at,
        backorder_of=found.backorder_of,
        lines=[shapes.DeliveryLine.model_validate(each) for each in found.lines.all()],
    )


def invoice_row(invoice: Invoice, today: date) -> shapes.InvoiceRow:
    return shapes.InvoiceRow(**_row_parts(invoice, today))


def _row_parts(invoice: Invoice, today: date) -> dict[str, object]:
    unit = invoice.currency
    return {
        "id": invoice.id,
        "number": invoice.number,
        "kind": invoice.kind,
        "state": invoice.state,
        "payment_state": invoice.payment_state,
        "overdue": shapes.is_overdue(invoice.kind, invoice.amount_due, invoice.due_on, today),
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "currency": unit,
        "subtotal": shapes.money(invoice.subtotal, unit),
        "tax": shapes.money(invoice.tax, unit),
        "total": shapes.money(invoice.total, unit),
        "amount_due": shapes.money(invoice.amount_due, unit),
        "order_id": invoice.order_id,
        "payment_url": invoice.payment_url,
        "payment_instructions": invoice.payment_instructions,
    }


def invoice_detail(invoice: Invoice, today: date) -> shapes.InvoiceDetail:
    unit, parts = invoice.currency, _row_parts(invoice, today)
    return shapes.InvoiceDetail(
        **parts,
        reference=invoice.reference,
        lines=[
            shapes.InvoiceLine(
                id=line.line_id,
                kind=line.kind,
                description=line.description,
                quantity=line.quantity,
                unit=line.unit,
                unit_price=line.unit_price,
                discount_percent=line.discount_percent,
                subtotal=shapes.money(line.subtotal, unit),
                total=shapes.money(line.total, unit),
            )
            for line in invoice.lines.all()
        ],
        instalments=[shapes.Instalment(due_on=invoice.due_on, amount=parts["total"], amount_due=parts["amount_due"])],
        allocations=[
            shapes.Allocation(
                source="payment",
                source_id=each.payment_id,
                source_number=each.payment.number,
                amount=shapes.money(each.amount, unit),
                allocated_on=each.allocated_on,
            )
            for each in invoice.allocations.all()
        ],
    )
