"""A portal over the memory store, with two companies and their clients, and the means to ask it things."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from attrs import define, field
from starlette.applications import Starlette
from starlette.testclient import TestClient

from portal_adapters.admin_jwt import admin_tokens, mint_admin_token
from portal_adapters.contract.builders import (
    COMPANY,
    NEIGHBOUR,
    NOW,
    SCOPE,
    STRANGER,
    a_credit_note,
    a_delivery,
    a_file,
    a_payment,
    a_quote,
    a_refund,
    a_ticket,
    an_invoice,
    an_order,
    credited,
    eur,
    paid,
)
from portal_adapters.contract.feeding import prepare
from portal_adapters.memory.store import MemoryTransactions
from portal_adapters.pdf import TypstPrinter
from portal_adapters.randomness import RandomMint
from portal_adapters.rate_limits import rate_limits
from portal_adapters.receipt_keys import ReceiptKeys, derived_receipt_keys
from portal_adapters.records.pushing import stage_push
from portal_core.domain.access import ALL_PERMISSIONS, DocumentRef, DocumentType, Permission, Scope
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.ids import DeliveryId, OrderId, QuoteId
from portal_core.domain.invoices import InvoiceState
from portal_core.domain.payments import PaymentRecordState
from portal_core.domain.quotes import QuoteState
from portal_core.domain.records import Fact
from portal_core.use_cases.access import NewGrant, issue_link
from portal_http.app import create_app
from portal_http.options import Options
from portal_http.runners import InlineRunner

Reply: TypeAlias = Any
"""What came back: an answer, or JSON out of one."""

BASE = "/api/v1/customer-portal"
KEY = "a secret for tests, long enough for HS256"
AUDIENCE = "portal"
UNLIMITED = Options(reads_per_minute=0, writes_per_minute=0, guesses_per_minute=0, mail=True)


@define
class Clock:
    """Stands still until it is moved."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at


def bearer(
    *companies: str, scope: str = "portal:admin", subject: str = "somebody", key: str = KEY, now: datetime | None = None
) -> str:
    """Return a token of staff's, good for an hour of the real time by which such tokens are judged."""
    return mint_admin_token(
        key=key,
        audience=AUDIENCE,
        issuer="tests",
        subject=subject,
        company_ids=companies or (COMPANY,),
        scope=scope,
        now=now or datetime.now(UTC),
    )


@define
class World:
    """What a test is given."""

    options: Options = UNLIMITED
    printing: bool = True
    feeding: bool = True
    receipts: ReceiptKeys | None = field(factory=lambda: derived_receipt_keys(KEY))
    clock: Clock = field(factory=Clock)
    transactions: MemoryTransactions = field(factory=lambda: MemoryTransactions(RandomMint()))
    app: Starlette = field(init=False)
    http: TestClient = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.app = create_app(
            InlineRunner(self.transactions),
            clock=self.clock,
            admins=admin_tokens(key=KEY, audience=AUDIENCE, issuer="tests"),
            limits=rate_limits("memory://"),
            options=self.options,
            printer=TypstPrinter() if self.printing else None,
            receipts=self.receipts,
            stage_records=stage_push if self.feeding else None,
        )
        self.http = TestClient(self.app, raise_server_exceptions=False)
        prepare(self.transactions)

    def feed(self, *facts: Fact) -> None:
        prepare(self.transactions, *facts)

    def token(
        self,
        *,
        scope: Scope = SCOPE,
        without: Collection[Permission] = (),
        documents: Collection[tuple[DocumentType, str]] | None = None,
    ) -> str:
        """Issue a link and return its token."""
        refs = None if documents is None else frozenset(DocumentRef(kind, each) for kind, each in documents)
        asked = NewGrant(client_id=scope.client_id, permissions=ALL_PERMISSIONS - frozenset(without), documents=refs)
        with self.transactions.begin() as store:
            return issue_link(store, scope.company_id, asked, self.options.link_life, now=self.clock()).token

    def link(self, **asked: Any) -> str:
        """Issue a link and return the address of its calls."""
        return f"{BASE}/view/{self.token(**asked)}"

    def staff(self, method: str, path: str, *, token: str | None = None, **more: Any) -> Reply:
        """Ask as staff."""
        headers = {"Authorization": f"Bearer {token or bearer()}", **more.pop("headers", {})}
        return self.http.request(method, BASE + path, headers=headers, **more)

    @contextmanager
    def transaction(self) -> Iterator[Any]:
        with self.transactions.begin() as store:
            yield store

    def pass_time(self, **parts: int) -> None:
        self.clock.at += timedelta(**parts)


def everything(scope: Scope = SCOPE, mark: str = "") -> tuple[Fact, ...]:
    """Return one of each document of a client's, connected, and a draft of each kind that has one."""
    invoice = f"I1{mark}"
    return (
        a_quote(f"Q1{mark}", scope=scope, order_id=OrderId(f"O1{mark}")),
        a_quote(f"Q-draft{mark}", scope=scope, recorded_state=QuoteState.DRAFT),
        an_order(f"O1{mark}", scope=scope, quote_id=QuoteId(f"Q1{mark}")),
        a_delivery(f"D1{mark}", scope=scope, order_id=OrderId(f"O1{mark}")),
        a_delivery(f"D2{mark}", scope=scope, order_id=OrderId(f"O1{mark}"), backorder_of=DeliveryId(f"D1{mark}")),
        a_delivery(f"D-draft{mark}", scope=scope, state=DeliveryState.DRAFT),
        an_invoice(invoice, eur("100.00"), scope=scope, order_id=OrderId(f"O1{mark}")),
        an_invoice(f"I-draft{mark}", scope=scope, state=InvoiceState.DRAFT),
        a_credit_note(f"C1{mark}", eur("30.00"), scope=scope, allocations=(credited(invoice, eur("10.00")),)),
        a_payment(f"P1{mark}", eur("50.00"), scope=scope, allocations=(paid(invoice, eur("40.00")),)),
        a_refund(f"R1{mark}", eur("5.00"), scope=scope, allocations=(paid(f"C1{mark}", eur("5.00")),)),
        a_payment(f"P-draft{mark}", scope=scope, state=PaymentRecordState.DRAFT),
    )


def full_world(options: Options = UNLIMITED, *, printing: bool = True) -> World:
    """Return a world in which three clients have one of everything, and a ticket."""
    world = World(options, printing=printing)
    world.feed(*everything(), *everything(NEIGHBOUR, "-n"), *everything(STRANGER, "-s"))
    with world.transaction() as store:
        for mark, scope in (("", SCOPE), ("-n", NEIGHBOUR), ("-s", STRANGER)):
            store.attachments.attach(a_file(DocumentRef(DocumentType.INVOICE, f"I1{mark}"), scope=scope))
        store.tickets.add(a_ticket("T1"))
        store.tickets.add(a_ticket("T1-n", scope=NEIGHBOUR))
        store.tickets.add(a_ticket("T1-s", scope=STRANGER))
    return world


def code(answer: Reply) -> str:
    """Return the code of a refusal."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"].endswith(problem["code"])
    return str(problem["code"])


def places(answer: Reply) -> list[str]:
    """Return where the input was wrong."""
    assert answer.status_code == 422, answer.text
    return sorted(each.get("pointer", each.get("parameter")) for each in answer.json()["errors"])
