"""A port for the hottest reads: a link and what it opens, by one question; lists as plain rows.

It is offered beside the ports of the store, never instead of them: whoever finds no glance asks the plain way, and both
say the same.
"""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from attrs import frozen

from portal_core.domain.access import DocumentRef, Visit
from portal_core.domain.balance import Balance, OpenAmount
from portal_core.domain.deliveries import DeliveryBrief, DeliveryView
from portal_core.domain.ids import DeliveryId
from portal_core.domain.invoices import InvoiceBrief, InvoiceDetail
from portal_core.domain.orders import OrderBrief, OrderDetail
from portal_core.domain.payments import PaymentView
from portal_core.domain.quotes import Quote, QuoteBrief

Rows: TypeAlias = Sequence[Sequence[Any]]
"""Documents without their types: words as text, days in ISO form, moments in microseconds since 1970, amounts in minor
units of the currency beside them. Each has the fields of its type below, and no others."""

QUOTE_FIELDS = (
    *("id", "number", "state", "revision", "issued_on", "valid_until", "currency", "subtotal", "tax", "total"),
    *("answer", "decided_at"),
)
"""The fields of a quote's row: its state is the record's, the answer that of the decision on its revision."""

ORDER_FIELDS = (
    *("id", "number", "state", "ordered_on", "client_reference", "delivery_status", "currency"),
    *("subtotal", "tax", "total", "shown_quote_id"),
)
"""The fields of an order's row."""

INVOICE_FIELDS = (
    *("id", "number", "kind", "state", "payment_state", "issued_on", "due_on", "currency"),
    *("subtotal", "tax", "total", "amount_due", "oldest_due_on", "order_id", "payment_url", "payment_instructions"),
)
"""The fields of the row of an invoice or credit note."""

DELIVERY_FIELDS = (
    *("id", "number", "state", "order_id", "order_number", "carrier_name", "tracking_number", "tracking_url"),
    *("scheduled_on", "shipped_at", "delivered_at", "shown_backorder_of", "lines"),
)
"""The fields of a delivery's row; its lines are JSON, each an array in the order of `DeliveryLine`."""

R = TypeVar("R")

Detail: TypeAlias = Quote | OrderDetail | InvoiceDetail | PaymentView | DeliveryView
"""One document, as the port of its type returns it."""


class DashboardRows(NamedTuple):
    """The newest documents of each type, and what is open in amounts that age alike today."""

    quotes: Rows
    orders: Rows
    invoices: Rows
    deliveries: Rows
    open_amounts: Sequence[OpenAmount]


class DeliveryToCome(NamedTuple):
    """A delivery in brief, and the one whose rest it brings, if the client may see that."""

    delivery: DeliveryBrief
    backorder_of: DeliveryId | None


class FirstPageBriefs(NamedTuple):
    """What `FirstPage` has, with no more of each document than is shown of it there."""

    to_answer: Sequence[QuoteBrief]
    to_pay: Sequence[InvoiceBrief]
    to_come: Sequence[DeliveryToCome]
    quotes: Sequence[QuoteBrief]
    orders: Sequence[OrderBrief]
    invoices: Sequence[InvoiceBrief]
    balances: Sequence[Balance]


class InvoiceRows(NamedTuple):
    """The newest invoices and credit notes, one more than were wanted where there are more, and how many in all."""

    rows: Rows
    total: int


@frozen
class Glance(Generic[R]):
    """A visit, and what was seen at once; nothing where the link may not see all of it."""

    visit: Visit
    seen: R | None


class Glances(Protocol):
    """What is asked for most, by the digest of a link's token; refuses with DeadLink where it opens none.

    None where the plain way is to be taken.
    """

    __slots__ = ()

    @abstractmethod
    async def dashboard(self, digest: bytes, *, at: datetime) -> Glance[DashboardRows] | None:
        """Return the link that is alive at a moment, and the rows of its dashboard."""

    @abstractmethod
    async def document(self, digest: bytes, ref: DocumentRef, *, at: datetime) -> Glance[Detail] | None:
        """Return the link that is alive at a moment, and one document; nothing is seen where its client has none."""

    @abstractmethod
    async def first_page(self, digest: bytes, *, at: datetime) -> Glance[FirstPageBriefs] | None:
        """Return the link that is alive at a moment, and the first page for people, as seen on the company's day.

        Nothing is seen where it takes more than a glance.
        """

    @abstractmethod
    async def invoices(self, digest: bytes, *, at: datetime, limit: int) -> Glance[InvoiceRows] | None:
        """Return the link that is alive at a moment, and the first rows of its list of invoices in its usual order."""
