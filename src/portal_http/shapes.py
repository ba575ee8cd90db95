"""The shapes of the answers, one for each of the contract: what the presenters fill in and the document describes.

A field that may be missing is one that a permission withholds.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any, NotRequired, TypeAlias, TypedDict

from msgspec import Meta

from portal_core.domain.access import DocumentType, GrantState
from portal_core.domain.audit import ActorType, AuditAction, TargetType
from portal_core.domain.deliveries import SHOWN_DELIVERY_STATES, DeliveryState
from portal_core.domain.events import EventType
from portal_core.domain.feedback import Category, Party, TicketState
from portal_core.domain.invoices import InvoiceKind, InvoiceState, PaymentState, SettlementSource
from portal_core.domain.lines import LineKind
from portal_core.domain.orders import DeliveryStatus, OrderState
from portal_core.domain.outbox import DispatchState
from portal_core.domain.payments import SHOWN_PAYMENT_STATES, PaymentKind, PaymentRecordState
from portal_core.domain.quotes import SHOWN_QUOTE_STATES, Answer, QuoteState
from portal_core.domain.records import RecordType
from portal_core.domain.statement import MovementType
from portal_core.use_cases.records import Outcome


def _one_of(words: Collection[str]) -> Meta:
    return Meta(extra_json_schema={"enum": sorted(str(word) for word in words)})


Amount: TypeAlias = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["1234.50"])]
CurrencyCode: TypeAlias = Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["EUR"])]
Number: TypeAlias = Annotated[str, Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["2.25"])]
Moment: TypeAlias = Annotated[datetime, Meta(tz=True)]
Sha256: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
ShownQuoteState: TypeAlias = Annotated[QuoteState, _one_of(SHOWN_QUOTE_STATES)]
ShownDeliveryState: TypeAlias = Annotated[DeliveryState, _one_of(SHOWN_DELIVERY_STATES)]
ShownInvoiceState: TypeAlias = Annotated[InvoiceState, _one_of([InvoiceState.POSTED])]
ShownPaymentState: TypeAlias = Annotated[PaymentRecordState, _one_of(SHOWN_PAYMENT_STATES)]

PushedOutcome: TypeAlias = Annotated[Outcome, _one_of([Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED])]


class MoneyShape(TypedDict):
    """An amount with the currency's own decimals (ISO 4217)."""

    amount: Amount
    currency: CurrencyCode


class PageMeta(TypedDict):
    """Where a page stands in its list; `cursor` is null on the last one."""

    total: int
    limit: int
    cursor: str | None
    hasMore: bool


class NamedPartyShape(TypedDict):
    """A company or a client."""

    id: str
    name: str


class PermissionsShape(TypedDict):
    """What a link may do."""

    view_quotes: bool
    accept_quotes: bool
    view_orders: bool
    view_invoices: bool
    view_payments: bool
    view_deliveries: bool
    submit_feedback: bool


class DocumentShape(TypedDict):
    """One document."""

    type: DocumentType
    id: str


class ViewShape(TypedDict):
    """Whose link it is and what it may do."""

    client: NamedPartyShape
    company: NamedPartyShape
    permissions: PermissionsShape
    expires_at: Moment


class LineShape(TypedDict):
    """A line: an item is priced, a section or note has a description alone."""

    id: str
    kind: LineKind
    description: str
    quantity: Number | None
    unit: str | None
    unit_price: Number | None
    discount_percent: Number | None
    subtotal: MoneyShape | None
    total: MoneyShape | None


class OrderLineShape(LineShape):
    """A line of an order, with how much of it was delivered and invoiced."""

    delivered_quantity: Number | None
    invoiced_quantity: Number | None


class DecisionShape(TypedDict):
    """A client's answer to one revision of a quote.

    `document_sha256` is of the canonical JSON (RFC 8785) of the
    detail without `state`, `decision`, `decided_at` and `order_id`, as it was shown.
    """

    answer: Answer
    revision: int
    decided_at: Moment
    name: str | None
    title: str | None
    email: str | None
    purchase_order: str | None
    comment: str | None
    reason: str | None
    document_sha256: Sha256


class QuoteShape(TypedDict):
    """A quote as a list shows it."""

    id: str
    number: str
    state: ShownQuoteState
    revision: int
    issued_on: date
    valid_until: date | None
    currency: CurrencyCode
    subtotal: MoneyShape
    tax: MoneyShape
    total: MoneyShape
    decided_at: Moment | None


class QuoteDetailShape(QuoteShape):
    """A quote with all that a client agrees to, and the decision on its revision."""

    lines: list[LineShape]
    notes: str | None
    terms: str | None
    decision: DecisionShape | None
    order_id: str | None


class DeliveryLineShape(TypedDict):
    """How much of an order's line a delivery is to bring and has brought."""

    order_line_id: str | None
    description: str
    quantity: Number
    delivered_quantity: Number
    unit: str | None


