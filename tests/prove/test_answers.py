"""The file of a real trading history gives the same answers on every store, byte for byte."""

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

import orjson
import pytest
from attrs import frozen
from starlette.testclient import TestClient

from portal_adapters.admin_jwt import admin_tokens, mint_admin_token
from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory import MemoryTransactions
from portal_adapters.rate_limits import MemoryRateLimits
from portal_adapters.records.importing import import_records
from portal_adapters.sqlalchemy import SqliteRunner, SqlTransactions, migrate, open_sqlite
from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres, open_postgres_async
from portal_core.ports import Runner, Transactions
from portal_http.app import create_app
from portal_http.endpoints import BASE
from portal_http.options import Options
from portal_http.runners import InlineRunner
from tests.glances import glances_of
from tests.lifespans import close_after
from tests.postgres import fresh_database
from tests.prove.scale import IN_FULL, size, tell

HISTORY = (Path(__file__).parent.parent / "data" / "trading-history.jsonl").read_bytes()
RECORDS: list[dict[str, Any]] = [orjson.loads(line) for line in HISTORY.splitlines()]
CLIENTS = [record for record in RECORDS if record["type"] == "client"][: size(short=1, full=100)]
COMPANY: str = CLIENTS[0]["company_id"]

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "a key for tests that has thirty-two bytes or more"
UNLIMITED = Options(reads_per_minute=0, writes_per_minute=0)

LISTS = {
    "/quotes": ("issued_on", "number"),
    "/orders": ("ordered_on", "number"),
    "/invoices": ("issued_on", "due_on", "number"),
    "/payments": ("received_on", "number"),
    "/deliveries": ("scheduled_on", "number"),
}
FILTERS = {
    "/quotes": ("state=sent", "state=accepted,declined", "state=expired,cancelled"),
    "/orders": ("state=confirmed", "delivery_status=partial,pending"),
    "/invoices": ("kind=credit_note", "payment_state=partial,not_paid", "overdue=true", "overdue=false&kind=invoice"),
    "/payments": ("from=2026-06-01", "from=2026-03-01&to=2026-09-30"),
    "/deliveries": ("state=ready,waiting", "state=delivered"),
}
STATEMENTS = ("", "?from=2000-01-01", "?from=2026-03-01&to=2026-06-30", "?to=2026-08-31", "?currency=EUR")
STAFF = ("/tokens", "/decisions", "/feedback", "/decisions?answer=accepted", "/feedback?state=answered")
"""What staff list; the filters find something in each."""

Answers = dict[str, tuple[int, bytes]]


@contextmanager
def in_memory() -> Generator[tuple[Transactions, Runner]]:
    transactions = MemoryTransactions(CountingMint())
    yield transactions, InlineRunner(transactions)


@contextmanager
def on_sqlite() -> Generator[tuple[Transactions, Runner]]:
    with TemporaryDirectory() as folder:
        engine, mint = open_sqlite(Path(folder) / "portal.sqlite3"), CountingMint()
        migrate(engine)
        runner = SqliteRunner(engine, mint)
        try:
            yield SqlTransactions(engine, mint), runner
        finally:
            runner.close()


@contextmanager
def on_postgres() -> Generator[tuple[Transactions, Runner]]:
    with fresh_database() as url:
        engine, mint = open_postgres(url), CountingMint()
        migrate(engine)
        try:
            yield SqlTransactions(engine, mint), GreenletRunner(open_postgres_async(url), mint)
        finally:
            engine.dispose()


STORES = (
    pytest.param("SQLite", on_sqlite, id="sqlite"),
    pytest.param("PostgreSQL", on_postgres, id="postgres", marks=pytest.mark.postgres),
)


@pytest.mark.parametrize("name, opened", STORES)
def test_a_store_gives_the_answers_that_the_memory_store_gives(
    name: str, opened: Callable[[], AbstractContextManager[tuple[Transactions, Runner]]]
) -> None:
    expected = answers_in_memory()

    found = answers_of(opened)

    assert [asked for asked in expected if found.get(asked) != expected[asked]] == []
    assert found == expected
    assert {status for status, _ in found.values()} == {200, 201, 404, 409}
    sizes = sum(len(body) for _, body in found.values())
    tell("answers", name, clients=len(CLIENTS), answers=len(found), bytes=sizes, differing=0)


@cache
def answers_in_memory() -> Answers:
    return answers_of(in_memory)


