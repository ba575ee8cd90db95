"""Many at once on PostgreSQL, whose transactions overlap: one decision, right sums, and events in order."""

import asyncio
from collections.abc import Callable, Collection, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from threading import Barrier
from typing import Any, TypeAlias, TypeVar

import pytest
from attrs import evolve, frozen

from portal_adapters.contract.builders import (
    COMPANY,
    NEIGHBOUR,
    NOW,
    OTHER_COMPANY,
    SCOPE,
    TODAY,
    a_client,
    a_payment,
    a_quote,
    a_visit,
    an_event,
    an_invoice,
    eur,
    evidence,
    paid,
)
from portal_adapters.contract.feeding import feed, prepare
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions
from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres_async
from portal_core.domain.access import DocumentRef, DocumentType
from portal_core.domain.errors import AlreadyDecided, Busy, DeadLink, InvalidInput, MovedOn, NotFound, NotOpen, Refusal
from portal_core.domain.events import Event
from portal_core.domain.filters import DecisionFilter
from portal_core.domain.ids import CompanyId, EventId
from portal_core.domain.invoices import Invoice
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import Decision, Quote, QuoteState
from portal_core.domain.records import Fact, RecordRef, RecordType, ref_of
from portal_core.ports import Store
from portal_core.use_cases.access import LinkLife, NewGrant, issue_link
from portal_core.use_cases.feedback import NewTicket, submit_feedback
from portal_core.use_cases.quotes import accept_quote, decline_quote
from portal_core.use_cases.records import (
    ClientRecords,
    Counts,
    Deletion,
    Outcome,
    RecordsDisagree,
    Upsert,
    judge_records,
    take_in_records,
)
from tests.adapters.mutants import but
from tests.adapters.stores import emptied_database, postgres_engine

pytestmark = pytest.mark.postgres

THREADS, TASKS, TRIALS = 20, 32, 5
REQUOTES, CANCELS = (7, 19), 13
"""Which of the workers are imports that raise the revision, and which is one that cancels."""

QUOTE = a_quote("Q1")
QUOTE_REF = ref_of(QUOTE)

T = TypeVar("T")
UseCase: TypeAlias = Callable[[Store], T]


@frozen
class Referral:
    """What is ours and refers to a record: what it takes, and how it is refused when the record is gone."""

    refer: UseCase[object]
    ref: RecordRef
    refused: type[Refusal]
    facts: tuple[Fact, ...] = ()


def _issue(store: Store, documents: frozenset[DocumentRef] | None = None) -> None:
    issue_link(store, COMPANY, NewGrant(client_id=SCOPE.client_id, documents=documents), LinkLife(), now=NOW)


def _say(store: Store, document: DocumentRef | None = None) -> None:
    submit_feedback(store, a_visit(), NewTicket(subject="Oak", message="Dry?", document=document), now=NOW)


CLIENT_REF = ref_of(a_client())
ABOUT_QUOTE = DocumentRef(DocumentType.QUOTE, QUOTE.id)
REFERRALS = {
    "a link": Referral(_issue, CLIENT_REF, InvalidInput),
    "a narrowed link": Referral(
        partial(_issue, documents=frozenset({ABOUT_QUOTE})), QUOTE_REF, InvalidInput, facts=(QUOTE,)
    ),
    "feedback": Referral(_say, CLIENT_REF, DeadLink),
    "feedback about a document": Referral(partial(_say, document=ABOUT_QUOTE), QUOTE_REF, InvalidInput, facts=(QUOTE,)),
}


@pytest.fixture
def url() -> Generator[str]:
    with emptied_database() as url:
        yield url


@pytest.fixture
def transactions(url: str) -> Generator[SqlTransactions]:
    with postgres_engine(url) as engine:
        yield SqlTransactions(engine, RandomMint())


@pytest.mark.parametrize("trial", range(TRIALS))
def test_threads_that_answer_change_and_cancel_a_quote_leave_one_decision(
    transactions: SqlTransactions, trial: int
) -> None:
    prepare(transactions, QUOTE)

    told = _in_threads(THREADS, lambda worker: _run(transactions, _answering(worker + trial)))

    _assert_one_outcome(transactions, told)