class DeliveryShape(TypedDict):
    """A delivery, with tracking; `backorder_of` names the delivery whose rest it brings."""

    id: str
    number: str
    state: ShownDeliveryState
    order_id: str | None
    order_number: str | None
    carrier_name: str | None
    tracking_number: str | None
    tracking_url: str | None
    scheduled_on: date | None
    shipped_at: Moment | None
    delivered_at: Moment | None
    backorder_of: str | None
    lines: list[DeliveryLineShape]


class InvoiceShape(TypedDict):
    """An invoice or credit note as a list shows it.

    Of a credit note, `amount_due` is what is open in the client's favour.
    """

    id: str
    number: str
    kind: InvoiceKind
    state: ShownInvoiceState
    payment_state: PaymentState
    overdue: bool
    issued_on: date
    due_on: date | None
    currency: CurrencyCode
    subtotal: MoneyShape
    tax: MoneyShape
    total: MoneyShape
    amount_due: MoneyShape
    order_id: str | None
    payment_url: str | None
    payment_instructions: str | None


class InstalmentShape(TypedDict):
    """A part of an invoice's total, when it falls due and what is still due of it."""

    due_on: date
    amount: MoneyShape
    amount_due: MoneyShape


class SettlementShape(TypedDict):
    """What settled a part of an invoice or credit note; an adjustment has its reason as number and no id."""

    source: SettlementSource
    source_id: str | None
    source_number: str
    amount: MoneyShape
    allocated_on: date | None


class AllocationShape(TypedDict):
    """What a payment gave to an invoice, or a refund to a credit note, in that document's currency."""

    invoice_id: str
    invoice_number: str
    amount: MoneyShape


class DatedAllocationShape(AllocationShape):
    """What a credit note gave to an invoice, and when."""

    allocated_on: date | None


class InvoiceDetailShape(InvoiceShape):
    """An invoice with its lines and instalments.

    With the permission to view payments also with what settled it: total - allocations = amount due.
    """

    reference: str | None
    lines: list[LineShape]
    instalments: list[InstalmentShape]
    allocations: NotRequired[list[SettlementShape]]


class CreditNoteDetailShape(InvoiceShape):
    """A credit note with its lines; it has no instalments.

    With the permission to view payments also with what it settled of invoices, and with the refunds and adjustments
    that settled it: total - allocations - settlements = amount due.
    """

    reference: str | None
    lines: list[LineShape]
    instalments: list[InstalmentShape]
    allocations: NotRequired[list[DatedAllocationShape]]
    settlements: NotRequired[list[SettlementShape]]


class OrderShape(TypedDict):
    """An order as a list shows it."""

    id: str
    number: str
    state: OrderState
    ordered_on: date
    client_reference: str | None
    delivery_status: DeliveryStatus
    currency: CurrencyCode
    subtotal: MoneyShape
    tax: MoneyShape
    total: MoneyShape
    quote_id: str | None


class OrderDetailShape(OrderShape):
    """An order with its lines and deliveries; with the permission to view invoices also with those."""

    lines: list[OrderLineShape]
    deliveries: list[DeliveryShape]
    invoices: NotRequired[list[InvoiceShape]]


class PaymentShape(TypedDict):
    """A payment or refund, with what it paid and what is left of it."""

    id: str
    number: str
    kind: PaymentKind
    state: ShownPaymentState
    received_on: date
    method: str | None
    reference: str | None
    amount: MoneyShape
    unallocated: MoneyShape
    allocations: list[AllocationShape]


class AgingShape(TypedDict):
    """What is outstanding, by how many days it is past due."""

    current: MoneyShape
    days_1_30: MoneyShape
    days_31_60: MoneyShape
    days_61_90: MoneyShape
    over_90: MoneyShape


class BalanceShape(TypedDict):
    """What is owed in one currency: `net` is outstanding minus credit, and the aging sums to outstanding."""

    currency: CurrencyCode
    outstanding: MoneyShape
    overdue: MoneyShape
    credit: MoneyShape
    net: MoneyShape
    aging: AgingShape


class RecentShape(TypedDict):
    """The newest five of each kind that the link may view."""

    quotes: NotRequired[list[QuoteShape]]
    orders: NotRequired[list[OrderShape]]
    invoices: NotRequired[list[InvoiceShape]]
    deliveries: NotRequired[list[DeliveryShape]]


class DashboardShape(TypedDict):
    """What a client sees first."""

    client: NamedPartyShape
    company: NamedPartyShape
    recent: RecentShape
    balances: NotRequired[list[BalanceShape]]


class MovementShape(TypedDict):
    """A movement of the account with the balance after it; one of debit and credit is null."""

    on: date
    type: MovementType
    id: str
    number: str
    debit: MoneyShape | None
    credit: MoneyShape | None
    balance: MoneyShape


