"""The same records once more: passed over by their checksums, and judged anew once what they said may not hold."""

import io
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import select

from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory import MemoryTransactions
from portal_adapters.records import helpers, staging
from portal_adapters.records.importing import import_records
from portal_adapters.records.preparing import Fault, Ready, prepare
from portal_adapters.records.staging import FileRefused
from portal_adapters.records.writing import export_records
from portal_adapters.sqlalchemy import SqlTransactions
from portal_adapters.sqlalchemy.schema import invoices, quotes
from portal_core.domain.records import RecordType
from portal_core.ports import Mint, Pack, Transactions
from portal_core.use_cases.records import Counts, Outcome
from tests.adapters.stores import postgres_store, sqlite_store
from tests.adapters.test_records_importing import CLIENT, COMPANY, a_payment, an_invoice, gone, lines, owned, problems

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


def owned_order(record_id: str) -> dict[str, Any]:
    sums = {"currency": "EUR", "subtotal": "1.00", "tax": "0.00", "total": "1.00", "lines": []}
    return owned("order", record_id, state="confirmed", ordered_on="2026-11-01", delivery_status="none", **sums)


@pytest.fixture
def transactions() -> Generator[SqlTransactions]:
    with sqlite_store(CountingMint()) as transactions:
        yield transactions


def noted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return where every line is noted that is prepared from now on."""
    read: list[bytes] = []

    def noting(texts: Iterable[bytes], pack: Pack | None) -> list[Ready | list[Fault]]:
        given = list(texts)
        read.extend(given)
        return prepare(given, pack)

    monkeypatch.setattr(staging, "prepare", noting)
    return read


def checksums(transactions: SqlTransactions) -> dict[str, str | None]:
    with transactions.engine.connect() as connection:
        return {row.id: row.checksum for row in connection.execute(select(invoices.c.id, invoices.c.checksum))}


def test_the_same_file_changes_nothing() -> None:
    with sqlite_store(CountingMint()) as transactions:
        created = take_in(transactions, SMALL)

        assert take_in(transactions, SMALL) == {
            (kind, Outcome.UNCHANGED): count for (kind, _), count in created.items()
        }


def test_what_is_kept_as_it_is_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = an_invoice("I1", number="other")
    with sqlite_store(CountingMint()) as transactions:
        take_in(transactions, lines(COMPANY, CLIENT, an_invoice("I1"), an_invoice("I2")))
        read = noted(monkeypatch)

        assert take_in(transactions, lines(CLIENT, an_invoice("I2"))) == {
            (RecordType.CLIENT, Outcome.UNCHANGED): 1,
            (RecordType.INVOICE, Outcome.UNCHANGED): 1,
        }
        assert not read
        assert take_in(transactions, lines(changed, an_invoice("I2"))) == {
            (RecordType.INVOICE, Outcome.UPDATED): 1,
            (RecordType.INVOICE, Outcome.UNCHANGED): 1,
        }
        assert read == lines(changed).splitlines()


def test_a_file_that_begins_with_what_is_new_is_read_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "_WORTH_ASKING", 1)
    old, new = an_invoice("old"), [an_invoice(f"I{number}") for number in range(500)]
    with sqlite_store(CountingMint()) as transactions:
        take_in(transactions, lines(COMPANY, CLIENT, old))
        read = noted(monkeypatch)

        assert take_in(transactions, lines(*new, old)) == {
            (RecordType.INVOICE, Outcome.CREATED): 500,
            (RecordType.INVOICE, Outcome.UNCHANGED): 1,
        }
        assert lines(old).strip() in read


def test_what_is_kept_as_it_is_is_judged_with_what_changes(transactions: SqlTransactions) -> None:
    claiming = an_invoice("I1", amount_due="10.00")
    order = owned_order("O1")
    billed = an_invoice("I2", order_id="O1")
    take_in(transactions, lines(COMPANY, CLIENT, claiming, order, billed))

    assert problems(transactions, lines(claiming, a_payment("P1", "I1"))) == [("1.jsonl", 1, "/amount_due")]
    assert problems(transactions, lines(billed, gone(order))) == [("1.jsonl", 1, "/order_id")]
    assert problems(transactions, lines(CLIENT, order, billed, gone(claiming), gone(CLIENT)))
    assert take_in(transactions, lines(billed, {**order, "number": "other"}, CLIENT)) == {
        (RecordType.INVOICE, Outcome.UNCHANGED): 1,
        (RecordType.ORDER, Outcome.UPDATED): 1,
        (RecordType.CLIENT, Outcome.UNCHANGED): 1,
    }


def test_a_payment_in_another_currency_is_unchanged_when_it_comes_again(transactions: SqlTransactions) -> None:
    yen = an_invoice("I1", currency="JPY", subtotal="1500", tax="0", total="1500")
    crossing = a_payment("P1", allocations=[{"invoice_id": "I1", "amount": "1500", "payment_amount": "9.50"}])
    take_in(transactions, lines(COMPANY, CLIENT, yen, crossing))

    assert take_in(transactions, lines(yen, crossing)) == {
        (RecordType.INVOICE, Outcome.UNCHANGED): 1,
        (RecordType.PAYMENT, Outcome.UNCHANGED): 1,
    }
    assert take_in(transactions, lines(crossing, an_invoice("I2"))) == {
        (RecordType.PAYMENT, Outcome.UNCHANGED): 1,
        (RecordType.INVOICE, Outcome.CREATED): 1,
    }


def test_a_record_that_comes_twice_is_told_though_it_is_kept_as_it_is(transactions: SqlTransactions) -> None:
    take_in(transactions, lines(COMPANY, CLIENT))

    assert problems(transactions, lines(CLIENT, CLIENT)) == [("1.jsonl", 2, "/id")]


@pytest.mark.parametrize("line", ["[]", "not json", '{"type": [], "id": 1}', '{"type": "order", "allocations": [1]}'])
def test_what_is_no_record_is_refused_as_ever(line: str, transactions: SqlTransactions) -> None:
    take_in(transactions, lines(COMPANY, CLIENT))
    named = line.replace('{"type": "order"', '{"type": "order", "company_id": "acme", "id": "O1"').encode()

    told = problems(transactions, lines(CLIENT) + named)

    assert told
    assert told == problems(MemoryTransactions(CountingMint()), lines(CLIENT) + named)


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
