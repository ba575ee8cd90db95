"""Quotes in SQL."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, final

from attrs import frozen
from sqlalchemy import ColumnElement, Connection, Date, and_, bindparam, case, select

from portal_adapters.sqlalchemy.decisions import DECISION_COLUMNS, decision_of
from portal_adapters.sqlalchemy.direct import one
from portal_adapters.sqlalchemy.documents import (
    SELECTIVE,
    among,
    constant,
    document_conditions,
    in_scope,
    kept_total,
    narrowing,
    scope_parameters,
    told,
    words,
)
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow, quote_of
from portal_adapters.sqlalchemy.schema import decisions, quotes
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.filters import QuoteFilter
from portal_core.domain.ids import QuoteId
from portal_core.domain.money import CURRENCIES, Money
from portal_core.domain.paging import Listing, Page
from portal_core.domain.quotes import Answer, Quote, QuoteState, QuoteSummary
from portal_core.ports import Quotes

DECIDED = and_(
    decisions.c.company_id == quotes.c.company_id,
    decisions.c.quote_id == quotes.c.id,
    decisions.c.revision == quotes.c.revision,
)
"""That a decision is the one on a quote's current revision."""

_IS_SHOWN = quotes.c.state != constant("draft")

_ON = bindparam("on", type_=Date)


def _with_decision(*columns: ColumnElement[Any]) -> Any:  # noqa: ANN401 - a select of whatever columns
    return select(*columns).select_from(quotes.outerjoin(decisions, DECIDED)).where(*in_scope(quotes), _IS_SHOWN)


_SUMMARY = (
    quotes.c.id,
    quotes.c.number,
    quotes.c.state,
    quotes.c.revision,
    quotes.c.issued_on,
    quotes.c.valid_until,
    quotes.c.currency,
    quotes.c.subtotal,
    quotes.c.tax,
    quotes.c.total,
    decisions.c.answer,
    decisions.c.decided_at,
)

# The digest is for whoever decides, and as bytes has no place in a section.
_WITHOUT_DIGEST = tuple(column for column in told(quotes) if column is not quotes.c.document_sha256)

ONE_QUOTE = _with_decision(*_WITHOUT_DIGEST, *DECISION_COLUMNS).where(quotes.c.id == bindparam("quote_id"))
"""The quote `quote_id`, as `with_decision` reads it."""

# The rule of QuoteSummary.state, in SQL.
_SHOWN_STATE = case(
    (quotes.c.state == QuoteState.CANCELLED.value, constant("cancelled")),
    (decisions.c.answer.is_not(None), decisions.c.answer),
    (and_(quotes.c.state == QuoteState.SENT.value, quotes.c.valid_until < _ON), constant("expired")),
    else_=quotes.c.state,
)

QUOTES = ListSource(
    rows=_with_decision(*_SUMMARY),
    id=quotes.c.id,
    sorts={"issued_on": quotes.c.issued_on, "number": quotes.c.number},
    conditions=document_conditions(DocumentType.QUOTE, quotes, quotes.c.issued_on)
    | {
        "states": among(_SHOWN_STATE, "states"),
        "recorded": quotes.c.state == bindparam("recorded"),
    },
    selective=SELECTIVE,
    kept_total=kept_total(DocumentType.QUOTE),
)
"""A client's quotes."""

# What a record must say for the quote to be shown in a state: an index finds it, where it is one thing alone.
_RECORDED = {QuoteState.SENT: "sent", QuoteState.EXPIRED: "sent", QuoteState.CANCELLED: "cancelled"}


@final
@frozen
class SqlQuotes(Quotes):
    connection: Connection

    def get(self, scope: Scope, quote_id: QuoteId) -> Quote | None:
        if not scope.covers(DocumentType.QUOTE, quote_id):
            return None
        row = one(self.connection, ONE_QUOTE, {**scope_parameters(scope), "quote_id": quote_id})
        return None if row is None else with_decision(row)

    def page(self, scope: Scope, listing: Listing, narrowed: QuoteFilter, *, on: date) -> Page[QuoteSummary]:
        states = {"states": words(narrowed.states), "recorded": _recorded(narrowed.states)}
        return read_page(
            self.connection,
            QUOTES,
            listing,
            scope={**scope_parameters(scope), "on": on},
            narrowed=narrowing(scope, DocumentType.QUOTE, listing, **states),
            read=quote_summaries,
        )


def with_decision(row: AnyRow) -> Quote:
    """Return a quote with the decision on its revision, whose columns begin with `decision_`."""
    quote = quote_of(row)
    return quote if row.decision_id is None else quote.decided(decision_of(row))


def _recorded(states: frozenset[QuoteState] | None) -> str | None:
    recorded = {_RECORDED.get(state) for state in states or ()}
    return recorded.pop() if len(recorded) == 1 else None


def quote_summaries(rows: Sequence[AnyRow]) -> Sequence[QuoteSummary]:
    """Return quotes as a list shows them."""
    return [_summary(row) for row in rows]


def _summary(row: Iterable[Any]) -> QuoteSummary:
    (
        quote_id,
        number,
        state,
        revision,
        issued_on,
        valid_until,
        currency,
        subtotal,
        tax,
        total,
        answer,
        decided_at,
        *_,
    ) = row
    unit = CURRENCIES[currency]
    return QuoteSummary(
        id=quote_id,
        number=number,
        recorded_state=QuoteState(state),
        revision=revision,
        issued_on=issued_on,
        valid_until=valid_until,
        subtotal=Money(subtotal, unit),
        tax=Money(tax, unit),
        total=Money(total, unit),
        answer=None if answer is None else Answer(answer),
        decided_at=decided_at,
    )