class FileShape(TypedDict):
    """The file of a document, without its content; `size` is in bytes."""

    document: DocumentShape
    sha256: Sha256
    size: int
    attached_at: Moment


StatementShape = TypedDict(
    "StatementShape",
    {
        "currency": CurrencyCode,
        "from": date,
        "to": date,
        "opening": MoneyShape,
        "closing": MoneyShape,
        "lines": list[MovementShape],
        "aging": AgingShape | None,
    },
)
StatementShape.__doc__ = "A statement of account in one currency: opening + movements = closing."


class ReplyShape(TypedDict):
    """One message of a conversation."""

    by: Party
    message: str
    created_at: Moment


class TicketShape(TypedDict):
    """What a client wrote, and the conversation that followed."""

    id: str
    subject: str
    message: str
    category: Category
    rating: int | None
    document: DocumentShape | None
    state: TicketState
    created_at: Moment
    replies: list[ReplyShape]


class StaffTicketShape(TicketShape):
    """A ticket, with whose it is."""

    client_id: str


class LinkShape(TypedDict):
    """A link as staff see it, without its secret; `hint` is the last four characters of the newest token."""

    id: str
    client_id: str
    label: str | None
    permissions: PermissionsShape
    documents: list[DocumentShape] | None
    state: GrantState
    hint: str
    created_at: Moment
    expires_at: Moment
    revoked_at: Moment | None
    last_used_at: Moment | None


class IssuedLinkShape(TypedDict):
    """A link with its token, which is told this once; both are null in an answer given again."""

    id: str
    client_id: str
    label: str | None
    permissions: PermissionsShape
    documents: NotRequired[list[DocumentShape]]
    expires_at: Moment
    created_at: Moment
    token: str | None
    url: str | None


class EvidenceShape(DecisionShape):
    """A decision with its evidence.

    `document` is the canonical JSON (RFC 8785) of exactly what was shown, as text, and `document_sha256` the digest of
    that text.
    """

    id: str
    client_id: str
    quote_id: str
    quote_number: str
    token_id: str | None
    token_hint: str | None
    ip: str | None
    user_agent: str | None
    consent_text: str | None
    consent_sha256: Sha256 | None
    document: str


class EventShape(TypedDict):
    """Something that happened; `data` names ids and answers."""

    id: str
    type: EventType
    occurred_at: Moment
    client_id: str
    data: dict[str, Any]


class ActorShape(TypedDict):
    """Who acted: `id` is the subject of staff's token, a link's id, or `command line`; `token_hint` is a link's."""

    type: ActorType
    id: str
    token_hint: str | None


class TargetShape(TypedDict):
    """What was acted upon."""

    type: TargetType
    id: str


class AuditEntryShape(TypedDict):
    """Who did what, when and from where; `details` depend on the action."""

    id: str
    created_at: Moment
    action: AuditAction
    actor: ActorShape
    ip: str | None
    user_agent: str | None
    client_id: str | None
    target: TargetShape
    details: dict[str, Any]


class WebhookShape(TypedDict):
    """An address that is told of events; `events` null stands for all of them."""

    id: str
    url: str
    events: list[EventType] | None
    description: str | None
    enabled: bool
    disabled_at: Moment | None
    disabled_because: str | None
    created_at: Moment


class IssuedWebhookShape(WebhookShape):
    """A webhook with its newest secret, which is told this once; it is null in an answer given again."""

    secret: str | None


class SentShape(TypedDict):
    """A message on its way to a webhook, arrived or given up; `next_attempt_at` is null when none is to come."""

    id: str
    event_id: str
    type: str
    state: DispatchState
    attempts: int
    created_at: Moment
    next_attempt_at: Moment | None
    last_attempt_at: Moment | None
    last_status: int | None
    last_error: str | None


class KeyShape(TypedDict):
    """A public key (RFC 8037), known by its thumbprint (RFC 7638)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class KeySetShape(TypedDict):
    """Public keys (RFC 7517)."""

    keys: list[KeyShape]


class HealthShape(TypedDict):
    """The process answers."""

    status: Annotated[str, Meta(extra_json_schema={"enum": ["ok"]})]


class PushedRecordShape(TypedDict):
    """A record that was pushed, and what became of it."""

    type: RecordType
    id: str
    outcome: PushedOutcome


class LineFaultShape(TypedDict):
    """One thing wrong with a record: the field as a JSON pointer (RFC 6901), and what."""

    pointer: str
    detail: str


class PushedLineShape(TypedDict):
    """What became of one line, or all that is wrong with it; then `outcome` is null.

    A line that is no record has neither type nor id.
    """

    line: int
    type: RecordType | None
    id: str | None
    outcome: Outcome | None
    errors: Sequence[LineFaultShape]


class PushedLinesShape(TypedDict):
    """What became of records that were pushed together, by type and outcome in `counts`, and line by line."""

    counts: Mapping[str, Mapping[str, int]]
    refused: int
    lines: Sequence[PushedLineShape]
