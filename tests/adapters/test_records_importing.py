"""Whole files: refused or taken in, interrupted, raced, and given back."""

import io
import json
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast, final
from zoneinfo import ZoneInfo

import pytest
from attrs import define, field

from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory.store import MemoryTransactions
from portal_adapters.records import importing, sample
from portal_adapters.records.importing import ImportOvertaken, import_records
from portal_adapters.records.sample import sample_file
from portal_adapters.records.staging import MOST_PROBLEMS, FileRefused
from portal_adapters.records.writing import export_records
from portal_core.domain.access import Scope
from portal_core.domain.audit import COMMAND_LINE, AuditEntry
from portal_core.domain.errors import Busy
from portal_core.domain.filters import AuditFilter, QuoteFilter
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.paging import Listing
from portal_core.domain.records import RecordType
from portal_core.ports import Store, Transactions
from portal_core.use_cases.records import Counts, Outcome
from tests.adapters.stores import sqlite_store

SMALL = (Path(__file__).parent.parent / "data" / "small.jsonl").read_bytes()

COMPANY: dict[str, Any] = {
    "type": "company",
    "id": "acme",
    "name": "Acme",
    "timezone": "Europe/Dublin",
    "currency": "EUR",
}
CLIENT: dict[str, Any] = {"type": "client", "company_id": "acme", "id": "C-7", "name": "Byte & Sons"}


def owned(kind: str, record_id: str, /, **fields: Any) -> dict[str, Any]:
    own = {"type": kind, "company_id": "acme", "client_id": "C-7", "id": record_id, "number": record_id}
    return {**own, **fields}


def an_invoice(record_id: str, /, **fields: Any) -> dict[str, Any]:
    sums = {"currency": "EUR", "subtotal": "10.00", "tax": "0.00", "total": "10.00"}
    own = {"kind": "invoice", "state": "posted", "issued_on": "2026-11-01", "lines": []}
    return owned("invoice", record_id, **{**sums, **own, **fields})


def a_payment(record_id: str, /, *invoices: str, **fields: Any) -> dict[str, Any]:
    allocations = [{"invoice_id": each, "amount": "10.00"} for each in invoices]
    own = {"state": "paid", "received_on": "2026-11-02", "currency": "EUR", "amount": "10.00"}
    return owned("payment", record_id, **{**own, "allocations": allocations, **fields})


def gone(record: dict[str, Any]) -> dict[str, Any]:
    company_id = record["id"] if record["type"] == "company" else record["company_id"]
    return {"type": record["type"], "company_id": company_id, "id": record["id"], "deleted": True}


def lines(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in records).encode()


def take_in(transactions: Transactions, *files: bytes, **options: Any) -> Counts:
    named = [(f"{place}.jsonl", io.BytesIO(file)) for place, file in enumerate(files, start=1)]
    return import_records(transactions, named, **options)


def problems(transactions: Transactions, *files: bytes) -> list[tuple[str, int | None, str]]:
    before = everything(transactions)
    with pytest.raises(FileRefused) as refused:
        take_in(transactions, *files)
    assert everything(transactions) == before
    return [(each.file, each.line, each.pointer) for each in refused.value.problems]


def everything(transactions: Transactions, **options: Any) -> bytes:
    with transactions.begin() as store:
        return b"".join(export_records(store, **options))


@pytest.fixture
def transactions() -> MemoryTransactions:
    return MemoryTransactions(CountingMint())


@pytest.fixture
def furnished(transactions: MemoryTransactions) -> MemoryTransactions:
    take_in(transactions, lines(COMPANY, CLIENT))
    return transactions


def test_blank_lines_a_byte_order_mark_and_other_line_ends_are_passed_over(transactions: MemoryTransactions) -> None:
    file = b"\xef\xbb\xbf" + lines(COMPANY).replace(b"\n", b"\r\n") + b"\n  \r\n" + lines(CLIENT).rstrip()

    assert sum(take_in(transactions, file).values()) == 2


def test_an_empty_file_changes_nothing(transactions: MemoryTransactions) -> None:
    assert not take_in(transactions, b"")


