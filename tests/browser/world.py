"""A company with something of everything to show, and the portal over it, for the tests of the pages."""

import struct
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, final

from attrs import define, field
from starlette.applications import Starlette

from portal_adapters.contract.builders import (
    COMPANY,
    JPY,
    NOW,
    SCOPE,
    a_client,
    a_company,
    a_credit_note,
    a_delivery,
    a_line,
    a_payment,
    a_quote,
    a_refund,
    an_invoice,
    an_order,
    an_order_line,
    credited,
    day,
    eur,
    paid,
)
from portal_adapters.contract.feeding import feed
from portal_adapters.memory import MemoryTransactions
from portal_adapters.pdf import TypstPrinter
from portal_adapters.randomness import RandomMint
from portal_core.domain.access import ALL_PERMISSIONS, DocumentRef, Permission
from portal_core.domain.companies import Client, Company
from portal_core.domain.deliveries import DeliveryLine, DeliveryState
from portal_core.domain.filters import DecisionFilter, TicketFilter
from portal_core.domain.ids import DeliveryId, OrderId, TicketId
from portal_core.domain.invoices import Adjustment, Instalment
from portal_core.domain.lines import LineKind
from portal_core.domain.money import Money
from portal_core.domain.orders import DeliveryStatus, OrderState
from portal_core.domain.paging import Listing
from portal_core.domain.payments import PaymentRecordState
from portal_core.domain.quotes import QuoteState
from portal_core.domain.records import Fact
from portal_core.ports import Store
from portal_core.use_cases.access import LinkLife, NewGrant, issue_link
from portal_core.use_cases.feedback import reply_as_staff
from portal_http.app import create_app
from portal_http.options import Options
from portal_http.outside import AdminTokens, RateLimits
from portal_http.runners import InlineRunner

ONE_MINUTE = 60

T = TypeVar("T")


