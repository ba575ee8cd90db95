"""What is answered at a glance is what is answered the plain way, byte for byte: one store is served both ways."""

import sqlite3
import unicodedata
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from http import HTTPStatus
from itertools import count
from threading import Timer
from typing import Any, TypeAlias, TypeVar, cast
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

import pytest
from attrs import define, evolve, field, frozen
from starlette.testclient import TestClient

from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.contract.builders import (
    CLIENT,
    EUR,
    JPY,
    KWD,
    NEIGHBOUR,
    NOW,
    OTHER_CLIENT,
    TODAY,
    TOMORROW,
    USD,
    YESTERDAY,
    a_client,
    a_company,
    a_credit_note,
    a_delivery,
    a_grant,
    a_payment,
    a_quote,
    a_refund,
    a_secret,
    a_token,
    an_invoice,
    an_order,
    credited,
    day,
    eur,
    evidence,
    paid,
)
from portal_adapters.contract.feeding import feed
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlGlances, SqliteRunner, SqlTransactions, has_safe_wal, open_sqlite
from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres_async
from portal_core.domain.access import ALL_PERMISSIONS, DocumentRef, DocumentType, Permission, Scope, Visit
from portal_core.domain.companies import Company
from portal_core.domain.dashboard import SOON
from portal_core.domain.deliveries import DeliveryLine, DeliveryState
from portal_core.domain.ids import CompanyId, DeliveryId, GrantId, OrderId, QuoteId, is_id
from portal_core.domain.invoices import Adjustment, Instalment, Invoice, InvoiceState, PaymentState
from portal_core.domain.money import LARGEST_MINOR, Money, currency
from portal_core.domain.orders import DeliveryStatus, OrderState
from portal_core.domain.payments import PaymentRecordState
from portal_core.domain.quotes import Quote, QuoteState
from portal_core.domain.records import Document
from portal_core.ports import DashboardRows, Detail, FirstPageBriefs, Glance, Glances, InvoiceRows, Runner
from portal_core.use_cases.access import open_link, rotate_link
from portal_core.use_cases.quotes import accept_quote, decline_quote
from portal_http.app import Portal, create_app
from portal_http.options import Options
from portal_http.outside import RateLimits
from portal_http.seen import Seen
from tests.adapters.stores import postgres_database, postgres_engine, sqlite_store
from tests.http.world import AUDIENCE, BASE, KEY, UNLIMITED, Clock
from tests.lifespans import close_after

Reply: TypeAlias = Any
R = TypeVar("R")

PATHS = ("/dashboard", "/invoices")
KINDS = ("quotes", "orders", "invoices", "payments", "deliveries")
LONG = timedelta(days=1000)
OVERLAP = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)
CLF = currency("CLF")


@frozen
class Watched(Glances):
    """Glances, and of each whether records were seen; of the first page for people by itself."""

    glances: Glances
    seen: list[bool]
    pages: list[bool]

    async def dashboard(self, digest: bytes, *, at: datetime) -> Glance[DashboardRows] | None:
        return self._noted(await self.glances.dashboard(digest, at=at))

    async def invoices(self, digest: bytes, *, at: datetime, limit: int) -> Glance[InvoiceRows] | None:
        return self._noted(await self.glances.invoices(digest, at=at, limit=limit))

    async def document(self, digest: bytes, ref: DocumentRef, *, at: datetime) -> Glance[Detail] | None:
        return self._noted(await self.glances.document(digest, ref, at=at))

    async def first_page(self, digest: bytes, *, at: datetime) -> Glance[FirstPageBriefs] | None:
        glance = await self.glances.first_page(digest, at=at)
        self.pages.append(glance is not None and glance.seen is not None)
        return glance

    def _noted(self, glance: Glance[R] | None) -> Glance[R] | None:
        self.seen.append(glance is not None and glance.seen is not None)
        return glance


@define
class Tally(RateLimits):
    """Counts for ever: no answer tells how late it is."""

    counted: dict[tuple[str, str], int] = field(factory=dict[tuple[str, str], int])

    async def hit(self, budget: str, key: str, *, most: int) -> tuple[bool, int, float]:
        so_far = self.counted.get((budget, key), 0)
        if most and so_far >= most:
            return False, 0, 60.0
        self.counted[budget, key] = so_far + 1
        return True, max(most - so_far - 1, 0), 60.0


@frozen
class Served:
    """A store served one way, and what the portal tells of that."""

    http: TestClient
    limits: Tally
    told: list[Seen]

    def requests_counted(self) -> list[str]:
        figures: str = self.http.get("/metrics").text
        return [each for each in figures.splitlines() if each.startswith("portal_requests_total")]

    def finish_uses(self) -> Any:  # noqa: ANN401 - what is to be awaited
        return cast("Portal", cast("Any", self.http.app).router.default).services.uses.finish()