def test_records_come_in_any_order_and_over_several_files(transactions: MemoryTransactions) -> None:
    payment, invoice = a_payment("P", "I"), an_invoice("I", payment_state="paid", amount_due="0.00")

    counts = take_in(transactions, lines(payment, CLIENT), lines(invoice, COMPANY))

    assert counts == {
        (kind, Outcome.CREATED): 1 for kind in map(RecordType, ("company", "client", "invoice", "payment"))
    }


def test_every_mistake_of_every_file_is_named(furnished: MemoryTransactions) -> None:
    first = lines(an_invoice("I1"), an_invoice("I2", total="x", due_on="soon"))
    second = b"\n\xff\n" + lines(an_invoice("I3", colour="red")) + b"{"

    assert problems(furnished, first, second) == [
        ("1.jsonl", 2, "/total"),
        ("1.jsonl", 2, "/due_on"),
        ("2.jsonl", 2, ""),
        ("2.jsonl", 3, "/colour"),
        ("2.jsonl", 4, ""),
    ]


def test_so_many_mistakes_are_told_and_all_are_counted(furnished: MemoryTransactions) -> None:
    with pytest.raises(FileRefused) as refused:
        take_in(furnished, b"{}\n" * (MOST_PROBLEMS + 50))

    assert (len(refused.value.problems), refused.value.total) == (MOST_PROBLEMS, MOST_PROBLEMS + 50)


def test_a_record_comes_once(furnished: MemoryTransactions) -> None:
    with pytest.raises(FileRefused, match=r"2.jsonl:2: /id: invoice 'I1' .* in line 1 of 1.jsonl"):
        take_in(furnished, lines(an_invoice("I1")), lines(an_invoice("I2"), gone(an_invoice("I1"))))


def test_rules_between_records_are_named_by_line_and_field(furnished: MemoryTransactions) -> None:
    file = lines(
        an_invoice("I1", amount_due="4.00", payment_state="partial"),
        a_payment("P1", "I1", "nowhere"),
        an_invoice("I2", order_id="O9"),
        an_invoice("I3", client_id="nobody"),
    )

    assert sorted(problems(furnished, file)) == [
        ("1.jsonl", 1, "/amount_due"),
        ("1.jsonl", 1, "/payment_state"),
        ("1.jsonl", 2, "/allocations/1/invoice_id"),
        ("1.jsonl", 3, "/order_id"),
        ("1.jsonl", 4, "/client_id"),
    ]


def test_both_figures_of_a_disagreement_are_named(furnished: MemoryTransactions) -> None:
    with pytest.raises(FileRefused, match=r"states 4\.00 EUR.*leave 10\.00 EUR"):
        take_in(furnished, lines(an_invoice("I1", amount_due="4.00")))


def test_what_is_kept_already_and_no_longer_fits_is_named(furnished: MemoryTransactions) -> None:
    take_in(furnished, lines(an_invoice("I1"), a_payment("P1", "I1")))

    with pytest.raises(
        FileRefused, match=r"^1\.jsonl:2: /allocations/0: invoice I1, which is kept already: .* more than the total"
    ):
        take_in(furnished, lines(an_invoice("I2"), a_payment("P2", "I1")))
    with pytest.raises(FileRefused, match=r"^1\.jsonl:1: .*payment P1, which is kept already: "):
        take_in(furnished, lines(an_invoice("I1", currency="USD")))


def test_records_need_their_company(transactions: MemoryTransactions) -> None:
    assert problems(transactions, lines(CLIENT, an_invoice("I1"))) == [("1.jsonl", 1, "/company_id")]


def test_a_dry_run_counts_and_keeps_nothing(transactions: MemoryTransactions) -> None:
    counts = take_in(transactions, SMALL, dry_run=True)

    assert everything(transactions) == b""
    assert counts == take_in(transactions, SMALL)


def test_a_dry_run_is_refused_like_a_real_one(furnished: MemoryTransactions) -> None:
    with pytest.raises(FileRefused):
        take_in(furnished, lines(a_payment("P1", "nowhere")), dry_run=True)