def answers_of(opened: Callable[[], AbstractContextManager[tuple[Transactions, Runner]]]) -> Answers:
    """Import the history into a store, do what clients and staff do, and return every answer by what was asked."""
    with ExitStack() as stack:
        transactions, runner = stack.enter_context(opened())
        import_records(transactions, [("history", BytesIO(HISTORY))])
        admins = admin_tokens(key=KEY, audience="portal")
        app = create_app(
            runner,
            clock=lambda: NOON,
            admins=admins,
            limits=MemoryRateLimits(),
            options=UNLIMITED,
            glances=glances_of(runner),
        )
        if isinstance(runner, GreenletRunner):
            close_after(app, runner)
        with TestClient(app, client=("192.0.2.1", 50_000), headers={"user-agent": "proof"}) as api:
            asking = Asking(api, {})
            for client in CLIENTS:
                _ask_everything(asking, client["id"])
            _ask_as_staff(asking)
        return asking.answers


@final
@frozen
class Asking:
    """Asks, and keeps each answer."""

    api: TestClient
    answers: Answers

    def __call__(self, url: str, json: object = None, *, staff: bool = False) -> Any:  # noqa: ANN401 - JSON
        headers = {"Authorization": f"Bearer {_bearer()}"} if staff else {}
        answer = self.api.request("GET" if json is None else "POST", BASE + url, json=json, headers=headers)
        self.answers[f"{len(self.answers)} {url} {json}"] = answer.status_code, answer.content
        return orjson.loads(answer.content)

    def walk(self, url: str, *, staff: bool = False) -> Iterator[str]:
        """Ask for every page of a list, and yield the ids in it."""
        mark = "&" if "?" in url else "?"
        cursor: str | None = ""
        while cursor is not None:
            page = self(f"{url}{mark}limit=7" + (f"&cursor={cursor}" if cursor else ""), staff=staff)
            yield from (row["id"] for row in page["data"])
            cursor = page["meta"]["cursor"]


def _ask_everything(asking: Asking, client_id: str) -> None:
    issued = asking("/tokens", {"client_id": client_id}, staff=True)
    link = f"/view/{issued['data']['token']}"
    for path in ("", "/dashboard"):
        asking(link + path)
    _ask_for_documents(asking, link)
    _answer_quotes(asking, link)
    for query in STATEMENTS:
        asking(f"{link}/statement{query}")
    ticket = asking(f"{link}/feedback", {"subject": "Naïve question", "message": "Where is it? 🚚"})
    asking(f"{link}/feedback/{ticket['data']['id']}/replies", {"message": "And when?"})
    asking(f"/feedback/{ticket['data']['id']}/replies", {"message": "Tomorrow."}, staff=True)
    if IN_FULL:
        _ask_for_documents(asking, link)
    asking(f"{link}/dashboard")
    for each in asking.walk(f"{link}/feedback"):
        asking(f"{link}/feedback/{each}")


def _ask_for_documents(asking: Asking, link: str) -> None:
    for path, sorts in LISTS.items():
        queries = [*(f"sort={sort}&order={order}" for sort in sorts for order in ("asc", "desc")), *FILTERS[path]]
        for query in queries:
            list(asking.walk(f"{link}{path}?{query}"))
        asking(link + path)
        for each in asking.walk(link + path):
            asking(f"{link}{path}/{each}")
        asking(f"{link}{path}/nothing")


def _answer_quotes(asking: Asking, link: str) -> None:
    for place, each in enumerate(list(asking.walk(f"{link}/quotes"))):
        asking(f"{link}/quotes/{each}/{'decline' if place % 3 else 'accept'}", {"name": "Ada Lovelace"})
        asking(f"{link}/quotes/{each}/{'accept' if place % 2 else 'decline'}", {"name": "Ada Lovelace"})


def _ask_as_staff(asking: Asking) -> None:
    for path in STAFF:
        for each in asking.walk(path, staff=True):
            asking(f"{path.partition('?')[0]}/{each}", staff=True)
    list(asking.walk("/decisions?sort=created_at&order=asc", staff=True))
    after = ""
    while (events := asking(f"/events?limit=20{after}", staff=True)["data"]) and len(events) > 1:
        after = f"&after={events[-1]['id']}"


@cache
def _bearer() -> str:
    return mint_admin_token(
        key=KEY,
        audience="portal",
        issuer="proof",
        subject="proof",
        company_ids=[COMPANY],
        scope="portal:admin",
        now=datetime.now(UTC),
    )
