"""The statement of account: what moved in a period, the balance after each movement, and how old what is due is."""

from collections.abc import Iterator, Sequence
from datetime import date
from urllib.parse import urlencode

from attrs import frozen

from portal_core.domain.access import Permission
from portal_core.domain.money import Money
from portal_core.domain.statement import Statement, StatementLine, months_before
from portal_core.use_cases.statement import read_statement
from portal_http.answers import Answer
from portal_http.pages.asked import Asked, Section
from portal_http.pages.charts import Curve, Segment, aging_bar, balance_curve
from portal_http.pages.labels import N_
from portal_http.pages.lists import Choice
from portal_http.queries import CURRENCY, FROM, TO, by_name, read_query

MOST_LINES = 200
"""So many movements of a currency are shown at once, the latest of the period; a link leads to those before."""

KNOWN = by_name(FROM, TO, CURRENCY)


@frozen(kw_only=True)
class Account:
    """One currency's statement as it is drawn and listed; `carried` is the balance before the first line shown."""

    statement: Statement
    lines: Sequence[StatementLine]
    carried: Money
    earlier: str | None
    curve: Curve | None
    bar: tuple[Segment, ...]


async def show(asked: Asked) -> Answer:
    """Show the statement of a period; without one, of the last twelve months."""
    asked.visit.grant.require(Permission.VIEW_INVOICES, Permission.VIEW_PAYMENTS, at=asked.now)
    statements = await _statements(asked) if asked.refusal is None else ()
    accounts = [_account(asked, each) for each in statements]
    return asked.page("statement.html", accounts=accounts, periods=list(_periods(asked)))


async def _statements(asked: Asked) -> tuple[Statement, ...]:
    given = {name: text for name, text in asked.query.items() if name in KNOWN}
    query = read_query(urlencode(given).encode(), KNOWN)
    unit, since, until = query.get(CURRENCY), query.get(FROM), query.get(TO)
    return await asked.read(
        lambda store: read_statement(store, asked.visit, unit=unit, since=since, until=until, now=asked.now)
    )


def _account(asked: Asked, statement: Statement) -> Account:
    before, lines = statement.lines[:-MOST_LINES], statement.lines[-MOST_LINES:]
    return Account(
        statement=statement,
        lines=lines,
        carried=before[-1].balance if before else statement.opening,
        earlier=_period(asked, statement.since, lines[0].on, statement.currency.code) if before else None,
        curve=balance_curve(statement),
        bar=aging_bar(statement.aging) if statement.aging else (),
    )


def _periods(asked: Asked) -> Iterator[Choice]:
    today, current = asked.today, (asked.typed("from"), asked.typed("to"))
    year = today.year
    for words, since, until in (
        (N_("Last 12 months"), None, None),
        (N_("Last 3 months"), months_before(today, 3), today),
        (N_("This year"), date(year, 1, 1), date(year, 12, 31)),
        (N_("Last year"), date(year - 1, 1, 1), date(year - 1, 12, 31)),
    ):
        chosen = (since.isoformat() if since else "", until.isoformat() if until else "")
        yield Choice(words, _period(asked, since, until), chosen == current)


def _period(asked: Asked, since: date | None, until: date | None, unit: str | None = None) -> str:
    wanted = {"from": since, "to": until, "currency": unit}
    asks = urlencode({name: value for name, value in wanted.items() if value is not None})
    return f"{asked.link}/{Section.STATEMENT.value}" + (f"?{asks}" if asks else "")
