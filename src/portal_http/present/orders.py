"""Orders and deliveries."""

from datetime import date
from typing import cast

from portal_core.domain.deliveries import DeliveryLine, DeliveryView
from portal_core.domain.money import format_decimal
from portal_core.domain.orders import OrderDetail, OrderSummary
from portal_http.present.invoices import invoice_row
from portal_http.present.values import moment, money, order_line
from portal_http.shapes import DeliveryLineShape, DeliveryShape, OrderDetailShape, OrderShape


def order_row(order: OrderSummary) -> OrderShape:
    """Return an order as a list shows it."""
    return {
        "id": order.id,
        "number": order.number,
        "state": order.state,
        "ordered_on": order.ordered_on,
        "client_reference": order.client_reference,
        "delivery_status": order.delivery_status,
        "currency": order.total.currency.code,
        "subtotal": money(order.subtotal),
        "tax": money(order.tax),
        "total": money(order.total),
        "quote_id": order.quote_id,
    }


def order_detail(detail: OrderDetail, on: date) -> OrderDetailShape:
    """Return an order with its lines and deliveries, and with its invoices unless they are withheld."""
    parts = {
        "lines": [order_line(each) for each in detail.order.lines],
        "deliveries": [delivery(each) for each in detail.deliveries],
    }
    shape = cast("OrderDetailShape", {**order_row(detail.order), **parts})
    if detail.invoices is not None:
        shape["invoices"] = [invoice_row(each, on) for each in detail.invoices]
    return shape


def delivery(view: DeliveryView) -> DeliveryShape:
    """Return a delivery."""
    fact = view.delivery
    return {
        "id": fact.id,
        "number": fact.number,
        "state": fact.state,
        "order_id": fact.order_id,
        "order_number": view.order_number,
        "carrier_name": fact.carrier_name,
        "tracking_number": fact.tracking_number,
        "tracking_url": fact.tracking_url,
        "scheduled_on": fact.scheduled_on,
        "shipped_at": moment(fact.shipped_at),
        "delivered_at": moment(fact.delivered_at),
        "backorder_of": view.backorder_of,
        "lines": [_delivery_line(each) for each in fact.lines],
    }


def _delivery_line(part: DeliveryLine) -> DeliveryLineShape:
    return {
        "order_line_id": part.order_line_id,
        "description": part.description,
        "quantity": format_decimal(part.quantity),
        "delivered_quantity": format_decimal(part.delivered_quantity),
        "unit": part.unit,
    }
