"""One currency's statement as a page draws and lists it, and the periods that it offers."""

import re
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

MOST_LINES = 100
"""So many movements of a currency are shown at once, the latest of the period; a link leads to those before."""

UP_TO = "up_to"
"""The parameter of an address that shows earlier movements: how many of the period's there are until their end."""


_COUNT = re.compile(r"[1-9][0-9]{0,3}")


@frozen(kw_only=True)
class Account:
    """One currency's statement as it is drawn and listed; `carried` is the balance before the first line shown.

    `earlier` leads to the lines before those shown, where there are any; `whole` tells that none come after them.
    """

    statement: Statement
    lines: Sequence[StatementLine]
    carried: Money
    earlier: str | None
    whole: bool
    curve: Curve | None
    bar: tuple[Segment, ...]


def account_of(asked: Asked, statement: Statement) -> Account:
    """Return what a page shows of a statement."""
    end = _end(asked, len(statement.lines))
    start = max(end - MOST_LINES, 0)
    before = statement.lines[:start]
    return Account(
        statement=statement,
        lines=statement.lines[start:end],
        carried=before[-1].balance if before else statement.opening,
        earlier=_earlier(asked, statement, start) if before else None,
        whole=end == len(statement.lines),
        curve=balance_curve(statement),
        bar=aging_bar(statement.aging) if statement.aging else (),
    )


def _end(asked: Asked, most: int) -> int:
    stated = asked.query.get(UP_TO, "")
    return min(int(stated), most) if _COUNT.fullmatch(stated) else most


def _earlier(asked: Asked, statement: Statement, start: int) -> str:
    asks = {"from": statement.since, "to": statement.until, "currency": statement.currency.code, UP_TO: start}
    return f"{asked.link}/{Section.STATEMENT.value}?{urlencode(asks)}"


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


def _period(asked: Asked, since: date | None, until: date | None) -> str:
    wanted = {"from": since, "to": until}
    asks = urlencode({name: value for name, value in wanted.items() if value is not None})
    return f"{asked.link}/{Section.STATEMENT.value}" + (f"?{asks}" if asks else "")
