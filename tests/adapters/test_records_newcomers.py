"""Clients of whom nothing is kept, in the stores of SQL: judged by themselves, and let in with all that follows."""

import io
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, select

from portal_adapters.contract.mint import CountingMint
from portal_adapters.records import helpers, importing
from portal_adapters.records.importing import import_records
from portal_adapters.records.sample import sample_file
from portal_adapters.records.staging import FileRefused
from portal_adapters.sqlalchemy import SqlTransactions, metadata
from portal_core.domain.records import RecordType
from portal_core.ports import Mint
from portal_core.use_cases.records import Counts, Outcome
from tests.adapters.stores import postgres_store, sqlite_store
from tests.adapters.test_records_importing import CLIENT, COMPANY, a_payment, an_invoice, lines

Opened: TypeAlias = Callable[[Mint], AbstractContextManager[SqlTransactions]]

SMALL = (Path(__file__).parent.parent / "data" / "small.jsonl").read_bytes()
SAMPLE = sample_file(datetime(2026, 11, 23, tzinfo=ZoneInfo("UTC")))
VOID = lines(
    COMPANY,
    CLIENT,
    an_invoice("draft", state="draft"),
    an_invoice("paid", adjustments=[{"amount": "1.00", "reason": "Discount", "adjusted_on": "2026-11-03"}]),
    an_invoice("note", kind="credit_note", allocations=[{"invoice_id": "draft", "amount": "1.00"}]),
    a_payment("P1", amount="19.00", allocations=[{"invoice_id": each, "amount": "9.00"} for each in ("draft", "paid")]),
    a_payment("P2", "paid", state="cancelled"),
)

_OUR_OWN = frozenset({"portal_audit", "portal_version"})


def take_in(transactions: SqlTransactions, file: bytes, **options: Any) -> Counts:
    return import_records(transactions, [("1.jsonl", io.BytesIO(file))], reading=transactions.read, **options)


def rows_of(transactions: SqlTransactions) -> Mapping[str, list[Any]]:
    """Return all rows that say what is kept and what follows from it, in order."""
    with transactions.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(*table.c))))
            for table in metadata.sorted_tables
            if table.name not in _OUR_OWN
        }


@pytest.mark.parametrize("opened", [sqlite_store, postgres_store])
@pytest.mark.parametrize("file", [SMALL, SAMPLE, VOID], ids=["small", "sample", "void"])
def test_newcomers_come_to_the_same_as_anybody(file: bytes, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(CountingMint()) as transactions:
        expected = take_in(transactions, file), rows_of(transactions)

    monkeypatch.setattr(importing, "TRANSACTION", 40)
    with opened(CountingMint()) as transactions:
        assert (take_in(transactions, file), rows_of(transactions)) == expected


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> Generator[SqlTransactions]:
    monkeypatch.setattr(importing, "TRANSACTION", 1)
    with sqlite_store(CountingMint()) as transactions:
        yield transactions


def test_what_follows_from_the_records_of_newcomers_is_inserted_with_them(transactions: SqlTransactions) -> None:
    heard: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_: object) -> None:
        heard.append(statement.partition(" SET")[0].partition(" (")[0])

    take_in(transactions, lines(COMPANY))
    event.listen(transactions.engine, "before_cursor_execute", hear)
    take_in(transactions, lines(CLIENT, an_invoice("I1"), an_invoice("I2"), a_payment("P1", "I1")))

    assert Counter(each for each in heard if each.startswith(("INSERT", "UPDATE", "DELETE"))) == Counter(
        f"INSERT INTO portal_{name}"
        for name in (
            "clients",
            "invoices",
            "payments",
            "allocations",
            "open_amounts",
            "movements",
            *("document_counts",) * 2,
            "audit",
        )
    )


def test_what_is_wrong_with_a_newcomer_is_told_by_line_and_field(transactions: SqlTransactions) -> None:
    other = {**CLIENT, "id": "other"}
    wrong = an_invoice("I1", order_id="O1"), a_payment("P1", "I2")

    with pytest.raises(FileRefused) as refused:
        take_in(transactions, lines(COMPANY, other, CLIENT, *wrong))

    assert [(each.line, each.pointer) for each in refused.value.problems] == [
        (5, "/allocations/0/invoice_id"),
        (4, "/order_id"),
    ]
    assert not any(rows_of(transactions).values())


def test_a_newcomer_cannot_take_over_what_is_kept_as_another_clients(transactions: SqlTransactions) -> None:
    take_in(transactions, lines(COMPANY, CLIENT, an_invoice("I1")))
    other = {**CLIENT, "id": "other"}

    with pytest.raises(FileRefused, match="a record never changes its client"):
        take_in(transactions, lines(other, {**an_invoice("I1"), "client_id": "other"}))


def test_who_came_to_be_known_while_a_file_was_judged_is_taken_in_like_any_other(
    transactions: SqlTransactions,
) -> None:
    waiting = [lines(CLIENT, an_invoice("I1"))]

    def progress(what: str, _: int) -> None:
        if what == "checking" and waiting:
            take_in(transactions, waiting.pop())

    take_in(transactions, lines(COMPANY))
    counts = take_in(transactions, lines(CLIENT, an_invoice("I1"), a_payment("P1", "I1")), progress=progress)

    assert counts == {
        (RecordType.CLIENT, Outcome.UNCHANGED): 1,
        (RecordType.INVOICE, Outcome.UNCHANGED): 1,
        (RecordType.PAYMENT, Outcome.CREATED): 1,
    }


def test_a_dry_run_counts_newcomers_and_keeps_nothing(transactions: SqlTransactions) -> None:
    take_in(transactions, lines(COMPANY))
    before = rows_of(transactions)

    counts = take_in(transactions, lines(CLIENT, an_invoice("I1")), dry_run=True)

    assert counts == {(RecordType.CLIENT, Outcome.CREATED): 1, (RecordType.INVOICE, Outcome.CREATED): 1}
    assert rows_of(transactions) == before


def test_helpers_judge_newcomers_like_the_importer_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "TRANSACTION", 40)
    with sqlite_store(CountingMint()) as transactions:
        expected = take_in(transactions, SMALL), rows_of(transactions)

    monkeypatch.setattr(helpers, "WORTH_HELP", 1)
    with sqlite_store(CountingMint()) as transactions:
        assert (take_in(transactions, SMALL, helpers=2), rows_of(transactions)) == expected