def test_amounts_across_currencies_have_the_decimals_of_the_invoice(furnished: MemoryTransactions) -> None:
    yen = an_invoice("I1", currency="JPY", subtotal="1500", tax="0", total="1500")
    part = {"invoice_id": "I1", "amount": "1500.0", "payment_amount": "9.50"}
    payment = a_payment("P1", allocations=[part])
    take_in(furnished, lines(payment, yen))

    assert problems(furnished, lines(a_payment("P1", allocations=[{**part, "amount": "1499.5"}]))) == [
        ("1.jsonl", 1, "/allocations/0/amount")
    ]
    assert take_in(furnished, lines(payment)) == {(RecordType.PAYMENT, Outcome.UNCHANGED): 1}


def test_an_allocation_across_currencies_to_nothing_is_refused(furnished: MemoryTransactions) -> None:
    part = {"invoice_id": "nowhere", "amount": "1500", "payment_amount": "9.50"}

    assert problems(furnished, lines(a_payment("P1", allocations=[part]))) == [
        ("1.jsonl", 1, "/allocations/0/invoice_id")
    ]


def test_deletions_find_their_client(furnished: MemoryTransactions) -> None:
    take_in(furnished, lines(an_invoice("I1"), a_payment("P1", "I1")))
    assert problems(furnished, lines(gone(an_invoice("I1")))) == [("1.jsonl", 1, "")]

    counts = take_in(furnished, lines(gone(an_invoice("I1")), gone(a_payment("P1")), gone(an_invoice("I9"))))

    assert counts == {(RecordType.INVOICE, Outcome.DELETED): 1, (RecordType.PAYMENT, Outcome.DELETED): 1}


def test_a_company_goes_with_all_that_is_its(furnished: MemoryTransactions) -> None:
    take_in(furnished, lines(an_invoice("I1")))
    assert problems(furnished, lines(gone(COMPANY))) == [("1.jsonl", 1, "")]
    assert problems(furnished, lines(gone(COMPANY), an_invoice("I2"))) == [
        ("1.jsonl", 1, ""),
        ("1.jsonl", 2, "/company_id"),
    ]
    leaving = lines(gone(COMPANY), gone(CLIENT), gone(an_invoice("I1")))
    dry = take_in(furnished, leaving, dry_run=True)

    assert (
        take_in(furnished, leaving)
        == dry
        == {
            (RecordType.COMPANY, Outcome.DELETED): 1,
            (RecordType.CLIENT, Outcome.DELETED): 1,
            (RecordType.INVOICE, Outcome.DELETED): 1,
        }
    )
    assert everything(furnished) == b""
    assert not take_in(furnished, lines(gone(COMPANY)))


def test_an_export_imported_exports_the_same_bytes(transactions: MemoryTransactions) -> None:
    take_in(transactions, SMALL)
    exported = everything(transactions)
    other = MemoryTransactions(CountingMint())

    take_in(other, exported)

    assert everything(other) == exported
    assert {outcome for _, outcome in take_in(transactions, exported)} == {Outcome.UNCHANGED}


def test_an_export_has_its_order_and_every_field(transactions: MemoryTransactions) -> None:
    take_in(transactions, SMALL)

    records = [json.loads(line) for line in everything(transactions).splitlines()]

    types = {kind.value: place for place, kind in enumerate(RecordType)}
    places = [(each.get("company_id", each["id"]), types[each["type"]], each["id"]) for each in records]
    assert places == sorted(places)
    order = next(each for each in records if each["type"] == "order" and each["id"] == "O1")
    assert list(order) == [
        "type", "company_id", "id", "client_id", "number", "state", "ordered_on", "currency", "subtotal", "tax",
        "total", "delivery_status", "lines", "client_reference", "quote_id",
    ]  # fmt: skip


def test_more_invoices_than_one_ledger_are_all_exported(furnished: MemoryTransactions) -> None:
    take_in(furnished, lines(*(an_invoice(f"I{number}") for number in range(1_101))))

    assert everything(furnished).count(b'"type":"invoice"') == 1_101


