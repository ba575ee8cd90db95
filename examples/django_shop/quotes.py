"""The shop's quotes as the portal asks for them, and the store that has them in it."""

from datetime import date
from decimal import Decimal
from typing import Any, final

from attrs import evolve, frozen
from django.db import connection as current
from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from sqlalchemy import Connection

from examples.django_shop import models
from portal_adapters.sqlalchemy import store_on
from portal_adapters.sqlalchemy.columns import moment_of
from portal_adapters.sqlalchemy.elsewhere import DecisionsOnQuotesElsewhere, with_decision
from portal_core import (
    Answer,
    ComposedDashboards,
    DocumentType,
    Line,
    LineKind,
    Listing,
    Mint,
    Money,
    Page,
    Position,
    Quote,
    QuoteFilter,
    QuoteId,
    Quotes,
    QuoteState,
    QuoteSummary,
    Scope,
    Store,
    currency,
)

EUR = currency("EUR")
STATES = {
    models.Quote.Status.DRAFT: QuoteState.DRAFT,
    models.Quote.Status.OPEN: QuoteState.SENT,
    models.Quote.Status.WON: QuoteState.ACCEPTED,
    models.Quote.Status.LOST: QuoteState.DECLINED,
    models.Quote.Status.VOID: QuoteState.CANCELLED,
}
SORTS = {"issued_on": "made_on", "number": "title"}

DECIDED = models.Decision.objects.filter(
    company_id=OuterRef("branch"), quote_id=OuterRef("ref"), revision=OuterRef("version")
)


@final
@frozen
class ShopQuotes(Quotes):
    """The shop's quotes, as the portal asks for them."""

    connection: Connection

    def get(self, scope: Scope, quote_id: QuoteId) -> Quote | None:
        """Return the quote; in a transaction nobody else changes it until that ends."""
        rows = shown(scope).filter(ref=quote_id)
        row = (rows.select_for_update(no_key=True) if current.in_atomic_block else rows).first()
        return None if row is None else with_decision(self.connection, quote_of(row, scope))

    def page(self, scope: Scope, listing: Listing, narrowed: QuoteFilter, *, on: date) -> Page[QuoteSummary]:
        """Return a page by two statements, or by one where the total is known already."""
        asked = {
            "state__in": narrowed.states,
            "title": listing.number,
            "made_on__gte": listing.since,
            "made_on__lte": listing.until,
        }
        rows = with_state(shown(scope), on).filter(**{name: each for name, each in asked.items() if each is not None})
        total = rows.count() if listing.total is None else listing.total
        found = list(after(rows, listing)[: listing.limit + 1])
        items = tuple(summary_of(row) for row in found[: listing.limit])
        last = items[-1] if len(found) > listing.limit else None
        place = None if last is None else Position(getattr(last, listing.sort), last.id)
        return Page(items=items, total=total, next=place)


def shown(scope: Scope) -> QuerySet[models.Quote]:
    """Return what a client may see."""
    rows = models.Quote.objects.filter(branch=scope.company_id, client=scope.client_id).exclude(
        status=models.Quote.Status.DRAFT
    )
    only = scope.only(DocumentType.QUOTE)
    return rows if only is None else rows.filter(ref__in=only)


def with_state(rows: QuerySet[models.Quote], on: date) -> QuerySet[models.Quote]:
    """Return quotes with the answer to them, and `state` to filter by: `QuoteSummary.state`, in SQL."""
    answered = rows.annotate(
        answer=Subquery(DECIDED.values("answer")), decided_at=Subquery(DECIDED.values("decided_at"))
    )
    return answered.alias(
        state=Case(
            When(status=models.Quote.Status.VOID, then=Value(QuoteState.CANCELLED)),
            When(answer__isnull=False, then=F("answer")),
            When(status=models.Quote.Status.OPEN, good_until__lt=on, then=Value(QuoteState.EXPIRED)),
            *(When(status=ours, then=Value(theirs)) for ours, theirs in STATES.items()),
            output_field=CharField(),
        )
    )


def after(rows: QuerySet[models.Quote], listing: Listing) -> QuerySet[models.Quote]:
    """Return rows in the order that is asked for, from where the page before ended."""
    sort, way, beyond, before = SORTS[listing.sort], *(("-", "lt", "gt") if listing.descending else ("", "gt", "lt"))
    if listing.after is not None:
        value, ref = listing.after.value, listing.after.id
        rows = rows.filter(~Q(**{sort: value, f"ref__{before}e": ref}), **{f"{sort}__{beyond}e": value})
    return rows.order_by(f"{way}{sort}", f"{way}ref")


def summary_of(row: Any) -> QuoteSummary:  # noqa: ANN401 - the model with what `with_state` adds to it
    """Return a quote as a list shows it."""
    return QuoteSummary(
        **offered(row),
        answer=None if row.answer is None else Answer(row.answer),
        decided_at=None if row.decided_at is None else moment_of(row.decided_at),
    )


def quote_of(row: models.Quote, scope: Scope) -> Quote:
    """Return a quote as it is read and decided on."""
    return Quote(
        **offered(row),
        company_id=scope.company_id,
        client_id=scope.client_id,
        notes=row.remarks or None,
        terms=row.conditions or None,
        lines=tuple(map(line_of, models.QuoteLine.objects.filter(quote=row))),
    )


def offered(row: models.Quote) -> dict[str, Any]:
    """Return what lists and details tell of a quote."""
    return {
        "id": QuoteId(row.ref),
        "number": row.title,
        "recorded_state": STATES[row.status],
        "revision": row.version,
        "issued_on": row.made_on,
        "valid_until": row.good_until,
        "subtotal": euros(row.net),
        "tax": euros(row.vat),
        "total": euros(row.gross),
    }


def line_of(row: models.QuoteLine) -> Line:
    """Return a line of a quote."""
    return Line(
        id=f"{row.position}",
        kind=LineKind.ITEM,
        description=row.what,
        quantity=row.quantity,
        unit=row.unit or None,
        unit_price=row.price,
        subtotal=euros(row.net),
        total=euros(row.gross),
    )


def euros(amount: Decimal) -> Money:
    """Return an amount of money as the portal counts it, in cents."""
    return Money.parse(f"{amount:.2f}", EUR.code)


def shop_store(on: Connection, mint: Mint) -> Store:
    """Return the portal's store, with the shop's quotes in it."""
    store, quotes = store_on(on, mint), ShopQuotes(on)
    return evolve(
        store,
        quotes=quotes,
        decisions=DecisionsOnQuotesElsewhere(on, quotes),
        dashboards=ComposedDashboards(quotes, store.orders, store.invoices, store.deliveries, store.balances),
    )
