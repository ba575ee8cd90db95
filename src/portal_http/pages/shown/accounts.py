"""One currency's statement as a page draws and lists it, and the periods that it offers."""

from collections.abc import Iterator, Sequence
from datetime import date
from urllib.parse import urlencode

from attrs import frozen

from portal_core.domain.money import Money
from portal_core.domain.statement import Statement, StatementLine, months_before
from portal_http.pages.asked import Asked, Section
from portal_http.pages.labels import N_
from portal_http.pages.lists import Choice
from portal_http.pages.shown.charts import Curve, Segment, aging_bar, balance_curve

MOST_LINES = 200
"""So many movements of a currency are shown at once, the latest of the period; a link leads to those before."""


@frozen(kw_only=True)
class Account:
    """One currency's statement as it is drawn and listed; `carried` is the balance before the first line shown."""

    statement: Statement
    lines: Sequence[StatementLine]
    carried: Money
    earlier: str | None
    curve: Curve | None
    bar: tuple[Segment, ...]


def account_of(asked: Asked, statement: Statement) -> Account:
    """Return what a page shows of a statement."""
    before, lines = statement.lines[:-MOST_LINES], statement.lines[-MOST_LINES:]
    return Account(
        statement=statement,
        lines=lines,
        carried=before[-1].balance if before else statement.opening,
        earlier=_period(asked, statement.since, lines[0].on, statement.currency.code) if before else None,
        curve=balance_curve(statement),
        bar=aging_bar(statement.aging) if statement.aging else (),
    )


def periods(asked: Asked) -> Iterator[Choice]:
    """Yield the periods that a client is likely to want."""
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