def test_one_client_or_company_is_exported_alone(transactions: MemoryTransactions) -> None:
    take_in(transactions, SMALL)

    client = everything(transactions, company_id=CompanyId("acme"), client_id=ClientId("C-8"))
    of_any_company = everything(transactions, client_id=ClientId("C-7"))

    assert [json.loads(each)["id"] for each in client.splitlines()] == ["acme", "C-8"]
    companies = [each["id"] for each in map(json.loads, of_any_company.splitlines()) if each["type"] == "company"]
    assert companies == ["acme", "kiri"]
    assert everything(transactions, company_id=CompanyId("kiri")) in everything(transactions)
    assert not everything(transactions, client_id=ClientId("nobody"))
    assert not everything(transactions, company_id=CompanyId("nobody"))


@pytest.fixture
def in_small_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "TRANSACTION", 3)
    monkeypatch.setattr(importing, "_READ_ONCE", 2)


@pytest.mark.usefixtures("in_small_transactions")
def test_many_transactions_come_to_the_same(transactions: MemoryTransactions) -> None:
    counts = take_in(transactions, SMALL)

    whole = MemoryTransactions(CountingMint())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "TRANSACTION", 10_000)
        assert counts == take_in(whole, SMALL)
    assert everything(transactions) == everything(whole)
    assert {outcome for _, outcome in take_in(transactions, SMALL)} == {Outcome.UNCHANGED}


@pytest.mark.usefixtures("in_small_transactions")
def test_many_transactions_keep_nothing_of_a_refused_file(furnished: MemoryTransactions) -> None:
    others = [{**CLIENT, "id": f"C-{number}"} for number in range(9)]
    invoices = [an_invoice(f"I{number}", client_id=f"C-{number}") for number in range(9)]

    wrong = lines(*others[:7], *others[8:], *invoices, a_payment("P1", "nowhere", client_id="C-8"))

    assert sorted(problems(furnished, wrong)) == [
        ("1.jsonl", 18, "/allocations/0/invoice_id"),
    ]


TOO_MUCH = [an_invoice(f"L{place}", total="9999999999999999.99", subtotal="9999999999999999.99") for place in range(10)]


@pytest.mark.usefixtures("in_small_transactions")
@pytest.mark.parametrize("dry_run", [True, False], ids=["dry", "real"])
def test_an_account_that_cannot_be_added_up_is_refused_before_anything_is_kept(dry_run: bool) -> None:  # noqa: FBT001 - pytest gives it
    file = lines(COMPANY, {**CLIENT, "id": "A"}, CLIENT, an_invoice("I1"), *TOO_MUCH)
    with sqlite_store(CountingMint()) as transactions:
        with pytest.raises(FileRefused, match=r"^1\.jsonl:5: /total: .* EUR account") as refused:
            take_in(transactions, file, dry_run=dry_run)

        assert refused.value.total == 1
        assert not everything(transactions)


def test_every_store_refuses_an_account_that_cannot_be_added_up(furnished: MemoryTransactions) -> None:
    take_in(furnished, lines(*TOO_MUCH[:9]))

    assert problems(furnished, lines(TOO_MUCH[9])) == [("1.jsonl", 1, "/total")]


@final
@define
class Interrupted(Transactions):
    """Transactions of a store that is busy, or whose process dies, at some of them."""

    inner: Transactions
    answer: Callable[[int], BaseException | None]
    begun: int = field(default=0, init=False)

    @contextmanager
    def begin(self) -> Generator[Store]:
        self.begun += 1
        if (error := self.answer(self.begun)) is not None:
            raise error
        with self.inner.begin() as store:
            yield store


@pytest.mark.usefixtures("in_small_transactions")
def test_a_killed_import_leaves_whole_clients_and_is_finished_by_running_it_again(
    transactions: MemoryTransactions,
) -> None:
    calm = Interrupted(transactions, lambda _: None)
    take_in(calm, SMALL)
    complete = everything(transactions)

    for last in range(calm.begun):
        store = MemoryTransactions(CountingMint())
        dying = Interrupted(store, partial(dies_after, last))
        with pytest.raises(KeyboardInterrupt):
            take_in(dying, SMALL)
        kept = everything(store)
        assert all(is_whole(kept, client, complete) for client in clients_of(kept))

        take_in(store, SMALL)
        assert everything(store) == complete