@pytest.mark.parametrize("trial", range(TRIALS))
def test_tasks_that_answer_change_and_cancel_a_quote_leave_one_decision(
    url: str, transactions: SqlTransactions, trial: int
) -> None:
    prepare(transactions, QUOTE)

    told = asyncio.run(_in_tasks(url, [_answering(worker + trial) for worker in range(TASKS)]))

    _assert_one_outcome(transactions, told)


def test_payments_taken_in_at_once_are_all_settled(transactions: SqlTransactions) -> None:
    prepare(transactions, an_invoice("I1", eur("100.00")))

    def pay(worker: int) -> None:
        payment = a_payment(f"P{worker}", eur("2.00"), allocations=(paid("I1", eur("1.50")),))
        _run(transactions, lambda store: feed(store, payment))

    _in_threads(THREADS, pay)

    with transactions.begin() as store:
        (balance,) = store.balances.get(SCOPE, on=TODAY)
        page = store.payments.page(SCOPE, Listing(sort="number"))
    assert balance.outstanding == eur("70.00")
    assert balance.credit == eur("10.00")
    assert page.total == THREADS


def test_who_checks_records_waits_for_nobody_and_keeps_nobody_waiting(url: str) -> None:
    with postgres_engine(url, patience_seconds=0.2) as engine:
        transactions = SqlTransactions(engine, RandomMint())
        prepare(transactions)
        records = ClientRecords(
            company_id=COMPANY, client_id=SCOPE.client_id, read=lambda _: [Upsert(fact=an_invoice("I1"))]
        )
        with transactions.read() as checking, transactions.begin() as importing, transactions.read() as late:
            assert not judge_records(checking, records)
            assert take_in_records(importing, records)
            assert not judge_records(late, records)

            with pytest.raises(Busy), transactions.begin() as other:
                take_in_records(other, records)


def test_an_event_waits_for_the_one_that_was_first_and_nobody_reads_past_it(transactions: SqlTransactions) -> None:
    prepare(transactions)

    with ThreadPoolExecutor(1) as other:
        with transactions.begin() as store:
            store.events.append(an_event("E1"))
            later = other.submit(_run, transactions, _appending("E2"))
            assert wait([later], timeout=0.3).not_done
            assert _read(transactions) == []
        later.result()

    assert _read(transactions) == ["E1", "E2"]
    assert _read(transactions, after="E1") == ["E2"]


def test_an_event_that_is_rolled_back_leaves_no_gap(transactions: SqlTransactions) -> None:
    prepare(transactions)

    with ThreadPoolExecutor(1) as other:

        def fail(store: Store) -> None:
            store.events.append(an_event("E1"))
            later = other.submit(_run, transactions, _appending("E2"))
            assert wait([later], timeout=0.1).not_done
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            _run(transactions, fail)

    with transactions.begin() as store:
        page = store.events.page(COMPANY, after=None, limit=10)
    assert page is not None
    assert ([event.id for event in page.items], page.total) == (["E2"], 1)


def test_another_companys_events_do_not_wait(transactions: SqlTransactions) -> None:
    prepare(transactions)

    with transactions.begin() as store:
        store.events.append(an_event("E1"))
        with transactions.begin() as another:
            another.events.append(an_event("E2", company_id=OTHER_COMPANY))
        assert _read(transactions, company_id=OTHER_COMPANY) == ["E2"]


def test_who_follows_the_events_of_overlapping_transactions_meets_each_once_and_in_order(
    url: str, transactions: SqlTransactions
) -> None:
    prepare(transactions)

    async def follow() -> list[str]:
        engine = open_postgres_async(url)
        runner = GreenletRunner(engine, RandomMint())
        writes = asyncio.gather(*(runner.write(_appending(f"E{worker}")) for worker in range(TASKS)))
        met: list[str] = []
        while len(met) < TASKS:
            met += await runner.read(partial(_ids, after=met[-1] if met else None))
        await writes
        await runner.close()
        return met

    met = asyncio.run(follow())

    assert met == _read(transactions)
    assert len(set(met)) == TASKS


