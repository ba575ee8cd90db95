"""One company, one client and one document of each kind; a test says only what it is about."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from attrs import evolve

from portal_core.domain.access import ALL_PERMISSIONS, DocumentRef, DocumentType, Grant, Permission, Secret, Visit
from portal_core.domain.companies import Client, Company
from portal_core.domain.deliveries import Delivery, DeliveryLine, DeliveryState
from portal_core.domain.ids import ClientId, CompanyId, DeliveryId, GrantId, InvoiceId, OrderId, PaymentId, QuoteId
from portal_core.domain.invoices import Invoice, InvoiceKind, InvoiceState
from portal_core.domain.lines import Line, LineKind, OrderLine
from portal_core.domain.money import Currency, Money, currency
from portal_core.domain.orders import DeliveryStatus, Order, OrderState
from portal_core.domain.payments import Payment, PaymentAllocation, PaymentKind, PaymentRecordState
from portal_core.domain.quotes import Evidence, Quote, QuoteState
from portal_core.domain.tokens import digest_of, hint_of, token_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)

EUR = currency("EUR")
USD = currency("USD")
JPY = currency("JPY")
KWD = currency("KWD")

BERLIN = ZoneInfo("Europe/Berlin")

COMPANY = Company(id=CompanyId("c1"), name="Northwind Tools", timezone=BERLIN, currency=EUR)
CLIENT = Client(company_id=COMPANY.id, id=ClientId("k1"), name="Lena Fischer")
STRANGER = Client(company_id=COMPANY.id, id=ClientId("k2"), name="Omar Haddad")

TOKEN = token_of(bytes(range(32)))
SECRET = Secret(digest=digest_of(TOKEN), hint=hint_of(TOKEN), created_at=NOW)

GRANT = Grant(
    id=GrantId("g1"),
    company_id=COMPANY.id,
    client_id=CLIENT.id,
    label=None,
    permissions=ALL_PERMISSIONS,
    created_at=NOW,
    expires_at=NOW + 90 * DAY,
    secrets=(SECRET,),
)

LENA = Evidence(name="Lena Fischer", email="lena@example.com")


def euros(text: str) -> Money:
    """Return that much in euros: euros("12.50")."""
    return Money(EUR.parse(text), EUR)


def money(minor: int, unit: Currency = EUR) -> Money:
    """Return that many minor units."""
    return Money(minor, unit)


def a_grant(*, without: frozenset[Permission] = frozenset(), **changes: Any) -> Grant:
    """Return a grant that lacks some permissions."""
    return evolve(GRANT, permissions=ALL_PERMISSIONS - without, **changes)


def a_visit(*lacking: Permission, documents: frozenset[DocumentRef] | None = None, **changes: Any) -> Visit:
    """Return a visit of the client's, lacking some permissions, perhaps narrowed to some documents."""
    grant = a_grant(without=frozenset(lacking), documents=documents, **changes)
    return Visit(grant=grant, company=COMPANY, client=CLIENT, secret_hint=SECRET.hint)


def only(*documents: tuple[DocumentType, str]) -> frozenset[DocumentRef]:
    """Return what a grant is narrowed to."""
    return frozenset(DocumentRef(kind, document_id) for kind, document_id in documents)


def a_quote(**changes: Any) -> Quote:
    """Return a sent quote over 119 euros, good until today."""
    quote = Quote(
        company_id=COMPANY.id,
        client_id=CLIENT.id,
        id=QuoteId("q1"),
        number="S00001",
        recorded_state=QuoteState.SENT,
        issued_on=TODAY - 10 * DAY,
        valid_until=TODAY,
        subtotal=euros("100.00"),
        tax=euros("19.00"),
        total=euros("119.00"),
        lines=(
            Line(
                id="1",
                kind=LineKind.ITEM,
                description="Hammer",
                quantity=Decimal(4),
                unit="piece",
                unit_price=Decimal("25.0000"),
                subtotal=euros("100.00"),
                total=euros("119.00"),
            ),
        ),
        terms="Delivered at the door.",
    )
    return evolve(quote, **changes)


def an_order(**changes: Any) -> Order:
    """Return a confirmed order over 119 euros."""
    order = Order(
        company_id=COMPANY.id,
        client_id=CLIENT.id,
        id=OrderId("o1"),
        number="SO0001",
        state=OrderState.CONFIRMED,
        ordered_on=TODAY - 5 * DAY,
        delivery_status=DeliveryStatus.PENDING,
        subtotal=euros("100.00"),
        tax=euros("19.00"),
        total=euros("119.00"),
        lines=(OrderLine(id="1", kind=LineKind.ITEM, description="Hammer", delivered_quantity=Decimal(1)),),
    )
    return evolve(order, **changes)


def a_delivery(**changes: Any) -> Delivery:
    """Return a delivery on its way."""
    delivery = Delivery(
        company_id=COMPANY.id,
        client_id=CLIENT.id,
        id=DeliveryId("d1"),
        number="OUT1",
        state=DeliveryState.SHIPPED,
        lines=(DeliveryLine(description="Hammer", quantity=Decimal(4), delivered_quantity=Decimal(0)),),
    )
    return evolve(delivery, **changes)


def an_invoice(**changes: Any) -> Invoice:
    """Return a posted invoice over 100 euros, due today."""
    invoice = Invoice(
        company_id=COMPANY.id,
        client_id=CLIENT.id,
        id=InvoiceId("i1"),
        number="INV1",
        kind=InvoiceKind.INVOICE,
        state=InvoiceState.POSTED,
        issued_on=TODAY - 30 * DAY,
        due_on=TODAY,
        subtotal=euros("100.00"),
        tax=euros("0.00"),
        total=euros("100.00"),
    )
    return evolve(invoice, **changes)


def a_credit_note(**changes: Any) -> Invoice:
    """Return a posted credit note over 40 euros."""
    note = an_invoice(
        id=InvoiceId("n1"), number="RINV1", kind=InvoiceKind.CREDIT_NOTE, due_on=None, total=euros("40.00")
    )
    return evolve(note, **changes)


def a_payment(*allocations: PaymentAllocation, **changes: Any) -> Payment:
    """Return a payment of 60 euros."""
    payment = Payment(
        company_id=COMPANY.id,
        client_id=CLIENT.id,
        id=PaymentId("p1"),
        number="PAY1",
        state=PaymentRecordState.PAID,
        received_on=TODAY - 3 * DAY,
        amount=euros("60.00"),
        allocations=allocations,
    )
    return evolve(payment, **changes)


def a_refund(*allocations: PaymentAllocation, **changes: Any) -> Payment:
    """Return a refund of 15 euros."""
    refund = a_payment(*allocations, id=PaymentId("r1"), number="REF1", kind=PaymentKind.REFUND, amount=euros("15.00"))
    return evolve(refund, **changes)


def paying(document: Invoice, amount: Money, **more: Any) -> PaymentAllocation:
    """Return the allocation of an amount to an invoice or credit note."""
    return PaymentAllocation(invoice_id=document.id, amount=amount, **more)
