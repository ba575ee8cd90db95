"""The hottest reads at a glance: one question to the store; the rows of lists go straight into JSON.

Beside them are the plain ways, `dashboard.view_dashboard`, `invoices.list_all` and every `read_one`. Whatever is out of
the ordinary is left to these: a query, a link that may not see all, a store that offers no glances or is busy.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

from portal_core.domain.access import DocumentRef, DocumentType, Visit
from portal_core.domain.paging import DEFAULT_LIMIT, INVOICE_SORTS, Position
from portal_core.ports import INVOICE_FIELDS, DashboardRows, Glance, Glances, InvoiceRows
from portal_http import present
from portal_http.answers import Answer, answered, listed, tagged
from portal_http.calls import mark_of
from portal_http.cursors import encoded_cursor, fingerprint_of
from portal_http.endpoints import BASE, Glimpse
from portal_http.queries import NO_QUERY

_INVOICES = f"{BASE}/view/{{token}}/invoices"
_DAY, _ID = INVOICE_FIELDS.index(INVOICE_SORTS[0]), INVOICE_FIELDS.index("id")


def _look_at_dashboard(
    glances: Glances, digest: bytes, _: str, now: datetime
) -> Awaitable[Glance[DashboardRows] | None]:
    return glances.dashboard(digest, at=now)


def _look_at_invoices(glances: Glances, digest: bytes, _: str, now: datetime) -> Awaitable[Glance[InvoiceRows] | None]:
    return glances.invoices(digest, at=now, limit=DEFAULT_LIMIT)


def _show_dashboard(seen: DashboardRows, visit: Visit, today: date) -> Answer:
    return answered(present.dashboard_seen(seen, visit, today))


def _show_invoices(seen: InvoiceRows, visit: Visit, today: date) -> Answer:
    rows, day = seen.rows[:DEFAULT_LIMIT], today.isoformat()
    cursor = None
    if len(seen.rows) > DEFAULT_LIMIT:
        mark = fingerprint_of(NO_QUERY, mark_of(_INVOICES, visit), INVOICE_SORTS[0], descending=True)
        cursor = encoded_cursor(mark, seen.total, Position(rows[-1][_DAY], rows[-1][_ID]))
    shown = [present.invoice_seen(row, day) for row in rows]
    return listed(shown, total=seen.total, limit=DEFAULT_LIMIT, cursor=cursor)


def _document(kind: DocumentType, show: Callable[[Any, date], Answer]) -> Glimpse[Any]:
    """Return how one document is looked at and shown; what the plain way finds is shown so, too."""
    return Glimpse(
        look=lambda glances, digest, record_id, now: glances.document(digest, DocumentRef(kind, record_id), at=now),
        show=lambda seen, _, today: show(seen, today),
    )


DASHBOARD = Glimpse(_look_at_dashboard, _show_dashboard)
"""The dashboard at a glance."""

INVOICES = Glimpse(_look_at_invoices, _show_invoices)
"""The first page of the list of invoices at a glance."""

QUOTE = _document(
    DocumentType.QUOTE, lambda quote, today: tagged(answered(present.quote_detail(quote, today)), quote.revision)
)
"""One quote at a glance."""

ORDER = _document(DocumentType.ORDER, lambda order, today: answered(present.order_detail(order, today)))
"""One order at a glance."""

INVOICE = _document(DocumentType.INVOICE, lambda invoice, today: answered(present.invoice_detail(invoice, today)))
"""One invoice or credit note at a glance."""

PAYMENT = _document(DocumentType.PAYMENT, lambda payment, _: answered(present.payment(payment)))
"""One payment or refund at a glance."""

DELIVERY = _document(DocumentType.DELIVERY, lambda delivery, _: answered(present.delivery(delivery)))
"""One delivery at a glance."""