def test_an_answer_waits_for_a_deletion_that_is_being_judged_and_then_finds_nothing(
    transactions: SqlTransactions,
) -> None:
    prepare(transactions, QUOTE)

    with ThreadPoolExecutor(1) as other:
        with transactions.begin() as store:
            answers: list[Future[Quote]] = []

            def answer_meanwhile() -> None:
                answers.append(other.submit(_run, transactions, _accept))
                assert wait(answers, timeout=0.3).not_done

            counts = _delete(_before_removing(store, answer_meanwhile), QUOTE_REF)
        with pytest.raises(NotFound):
            answers[0].result()

    assert counts == {(RecordType.QUOTE, Outcome.DELETED): 1}
    with transactions.begin() as store:
        assert _decisions(store) == []


def test_a_deletion_waits_for_an_answer_that_is_being_kept_and_is_refused(transactions: SqlTransactions) -> None:
    prepare(transactions, QUOTE)

    with ThreadPoolExecutor(1) as other:
        with transactions.begin() as store:
            accepted = _accept(store)
            deletion = other.submit(_run, transactions, partial(_delete, ref=QUOTE_REF))
            assert wait([deletion], timeout=0.3).not_done
        with pytest.raises(RecordsDisagree, match="the client has decided on it"):
            deletion.result()

    with transactions.begin() as store:
        assert store.quotes.get(SCOPE, QUOTE.id) == accepted


def test_a_record_that_two_clients_bring_at_once_is_the_first_ones(transactions: SqlTransactions) -> None:
    prepare(transactions)
    theirs = an_invoice("I1", eur("70.00"), scope=NEIGHBOUR)

    with ThreadPoolExecutor(1) as other:
        with transactions.begin() as store:
            counts = _bring(store, an_invoice("I1", eur("10.00")))
            late = other.submit(_run, transactions, partial(_bring, invoice=theirs))
            assert wait([late], timeout=0.3).not_done
        with pytest.raises(RecordsDisagree, match="a record never changes its client"):
            late.result()

    assert counts == {(RecordType.INVOICE, Outcome.CREATED): 1}
    with transactions.begin() as store:
        (balance,) = store.balances.get(SCOPE, on=TODAY)
        assert balance.outstanding == eur("10.00")
        assert store.invoices.get(NEIGHBOUR, theirs.id) is None


@pytest.mark.parametrize("referral", REFERRALS.values(), ids=REFERRALS)
def test_what_refers_to_a_record_that_is_being_deleted_waits_and_is_refused(
    transactions: SqlTransactions, referral: Referral
) -> None:
    prepare(transactions, *referral.facts)

    with ThreadPoolExecutor(1) as other:
        with transactions.begin() as store:
            referrals: list[Future[Any]] = []

            def refer_meanwhile() -> None:
                referrals.append(other.submit(_run, transactions, referral.refer))
                assert wait(referrals, timeout=0.3).not_done

            _delete(_before_removing(store, refer_meanwhile), referral.ref)
        with pytest.raises(referral.refused):
            referrals[0].result()

    with transactions.begin() as store:
        assert store.facts.kept(COMPANY, [referral.ref]) == {}
        assert list(store.facts.referrers(COMPANY, referral.ref)) == []


@pytest.mark.parametrize("referral", REFERRALS.values(), ids=REFERRALS)
def test_a_deletion_waits_for_what_refers_to_the_record_and_is_refused(
    transactions: SqlTransactions, referral: Referral
) -> None:
    prepare(transactions, *referral.facts)

    with ThreadPoolExecutor(1) as other:
        with transactions.begin() as store:
            referral.refer(store)
            deletion = other.submit(_run, transactions, partial(_delete, ref=referral.ref))
            assert wait([deletion], timeout=0.3).not_done
        with pytest.raises(RecordsDisagree, match="still refers to it"):
            deletion.result()


def test_an_import_that_changes_a_client_does_not_wait_for_a_link_that_is_being_issued(
    transactions: SqlTransactions,
) -> None:
    prepare(transactions)

    with transactions.begin() as store:
        _issue(store)
        with transactions.begin() as another:
            feed(another, a_client(name="Renamed"))

    with transactions.begin() as store:
        assert store.clients.get(COMPANY, SCOPE.client_id) == a_client(name="Renamed")


