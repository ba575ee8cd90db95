"""Reads of the API cost two statements, for the link and the answer, however much there is; a file costs a third.

The hottest two cost one, for a link that sees all of its client's account.
"""

import re
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

import pytest
from attrs import evolve, frozen
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.contract.builders import (
    COMPANY,
    NOW,
    a_dispatch,
    a_file,
    a_grant,
    a_secret,
    a_token,
    a_visit,
    a_webhook,
    evidence,
)
from portal_adapters.pdf import TypstPrinter
from portal_adapters.randomness import RandomMint
from portal_adapters.rate_limits import rate_limits
from portal_adapters.receipt_keys import derived_receipt_keys
from portal_adapters.sqlalchemy import SqliteRunner, SqlTransactions
from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres_async
from portal_core.domain.access import ALL_PERMISSIONS, DocumentRef, DocumentType, Permission, Use
from portal_core.domain.filters import DecisionFilter
from portal_core.domain.ids import GrantId, QuoteId
from portal_core.domain.paging import Listing
from portal_core.ports import Runner, Transactions
from portal_core.use_cases.quotes import accept_quote
from portal_http.api.table import CLIENT_ENDPOINTS, STAFF_ENDPOINTS
from portal_http.app import create_app
from tests.adapters.plenty import MANY, fill
from tests.adapters.stores import postgres_database, postgres_engine, sqlite_store
from tests.glances import glances_of
from tests.http.world import AUDIENCE, BASE, KEY, UNLIMITED, bearer
from tests.lifespans import close_after

WHOLE, NARROWED, RESTRICTED = a_token(1), a_token(10_000), a_token(20_000)

LINK = f"{BASE}/view/{{token}}"

# Whether a document has a file is a question of its own: files may be kept elsewhere.
OF_A_FILE = "_id}/pdf"

AT_A_GLANCE = [
    f"{LINK}/dashboard",
    f"{LINK}/invoices",
    f"{LINK}/quotes/{{quote_id}}",
    f"{LINK}/orders/{{order_id}}",
    f"{LINK}/invoices/{{invoice_id}}",
    f"{LINK}/payments/{{payment_id}}",
    f"{LINK}/deliveries/{{delivery_id}}",
]

CLIENT_READS = [each.path for each in CLIENT_ENDPOINTS if each.method == "GET" and each.path != LINK]
STAFF_READS = [each.path for each in STAFF_ENDPOINTS if each.method == "GET"]
ACCOUNTS = ("/statement", "/statement.csv", "/statement/pdf")
FILTERED = [
    f"{LINK}/quotes?state=sent,accepted",
    f"{LINK}/orders?state=confirmed&sort=number&order=asc",
    f"{LINK}/invoices?overdue=true&sort=due_on",
    f"{LINK}/payments?from=2020-01-01",
    f"{LINK}/deliveries?number=1",
    f"{LINK}/statement?currency=EUR&from=2020-01-01",
]


@frozen
class Portal:
    """A portal, and the statements that it put to its database."""

    http: TestClient
    decision_id: str
    heard: list[str]

    def asked(self, path: str, *, token: str = WHOLE, expected: int = 200) -> int:
        """Return how many statements a request takes."""
        self.http.get(self.address(path, token), headers={"Authorization": f"Bearer {bearer()}"})
        self.heard.clear()
        answer = self.http.get(self.address(path, token), headers={"Authorization": f"Bearer {bearer()}"})
        assert answer.status_code == expected, answer.text
        return len([each for each in self.heard if not each.startswith(("BEGIN", "ROLLBACK"))])

    def accepted(self, quote_id: QuoteId) -> list[str]:
        """Accept a quote, and return the first word of each statement that it takes."""
        self.heard.clear()
        answer = self.http.post(self.address(f"{LINK}/quotes/{quote_id}/accept", WHOLE), json={"name": "Grace Hopper"})
        assert answer.status_code == 200, answer.text
        return [each.split()[0] for each in self.heard]

    def address(self, path: str, token: str) -> str:
        filled = path.replace("{token}", token).replace("{decision_id}", self.decision_id)
        return re.sub(r"\{[a-z_]+\}", "1", filled)


Portals: TypeAlias = dict[int, Portal]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def portals(request: pytest.FixtureRequest) -> Generator[Portals]:
    opened = _on_sqlite if request.param == "sqlite" else _on_postgres
    with ExitStack() as stack:
        yield {rows: stack.enter_context(opened(rows)) for rows in (1, MANY)}


@pytest.mark.parametrize("path", AT_A_GLANCE)
def test_what_is_asked_most_takes_one_statement_for_the_link_and_the_answer(portals: Portals, path: str) -> None:
    assert [portals[rows].asked(path) for rows in (1, MANY)] == [1, 1]


@pytest.mark.parametrize("path", [*(each for each in CLIENT_READS if each not in AT_A_GLANCE), *FILTERED])
def test_what_a_client_reads_takes_a_statement_for_the_link_and_one_for_the_answer(portals: Portals, path: str) -> None:
    statements = 3 if path.endswith(OF_A_FILE) else 2

    assert [portals[rows].asked(path) for rows in (1, MANY)] == [statements] * 2


@pytest.mark.parametrize("path", [each for each in CLIENT_READS if not each.endswith((*ACCOUNTS, "_id}"))])
def test_a_narrowed_link_takes_no_more(portals: Portals, path: str) -> None:
    assert portals[MANY].asked(path, token=NARROWED) == (3 if path.endswith(OF_A_FILE) else 2)


