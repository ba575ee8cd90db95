"""A trading history that a real ERP computed: what the portal says of it is what the ERP said."""

import json
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory.store import MemoryTransactions
from portal_adapters.records.importing import import_records
from portal_adapters.records.writing import export_records
from portal_core.domain.access import Scope
from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.ids import ClientId, CompanyId, InvoiceId, OrderId, QuoteId
from portal_core.domain.invoices import SettlementSource
from portal_core.domain.money import Money
from portal_core.domain.paging import Listing
from portal_core.domain.records import RecordType
from portal_core.ports import Store, Transactions
from portal_core.use_cases.records import Counts, Outcome
from tests.adapters.stores import sqlite_store

TODAY = date(2026, 11, 23)
"""The day on which the history was taken."""

FILE = Path(__file__).parent.parent / "data" / "trading-history.jsonl"
HISTORY = FILE.read_bytes()
SMALL = (FILE.parent / "small.jsonl").read_bytes()

RECORDS: list[dict[str, Any]] = [json.loads(line) for line in HISTORY.splitlines()]
SMALL_RECORDS: list[dict[str, Any]] = [json.loads(line) for line in SMALL.splitlines()]


def of_type(kind: str, records: list[dict[str, Any]] = RECORDS) -> list[dict[str, Any]]:
    return [each for each in records if each["type"] == kind]


def posted(records: list[dict[str, Any]] = RECORDS) -> list[dict[str, Any]]:
    return [each for each in of_type("invoice", records) if each["state"] == "posted"]


def scope_of(record: dict[str, Any]) -> Scope:
    return Scope(CompanyId(record["company_id"]), ClientId(record["client_id"]))


def money(record: dict[str, Any], name: str) -> Money:
    return Money.parse(record[name], record["currency"])


def take_in(transactions: Transactions, file: bytes) -> Counts:
    return import_records(transactions, [("history", BytesIO(file))])


def everything(transactions: Transactions) -> bytes:
    with transactions.begin() as store:
        return b"".join(export_records(store))


STORES = ["memory", "sqlite"]


@contextmanager
def opened(name: str) -> Generator[Transactions]:
    if name == "memory":
        yield MemoryTransactions(CountingMint())
        return
    with sqlite_store(CountingMint()) as transactions:
        yield transactions


@pytest.fixture(params=STORES)
def transactions(request: pytest.FixtureRequest) -> Generator[Transactions]:
    with opened(request.param) as transactions:
        yield transactions


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest) -> Generator[Store]:
    with opened(request.param) as transactions:
        take_in(transactions, HISTORY)
        take_in(transactions, SMALL)
        with transactions.begin() as store:
            yield store


@pytest.mark.parametrize("records", [RECORDS, SMALL_RECORDS], ids=["history", "small"])
def test_what_is_due_is_what_the_record_says(store: Store, records: list[dict[str, Any]]) -> None:
    for record in posted(records):
        found = store.invoices.get(scope_of(record), InvoiceId(record["id"]))
        assert found is not None
        settled = sum(part.amount.minor for part in found.settlements or ()) + sum(
            part.amount.minor for part in found.allocations or ()
        )
        assert found.summary.total.minor - settled == found.summary.amount_due.minor
        if "amount_due" in record:
            assert found.summary.amount_due == money(record, "amount_due")
        if "payment_state" in record:
            assert found.summary.payment_state == record["payment_state"]


def test_instalments_are_due_as_the_erp_says(store: Store) -> None:
    for record in posted():
        found = store.invoices.get(scope_of(record), InvoiceId(record["id"]))
        assert found is not None
        stated = sorted((part["due_on"], Decimal(part["amount_due"])) for part in record.get("instalments") or ())
        due = sorted((part.due_on.isoformat(), Decimal(part.amount_due.amount)) for part in found.instalments)
        assert due == stated


def test_adjustments_are_among_the_settlements(store: Store) -> None:
    for record in posted():
        found = store.invoices.get(scope_of(record), InvoiceId(record["id"]))
        assert found is not None
        adjustments = [part for part in found.settlements or () if part.source is SettlementSource.ADJUSTMENT]
        assert [part.source_number for part in adjustments] == [
            part["reason"] for part in record.get("adjustments") or ()
        ]