def _before_removing(store: Store, act: Callable[[], None]) -> Store:
    """Return a store in which something happens between judging a deletion and doing it."""

    def remove(company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        act()
        store.intake.remove(company_id, refs)

    return evolve(store, intake=but(store.intake, remove=remove))


def _bring(store: Store, invoice: Invoice) -> Counts:
    upsert = Upsert(fact=invoice)
    return take_in_records(
        store, ClientRecords(company_id=COMPANY, client_id=invoice.client_id, read=lambda _: (upsert,))
    )


def _delete(store: Store, ref: RecordRef) -> Counts:
    records = ClientRecords(company_id=COMPANY, client_id=SCOPE.client_id, read=lambda _: (Deletion(ref),))
    return take_in_records(store, records)


def _accept(store: Store) -> Quote:
    return accept_quote(store, a_visit(), QUOTE.id, evidence(), seen=1, now=NOW)


def _answering(worker: int) -> UseCase[Quote | None]:
    """Return what a worker does: most of them answer the first revision, some import another, one cancels."""
    if worker in REQUOTES:
        return _requote
    if worker == CANCELS:
        return _cancel
    return partial(_answer, worker=worker)


def _answer(store: Store, *, worker: int) -> Quote | None:
    decide = accept_quote if worker % 2 else decline_quote
    try:
        return decide(store, a_visit(), QUOTE.id, evidence(name=f"{worker}"), seen=1, now=NOW)
    except (AlreadyDecided, MovedOn, NotOpen):
        return None


def _requote(store: Store) -> None:
    kept = store.quotes.get(SCOPE, QUOTE.id)
    assert kept is not None
    feed(store, evolve(QUOTE, revision=kept.revision + 1, total=eur("99.00"), subtotal=eur("99.00"), lines=()))


def _cancel(store: Store) -> None:
    kept = store.quotes.get(SCOPE, QUOTE.id)
    assert kept is not None
    feed(store, evolve(kept, recorded_state=QuoteState.CANCELLED, decision=None))


def _assert_one_outcome(transactions: SqlTransactions, told: list[Quote | None]) -> None:
    with transactions.begin() as store:
        decisions = _decisions(store)
        events = _events(store)
    acknowledged = {quote.decision for quote in told if quote is not None}
    assert acknowledged == set(decisions)
    assert len(decisions) <= 1
    assert [event.data["decision_id"] for event in events] == [decision.id for decision in decisions]
    assert all(_is_about_what_was_seen(decision) for decision in decisions)


def _decisions(store: Store) -> list[Decision]:
    return list(store.decisions.page(COMPANY, Listing(sort="created_at"), DecisionFilter()).items)


def _is_about_what_was_seen(decision: Decision) -> bool:
    return (decision.revision, decision.document_sha256) == (1, QUOTE.document_sha256())


def _in_threads(workers: int, work: Callable[[int], T]) -> list[T]:
    start = Barrier(workers)

    def run(worker: int) -> T:
        start.wait()
        return work(worker)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


async def _in_tasks(url: str, use_cases: list[UseCase[T]]) -> list[T]:
    engine = open_postgres_async(url)
    pool, runner = engine.pool, GreenletRunner(engine, RandomMint())

    async def run(use_case: UseCase[T]) -> T:
        while True:
            try:
                return await runner.write(use_case)
            except Busy:
                continue

    told = await asyncio.gather(*map(run, use_cases))
    await runner.close()
    assert pool.checkedout() == 0  # type: ignore[attr-defined]  # the pool is one that counts
    return told


def _run(transactions: SqlTransactions, use_case: UseCase[T]) -> T:
    while True:
        try:
            with transactions.begin() as store:
                return use_case(store)
        except Busy:
            continue


def _appending(event_id: str) -> UseCase[None]:
    return lambda store: store.events.append(an_event(event_id))


def _read(transactions: SqlTransactions, *, after: str | None = None, company_id: CompanyId = COMPANY) -> list[str]:
    with transactions.begin() as store:
        return _ids(store, after=after, company_id=company_id)


def _ids(store: Store, *, after: str | None, company_id: CompanyId = COMPANY) -> list[str]:
    return [event.id for event in _events(store, after=after, company_id=company_id)]


def _events(store: Store, *, after: str | None = None, company_id: CompanyId = COMPANY) -> list[Event]:
    page = store.events.page(company_id, after=None if after is None else EventId(after), limit=1_000)
    assert page is not None
    return list(page.items)
