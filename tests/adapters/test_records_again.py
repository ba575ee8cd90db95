"""The same records once more: passed over by their checksums, and judged anew once what they said may not hold."""

import io
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import select

from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory import MemoryTransactions
from portal_adapters.records import helpers
from portal_adapters.records.importing import import_records
from portal_adapters.records.staging import FileRefused
from portal_adapters.records.writing import export_records
from portal_adapters.sqlalchemy import SqlTransactions
from portal_adapters.sqlalchemy.schema import invoices, quotes
from portal_core.domain.records import RecordType
from portal_core.ports import Mint, Transactions
from portal_core.use_cases.records import Counts, Outcome
from tests.adapters.stores import postgres_store, sqlite_store
from tests.adapters.test_records_importing import CLIENT, COMPANY, a_payment, an_invoice, lines, owned, problems

SMALL = (Path(__file__).parent.parent / "data" / "small.jsonl").read_bytes()


Opened: TypeAlias = Callable[[Mint], AbstractContextManager[Transactions]]


def take_in(transactions: Transactions, file: bytes, *, helpers: int = 0) -> Counts:
    reading = transactions.read if isinstance(transactions, SqlTransactions) else None
    return import_records(transactions, [("1.jsonl", io.BytesIO(file))], reading=reading, helpers=helpers)


@contextmanager
def memory_store(mint: Mint) -> Generator[MemoryTransactions]:
    yield MemoryTransactions(mint)


def a_quote(state: str, total: str) -> dict[str, Any]:
    sums = {"currency": "EUR", "subtotal": total, "tax": "0.00", "total": total, "lines": []}
    return owned("quote", "Q1", state=state, revision=1, issued_on="2026-11-01", **sums)


def checksums(transactions: SqlTransactions) -> dict[str, str | None]:
    with transactions.engine.connect() as connection:
        return {row.id: row.checksum for row in connection.execute(select(invoices.c.id, invoices.c.checksum))}


def test_the_same_file_changes_nothing() -> None:
    with sqlite_store(CountingMint()) as transactions:
        created = take_in(transactions, SMALL)

        assert take_in(transactions, SMALL) == {
            (kind, Outcome.UNCHANGED): count for (kind, _), count in created.items()
        }


def test_a_quote_that_was_changed_without_its_revision_is_passed_over_when_it_comes_again() -> None:
    first, second = ({**a_quote("sent", total), "revision": None} for total in ("1.00", "2.00"))
    with sqlite_store(CountingMint()) as transactions:
        take_in(transactions, lines(COMPANY, CLIENT, first))

        assert take_in(transactions, lines(second)) == {(RecordType.QUOTE, Outcome.UPDATED): 1}

        with transactions.engine.connect() as connection:
            revision, checksum = connection.execute(select(quotes.c.revision, quotes.c.checksum)).one()
        assert revision == 2
        assert checksum is not None
        assert take_in(transactions, lines(second)) == {(RecordType.QUOTE, Outcome.UNCHANGED): 1}


def test_a_claim_that_another_file_made_wrong_is_refused_when_it_comes_again() -> None:
    claiming = lines(an_invoice("I1", amount_due="10.00"))
    with sqlite_store(CountingMint()) as transactions:
        take_in(transactions, lines(COMPANY, CLIENT) + claiming)
        take_in(transactions, lines(a_payment("P1", "I1")))

        with pytest.raises(FileRefused, match=r"states 10\.00"):
            take_in(transactions, claiming)


def test_a_document_that_others_settle_loses_its_checksum_until_it_comes_again() -> None:
    plain = lines(an_invoice("I1"))
    with sqlite_store(CountingMint()) as transactions:
        take_in(transactions, lines(COMPANY, CLIENT) + plain)
        kept = checksums(transactions)

        take_in(transactions, lines(a_payment("P1", "I1")))
        assert checksums(transactions) == {"I1": None}

        assert take_in(transactions, plain) == {(RecordType.INVOICE, Outcome.UNCHANGED): 1}
        assert checksums(transactions) == kept


def test_helpers_read_a_file_like_the_importer_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "WORTH_HELP", 1)
    file = lines(COMPANY, CLIENT, *(an_invoice(f"I{number}") for number in range(2_000)))
    with sqlite_store(CountingMint()) as alone, sqlite_store(CountingMint()) as helped:
        assert take_in(alone, file) == take_in(helped, file, helpers=2)

        with alone.read() as one, helped.read() as other:
            assert b"".join(export_records(one)) == b"".join(export_records(other))


def test_helpers_name_every_mistake_by_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "WORTH_HELP", 1)
    good = lines(*(an_invoice(f"I{number}") for number in range(1_200)))
    with sqlite_store(CountingMint()) as transactions, pytest.raises(FileRefused) as refused:
        take_in(transactions, lines(COMPANY, CLIENT) + good + b"{}\n" + lines(an_invoice("I!", total="x")), helpers=1)

    assert [(each.line, each.pointer) for each in refused.value.problems] == [
        (1_203, "/type"),
        (1_204, "/id"),
        (1_204, "/total"),
    ]


@pytest.mark.parametrize("opened", [memory_store, sqlite_store, postgres_store])
def test_what_was_shown_under_a_revision_cannot_change_by_the_way_of_a_draft(opened: Opened) -> None:
    with opened(CountingMint()) as transactions:
        take_in(transactions, lines(COMPANY, CLIENT, a_quote("sent", "100.00")))
        take_in(transactions, lines(a_quote("draft", "100.00")))

        assert problems(transactions, lines(a_quote("draft", "900.00"))) == [("1.jsonl", 1, "/revision")]
        assert problems(transactions, lines(a_quote("sent", "900.00"))) == [("1.jsonl", 1, "/revision")]
        assert take_in(transactions, lines(a_quote("draft", "100.00"))) == {(RecordType.QUOTE, Outcome.UNCHANGED): 1}
        assert take_in(transactions, lines(a_quote("sent", "100.00"))) == {(RecordType.QUOTE, Outcome.UPDATED): 1}
