"""Money, moments, lines and names."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import cast, overload

from portal_core.domain.access import DocumentRef, Permission
from portal_core.domain.companies import Client, Company
from portal_core.domain.documents import decimal_json
from portal_core.domain.lines import Line, OrderLine
from portal_core.domain.money import Money
from portal_http.shapes import DocumentShape, LineShape, MoneyShape, NamedPartyShape, OrderLineShape, PermissionsShape


def money(value: Money) -> MoneyShape:
    """Return an amount with its currency."""
    unit = value.currency
    return {"amount": unit.format(value.minor), "currency": unit.code}


def money_or_none(value: Money | None) -> MoneyShape | None:
    """Return an amount where there is one."""
    return None if value is None else money(value)


@overload
def moment(value: datetime) -> datetime: ...
@overload
def moment(value: None) -> None: ...
def moment(value: datetime | None) -> datetime | None:
    """Return a moment in UTC."""
    return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


def quantity(value: Decimal | None) -> str | None:
    """Return a quantity as a decimal string."""
    return cast("str | None", decimal_json(value))


def line(value: Line) -> LineShape:
    """Return a line of a quote or invoice."""
    return cast("LineShape", value.as_json())


def order_line(value: OrderLine) -> OrderLineShape:
    """Return a line of an order."""
    return {
        **line(value),
        "delivered_quantity": quantity(value.delivered_quantity),
        "invoiced_quantity": quantity(value.invoiced_quantity),
    }


def party(value: Company | Client) -> NamedPartyShape:
    """Return a company or client."""
    return {"id": value.id, "name": value.name}


def document(ref: DocumentRef) -> DocumentShape:
    """Return the name of a document."""
    return {"type": ref.type, "id": ref.id}


def permissions(granted: frozenset[Permission]) -> PermissionsShape:
    """Return the seven permissions, each true or false."""
    return {
        "view_quotes": Permission.VIEW_QUOTES in granted,
        "accept_quotes": Permission.ACCEPT_QUOTES in granted,
        "view_orders": Permission.VIEW_ORDERS in granted,
        "view_invoices": Permission.VIEW_INVOICES in granted,
        "view_payments": Permission.VIEW_PAYMENTS in granted,
        "view_deliveries": Permission.VIEW_DELIVERIES in granted,
        "submit_feedback": Permission.SUBMIT_FEEDBACK in granted,
    }