@frozen
class Portals:
    """One store that is served both ways; each link is of a company of its own."""

    transactions: SqlTransactions
    plain: Served
    glancing: Served
    seen: list[bool]
    pages: list[bool]
    clock: Clock
    _numbers: Iterator[int] = field(factory=lambda: count(1), init=False)

    def link(self, *facts: Document, company: Company | None = None, **grant: Any) -> str:
        """Give some facts to a company, and a link to its client, used of late; return the link's token.

        No use of it is noted then: on SQLite that would be a lock in the way, now and then.
        """
        number = next(self._numbers)
        own = evolve(company or a_company(), id=CompanyId(f"company-{number}"))
        scope = Scope(own.id, CLIENT)
        given = {"expires_at": NOW + LONG, "last_used_at": NOW + LONG, "secrets": (a_secret(number),), **grant}
        link = a_grant(f"G{number}", scope=scope, **given)
        with self.transactions.begin() as store:
            feed(store, own, a_client(scope), a_client(Scope(own.id, OTHER_CLIENT)))
            feed(store, *(evolve(each, company_id=own.id) for each in facts))
            store.grants.add(link)
        return a_token(number)

    @property
    def both(self) -> tuple[Served, Served]:
        return self.glancing, self.plain

    def visit(self, token: str) -> Visit:
        with self.transactions.begin() as store:
            return open_link(store, token, now=NOW)

    def decide(self, token: str, quote_id: str, decide: Callable[..., object], *, at: datetime = NOW) -> None:
        with self.transactions.begin() as store:
            visit = open_link(store, token, now=NOW)
            decide(store, visit, QuoteId(quote_id), evidence(), seen=None, now=at)

    def save(self, token: str, quote: Quote) -> None:
        """Save a quote of the client's again."""
        own = self.visit(token).company.id
        with self.transactions.begin() as store:
            feed(store, evolve(quote, company_id=own))

    def ask(self, address: str, method: str = "GET", *, base: str = BASE) -> Reply:
        """Ask both ways and return the answer, which is the same."""
        plain, glanced = (each.http.request(method, f"{base}{address}") for each in (self.plain, self.glancing))
        assert _said(glanced) == _said(plain)
        return glanced

    def first_page(self, token: str) -> str:
        """Ask both ways for the first page for people, and return it."""
        page: str = self.ask(f"/p/{token}", base="").text
        return page

    def look(self, token: str, *, seen: bool = True, status: int = 200) -> list[Reply]:
        """Ask both ways for the first page for people, the dashboard, the invoices, and each document there is.

        Require that all but the first was seen at a glance, or that nothing was; return what the second and third are.
        """
        assert self.ask(f"/p/{token}", base="").status_code == status
        self.seen.clear()
        answers = [self.ask(f"/view/{token}{path}") for path in PATHS]
        assert [each.status_code for each in answers] == [status] * len(PATHS)
        documents = self._documents(token)
        shown = [self.ask(f"/view/{token}{path}").json()["data"]["id"] for path in documents]
        assert shown == [unquote(path.rpartition("/")[2]) for path in documents]
        assert self.seen == [seen] * (len(PATHS) + len(documents))
        return [each.json() for each in answers]

    def _documents(self, token: str) -> list[str]:
        asked = {kind: self.plain.http.get(f"{BASE}/view/{token}/{kind}?limit=100") for kind in KINDS}
        rows = {kind: answer.json()["data"] for kind, answer in asked.items() if answer.status_code == HTTPStatus.OK}
        return [
            f"/{kind}/{quote(each['id'], safe='')}"
            for kind, found in rows.items()
            for each in found
            if is_id(each["id"])
        ]


def _said(answer: Reply) -> tuple[int, list[tuple[str, str]], bytes]:
    return answer.status_code, answer.headers.multi_items(), answer.content


@contextmanager
def on_sqlite(options: Options = UNLIMITED, patience_seconds: float = 5.0) -> Generator[Portals]:
    with sqlite_store(RandomMint()) as transactions, ExitStack() as opened:
        engine = open_sqlite(transactions.engine.url.database or "", patience_seconds=patience_seconds)
        runners = [SqliteRunner(engine, RandomMint()) for _ in range(2)]
        for each in runners:
            opened.callback(each.close)
        glances = SqlGlances(runners[1].fetch)
        yield opened.enter_context(_served(transactions, runners, glances, options))


@contextmanager
def on_postgres(options: Options = UNLIMITED) -> Generator[Portals]:
    with postgres_database() as url, postgres_engine(url) as engine:
        runners = [GreenletRunner(open_postgres_async(url), RandomMint()) for _ in range(2)]
        transactions = SqlTransactions(engine, RandomMint())
        with _served(transactions, runners, SqlGlances(runners[1].fetch), options) as portals:
            yield portals


@contextmanager
def _served(
    transactions: SqlTransactions, runners: list[Any], glances: Glances, options: Options
) -> Generator[Portals]:
    clock, seen, pages = Clock(), list[bool](), list[bool]()
    with ExitStack() as opened:
        plain, glancing = (
            opened.enter_context(_app(runner, clock, options, offered))
            for runner, offered in zip(runners, (None, Watched(glances, seen, pages)), strict=True)
        )
        yield Portals(transactions, plain, glancing, seen, pages, clock)


@contextmanager
def _app(runner: Runner, clock: Clock, options: Options, glances: Glances | None) -> Generator[Served]:
    limits, told = Tally(), list[Seen]()
    app = create_app(
        runner,
        clock=clock,
        admins=admin_tokens(key=KEY, audience=AUDIENCE, issuer="tests"),
        limits=limits,
        options=evolve(options, metrics=True, watchers=(told.append,)),
        glances=glances,
    )
    if isinstance(runner, GreenletRunner):
        close_after(app, runner)
    with TestClient(app, raise_server_exceptions=False) as http:
        yield Served(http, limits, told)


Opened: TypeAlias = Callable[..., AbstractContextManager[Portals]]