@pytest.mark.parametrize("path", AT_A_GLANCE)
def test_a_link_without_a_permission_takes_one_statement_for_itself_and_one_for_the_answer(
    portals: Portals, path: str
) -> None:
    assert portals[MANY].asked(path, token=RESTRICTED) == 2


def test_the_first_page_for_people_takes_one_statement_for_the_link_and_the_page(portals: Portals) -> None:
    assert [portals[rows].asked("/p/{token}") for rows in (1, MANY)] == [1, 1]


@pytest.mark.parametrize("token", [NARROWED, RESTRICTED])
def test_the_first_page_of_who_may_not_see_all_takes_two(portals: Portals, token: str) -> None:
    assert [portals[rows].asked("/p/{token}", token=token) for rows in (1, MANY)] == [2, 2]


@pytest.mark.parametrize("path", STAFF_READS)
def test_what_staff_reads_takes_one_statement(portals: Portals, path: str) -> None:
    statements = 2 if path.endswith(OF_A_FILE) else 1

    assert [portals[rows].asked(path) for rows in (1, MANY)] == [statements] * 2


def test_the_next_page_takes_no_more(portals: Portals) -> None:
    first = portals[MANY].address(f"{LINK}/invoices", WHOLE)
    cursor = portals[MANY].http.get(first).json()["meta"]["cursor"]

    assert portals[MANY].asked(f"{first}?cursor={cursor}") == 2


def test_a_link_itself_takes_one_statement_alive_or_dead(portals: Portals) -> None:
    assert portals[MANY].asked(LINK) == 1
    assert portals[MANY].asked(f"{LINK}/quotes", token=a_token(99_999), expected=404) == 1


def test_a_dead_link_takes_one_statement_at_a_glance_too(portals: Portals) -> None:
    statements = {portals[MANY].asked(path, token=a_token(99_999), expected=404) for path in AT_A_GLANCE}

    assert statements == {1}


def test_an_acceptance_takes_no_more_round_trips_than_it_needs(portals: Portals) -> None:
    portals[MANY].accepted(QuoteId("2"))

    said = portals[MANY].accepted(QuoteId("3"))

    assert said in (
        ["SELECT", "BEGIN", "SELECT", "INSERT", "INSERT", "INSERT", "COMMIT"],  # SQLite: a call is no round trip
        ["SELECT", "BEGIN", "SELECT", "WITH", "COMMIT"],
    )


@contextmanager
def _on_sqlite(rows: int) -> Generator[Portal]:
    with sqlite_store(RandomMint()) as transactions:
        decision_id = _fill(transactions, rows)
        runner = SqliteRunner(transactions.engine, RandomMint())
        with _served(runner, transactions.engine) as (http, heard):
            yield Portal(http, decision_id, heard)
        runner.close()


@contextmanager
def _on_postgres(rows: int) -> Generator[Portal]:
    with postgres_database() as url:
        with postgres_engine(url) as engine:
            decision_id = _fill(SqlTransactions(engine, RandomMint()), rows)
        pool = open_postgres_async(url)
        runner = GreenletRunner(pool, RandomMint())
        with _served(runner, pool.sync_engine) as (http, heard):
            yield Portal(http, decision_id, heard)


@contextmanager
def _served(runner: Runner, engine: Engine) -> Generator[tuple[TestClient, list[str]]]:
    heard: list[str] = []

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        heard.append(statement)

    def told(asked: Any) -> None:  # noqa: ANN401 - asyncpg has no types
        heard.append(asked.query)

    def listen(connection: Any, *_: object) -> None:  # noqa: ANN401 - either driver's
        # What takes the short way is heard at the driver alone; asyncpg tells of nothing else there, SQLite of all.
        if engine.dialect.driver == "asyncpg":
            connection.driver_connection.add_query_logger(told)
        else:
            connection.set_trace_callback(heard.append)

    if engine.dialect.driver == "asyncpg":
        event.listen(engine, "before_cursor_execute", hear)
    event.listen(engine, "checkout", listen)
    admins = admin_tokens(key=KEY, audience=AUDIENCE, issuer="tests")
    app = create_app(
        runner,
        clock=lambda: NOW,
        admins=admins,
        limits=rate_limits("memory://"),
        options=UNLIMITED,
        printer=TypstPrinter(),
        receipts=derived_receipt_keys(KEY),
        glances=glances_of(runner),
    )
    if isinstance(runner, GreenletRunner):
        close_after(app, runner)
    with TestClient(app) as http:
        yield http, heard


def _fill(transactions: Transactions, rows: int) -> str:
    """Fill a store, answer a quote, add a narrowed and a restricted link; return the decision's id."""
    fill(transactions, rows)
    documents = frozenset(DocumentRef(kind, "1") for kind in DocumentType)
    with transactions.begin() as store:
        # Used just now, so that no use is noted meanwhile.
        store.links.touch([Use(COMPANY, GrantId("1"), NOW)])
        store.grants.add(
            evolve(a_grant("narrowed", secrets=(a_secret(10_000),), last_used_at=NOW), documents=documents)
        )
        restricted = ALL_PERMISSIONS - {Permission.ACCEPT_QUOTES}
        store.grants.add(a_grant("restricted", secrets=(a_secret(20_000),), last_used_at=NOW, permissions=restricted))
        store.attachments.attach(a_file(DocumentRef(DocumentType.INVOICE, "1")))
        store.webhooks.add(a_webhook("1"))
        store.dispatches.add([a_dispatch("1", target="1")])
        accept_quote(store, a_visit(), QuoteId("1"), evidence(), seen=None, now=NOW)
        (decision,) = store.decisions.page(COMPANY, Listing(sort="created_at"), DecisionFilter()).items
        return decision.id
