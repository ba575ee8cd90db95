"""The view, the dashboard, balances and statements."""

from datetime import date

from portal_core.domain.access import Visit
from portal_core.domain.balance import Aging, Balance
from portal_core.domain.dashboard import Dashboard
from portal_core.domain.statement import Statement, StatementLine
from portal_http.present.invoices import invoice_row
from portal_http.present.orders import delivery, order_row
from portal_http.present.quotes import quote_row
from portal_http.present.values import moment, money, money_or_none, party, permissions
from portal_http.shapes import (
    AgingShape,
    BalanceShape,
    DashboardShape,
    MovementShape,
    RecentShape,
    StatementShape,
    ViewShape,
)


def view(visit: Visit) -> ViewShape:
    """Return whose link it is and what it may do."""
    return {
        "client": party(visit.client),
        "company": party(visit.company),
        "permissions": permissions(visit.grant.permissions),
        "expires_at": moment(visit.grant.expires_at),
    }


def dashboard(found: Dashboard, visit: Visit, on: date) -> DashboardShape:
    """Return what a client sees first, without what was not asked for."""
    shape: DashboardShape = {
        "client": party(visit.client),
        "company": party(visit.company),
        "recent": _recent(found, on),
    }
    if found.balances is not None:
        shape["balances"] = [balance(each) for each in found.balances]
    return shape


def statement(found: Statement) -> StatementShape:
    """Return a statement of account."""
    return {
        "currency": found.currency.code,
        "from": found.since,
        "to": found.until,
        "opening": money(found.opening),
        "closing": money(found.closing),
        "lines": [_movement(each) for each in found.lines],
        "aging": None if found.aging is None else _aging(found.aging),
    }


def balance(found: Balance) -> BalanceShape:
    """Return what is owed in one currency."""
    return {
        "currency": found.currency.code,
        "outstanding": money(found.outstanding),
        "overdue": money(found.overdue),
        "credit": money(found.credit),
        "net": money(found.net),
        "aging": _aging(found.aging),
    }


def _recent(found: Dashboard, on: date) -> RecentShape:
    recent: RecentShape = {}
    if found.quotes is not None:
        recent["quotes"] = [quote_row(each, on) for each in found.quotes]
    if found.orders is not None:
        recent["orders"] = [order_row(each) for each in found.orders]
    if found.invoices is not None:
        recent["invoices"] = [invoice_row(each, on) for each in found.invoices]
    if found.deliveries is not None:
        recent["deliveries"] = [delivery(each) for each in found.deliveries]
    return recent


def _aging(found: Aging) -> AgingShape:
    return {
        "current": money(found.current),
        "days_1_30": money(found.days_1_30),
        "days_31_60": money(found.days_31_60),
        "days_61_90": money(found.days_61_90),
        "over_90": money(found.over_90),
    }


def _movement(found: StatementLine) -> MovementShape:
    return {
        "on": found.on,
        "type": found.type,
        "id": found.id,
        "number": found.number,
        "debit": money_or_none(found.debit),
        "credit": money_or_none(found.credit),
        "balance": money(found.balance),
    }