STORES = [
    pytest.param(on_sqlite, id="sqlite"),
    pytest.param(on_postgres, id="postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(scope="module", params=STORES)
def opened(request: pytest.FixtureRequest) -> Generator[Portals]:
    with request.param() as portals:
        yield portals


@pytest.fixture
def portals(opened: Portals) -> Portals:
    opened.clock.at = NOW
    return opened


# Who may see what.


def test_a_link_that_sees_all_is_answered_at_a_glance(portals: Portals) -> None:
    dashboard, invoices = portals.look(portals.link(an_invoice(), a_quote(), an_order(), a_delivery()))

    assert [len(each) for each in dashboard["data"]["recent"].values()] == [1, 1, 1, 1]
    assert invoices["meta"] == {"total": 1, "limit": 25, "cursor": None, "hasMore": False}


@pytest.mark.parametrize("missing", sorted(ALL_PERMISSIONS))
def test_a_link_without_a_permission_is_answered_the_plain_way(portals: Portals, missing: Permission) -> None:
    token = portals.link(an_invoice(), a_quote(), permissions=ALL_PERMISSIONS - {missing})
    portals.seen.clear()

    statuses = [portals.ask(f"/view/{token}{path}").status_code for path in PATHS]

    assert statuses == [200, 403 if missing is Permission.VIEW_INVOICES else 200]
    assert portals.seen == [False, False]
    assert "I1" in portals.first_page(token) or missing is Permission.VIEW_INVOICES


def test_a_link_that_may_do_nothing_is_answered_the_plain_way(portals: Portals) -> None:
    token = portals.link(an_invoice(), permissions=frozenset())

    assert [portals.ask(f"/view/{token}{path}").status_code for path in PATHS] == [200, 403]


@pytest.mark.parametrize("named", [(), ("I1",), ("I1", "I3")])
def test_a_narrowed_link_sees_what_it_is_narrowed_to(portals: Portals, named: tuple[str, ...]) -> None:
    documents = frozenset(DocumentRef(DocumentType.INVOICE, each) for each in named)
    token = portals.link(*(an_invoice(each) for each in ("I1", "I2", "I3")), documents=documents)

    _, invoices = portals.look(token, seen=False)

    assert sorted(each["id"] for each in invoices["data"]) == list(named)


def test_what_is_another_client_s_or_a_draft_is_seen_by_neither_way(portals: Portals) -> None:
    shown = (
        a_quote("Q1"),
        an_order("O1", quote_id=QuoteId("Q2")),
        an_order("O2", quote_id=QuoteId("Q3")),
        a_delivery("D1", backorder_of=DeliveryId("D2"), order_id=OrderId("O3")),
        a_delivery("D4", backorder_of=DeliveryId("D3")),
    )
    drafts = (
        a_quote("Q2", recorded_state=QuoteState.DRAFT),
        a_delivery("D2", state=DeliveryState.DRAFT),
        an_invoice("I2", state=InvoiceState.DRAFT),
        an_invoice("I3", state=InvoiceState.CANCELLED),
        a_payment("P2", state=PaymentRecordState.DRAFT),
    )
    others = (
        a_quote("Q3", scope=NEIGHBOUR),
        an_order("O3", scope=NEIGHBOUR),
        a_delivery("D3", scope=NEIGHBOUR),
        an_invoice("I4", scope=NEIGHBOUR),
        a_payment("P3", scope=NEIGHBOUR),
    )
    dashboard, invoices = portals.look(portals.link(*shown, *drafts, *others))

    assert dashboard["data"]["balances"] == []
    recent = dashboard["data"]["recent"]
    assert [[row["id"] for row in rows] for rows in recent.values()] == [["Q1"], ["O2", "O1"], [], ["D4", "D1"]]
    assert [each["quote_id"] for each in recent["orders"]] == [None, None]
    assert [(each["order_number"], each["backorder_of"]) for each in recent["deliveries"]] == [(None, None)] * 2
    assert invoices["data"] == []


@pytest.mark.parametrize(
    "path",
    [
        *("/quotes/Q2", "/quotes/Q3", "/invoices/I2", "/invoices/I3", "/payments/P2", "/deliveries/D2", "/orders/O3"),
        *("/quotes/", "/quotes/none", "/quotes/Q1/", "/invoices/Q1", "/orders/a%20b", f"/deliveries/{'x' * 129}"),
    ],
)
def test_a_document_that_a_client_has_not_is_not_found_by_either_way(portals: Portals, path: str) -> None:
    token = portals.link(
        a_quote("Q1"),
        a_quote("Q2", recorded_state=QuoteState.DRAFT),
        a_quote("Q3", scope=NEIGHBOUR),
        an_order("O3", scope=NEIGHBOUR),
        an_invoice("I2", state=InvoiceState.DRAFT),
        an_invoice("I3", scope=NEIGHBOUR),
        a_payment("P2", state=PaymentRecordState.DRAFT),
        a_delivery("D2", state=DeliveryState.DRAFT),
    )

    assert portals.ask(f"/view/{token}{path}").status_code == HTTPStatus.NOT_FOUND


def test_an_order_tells_its_deliveries_and_invoices_and_a_credit_note_what_it_settled(portals: Portals) -> None:
    token = portals.link(
        an_order("O1"),
        a_delivery("D1", order_id=OrderId("O1")),
        an_invoice("I1", order_id=OrderId("O1")),
        a_credit_note("N1", allocations=(credited("I1", eur("1.00")),)),
        a_payment("P1", allocations=(paid("I1", eur("2.00")),)),
    )

    portals.look(token)

    order = portals.ask(f"/view/{token}/orders/O1").json()["data"]
    assert [[each["id"] for each in order[kind]] for kind in ("deliveries", "invoices")] == [["D1"], ["I1"]]
    settled = portals.ask(f"/view/{token}/invoices/I1").json()["data"]["allocations"]
    assert {each["source_id"] for each in settled} == {"N1", "P1"}
    note = portals.ask(f"/view/{token}/invoices/N1").json()["data"]
    assert [each["invoice_id"] for each in note["allocations"]] == ["I1"]


# Dead and living links.


@pytest.mark.parametrize("address", ["{}", "{}x", "cpt_", "x", f"{a_token(1)[:-1]}!", a_token(999_999)])
def test_what_opens_nothing_is_not_found(portals: Portals, address: str) -> None:
    token = portals.link(an_invoice(), revoked_at=NOW)

    answers = [portals.ask(f"/view/{address.format(token)}{path}") for path in PATHS]

    assert [each.status_code for each in answers] == [404, 404]


@pytest.mark.parametrize("left, status", [(-MOMENT, 404), (MOMENT * 0, 404), (MOMENT, 200)])
def test_a_link_opens_until_the_moment_that_it_expires(portals: Portals, left: timedelta, status: int) -> None:
    token = portals.link(an_invoice(), expires_at=NOW + left)

    assert [portals.ask(f"/view/{token}{path}").status_code for path in PATHS] == [status] * 2


@pytest.mark.parametrize("left, status", [(LONG, 200), (MOMENT, 200), (MOMENT * 0, 404), (-MOMENT, 404)])
def test_a_rotated_link_opens_by_its_old_token_until_the_overlap_ends(
    portals: Portals, left: timedelta, status: int
) -> None:
    old = portals.link(an_invoice())
    visit = portals.visit(old)
    with portals.transactions.begin() as store:
        fresh = rotate_link(store, visit.company.id, visit.grant.id, overlap=OVERLAP, now=NOW).token
    portals.clock.at = max(NOW + OVERLAP - left, NOW)

    assert [portals.ask(f"/view/{old}{path}").status_code for path in PATHS] == [status] * 2
    portals.look(fresh)


# How it is asked.


@pytest.mark.parametrize("path", PATHS)
def test_head_tells_the_same_fields(portals: Portals, path: str) -> None:
    token = portals.link(an_invoice())

    asked, told = portals.ask(f"/view/{token}{path}"), portals.ask(f"/view/{token}{path}", "HEAD")

    assert (told.status_code, told.content) == (200, b"")
    assert told.headers == asked.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", PATHS)
def test_another_method_is_not_allowed(portals: Portals, path: str, method: str) -> None:
    answer = portals.ask(f"/view/{portals.link()}{path}", method)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("query", ["limit=3", "sort=number", "overdue=true", "cursor=x", "no_such=1", "=", "&", "%FF"])
@pytest.mark.parametrize("path", PATHS)
def test_a_query_is_answered_the_plain_way(portals: Portals, path: str, query: str) -> None:
    token = portals.link(*_invoices(4))
    portals.seen.clear()

    portals.ask(f"/view/{token}{path}?{query}")

    assert portals.seen == []


@pytest.mark.parametrize(
    "wrong", ["/dashboard/", "//dashboard", "/Dashboard", "/invoices/", "/invoices;x", "/invoices%2F"]
)
def test_an_address_that_is_nearly_right_is_not(portals: Portals, wrong: str) -> None:
    assert portals.ask(f"/view/{portals.link()}{wrong}").status_code == 404


@pytest.mark.parametrize("store", STORES)
def test_each_request_counts_once_and_what_is_too_much_is_refused(store: Opened) -> None:
    with store(evolve(UNLIMITED, reads_per_minute=3)) as portals:
        token = portals.link(an_invoice())

        answers = [portals.ask(f"/view/{token}{path}") for path in PATHS * 3]

        assert [each.status_code for each in answers] == [200] * 3 + [429] * 3
        assert [each.headers["x-ratelimit-remaining"] for each in answers] == ["2", "1", "0", "0", "0", "0"]
        assert answers[-1].headers["retry-after"] == "60"
        assert portals.glancing.limits.counted == portals.plain.limits.counted


@pytest.mark.parametrize("store", STORES)
def test_a_guess_counts_once_and_too_many_are_refused(store: Opened) -> None:
    with store(evolve(UNLIMITED, guesses_per_minute=3)) as portals:
        statuses = [portals.ask(f"/view/{a_token(999_999)}{path}").status_code for path in PATHS * 2]

        assert statuses == [404, 404, 404, 429]
        assert portals.glancing.limits.counted == portals.plain.limits.counted


@pytest.mark.parametrize("store", STORES)
def test_a_glance_is_logged_counted_and_noted_as_a_use_of_the_link(store: Opened) -> None:
    with store() as portals:
        token = portals.link(an_invoice("I1"), id=GrantId("the link"), last_used_at=None)
        for path in (*PATHS, "/invoices/I1"):
            portals.ask(f"/view/{token}{path}")
        portals.ask(f"/view/{a_token(999_999)}/dashboard")

        logged, expected = ([(each.route, each.status, each.who) for each in way.told] for way in portals.both)
        assert logged == expected
        assert [who for *_, who in logged] == ["the link", "the link", "the link", "-"]
        assert portals.glancing.requests_counted() == portals.plain.requests_counted()

        assert portals.glancing.http.portal is not None
        portals.glancing.http.portal.call(portals.glancing.finish_uses)
        assert portals.visit(token).grant.last_used_at == NOW


# How much there is.


@pytest.mark.parametrize("rows", [0, 1, 5, 6, 24, 25, 26, 50, 51])
def test_the_first_page_leads_to_all_that_follow_whichever_way_it_was_read(portals: Portals, rows: int) -> None:
    token = portals.link(*_invoices(rows))

    dashboard, page = portals.look(token)
    found = page["data"]
    while page["meta"]["hasMore"]:
        page = portals.ask(f"/view/{token}/invoices?cursor={page['meta']['cursor']}").json()
        found += page["data"]

    assert [each["id"] for each in found] == [each.id for each in _newest_first(_invoices(rows))]
    assert dashboard["data"]["recent"]["invoices"] == found[:5]
    assert page["meta"]["total"] == rows


def test_a_cursor_of_a_first_page_is_for_no_other_client(portals: Portals) -> None:
    _, page = portals.look(portals.link(*_invoices(26)))
    other = portals.link(*_invoices(26))

    assert portals.ask(f"/view/{other}/invoices?cursor={page['meta']['cursor']}").status_code == 422


def test_who_has_nothing_sees_nothing(portals: Portals) -> None:
    dashboard, invoices = portals.look(portals.link())

    assert dashboard["data"]["recent"] == {"quotes": [], "orders": [], "invoices": [], "deliveries": []}
    assert dashboard["data"]["balances"] == invoices["data"] == []


def test_as_much_as_a_client_may_have_of_everything(portals: Portals) -> None:
    everything: list[Document] = []
    for place in range(40):
        own, on = f"{place}", day(-place // 3)
        everything += (
            a_quote(own, issued_on=on, order_id=OrderId(own)),
            an_order(own, ordered_on=on, quote_id=QuoteId(own)),
            a_delivery(own, scheduled_on=on if place % 2 else None, order_id=OrderId("1")),
            an_invoice(own, issued_on=on, due_on=on, order_id=OrderId("1")),
            a_payment(own, received_on=on, allocations=(paid(own, eur("1.00")),)),
            a_credit_note(f"C{own}", eur("3.00"), issued_on=on, allocations=(credited(own, eur("2.00")),)),
        )
    dashboard, invoices = portals.look(portals.link(*everything))

    assert [len(each) for each in dashboard["data"]["recent"].values()] == [5, 5, 5, 5]
    assert (invoices["meta"]["total"], invoices["meta"]["hasMore"]) == (80, True)


def _invoices(rows: int) -> list[Invoice]:
    """Return so many, some of one day and some of them without a due day."""
    return [
        an_invoice(f"I{place}", issued_on=day(-(place // 2)), due_on=day(-place) if place % 3 else None)
        for place in range(rows)
    ]


def _newest_first(invoices: list[Invoice]) -> list[Invoice]:
    return sorted(invoices, key=lambda each: (each.issued_on, each.id), reverse=True)


# What documents say.


@pytest.mark.parametrize("state", sorted(QuoteState))
def test_a_quote_in_any_state_and_with_any_last_day(portals: Portals, state: QuoteState) -> None:
    lasting = {"over": YESTERDAY, "today": TODAY, "on": TOMORROW, "ever": None}
    token = portals.link(*(a_quote(name, recorded_state=state, valid_until=until) for name, until in lasting.items()))

    dashboard, _ = portals.look(token)

    shown = {each["id"]: each["state"] for each in dashboard["data"]["recent"]["quotes"]}
    if state is QuoteState.SENT:
        assert shown == {"over": "expired", "today": "sent", "on": "sent", "ever": "sent"}
    else:
        assert set(shown.values()) <= {state}


@pytest.mark.parametrize("decide", [accept_quote, decline_quote])
def test_a_decided_quote_stays_decided_until_it_is_revised_or_cancelled(
    portals: Portals, decide: Callable[..., object]
) -> None:
    quotes = {name: a_quote(name, valid_until=TODAY) for name in ("kept", "revised", "cancelled", "open")}
    token = portals.link(*quotes.values())
    for name in ("kept", "revised", "cancelled"):
        portals.decide(token, name, decide)
    portals.save(token, evolve(quotes["revised"], revision=2))
    portals.save(token, evolve(quotes["cancelled"], recorded_state=QuoteState.CANCELLED))

    for portals.clock.at in (NOW, NOW + timedelta(days=1)):
        dashboard, _ = portals.look(token)
        shown = {each["id"]: each["state"] for each in dashboard["data"]["recent"]["quotes"]}
        left = "sent" if portals.clock.at == NOW else "expired"
        decided = "accepted" if decide is accept_quote else "declined"
        assert shown == {"kept": decided, "revised": left, "cancelled": "cancelled", "open": left}


def test_a_decision_in_any_microsecond_is_told_to_the_microsecond(portals: Portals) -> None:
    moments = [datetime(2026, 3, 15, 12, 30, 15, part, tzinfo=UTC) for part in (0, 1, 999_999, 500_000)]
    token = portals.link(*(a_quote(f"Q{place}") for place in range(len(moments))))
    for place, at in enumerate(moments):
        portals.decide(token, f"Q{place}", accept_quote, at=at)

    portals.look(token)


@pytest.mark.parametrize("status", sorted(DeliveryStatus))
def test_an_order_in_any_state(portals: Portals, status: DeliveryStatus) -> None:
    portals.look(
        portals.link(
            a_quote("Q1"),
            *(
                an_order(state, state=state, delivery_status=status, quote_id=QuoteId("Q1"), client_reference="Ref")
                for state in sorted(OrderState)
            ),
            an_order("another", quote_id=QuoteId("of nobody")),
        )
    )


def test_deliveries_with_and_without_a_day_an_order_and_a_first_one(portals: Portals) -> None:
    token = portals.link(
        an_order("O1"),
        a_delivery("D1", order_id=OrderId("O1"), scheduled_on=None),
        a_delivery("D2", order_id=OrderId("O1"), backorder_of=DeliveryId("D1"), scheduled_on=TOMORROW),
        a_delivery("D3", backorder_of=DeliveryId("of nobody"), order_id=OrderId("of nobody"), scheduled_on=None),
        a_delivery("D4", lines=()),
    )

    dashboard, _ = portals.look(token)

    rows = [(each["id"], each["backorder_of"]) for each in dashboard["data"]["recent"]["deliveries"]]
    assert rows == [("D2", "D1"), ("D4", None), ("D3", None), ("D1", None)]


@pytest.mark.parametrize("state", sorted(DeliveryState))
def test_a_delivery_in_any_state_with_all_that_it_can_say(portals: Portals, state: DeliveryState) -> None:
    lines = tuple(
        DeliveryLine(
            order_line_id=own,
            description=SAID,
            quantity=Decimal(quantity),
            delivered_quantity=Decimal(0),
            unit=unit,
        )
        for own, quantity, unit in [("1", "2.50", "hour"), (None, "0.000000000000000001", None), ("3", "1E+3", SAID)]
    )
    said: dict[str, Any] = {
        "carrier_name": SAID,
        "tracking_number": "00123",
        "tracking_url": "https://carrier.example/?a=1&b=%20",
        "shipped_at": datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        "delivered_at": NOW.astimezone(ZoneInfo("Asia/Kolkata")),
    }
    portals.look(portals.link(a_delivery(state=state, lines=lines, **said)))


@pytest.mark.parametrize("stated", [None, *sorted(PaymentState)])
def test_an_invoice_that_is_stated_or_found_to_be_settled_or_not(portals: Portals, stated: PaymentState | None) -> None:
    parts = (Instalment(due_on=day(-40), amount=eur("19.00")), Instalment(due_on=day(40), amount=eur("100.00")))
    written_off = (Adjustment(amount=eur("1.00"), reason="Rounding", adjusted_on=TODAY),)
    portals.look(
        portals.link(
            an_invoice("open", due_on=YESTERDAY, stated_payment_state=stated),
            an_invoice("settled", due_on=YESTERDAY, stated_payment_state=stated),
            an_invoice("parts", instalments=parts, stated_payment_state=stated),
            an_invoice("adjusted", due_on=None, adjustments=written_off, stated_payment_state=stated),
            a_payment(allocations=(paid("settled", eur("119.00")),)),
        )
    )


def test_currencies_with_no_two_three_and_four_decimals_side_by_side(portals: Portals) -> None:
    facts: list[Document] = []
    for unit in (EUR, USD, JPY, KWD, CLF):
        for place, minor in enumerate((0, 1, 9, 10, 999, 10_000, 123_456_789)):
            own, amount = f"{unit.code}{place}", Money(minor, unit)
            facts += an_invoice(own, amount, due_on=day(-place * 15)), a_quote(own, amount), an_order(own, amount)
        facts.append(a_payment(f"P{unit.code}", Money(7, unit)))

    dashboard, _ = portals.look(portals.link(*facts))

    assert [each["currency"] for each in dashboard["data"]["balances"]] == ["CLF", "EUR", "JPY", "KWD", "USD"]


def test_credit_and_refunds_that_no_credit_note_covers(portals: Portals) -> None:
    token = portals.link(
        an_invoice("I1", eur("10.00")),
        a_credit_note("C1", eur("30.00"), allocations=(credited("I1", eur("4.00")),)),
        a_payment("P1", eur("7.00"), allocations=(paid("I1", eur("6.00")),)),
        a_refund("R1", eur("100.00")),
    )

    dashboard, _ = portals.look(token)

    (balance,) = dashboard["data"]["balances"]
    assert balance["credit"]["amount"] == "-73.00"


def test_amounts_below_zero(portals: Portals) -> None:
    amounts = [Money(minor, EUR) for minor in (-1, -99, -100, -123_456)]
    facts: list[Document] = [
        each
        for place, amount in enumerate(amounts)
        for each in (a_quote(f"Q{place}", amount), an_order(f"O{place}", amount), an_invoice(f"I{place}", amount))
    ]
    portals.look(portals.link(*facts))


def test_the_largest_amounts(portals: Portals) -> None:
    facts = [
        an_invoice(f"I{unit.code}{place}", Money(LARGEST_MINOR, unit), due_on=day(-place * 25), tax=Money(-1, unit))
        for unit in (EUR, JPY)
        for place in range(5)
    ]
    portals.look(
        portals.link(*facts, a_quote("Q1", Money(LARGEST_MINOR, CLF)), an_order("O1", Money(-LARGEST_MINOR, KWD)))
    )


SAID = 'He said: "5 < 6 & \'7\'"\n\\u0041 {"a": [1]} — Ünïcödé 😀👩‍👩‍👧 \u2028\u2029\ufeff\u200e %(x)s :y ?1 $1'

TEXTS = [
    SAID,
    "",
    " ",
    "null",
    "[1]",
    '{"a": 1}',
    "0",
    "1e5",
    "\\",
    '"',
    "2026-03-15",
    "x" * 10_000,
    "\ufffd\uffff\U0010ffff",
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_arrives_as_it_is(portals: Portals, text: str) -> None:
    facts: list[Document] = [
        a_quote(number=text),
        an_order("O1", number=text, client_reference=text),
        a_delivery(order_id=OrderId("O1"), number=text, carrier_name=text, tracking_number=text, tracking_url=text),
        an_invoice(number=text, payment_instructions=text, payment_url=text),
    ]
    dashboard, invoices = portals.look(portals.link(*facts, company=a_company(name=text)))

    assert dashboard["data"]["company"]["name"] == text
    assert {each[0]["number"] for each in dashboard["data"]["recent"].values()} == {text}
    assert invoices["data"][0]["payment_instructions"] == text


def test_every_character_that_a_text_may_hold_arrives_as_it_is(portals: Portals) -> None:
    characters = map(chr, (*range(0x10000), *range(0x1F000, 0x20000)))
    text = "".join(each for each in characters if each == "\n" or unicodedata.category(each) not in {"Cc", "Cs"})

    _, invoices = portals.look(portals.link(an_invoice(payment_instructions=text)))

    assert invoices["data"][0]["payment_instructions"] == text


def test_ids_that_look_like_something_else(portals: Portals) -> None:
    ids = ["1", "01", "1.0", "null", "Ä", "a'b", 'a"b', "😀", "A", "a", "Z", "z"]
    token = portals.link(*(an_invoice(each) for each in ids), *(a_quote(each) for each in ids))

    portals.look(token)


@pytest.mark.parametrize("on", [date(1, 1, 1), date(999, 12, 31), date(1899, 12, 31), date(9999, 12, 31)])
def test_days_long_ago_and_far_away(portals: Portals, on: date) -> None:
    portals.look(
        portals.link(
            a_quote(issued_on=on, valid_until=on),
            an_order(ordered_on=on),
            a_delivery(scheduled_on=on),
            *(an_invoice(f"I{place}", issued_on=on, due_on=on) for place in range(26)),
        )
    )


def test_a_company_with_a_logo_and_all_else_that_it_can_have(portals: Portals) -> None:
    said = dict.fromkeys(("locale", "email", "phone", "website", "address", "payment_instructions", "footer"), SAID)
    company = a_company(logo=b"\x89PNG\r\n\x1a\n", accent_colour="#336699", currency=JPY, **said)

    portals.look(portals.link(an_invoice(), company=company))


# What day it is.

ZONES = ["Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kolkata", "Europe/Berlin", "America/St_Johns", "UTC"]
OFFSETS = (-91, -90, -89, -61, -60, -59, -31, -30, -29, -2, -1, 0, 1, 2)


@pytest.mark.parametrize("zone", ZONES)
def test_invoices_age_by_the_company_s_own_midnight(portals: Portals, zone: str) -> None:
    # Each amount is a digit of its own: no other sum of them looks the same.
    aging = [an_invoice(f"I{-days}", Money(10**place, EUR), due_on=day(days)) for place, days in enumerate(OFFSETS)]
    ending = [a_quote(f"Q{days}", valid_until=day(days)) for days in (-2, -1, 0, 1, 2)]
    token = portals.link(*aging, *ending, company=a_company(timezone=ZoneInfo(zone)))

    for days in (-1, 0, 1):
        midnight = datetime.combine(day(days), time(), ZoneInfo(zone)).astimezone(UTC)
        for portals.clock.at in (midnight - MOMENT, midnight, midnight + MOMENT):
            dashboard, _ = portals.look(token)
            (balance,) = dashboard["data"]["balances"]
            today = day(days) if portals.clock.at >= midnight else day(days - 1)
            assert balance["aging"]["current"]["amount"] == _sum_of(day(each) >= today for each in OFFSETS)
            assert balance["aging"]["over_90"]["amount"] == _sum_of((today - day(each)).days > 90 for each in OFFSETS)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [datetime(2026, 3, 14, 23, 59, 59, 999_999, UTC), datetime(2026, 3, 15, tzinfo=UTC)])
def test_it_is_the_company_s_day_around_midnight_in_greenwich(portals: Portals, zone: str, at: datetime) -> None:
    aging = [an_invoice(f"I{-days}", Money(10**place, EUR), due_on=day(days)) for place, days in enumerate(OFFSETS)]
    token = portals.link(*aging, company=a_company(timezone=ZoneInfo(zone)))

    portals.clock.at = at

    portals.look(token)


def _sum_of(counts: Iterable[bool]) -> str:
    return Money(sum(10**place for place, counted in enumerate(counts) if counted), EUR).amount


# The first page for people.


def test_people_who_may_see_all_see_the_first_page_at_a_glance(portals: Portals) -> None:
    token = portals.link(an_invoice(), a_quote(), an_order(), a_delivery())
    portals.pages.clear()

    page = portals.first_page(token)

    assert portals.pages == [True]
    assert [each in page for each in ("/quotes/", "/orders/", "/invoices/", "/deliveries/")] == [True] * 4


@pytest.mark.parametrize(
    "grant", [{"documents": frozenset()}, {"permissions": ALL_PERMISSIONS - {Permission.SUBMIT_FEEDBACK}}]
)
def test_people_who_may_not_see_all_see_what_they_may(portals: Portals, grant: dict[str, Any]) -> None:
    token = portals.link(an_invoice(), a_quote(), an_order(), a_delivery(), **grant)
    portals.pages.clear()

    portals.first_page(token)

    assert portals.pages == [False]


@pytest.mark.parametrize("address", ["{}", "{}x", "cpt_", "x", f"{a_token(1)[:-1]}!", a_token(999_999)])
def test_a_page_that_nothing_opens_is_not_found(portals: Portals, address: str) -> None:
    token = portals.link(an_invoice(), revoked_at=NOW)

    assert portals.ask(f"/p/{address.format(token)}", base="").status_code == 404


@pytest.mark.parametrize("left, status", [(-MOMENT, 404), (MOMENT * 0, 404), (MOMENT, 200)])
def test_a_first_page_is_shown_until_its_link_expires(portals: Portals, left: timedelta, status: int) -> None:
    token = portals.link(an_invoice(), expires_at=NOW + left)

    assert portals.ask(f"/p/{token}", base="").status_code == status


@pytest.mark.parametrize("asked", ["?x=1", "/", "?number=I1&from=2026-01-01"])
def test_what_a_first_page_is_asked_beside_changes_nothing(portals: Portals, asked: str) -> None:
    token = portals.link(an_invoice())

    told = portals.ask(f"/p/{token}{asked}", "HEAD", base="")

    assert (told.status_code, told.content) == (200, b"")
    assert portals.ask(f"/p/{token}{asked}", base="").text == portals.first_page(token)


@pytest.mark.parametrize("store", STORES)
def test_first_pages_and_guesses_count_once_and_too_many_are_refused(store: Opened) -> None:
    with store(evolve(UNLIMITED, reads_per_minute=2, guesses_per_minute=2)) as portals:
        token = portals.link(an_invoice())

        opened = [portals.ask(f"/p/{token}", base="").status_code for _ in range(3)]
        guessed = [portals.ask(f"/p/{a_token(999_999)}", base="").status_code for _ in range(3)]

        assert (opened, guessed) == ([200, 200, 429], [404, 404, 429])
        assert portals.glancing.limits.counted == portals.plain.limits.counted


@pytest.mark.parametrize("store", STORES)
def test_a_first_page_at_a_glance_is_noted_as_a_use_of_the_link(store: Opened) -> None:
    with store() as portals:
        token = portals.link(an_invoice("I1"), last_used_at=None)
        portals.glancing.http.get(f"/p/{token}")

        assert portals.glancing.http.portal is not None
        portals.glancing.http.portal.call(portals.glancing.finish_uses)
        assert portals.visit(token).grant.last_used_at == NOW


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
@pytest.mark.parametrize("most", [1, 4, 5, 6, 9])
def test_a_quote_that_is_open_elsewhere_alone_awaits_no_answer(portals: Portals, most: int, zone: str) -> None:
    ending = [a_quote(f"E{place}", issued_on=TODAY, valid_until=day(place % 3 - 2)) for place in range(most)]
    lasting = [a_quote(f"L{place}", issued_on=YESTERDAY) for place in range(5)]
    token = portals.link(*ending, *lasting, company=a_company(timezone=ZoneInfo(zone)))

    for days in (-1, 0, 1):
        midnight = datetime.combine(day(days), time(), ZoneInfo(zone)).astimezone(UTC)
        for portals.clock.at in (midnight - MOMENT, midnight):
            today = portals.clock.at.astimezone(ZoneInfo(zone)).date()
            still = sum(each.valid_until is not None and each.valid_until >= today for each in ending)
            page = portals.first_page(token)
            assert page.count('<a class="button" href=') == min(still + 5, 5)
            assert sum(f"/quotes/{each.id}" in page for each in ending) >= min(still, 5)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_an_invoice_that_is_soon_due_elsewhere_alone_needs_nobody_yet(portals: Portals, zone: str) -> None:
    due = [an_invoice(f"I{days}", due_on=TODAY + SOON + timedelta(days)) for days in range(-3, 4)]
    token = portals.link(*due, company=a_company(timezone=ZoneInfo(zone)))

    for days in (-1, 0, 1):
        midnight = datetime.combine(day(days), time(), ZoneInfo(zone)).astimezone(UTC)
        for portals.clock.at in (midnight - MOMENT, midnight):
            portals.pages.clear()
            page = portals.first_page(token)
            today = portals.clock.at.astimezone(ZoneInfo(zone)).date()
            soon = [each.id for each in due if each.due_on is not None and each.due_on <= today + SOON]
            assert [each.id for each in due if f"/invoices/{each.id}#pay" in page] == soon[:5]
            assert portals.pages == [True]


@pytest.mark.parametrize("store", STORES)
def test_a_first_page_shows_no_more_than_its_parts_hold(store: Opened) -> None:
    with store() as portals:
        lines = tuple(
            DeliveryLine(description=f"line {place}", quantity=Decimal(place), delivered_quantity=Decimal(0))
            for place in range(5)
        )
        token = portals.link(
            *(a_quote(f"Q{place}", issued_on=day(-place)) for place in range(9)),
            *(an_order(f"O{place}", ordered_on=day(-place)) for place in range(9)),
            *(an_invoice(f"I{place}", due_on=day(place - 3)) for place in range(9)),
            *(a_delivery(f"D{place}", lines=lines[:place], scheduled_on=day(place * 3 - 40)) for place in range(30)),
            *(a_delivery(f"N{place}", scheduled_on=None) for place in range(3)),
        )

        page = portals.first_page(token)

        assert portals.pages == [True]
        assert page.count('<a class="button" href=') == 5 + 3
        assert page.count('<a class="button quiet" href=') == 2


# When the store cannot answer at once.


def test_who_meets_a_lock_of_sqlite_waits_for_it_the_plain_way() -> None:
    with on_sqlite() as portals:
        token = portals.link(an_invoice())
        portals.look(token)

        for path in PATHS:
            with _locked(portals) as release:
                Timer(0.2, release).start()
                assert portals.ask(f"/view/{token}{path}").status_code == 200
        with _locked(portals) as release:
            Timer(0.2, release).start()
            assert portals.ask(f"/p/{token}", base="").status_code == 200

        portals.look(token)


def test_who_waits_too_long_for_a_lock_of_sqlite_is_told_that_the_store_is_busy() -> None:
    with on_sqlite(patience_seconds=0.05) as portals:
        token = portals.link(an_invoice())
        portals.look(token)

        with _locked(portals):
            statuses = [portals.ask(f"/view/{token}{path}").status_code for path in PATHS]

        assert statuses == [200 if has_safe_wal() else 503] * 2
        portals.look(token)


def test_a_glance_leaves_no_lock_behind() -> None:
    with on_sqlite() as portals:
        portals.look(portals.link(*_invoices(30)))

        with _locked(portals):
            pass


@contextmanager
def _locked(portals: Portals) -> Generator[Callable[[], object]]:
    """Keep everybody else out of the file, until released at the latest; yield what releases it."""
    file = portals.transactions.engine.url.database or ""
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield lambda: other.execute("ROLLBACK")


@pytest.mark.postgres
def test_a_connection_that_postgresql_ends_costs_no_more_than_one_answer() -> None:
    with on_postgres() as portals:
        token = portals.link(an_invoice())
        usual = portals.look(token)

        _end_connections(portals)
        statuses = [portals.glancing.http.get(f"{BASE}/view/{token}{path}").status_code for path in PATHS * 2]

        assert set(statuses[:1]) <= {200, 503}
        assert statuses[1:] == [200] * 3
        portals.plain.http.get(f"{BASE}/view/{token}/dashboard")
        assert portals.look(token) == usual


def _end_connections(portals: Portals) -> None:
    """End all connections but one, as a restart of the server does."""
    portals.transactions.engine.dispose()
    with portals.transactions.engine.connect() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