def dies_after(last: int, begun: int) -> KeyboardInterrupt | None:
    return KeyboardInterrupt() if begun > last else None


def clients_of(exported: bytes) -> Iterable[tuple[str, str]]:
    return {
        (each["company_id"], each["id"]) for each in map(json.loads, exported.splitlines()) if each["type"] == "client"
    }


def is_whole(exported: bytes, client: tuple[str, str], complete: bytes) -> bool:
    def theirs(text: bytes) -> list[Any]:
        records = map(json.loads, text.splitlines())
        return [each for each in records if (each.get("company_id"), each.get("client_id")) == client]

    return theirs(exported) == theirs(complete)


def overtaking(transactions: Transactions, *records: dict[str, Any]) -> Callable[[str, int], None]:
    """Return a progress that takes in other records once the first transaction of an import is kept."""
    waiting = [lines(*records)]

    def progress(what: str, _: int) -> None:
        if what == "keeping" and waiting:
            take_in(transactions, waiting.pop())

    return progress


def test_a_file_that_is_overtaken_says_what_was_kept_and_is_finished_by_running_it_again(
    furnished: MemoryTransactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, invoice = {**CLIENT, "id": "A"}, an_invoice("I1")
    take_in(furnished, lines(invoice))
    monkeypatch.setattr(importing, "TRANSACTION", 1)
    file = lines(other, a_payment("P1", "I1"))

    with pytest.raises(ImportOvertaken) as overtaken:
        take_in(furnished, file, progress=overtaking(furnished, gone(invoice)))

    (problem,) = overtaken.value.problems
    assert (problem.line, problem.pointer, overtaken.value.total) == (2, "/allocations/0/invoice_id", 1)
    assert overtaken.value.kept == {(RecordType.CLIENT, Outcome.CREATED): 1}
    take_in(furnished, lines(invoice))
    assert take_in(furnished, file) == {
        (RecordType.CLIENT, Outcome.UNCHANGED): 1,
        (RecordType.PAYMENT, Outcome.CREATED): 1,
    }


def test_a_file_that_is_overtaken_before_anything_changed_is_refused_like_any_other(
    furnished: MemoryTransactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, invoice = {**CLIENT, "id": "A"}, an_invoice("I1")
    take_in(furnished, lines(other, invoice))
    monkeypatch.setattr(importing, "TRANSACTION", 1)

    with pytest.raises(FileRefused, match="has no invoice"):
        take_in(furnished, lines(other, a_payment("P1", "I1")), progress=overtaking(furnished, gone(invoice)))


def test_a_company_that_gets_a_client_while_it_is_deleted_is_named(
    furnished: MemoryTransactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "TRANSACTION", 1)
    late = overtaking(furnished, {**CLIENT, "id": "late"})

    with pytest.raises(ImportOvertaken, match=r"^1\.jsonl:1: cannot be deleted: client late is still there"):
        take_in(furnished, lines(gone(COMPANY), gone(CLIENT)), progress=late)


@pytest.mark.parametrize("day", ["2024-02-29", "2026-11-24", "2027-01-01"])
def test_the_sample_is_right_on_any_day(day: str) -> None:
    now = datetime.fromisoformat(f"{day}T23:30:00Z")
    transactions = MemoryTransactions(CountingMint())

    take_in(transactions, sample_file(now))

    scope = Scope(sample.COMPANY, sample.CLIENT)
    with transactions.begin() as store:
        today = a_day_in_dublin(now)
        (balance,) = store.balances.get(scope, on=today)
        quotes = store.quotes.page(scope, Listing(sort="issued_on"), QuoteFilter(), on=today).items
    assert 0 < balance.overdue.minor < balance.outstanding.minor
    assert balance.credit
    assert {each.state(today) for each in quotes} == {"sent", "accepted", "declined", "expired"}


def a_day_in_dublin(now: datetime) -> date:
    return now.astimezone(ZoneInfo("Europe/Dublin")).date()


def test_a_busy_store_is_asked_again(transactions: MemoryTransactions) -> None:
    waits: list[float] = []
    busy = Interrupted(transactions, lambda begun: Busy("just now") if begun % 3 else None)

    take_in(busy, SMALL, pause=waits.append)

    assert waits
    assert waits[0] < 1
    assert everything(transactions).count(b"\n") == SMALL.count(b"\n")


def test_a_store_that_stays_busy_is_given_up(transactions: MemoryTransactions) -> None:
    waits: list[float] = []

    with pytest.raises(Busy):
        take_in(Interrupted(transactions, lambda _: Busy("for long")), SMALL, pause=waits.append)

    assert 30 < sum(waits) < 120


def test_progress_is_told(transactions: MemoryTransactions) -> None:
    told: list[tuple[str, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "TRANSACTION", 3)
        take_in(transactions, SMALL, progress=lambda what, done: told.append((what, done)))

    assert {what for what, _ in told} == {"reading", "checking", "keeping"}
    assert told[0] == ("reading", SMALL.count(b"\n"))


def test_an_import_is_in_the_audit_log_of_each_company_that_it_changed(transactions: MemoryTransactions) -> None:
    other = {**COMPANY, "id": "other"}
    take_in(transactions, lines(COMPANY, CLIENT, an_invoice("I-1")), by=COMMAND_LINE)
    take_in(transactions, lines(COMPANY, CLIENT, an_invoice("I-1")), by=COMMAND_LINE)
    take_in(transactions, lines(other, gone(an_invoice("I-1"))), dry_run=True, by=COMMAND_LINE)
    take_in(transactions, lines(other, gone(an_invoice("I-1"))), by=COMMAND_LINE)

    ours, theirs = (audit_log(transactions, each) for each in ("acme", "other"))

    assert [entry.act.details for entry in ours] == [
        {"company": {"created": 1}, "client": {"created": 1}, "invoice": {"created": 1}},
        {"invoice": {"deleted": 1}},
    ]
    assert [entry.act.details for entry in theirs] == [{"company": {"created": 1}}]
    assert {(entry.act.action, entry.actor) for entry in (*ours, *theirs)} == {("records.imported", COMMAND_LINE)}


def test_a_refused_import_is_not_in_the_audit_log(transactions: MemoryTransactions) -> None:
    with pytest.raises(FileRefused):
        take_in(transactions, lines(COMPANY, CLIENT, a_payment("P-1", "none")))

    assert audit_log(transactions, "acme") == ()


def test_each_transaction_of_a_large_import_notes_what_it_changed(transactions: MemoryTransactions) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "TRANSACTION", 3)
        counts = take_in(transactions, SMALL)

    noted: Counter[str] = Counter()
    for company_id in ("acme", "aotea", "kiri"):
        for entry in audit_log(transactions, company_id):
            noted.update({kind: outcomes["created"] for kind, outcomes in outcomes_of(entry).items()})
    assert noted == {kind.value: count for (kind, _), count in counts.items()}


def test_a_transaction_has_the_turns_of_few_clients(
    transactions: MemoryTransactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CLIENTS", 2)
    clients = [{**CLIENT, "id": f"C-{number}"} for number in range(5)]

    take_in(transactions, lines(COMPANY, *clients))

    noted = [outcomes_of(entry).get("client", {}).get("created", 0) for entry in audit_log(transactions, "acme")]
    assert noted == [0, 2, 2, 1]
    assert problems(transactions, lines(*clients, a_payment("P1", "nowhere", client_id="C-4"))) == [
        ("1.jsonl", 6, "/allocations/0/invoice_id")
    ]


def outcomes_of(entry: AuditEntry) -> dict[str, dict[str, int]]:
    return cast("dict[str, dict[str, int]]", entry.act.details)


def audit_log(transactions: Transactions, company_id: str) -> tuple[AuditEntry, ...]:
    with transactions.begin() as store:
        oldest_first = Listing(sort="created_at", descending=False, limit=100)
        return store.audit.page(CompanyId(company_id), oldest_first, AuditFilter()).items
