"""The statement of account: what moved in a period, the balance after each movement, and how old what is due is."""

from datetime import date
from urllib.parse import urlencode

from portal_core.domain.access import Permission
from portal_core.domain.money import Currency
from portal_core.domain.statement import Statement
from portal_core.use_cases.statement import read_statement
from portal_http.answers import Answer
from portal_http.pages.asked import Asked
from portal_http.pages.shown.accounts import account_of, periods
from portal_http.queries import CURRENCY, FROM, TO, by_name, read_query

KNOWN = by_name(FROM, TO, CURRENCY)


async def show(asked: Asked) -> Answer:
    """Show the statement of a period; without one, of the last twelve months."""
    asked.visit.grant.require(Permission.VIEW_INVOICES, Permission.VIEW_PAYMENTS, at=asked.now)
    statements = await read_statements(asked) if asked.refusal is None else ()
    accounts = [account_of(asked, each) for each in statements]
    return asked.page("statement.html", accounts=accounts, periods=list(periods(asked)), asks=urlencode(_given(asked)))


async def read_statements(asked: Asked) -> tuple[Statement, ...]:
    """Return the statements of the period that an address asks for."""
    unit, since, until = asked_period(asked)
    return await asked.read(
        lambda store: read_statement(store, asked.visit, unit=unit, since=since, until=until, now=asked.now)
    )


def asked_period(asked: Asked) -> tuple[Currency | None, date | None, date | None]:
    """Return the currency and the first and last day that an address asks for."""
    query = read_query(urlencode(_given(asked)).encode(), KNOWN)
    return query.get(CURRENCY), query.get(FROM), query.get(TO)


def _given(asked: Asked) -> dict[str, str]:
    return {name: text for name, text in asked.query.items() if name in KNOWN}
