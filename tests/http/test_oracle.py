"""The API answers what follows from the file of records, and nothing else."""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.memory import MemoryTransactions
from portal_adapters.randomness import RandomMint
from portal_adapters.rate_limits import MemoryRateLimits
from portal_adapters.records.importing import import_records
from portal_adapters.sqlalchemy import SqliteRunner, SqlTransactions, migrate, open_sqlite
from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres, open_postgres_async
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.ports import Runner, Transactions
from portal_core.use_cases.access import LinkLife, NewGrant, issue_link
from portal_http.app import create_app
from portal_http.options import Options
from portal_http.runners import InlineRunner
from tests.glances import glances_of
from tests.http.oracle import Books, Record
from tests.lifespans import close_after
from tests.postgres import fresh_database

DATA = Path(__file__).parent.parent / "data"
FILES = ("trading-history.jsonl", "small.jsonl")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
BASE = "/api/v1/customer-portal"

Opened = tuple[Transactions, Runner]


def in_memory(_: Path, __: ExitStack) -> Opened:
    transactions = MemoryTransactions(RandomMint())
    return transactions, InlineRunner(transactions)


def on_sqlite(folder: Path, opened: ExitStack) -> Opened:
    engine = open_sqlite(folder / "portal.sqlite3")
    migrate(engine)
    runner = SqliteRunner(engine, RandomMint())
    opened.callback(runner.close)
    return SqlTransactions(engine, RandomMint()), runner


def on_postgres(_: Path, opened: ExitStack) -> Opened:
    url = opened.enter_context(fresh_database())
    engine = open_postgres(url)
    migrate(engine)
    pool = open_postgres_async(url)
    runner = GreenletRunner(pool, RandomMint())
    opened.callback(engine.dispose)
    return SqlTransactions(engine, RandomMint()), runner


