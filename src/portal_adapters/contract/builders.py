"""Valid facts with every field filled in by default: a test states what it is about, and nothing else.

Each builder takes the fields of what it builds as keywords: `a_quote("Q1", valid_until=YESTERDAY)`.
"""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from attrs import evolve

from portal_core.domain.access import ALL_PERMISSIONS, DocumentRef, Grant, Scope, Secret, Visit
from portal_core.domain.audit import Act, Actor, ActorType, AuditAction, AuditEntry, Target, TargetType
from portal_core.domain.companies import Client, Company
from portal_core.domain.deliveries import Delivery, DeliveryLine, DeliveryState
from portal_core.domain.events import Event, EventType
from portal_core.domain.feedback import Category, Ticket
from portal_core.domain.files import DocumentFile, a_pdf
from portal_core.domain.ids import (
    AuditEntryId,
    ClientId,
    CompanyId,
    DecisionId,
    DeliveryId,
    DispatchId,
    EventId,
    GrantId,
    InvoiceId,
    OrderId,
    PaymentId,
    QuoteId,
    TicketId,
    WebhookId,
)
from portal_core.domain.invoices import CreditAllocation, Invoice, InvoiceKind, InvoiceState
from portal_core.domain.lines import Line, LineKind, OrderLine
from portal_core.domain.money import Currency, Money, currency
from portal_core.domain.orders import DeliveryStatus, Order, OrderState
from portal_core.domain.outbox import Channel, Dispatch
from portal_core.domain.payments import Payment, PaymentAllocation, PaymentKind, PaymentRecordState
from portal_core.domain.quotes import Answer, Decision, Evidence, Quote, QuoteState
from portal_core.domain.tokens import digest_of, hint_of, token_of
from portal_core.domain.webhooks import SigningSecret, Webhook
from portal_core.ports import KeptAnswer, KeyOfAnswer

COMPANY = CompanyId("acme")
OTHER_COMPANY = CompanyId("umbrella")
CLIENT = ClientId("northwind")
OTHER_CLIENT = ClientId("contoso")

SCOPE = Scope(COMPANY, CLIENT)
NEIGHBOUR = Scope(COMPANY, OTHER_CLIENT)
"""Another client of the same company."""
STRANGER = Scope(OTHER_COMPANY, CLIENT)
"""A client of another company, who happens to have the same id."""

NOW = datetime(2026, 3, 15, 12, 30, 15, 123456, tzinfo=UTC)
"""A moment at which it is the same day everywhere that the builders put a company."""
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
TOMORROW = TODAY + timedelta(days=1)

EUR, USD, JPY, KWD = (currency(code) for code in ("EUR", "USD", "JPY", "KWD"))

T = TypeVar("T")


def eur(amount: str) -> Money:
    """Return euros."""
    return Money.parse(amount, "EUR")


def day(offset: int) -> date:
    """Return the day that is so many days after TODAY."""
    return TODAY + timedelta(days=offset)


def moment(offset: int) -> datetime:
    """Return the moment that is so many seconds after NOW."""
    return NOW + timedelta(seconds=offset)


def a_company(company_id: str = COMPANY, **changes: Any) -> Company:
    """Return a company in Berlin that counts in euros."""
    company = Company(
        id=CompanyId(company_id), name=f"Company {company_id}", timezone=ZoneInfo("Europe/Berlin"), currency=EUR
    )
    return evolve(company, **changes)


def a_client(scope: Scope = SCOPE, **changes: Any) -> Client:
    """Return the client of a scope."""
    return evolve(Client(company_id=scope.company_id, id=scope.client_id, name=f"Client {scope.client_id}"), **changes)


def a_line(line_id: str = "1", *, priced_in: Currency = EUR, **changes: Any) -> Line:
    """Return two and a half hours of something."""
    line = Line(
        id=line_id,
        kind=LineKind.ITEM,
        description="Consulting",
        quantity=Decimal("2.50"),
        unit="hour",
        unit_price=Decimal("40.0000"),
        discount_percent=None,
        subtotal=Money(10_000, priced_in),
        total=Money(11_900, priced_in),
    )
    return evolve(line, **changes)


def an_order_line(line_id: str = "1", *, priced_in: Currency = EUR, **changes: Any) -> OrderLine:
    """Return five boxes, of which two were delivered."""
    line = OrderLine(
        id=line_id,
        kind=LineKind.ITEM,
        description="Box",
        quantity=Decimal(5),
        unit="piece",
        unit_price=Decimal("20.00"),
        subtotal=Money(10_000, priced_in),
        total=Money(11_900, priced_in),
        delivered_quantity=Decimal(2),
        invoiced_quantity=Decimal(0),
    )
    return evolve(line, **changes)