def a_picture(width: int = 96, height: int = 96, colour: bytes = b"\x0f\x76\x6e") -> bytes:
    """Return a PNG of one colour with a white square in it."""
    row = b"".join(b"\xff\xff\xff" if width // 3 <= x < 2 * width // 3 else colour for x in range(width))
    plain = colour * width
    rows = b"".join(b"\0" + (row if height // 3 <= y < 2 * height // 3 else plain) for y in range(height))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@final
@define
class CountedLimits(RateLimits):
    """Counts as long as the process lives; `most` counts all the same."""

    counted: dict[tuple[str, str], int] = field(factory=dict[tuple[str, str], int])

    async def hit(self, budget: str, key: str, *, most: int) -> tuple[bool, int, float]:
        count = self.counted.get((budget, key), 0)
        if most and count >= most:
            return False, 0, ONE_MINUTE
        self.counted[budget, key] = count + 1
        return True, max(most - count - 1, 0), ONE_MINUTE


@final
class NoAdmins(AdminTokens):
    """Nobody is staff here."""

    def claims(self, token: str) -> None:
        assert token


@define
class World:
    """A store in memory, the portal over it, and links to it."""

    transactions: MemoryTransactions = field(factory=lambda: MemoryTransactions(RandomMint()))
    limits: CountedLimits = field(factory=CountedLimits)
    now: datetime = NOW

    def feed(self, *facts: Fact) -> None:
        with self.transactions.begin() as store:
            feed(store, *facts)

    def link(self, *, without: tuple[Permission, ...] = (), documents: frozenset[DocumentRef] | None = None) -> str:
        """Return the path of a fresh link."""
        asked = NewGrant(
            client_id=SCOPE.client_id, permissions=ALL_PERMISSIONS - frozenset(without), documents=documents
        )
        with self.transactions.begin() as store:
            return f"/p/{issue_link(store, COMPANY, asked, LinkLife(), now=self.now).token}"

    def run(self, work: Callable[[Store], T]) -> T:
        with self.transactions.begin() as store:
            return work(store)

    def snapshot(self) -> list[object]:
        """Return everything that a person would notice a change of."""

        def look(store: Store) -> list[object]:
            listing = Listing(sort="created_at", limit=100)
            return [
                list(store.facts.each()),
                store.decisions.page(COMPANY, listing, DecisionFilter()),
                store.tickets.page(COMPANY, listing, TicketFilter()),
                store.events.page(COMPANY, after=None, limit=100),
            ]

        return self.run(look)

    def reply(self, ticket_id: TicketId, message: str, *, close: bool = False) -> None:
        self.run(lambda store: reply_as_staff(store, COMPANY, ticket_id, message, close=close, now=self.now))

    def app(self, **options: Any) -> Starlette:
        given: dict[str, Any] = {"reads_per_minute": 0, "writes_per_minute": 0, "guesses_per_minute": 0, **options}
        runner = InlineRunner(self.transactions)
        return create_app(
            runner,
            clock=lambda: self.now,
            admins=NoAdmins(),
            limits=self.limits,
            options=Options(**given),
            printer=TypstPrinter(),
        )


def the_company(**changes: Any) -> Company:
    return a_company(
        **{
            "name": "Northwind Joinery",
            "locale": "en",
            "email": "hello@northwind.example",
            "phone": "+49 30 555 01 20",
            "website": "https://northwind.example",
            "address": "Lindenweg 4\n10115 Berlin",
            "accent_colour": "#0F766E",
            "logo": a_picture(),
            "footer": "Registered in Berlin · VAT DE000000000",
            "payment_instructions": "Bank transfer to DE00 0000 0000 0000 0000 00\nNorthwind Joinery",
            **changes,
        }
    )


def the_client(**changes: Any) -> Client:
    return a_client(**{"name": "Harbour Hotel", "locale": "en", **changes})


def everything(company: Company | None = None, client: Client | None = None) -> tuple[Fact, ...]:
    """Return a company's whole dealings with a client, on the day of the builders."""
    return (
        company or the_company(),
        client or the_client(),
        *_quotes(),
        *_orders(),
        *_deliveries(),
        *_invoices(),
        *_payments(),
    )


def _quotes() -> tuple[Fact, ...]:
    lines = (
        a_line("1", kind=LineKind.SECTION, description="Reception", **_bare()),
        a_line("2", description="Reception desk, oiled oak", quantity=Decimal(1), unit="piece",
               unit_price=Decimal("2400.00"), subtotal=eur("2400.00"), total=eur("2856.00")),
        a_line("3", description="Bar stool with leather seat", quantity=Decimal(8), unit="piece",
               unit_price=Decimal("180.00"), discount_percent=Decimal("12.5"), subtotal=eur("1260.00"),
               total=eur("1499.40")),
        a_line("4", kind=LineKind.NOTE, description="Delivered to the kerb.", **_bare()),
    )  # fmt: skip
    whole: dict[str, Any] = {"subtotal": eur("3660.00"), "tax": eur("695.40"), "total": eur("4355.40")}
    return (
        a_quote("Q1", number="Q-2026-0041", issued_on=day(-6), valid_until=day(9), lines=lines, **whole,
                notes="Made in about four weeks after your order.", terms="Half on order, half on delivery."),
        a_quote("Q2", number="Q-2026-0037", issued_on=day(-40), valid_until=day(-10), lines=lines, **whole),
        a_quote("Q3", number="Q-2026-0030", issued_on=day(-70), recorded_state=QuoteState.ACCEPTED, lines=lines,
                order_id=OrderId("O1"), **whole),
        a_quote("Q4", number="Q-2026-0044", issued_on=day(-1), revision=2, lines=lines, **whole),
    )  # fmt: skip


def _bare() -> dict[str, Any]:
    return dict.fromkeys(("quantity", "unit", "unit_price", "discount_percent", "subtotal", "total"))


def _orders() -> tuple[Fact, ...]:
    lines = (
        an_order_line("1", description="Dining chair, ash", quantity=Decimal(24), delivered_quantity=Decimal(16),
                      invoiced_quantity=Decimal(16), unit_price=Decimal("95.00"), subtotal=eur("2280.00"),
                      total=eur("2713.20")),
        an_order_line("2", description="Round table, 120 cm", quantity=Decimal(6), delivered_quantity=Decimal(6),
                      invoiced_quantity=Decimal(6), unit_price=Decimal("310.00"), subtotal=eur("1860.00"),
                      total=eur("2213.40")),
    )  # fmt: skip
    return (
        an_order("O1", number="S-2026-0019", ordered_on=day(-60), client_reference="PO-7781",
                 delivery_status=DeliveryStatus.PARTIAL, lines=lines, subtotal=eur("4140.00"), tax=eur("786.60"),
                 total=eur("4926.60")),
        an_order("O2", number="S-2026-0023", ordered_on=day(-12), delivery_status=DeliveryStatus.PENDING),
        an_order("O3", number="S-2025-0102", ordered_on=day(-200), state=OrderState.DONE,
                 delivery_status=DeliveryStatus.DELIVERED),
    )  # fmt: skip


def _deliveries() -> tuple[Fact, ...]:
    def line(key: str, words: str, wanted: int, done: int) -> DeliveryLine:
        return DeliveryLine(order_line_id=key, description=words, quantity=Decimal(wanted),
                            delivered_quantity=Decimal(done), unit="piece")  # fmt: skip

    first = (line("1", "Dining chair, ash", 16, 16), line("2", "Round table, 120 cm", 6, 6))
    carrier: dict[str, Any] = {"carrier_name": "Kestrel Freight", "tracking_number": "KF 0042 7719",
               "tracking_url": "https://track.example/KF00427719"}  # fmt: skip
    return (
        a_delivery("D1", number="OUT/00031", order_id=OrderId("O1"), state=DeliveryState.DELIVERED, lines=first,
                   scheduled_on=day(-30), shipped_at=NOW - timedelta(days=31), delivered_at=NOW - timedelta(days=29),
                   **carrier),
        a_delivery("D2", number="OUT/00038", order_id=OrderId("O1"), state=DeliveryState.SHIPPED,
                   lines=(line("1", "Dining chair, ash", 5, 0),), scheduled_on=day(2), backorder_of=DeliveryId("D1"),
                   shipped_at=NOW - timedelta(hours=20), **carrier),
        a_delivery("D3", number="OUT/00039", order_id=OrderId("O1"), state=DeliveryState.WAITING,
                   lines=(line("1", "Dining chair, ash", 3, 0),), scheduled_on=day(16), backorder_of=DeliveryId("D1")),
    )  # fmt: skip


def _invoices() -> tuple[Fact, ...]:
    parts = (Instalment(due_on=day(-12), amount=eur("1200.00")), Instalment(due_on=day(18), amount=eur("1256.10")))
    yen = Money(359_000, JPY)
    discount = Adjustment(amount=eur("23.80"), reason="Early payment, 2 %", adjusted_on=day(-70))
    return (
        an_invoice("I1", eur("2470.50"), number="INV-2026-0088", issued_on=day(-80), due_on=day(-50),
                   order_id=OrderId("O1"), lines=(a_line("1"),), payment_url="https://pay.example/INV-2026-0088"),
        an_invoice("I2", eur("2456.10"), number="INV-2026-0095", issued_on=day(-42), due_on=day(18),
                   instalments=parts, order_id=OrderId("O1"), lines=(a_line("1"),)),
        an_invoice("I3", eur("1190.00"), number="INV-2026-0071", issued_on=day(-90), due_on=day(-60),
                   adjustments=(discount,)),
        an_invoice("I4", eur("640.00"), number="INV-2026-0101", issued_on=day(-5), due_on=day(9)),
        an_invoice("I5", yen, number="INV-2026-0102", issued_on=day(-4), due_on=day(26)),
        an_invoice("I6", eur("310.00"), number="INV-2025-0411", issued_on=day(-150), due_on=day(-120)),
        a_credit_note("C1", eur("119.00"), number="CN-2026-0004", issued_on=day(-35),
                      allocations=(credited("I1", eur("60.00"), on=day(-34)),)),
    )  # fmt: skip


def _payments() -> tuple[Fact, ...]:
    return (
        a_payment("P1", eur("1166.20"), number="PAY-0051", received_on=day(-70), method="Bank transfer",
                  allocations=(paid("I3", eur("1166.20"), on=day(-70)),)),
        a_payment("P2", eur("1500.00"), number="PAY-0060", received_on=day(-20), method="Card", reference="PO-7781",
                  allocations=(paid("I1", eur("1000.00"), on=day(-20)), paid("I2", eur("400.00"), on=day(-20)))),
        a_payment("P3", eur("50.00"), number="PAY-0066", received_on=day(-1), state=PaymentRecordState.IN_PROCESS),
        a_refund("R1", eur("20.00"), number="REF-0003", received_on=day(-8),
                 allocations=(paid("C1", eur("20.00"), on=day(-8)),)),
    )  # fmt: skip


def many_invoices(count: int) -> tuple[Fact, ...]:
    """Return as many invoices, one a day."""
    return tuple(
        an_invoice(
            f"M{index:04}", eur("119.00"), number=f"INV-{index:04}", issued_on=day(-index), due_on=day(30 - index)
        )
        for index in range(count)
    )