def test_balances_are_the_sums_of_the_file(store: Store) -> None:
    owed: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for record in posted():
        sums = owed[record["client_id"], record["currency"]]
        due = money(record, "amount_due").minor
        if record["kind"] == "credit_note":
            sums["credit"] += due
            continue
        sums["outstanding"] += due
        for part in record["instalments"]:
            if date.fromisoformat(part["due_on"]) < TODAY:
                sums["overdue"] += Money.parse(part["amount_due"], record["currency"]).minor
    for record in of_type("payment"):
        given = sum(Money.parse(part["amount"], record["currency"]).minor for part in record["allocations"])
        owed[record["client_id"], record["currency"]]["credit"] += money(record, "amount").minor - given

    for client in of_type("client"):
        scope = Scope(CompanyId("c1"), ClientId(client["id"]))
        found = {
            (scope.client_id, balance.currency.code): {
                "outstanding": balance.outstanding.minor,
                "overdue": balance.overdue.minor,
                "credit": balance.credit.minor,
            }
            for balance in store.balances.get(scope, on=TODAY)
        }
        wanted = {key: {name: sums[name] for name in ("outstanding", "overdue", "credit")}
                  for key, sums in owed.items() if key[0] == scope.client_id}  # fmt: skip
        assert found == wanted


def test_orders_tell_what_was_delivered_and_invoiced(store: Store) -> None:
    for record in of_type("order"):
        found = store.orders.get(scope_of(record), OrderId(record["id"]))
        assert found is not None
        lines = [(line.id, line.delivered_quantity, line.invoiced_quantity) for line in found.order.lines]
        assert lines == [
            (
                line["id"],
                None if line["kind"] != "item" else Decimal(line["delivered_quantity"]),
                None if line["kind"] != "item" else Decimal(line["invoiced_quantity"]),
            )
            for line in record["lines"]
        ]


def test_clients_see_no_drafts(store: Store) -> None:
    shown = Counter(scope_of(record) for record in posted())
    for scope, count in shown.items():
        assert store.invoices.page(scope, Listing(sort="issued_on"), InvoiceFilter(), on=TODAY).total == count


def test_what_is_exported_and_imported_is_exported_alike(transactions: Transactions) -> None:
    take_in(transactions, HISTORY)
    exported = everything(transactions)
    other = MemoryTransactions(CountingMint())

    counts = take_in(other, exported)

    assert everything(other) == exported
    assert counts == {(kind, Outcome.CREATED): len(of_type(kind.value)) for kind in RecordType}


def test_a_second_import_changes_nothing(transactions: Transactions) -> None:
    take_in(transactions, HISTORY)

    again = take_in(transactions, HISTORY)

    assert again == {(kind, Outcome.UNCHANGED): len(of_type(kind.value)) for kind in RecordType}
    assert take_in(transactions, everything(transactions)) == again


def test_the_day_turns_where_the_company_is(store: Store) -> None:
    """Noon of 23 November in UTC is the 24th in Auckland and on Kiritimati, and still the 23rd in Dublin."""
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)

    assert state_at(noon, store, "acme", "Q8") == "sent"
    assert state_at(noon, store, "kiri", "Q1") == "expired"
    assert is_overdue_at(noon, store, Scope(CompanyId("aotea"), ClientId("C-1")))
    assert is_overdue_at(noon, store, Scope(CompanyId("kiri"), ClientId("C-7")))
    assert not is_overdue_at(noon - timedelta(hours=3), store, Scope(CompanyId("aotea"), ClientId("C-1")))


def state_at(moment: datetime, store: Store, company_id: str, quote_id: str) -> str:
    quote = store.quotes.get(Scope(CompanyId(company_id), ClientId("C-7")), QuoteId(quote_id))
    assert quote is not None
    return quote.state(today(moment, store, company_id))


def is_overdue_at(moment: datetime, store: Store, scope: Scope) -> bool:
    (balance,) = store.balances.get(scope, on=today(moment, store, scope.company_id))
    return bool(balance.overdue)


def today(moment: datetime, store: Store, company_id: str) -> date:
    company = store.companies.get(CompanyId(company_id))
    assert company is not None
    return company.today(moment)


IMPORT = """
import sys
from pathlib import Path
from portal_adapters.randomness import RandomMint
from portal_adapters.records import importing
from portal_adapters.sqlalchemy import SqlTransactions, open_sqlite

importing.TRANSACTION = 20
transactions = SqlTransactions(open_sqlite(sys.argv[1]), RandomMint())
with Path(sys.argv[2]).open("rb") as file:
    importing.import_records(
        transactions, [("history", file)], progress=lambda what, done: print(what, done, flush=True)
    )
"""


def test_an_import_killed_in_the_middle_is_finished_by_running_it_again(tmp_path: Path) -> None:
    with sqlite_store(CountingMint(), tmp_path) as transactions:
        database = next(tmp_path.rglob("*.sqlite3"))
        command = [sys.executable, "-c", IMPORT, str(database), str(FILE)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("keeping"):
                    process.send_signal(signal.SIGKILL)
                    break
        assert process.returncode == -signal.SIGKILL
        partly = everything(transactions)

        take_in(transactions, HISTORY)

        complete = MemoryTransactions(CountingMint())
        take_in(complete, HISTORY)
        assert b'"type":"client"' in partly
        assert len(partly) < len(everything(transactions))
        assert everything(transactions) == everything(complete)