def a_quote(quote_id: str = "Q1", total: Money | None = None, *, scope: Scope = SCOPE, **changes: Any) -> Quote:
    """Return a quote over 119.00 euros, or over a total, that was sent today and never expires."""
    whole = eur("119.00") if total is None else total
    quote = Quote(
        company_id=scope.company_id,
        client_id=scope.client_id,
        id=QuoteId(quote_id),
        number=f"N-{quote_id}",
        recorded_state=QuoteState.SENT,
        issued_on=TODAY,
        subtotal=whole,
        tax=Money(0, whole.currency),
        total=whole,
        lines=(a_line(priced_in=whole.currency),),
    )
    return evolve(quote, **changes)


def an_order(order_id: str = "O1", total: Money | None = None, *, scope: Scope = SCOPE, **changes: Any) -> Order:
    """Return an order over 119.00 euros, or over a total, confirmed today."""
    whole = eur("119.00") if total is None else total
    order = Order(
        company_id=scope.company_id,
        client_id=scope.client_id,
        id=OrderId(order_id),
        number=f"N-{order_id}",
        state=OrderState.CONFIRMED,
        ordered_on=TODAY,
        delivery_status=DeliveryStatus.PENDING,
        subtotal=whole,
        tax=Money(0, whole.currency),
        total=whole,
        lines=(an_order_line(priced_in=whole.currency),),
    )
    return evolve(order, **changes)


def a_delivery(delivery_id: str = "D1", *, scope: Scope = SCOPE, **changes: Any) -> Delivery:
    """Return a delivery that is ready to leave today."""
    line = DeliveryLine(description="Box", quantity=Decimal(5), delivered_quantity=Decimal(0), unit="piece")
    delivery = Delivery(
        company_id=scope.company_id,
        client_id=scope.client_id,
        id=DeliveryId(delivery_id),
        number=f"N-{delivery_id}",
        state=DeliveryState.READY,
        lines=(line,),
        scheduled_on=TODAY,
    )
    return evolve(delivery, **changes)


def an_invoice(invoice_id: str = "I1", total: Money | None = None, *, scope: Scope = SCOPE, **changes: Any) -> Invoice:
    """Return a posted invoice over 119.00 euros, or over a total, that falls due today."""
    whole = eur("119.00") if total is None else total
    invoice = Invoice(
        company_id=scope.company_id,
        client_id=scope.client_id,
        id=InvoiceId(invoice_id),
        number=f"N-{invoice_id}",
        kind=InvoiceKind.INVOICE,
        state=InvoiceState.POSTED,
        issued_on=TODAY,
        due_on=TODAY,
        subtotal=whole,
        tax=Money(0, whole.currency),
        total=whole,
    )
    return evolve(invoice, **changes)


def a_credit_note(note_id: str = "C1", total: Money | None = None, **changes: Any) -> Invoice:
    """Return a posted credit note over 119.00 euros, or over a total; it falls due on no day."""
    fields: dict[str, Any] = {"kind": InvoiceKind.CREDIT_NOTE, "due_on": None, **changes}
    return an_invoice(note_id, total, **fields)


def credited(invoice_id: str, amount: Money, *, on: date | None = None) -> CreditAllocation:
    """Return what a credit note gives to an invoice."""
    return CreditAllocation(invoice_id=InvoiceId(invoice_id), amount=amount, allocated_on=on)


def a_payment(payment_id: str = "P1", amount: Money | None = None, *, scope: Scope = SCOPE, **changes: Any) -> Payment:
    """Return a payment of 119.00 euros, or of an amount, received today and given to nothing yet."""
    payment = Payment(
        company_id=scope.company_id,
        client_id=scope.client_id,
        id=PaymentId(payment_id),
        number=f"N-{payment_id}",
        state=PaymentRecordState.PAID,
        received_on=TODAY,
        amount=eur("119.00") if amount is None else amount,
    )
    return evolve(payment, **changes)


def a_refund(payment_id: str = "R1", amount: Money | None = None, **changes: Any) -> Payment:
    """Return money that went back to the client."""
    fields: dict[str, Any] = {"kind": PaymentKind.REFUND, **changes}
    return a_payment(payment_id, amount, **fields)


def paid(invoice_id: str, amount: Money, *, using: Money | None = None, on: date | None = None) -> PaymentAllocation:
    """Return what a payment gives to an invoice; `using` is in the payment's currency, where that is another."""
    return PaymentAllocation(invoice_id=InvoiceId(invoice_id), amount=amount, payment_amount=using, allocated_on=on)


def a_token(seed: int = 1) -> str:
    """Return a well-formed token that anybody can guess."""
    return token_of(seed.to_bytes(32))


def a_secret(seed: int = 1, **changes: Any) -> Secret:
    """Return what is kept of `a_token(seed)`."""
    token = a_token(seed)
    return evolve(Secret(digest=digest_of(token), hint=hint_of(token), created_at=NOW), **changes)