class Visitor:
    """One client of the file, with the API and with the books."""

    def __init__(self, api: TestClient, url: str, books: Books) -> None:
        self.api, self.url, self.books = api, url, books

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        answer = self.api.get(self.url + path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def walk(self, path: str, **query: str) -> list[Record]:
        rows: list[Record] = []
        page = self.get(path, limit="7", **query)
        while True:
            rows += page["data"]
            assert page["meta"]["limit"] == 7
            assert page["meta"]["hasMore"] is (page["meta"]["cursor"] is not None)
            if not page["meta"]["hasMore"]:
                assert page["meta"]["total"] == len(rows)
                return rows
            page = self.get(path, limit="7", cursor=page["meta"]["cursor"], **query)


STORES = (
    pytest.param(in_memory, id="memory"),
    pytest.param(on_sqlite, id="sqlite"),
    pytest.param(on_postgres, id="postgres", marks=pytest.mark.postgres),
)


@pytest.fixture(scope="module", params=FILES)
def file(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module", params=STORES)
def visitors(
    request: pytest.FixtureRequest, file: str, tmp_path_factory: pytest.TempPathFactory
) -> Generator[list[Visitor]]:
    with ExitStack() as opened:
        transactions, runner = request.param(tmp_path_factory.mktemp("store"), opened)
        with (DATA / file).open("rb") as lines:
            import_records(transactions, [(file, lines)])
        admins = admin_tokens(key="k" * 32, audience="portal")
        options = Options(reads_per_minute=0)
        app = create_app(
            runner,
            clock=lambda: NOON,
            admins=admins,
            limits=MemoryRateLimits(),
            options=options,
            glances=glances_of(runner),
        )
        records = [json.loads(line) for line in (DATA / file).read_text().splitlines()]
        if isinstance(runner, GreenletRunner):
            close_after(app, runner)
        with TestClient(app) as api:
            yield [_visitor(api, transactions, records, each) for each in records if each["type"] == "client"]


def _visitor(api: TestClient, transactions: Transactions, records: list[Record], client: Record) -> Visitor:
    company_id, client_id = client["company_id"], client["id"]
    with transactions.begin() as store:
        asked = NewGrant(client_id=ClientId(client_id))
        issued = issue_link(store, CompanyId(company_id), asked, LinkLife(), now=NOON)
    zone = next(r["timezone"] for r in records if r["type"] == "company" and r["id"] == company_id)
    return Visitor(api, f"{BASE}/view/{issued.token}", Books(records, company_id, client_id, _today(zone)))


def _today(zone: str) -> date:
    return NOON.astimezone(ZoneInfo(zone)).date()


def by_id(rows: Iterator[Record] | list[Record]) -> dict[str, Record]:
    return {row["id"]: row for row in rows}


def assert_holds(row: Record, expected: Record) -> None:
    """Every documented field is as expected; there may be more fields."""
    found = {name: row[name] for name in expected}
    assert found == expected


LISTS: dict[str, Callable[[Books], list[Record]]] = {
    "/quotes": Books.quotes,
    "/orders": Books.orders,
    "/invoices": Books.invoices,
    "/payments": Books.payments,
    "/deliveries": Books.deliveries,
}
SORTS = {
    "/quotes": ("issued_on", "number"),
    "/orders": ("ordered_on", "number"),
    "/invoices": ("issued_on", "due_on", "number"),
    "/payments": ("received_on", "number"),
    "/deliveries": ("scheduled_on", "number"),
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_walked_to_its_end_holds_exactly_what_the_file_says(visitors: list[Visitor], path: str) -> None:
    for visitor in visitors:
        rows = by_id(visitor.walk(path))

        expected = by_id(LISTS[path](visitor.books))

        assert rows.keys() == expected.keys()
        for record_id, row in rows.items():
            assert_holds(row, expected[record_id])


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_a_list_is_in_the_order_asked_for(visitors: list[Visitor], path: str, order: str) -> None:
    for visitor in visitors:
        for sort in SORTS[path]:
            rows = [(row[sort], row["id"]) for row in visitor.walk(path, sort=sort, order=order)]

            valued = sorted((row for row in rows if row[0] is not None), reverse=order == "desc")
            bare = sorted((row for row in rows if row[0] is None), key=lambda row: row[1], reverse=order == "desc")

            assert rows == valued + bare


def test_a_filter_keeps_exactly_the_rows_that_match(visitors: list[Visitor]) -> None:
    filters = {
        "/quotes": {"state": "state"},
        "/orders": {"state": "state", "delivery_status": "delivery_status"},
        "/deliveries": {"state": "state"},
        "/invoices": {"kind": "kind"},
    }
    for visitor in visitors:
        for path, names in filters.items():
            everything = LISTS[path](visitor.books)
            for parameter, field in names.items():
                for value in {row[field] for row in everything}:
                    rows = visitor.walk(path, **{parameter: value})
                    assert {row["id"] for row in rows} == {r["id"] for r in everything if r[field] == value}


def test_asking_how_invoices_are_paid_leaves_credit_notes_out(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        invoices = [row for row in visitor.books.invoices() if row["kind"] == "invoice"]
        for state in {row["payment_state"] for row in invoices}:
            rows = visitor.walk("/invoices", payment_state=state)
            assert {row["id"] for row in rows} == {r["id"] for r in invoices if r["payment_state"] == state}
        for overdue in (True, False):
            rows = visitor.walk("/invoices", overdue=str(overdue).lower())
            assert {row["id"] for row in rows} == {r["id"] for r in invoices if r["overdue"] is overdue}


def test_details_hold_lines_links_and_settlements(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        books = visitor.books
        for record_id in by_id(books.quotes()):
            quote = visitor.get(f"/quotes/{record_id}")["data"]
            assert_holds(quote, books.quote_detail(books.of["quote"][record_id]))
        for record_id in by_id(books.orders()):
            _assert_order(visitor.get(f"/orders/{record_id}")["data"], books.order_detail(books.of["order"][record_id]))
        for record_id in by_id(books.deliveries()):
            delivery = visitor.get(f"/deliveries/{record_id}")["data"]
            assert_holds(delivery, books.delivery(books.of["delivery"][record_id]))
        for record_id in by_id(books.payments()):
            payment = visitor.get(f"/payments/{record_id}")["data"]
            assert_holds(payment, books.payment(books.of["payment"][record_id]))
        for record_id, record in books.posted.items():
            _assert_invoice(books, record, visitor.get(f"/invoices/{record_id}")["data"])


def test_what_is_not_shown_is_not_found(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        books = visitor.books
        shown = {path: by_id(rows(books)) for path, rows in LISTS.items()}
        kinds = dict(zip(LISTS, ("quote", "order", "invoice", "payment", "delivery"), strict=True))
        for path, kind in kinds.items():
            for record_id in books.of[kind].keys() - shown[path].keys():
                assert visitor.api.get(f"{visitor.url}{path}/{record_id}").status_code == 404


def test_balances_are_the_sums_over_the_file(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        dashboard = visitor.get("/dashboard")["data"]

        assert dashboard["balances"] == visitor.books.balances()


def test_the_dashboard_shows_the_newest_five_of_each(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        recent = visitor.get("/dashboard")["data"]["recent"]

        for name in ("quotes", "orders", "invoices", "deliveries"):
            assert recent[name] == visitor.get(f"/{name}", limit="5")["data"]


def test_a_statement_lists_every_movement_and_closes_at_the_net_balance(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        books = visitor.books
        statements = {each["currency"]: each for each in visitor.get("/statement", **{"from": "2000-01-01"})["data"]}
        net = {balance["currency"]: balance["net"] for balance in books.balances()}

        assert sorted(statements) == books.currencies()
        for currency, statement in statements.items():
            lines = [(row["on"], row["type"], row["id"]) for row in statement["lines"]]
            assert lines == [movement[:3] for movement in books.movements(currency)]
            assert statement["closing"] == net[currency]
            _assert_runs(statement)


def test_a_statement_for_a_period_opens_where_the_time_before_it_closed(visitors: list[Visitor]) -> None:
    for visitor in visitors:
        for currency in visitor.books.currencies():
            ask = partial(visitor.get, "/statement", currency=currency)
            before = ask(**{"from": "2000-01-01", "to": "2026-08-31"})["data"]
            after = ask(**{"from": "2026-09-01", "to": "2026-10-31"})["data"]

            assert after["opening"] == before["closing"]
            assert before["aging"] is None
            _assert_runs(after)


def _assert_runs(statement: Record) -> None:
    balance = Decimal(statement["opening"]["amount"])
    for row in statement["lines"]:
        balance += Decimal((row["debit"] or {"amount": "0"})["amount"])
        balance -= Decimal((row["credit"] or {"amount": "0"})["amount"])
        assert Decimal(row["balance"]["amount"]) == balance
        assert (row["debit"] is None) is not (row["credit"] is None)
    assert Decimal(statement["closing"]["amount"]) == balance


def _assert_order(order: Record, expected: Record) -> None:
    for name in ("deliveries", "invoices"):
        rows, wanted = by_id(order[name]), by_id(expected.pop(name))
        assert rows.keys() == wanted.keys()
        for record_id, row in rows.items():
            assert_holds(row, wanted[record_id])
    assert_holds(order, expected)


def _assert_invoice(books: Books, record: Record, invoice: Record) -> None:
    assert_holds(invoice, books.invoice_detail(record))
    if record["kind"] == "credit_note":
        assert invoice["allocations"] == books.note_allocations(record)
    else:
        assert sorted(map(str, invoice["allocations"])) == sorted(map(str, books.settlements(record)))
