"""What was seen at a glance, from plain rows straight into the shapes of the contract.

The rules are the domain's, on plain values: days in ISO form are compared as text. The presenters of the domain's own
values say the same, and a test that they do.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeAlias

import orjson

from portal_core.domain.access import Visit
from portal_core.domain.balance import balances_of
from portal_core.domain.money import CURRENCIES
from portal_core.ports.glances import DashboardRows
from portal_http.present.overview import balance
from portal_http.present.values import party
from portal_http.shapes import (
    DashboardShape,
    DeliveryLineShape,
    DeliveryShape,
    InvoiceShape,
    OrderShape,
    QuoteShape,
)

Row: TypeAlias = Sequence[Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def dashboard_seen(seen: DashboardRows, visit: Visit, on: date) -> DashboardShape:
    """Return what a client sees first."""
    today = on.isoformat()
    return {
        "client": party(visit.client),
        "company": party(visit.company),
        "recent": {
            "quotes": [_quote(row, today) for row in seen.quotes],
            "orders": [_order(row) for row in seen.orders],
            "invoices": [invoice_seen(row, today) for row in seen.invoices],
            "deliveries": [_delivery(row) for row in seen.deliveries],
        },
        "balances": [balance(each) for each in balances_of(seen.open_amounts, on)],
    }


def invoice_seen(row: Row, today: str) -> InvoiceShape:
    """Return an invoice or credit note as a list shows it on a day, given in ISO form."""
    (
        record_id,
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
        due,
        oldest_due_on,
        order_id,
        payment_url,
        payment_instructions,
    ) = row
    written = CURRENCIES[currency].format
    return {
        "id": record_id,
        "number": number,
        "kind": kind,
        "state": state,
        "payment_state": payment_state,
        "overdue": oldest_due_on is not None and oldest_due_on < today,
        "issued_on": issued_on,
        "due_on": due_on,
        "currency": currency,
        "subtotal": {"amount": written(subtotal), "currency": currency},
        "tax": {"amount": written(tax), "currency": currency},
        "total": {"amount": written(total), "currency": currency},
        "amount_due": {"amount": written(due), "currency": currency},
        "order_id": order_id,
        "payment_url": payment_url,
        "payment_instructions": payment_instructions,
    }


def _quote(row: Row, today: str) -> QuoteShape:
    (record_id, number, state, revision, issued_on, valid_until, currency, subtotal, tax, total, answer, decided_at) = (
        row
    )
    written = CURRENCIES[currency].format
    return {
        "id": record_id,
        "number": number,
        "state": _quote_state(state, answer, valid_until, today),
        "revision": revision,
        "issued_on": issued_on,
        "valid_until": valid_until,
        "currency": currency,
        "subtotal": {"amount": written(subtotal), "currency": currency},
        "tax": {"amount": written(tax), "currency": currency},
        "total": {"amount": written(total), "currency": currency},
        "decided_at": _moment(decided_at),
    }


def _quote_state(recorded: str, answer: str | None, valid_until: str | None, today: str) -> Any:  # noqa: ANN401 - a word
    if recorded == "cancelled":
        return recorded
    if answer is not None:
        return answer
    return "expired" if recorded == "sent" and valid_until is not None and valid_until < today else recorded


def _order(row: Row) -> OrderShape:
    record_id, number, state, ordered_on, reference, delivery_status, currency, subtotal, tax, total, quote_id = row
    written = CURRENCIES[currency].format
    return {
        "id": record_id,
        "number": number,
        "state": state,
        "ordered_on": ordered_on,
        "client_reference": reference,
        "delivery_status": delivery_status,
        "currency": currency,
        "subtotal": {"amount": written(subtotal), "currency": currency},
        "tax": {"amount": written(tax), "currency": currency},
        "total": {"amount": written(total), "currency": currency},
        "quote_id": quote_id,
    }


def _delivery(row: Row) -> DeliveryShape:
    (
        record_id,
        number,
        state,
        order_id,
        order_number,
        carrier_name,
        tracking_number,
        tracking_url,
        scheduled_on,
        shipped_at,
        delivered_at,
        backorder_of,
        lines,
    ) = row
    return {
        "id": record_id,
        "number": number,
        "state": state,
        "order_id": order_id,
        "order_number": order_number,
        "carrier_name": carrier_name,
        "tracking_number": tracking_number,
        "tracking_url": tracking_url,
        "scheduled_on": scheduled_on,
        "shipped_at": _moment(shipped_at),
        "delivered_at": _moment(delivered_at),
        "backorder_of": backorder_of,
        "lines": [_delivery_line(line) for line in orjson.loads(lines)],
    }


def _delivery_line(line: Row) -> DeliveryLineShape:
    order_line_id, description, quantity, delivered_quantity, unit = line
    return {
        "order_line_id": order_line_id,
        "description": description,
        "quantity": quantity,
        "delivered_quantity": delivered_quantity,
        "unit": unit,
    }


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=microseconds)