def a_grant(grant_id: str = "G1", *, scope: Scope = SCOPE, **changes: Any) -> Grant:
    """Return a grant of everything for a day, with no secret yet."""
    grant = Grant(
        id=GrantId(grant_id),
        company_id=scope.company_id,
        client_id=scope.client_id,
        label=None,
        permissions=ALL_PERMISSIONS,
        documents=scope.documents,
        created_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )
    return evolve(grant, **changes)


def a_visit(scope: Scope = SCOPE, **changes: Any) -> Visit:
    """Return a visit of the scope's client with a grant of everything, or one that is changed as said."""
    return Visit(
        grant=a_grant(scope=scope, **changes),
        company=a_company(scope.company_id),
        client=a_client(scope),
        secret_hint=hint_of(a_token()),
    )


def evidence(**changes: Any) -> Evidence:
    """Return a signature."""
    return evolve(Evidence(name="Ada Lovelace", title="Head of purchasing", ip="192.0.2.1"), **changes)


def a_decision(quote: Quote, answer: Answer = Answer.ACCEPTED, **changes: Any) -> Decision:
    """Return a decision on the quote as it is, taken NOW."""
    decision_id = DecisionId(f"decision-on-{quote.id}-{quote.revision}")
    decision = quote.decide(answer, evidence(), decision_id=decision_id, at=NOW, on=quote.issued_on)
    return evolve(decision, **changes)


def a_ticket(ticket_id: str = "T1", *, scope: Scope = SCOPE, **changes: Any) -> Ticket:
    """Return a question."""
    ticket = Ticket(
        id=TicketId(ticket_id),
        company_id=scope.company_id,
        client_id=scope.client_id,
        subject="Where is it?",
        message="I wait since Monday.",
        category=Category.QUESTION,
        created_at=NOW,
    )
    return evolve(ticket, **changes)


def a_file(document: DocumentRef, *, scope: Scope = SCOPE, content: bytes = b"%PDF-1.7 %%EOF") -> DocumentFile:
    """Return the file of a document."""
    return a_pdf(scope.company_id, scope.client_id, document, content, at=NOW)


def an_event(event_id: str = "E1", *, scope: Scope = SCOPE, **changes: Any) -> Event:
    """Return the event of a link that was issued."""
    event = Event(
        id=EventId(event_id),
        company_id=scope.company_id,
        client_id=scope.client_id,
        type=EventType.TOKEN_ISSUED,
        occurred_at=NOW,
        data={"token_id": "G1", "label": None},
    )
    return evolve(event, **changes)


def an_audit_entry(entry_id: str = "A1", *, scope: Scope = SCOPE, **changes: Any) -> AuditEntry:
    """Return the entry of a link that staff revoked; `changes` are of the act, but for `actor` and `created_at`."""
    act = Act(
        action=AuditAction.TOKEN_REVOKED,
        company_id=scope.company_id,
        client_id=scope.client_id,
        target=Target(TargetType.TOKEN, "G1"),
    )
    staff = Actor(type=ActorType.STAFF, id="ada@example.com", ip="192.0.2.1", user_agent="curl/8")
    actor, created_at = changes.pop("actor", staff), changes.pop("created_at", NOW)
    return AuditEntry(id=AuditEntryId(entry_id), act=evolve(act, **changes), actor=actor, created_at=created_at)


def a_key(key: str = "K1", **changes: Any) -> KeyOfAnswer:
    """Return an idempotency key of the company's staff."""
    return evolve(KeyOfAnswer(company_id=COMPANY, asker="staff", route="POST /tokens", key=key), **changes)


def an_answer(**changes: Any) -> KeptAnswer:
    """Return an answer given NOW."""
    return evolve(KeptAnswer(fingerprint=b"\0" * 32, status=201, body=b'{"data": 1}', answered_at=NOW), **changes)


def a_webhook(webhook_id: str = "W1", *, company_id: CompanyId = COMPANY, **more: Any) -> Webhook:
    """Return a webhook with one secret."""
    secrets = (SigningSecret(key=bytes(range(32)), created_at=NOW),)
    fields: dict[str, Any] = {"url": "https://hooks.example/in", "created_at": NOW, "secrets": secrets, **more}
    return Webhook(id=WebhookId(webhook_id), company_id=company_id, **fields)


def a_dispatch(dispatch_id: str = "X1", *, company_id: CompanyId = COMPANY, **more: Any) -> Dispatch:
    """Return a dispatch to a webhook, due now."""
    fields: dict[str, Any] = {
        "channel": Channel.WEBHOOK,
        "target": "W1",
        "message_id": "E1",
        "type": "quote.accepted",
        "payload": {"type": "quote.accepted", "data": {"text": "Grüße 😀", "number": -3, "none": None}},
        "created_at": NOW,
        "due_at": NOW,
        **more,
    }
    return Dispatch(id=DispatchId(dispatch_id), company_id=company_id, **fields)
