"""Many at once: one decision, one event, and nobody's write is lost or done twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Barrier
from typing import TypeVar

import pytest
from attrs import evolve, frozen

from portal_adapters.contract.builders import (
    COMPANY,
    NEIGHBOUR,
    NOW,
    SCOPE,
    a_client,
    a_grant,
    a_key,
    a_payment,
    a_quote,
    a_ticket,
    a_visit,
    an_answer,
    an_event,
    an_invoice,
    eur,
    evidence,
    paid,
)
from portal_adapters.contract.feeding import feed, prepare
from portal_core.domain.access import Grant
from portal_core.domain.errors import AlreadyDecided, Busy, InvalidInput, MovedOn, NotFound, Refusal
from portal_core.domain.events import Event
from portal_core.domain.filters import DecisionFilter, GrantFilter, TicketFilter
from portal_core.domain.ids import ClientId, EventId, InvoiceId
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import Decision, Quote
from portal_core.domain.records import RecordRef, RecordType, ref_of
from portal_core.ports import Store, Transactions
from portal_core.use_cases.access import LinkLife, NewGrant, issue_link
from portal_core.use_cases.erasing import erase_client
from portal_core.use_cases.feedback import reply_as_client, reply_as_staff
from portal_core.use_cases.quotes import accept_quote, decline_quote
from portal_core.use_cases.records import (
    Change,
    ClientRecords,
    Deletion,
    Outcome,
    RecordsDisagree,
    Upsert,
    take_in_records,
)

WORKERS = 20
ATTEMPTS = 200

QUOTE = a_quote("Q1")

T = TypeVar("T")


@frozen
class Race:
    """Threads that set out at once."""

    workers: int = WORKERS

    def run(self, work: Callable[[int], T]) -> list[T]:
        """Return what each worker returned, in the order of their numbers."""
        start = Barrier(self.workers)

        def set_out(worker: int) -> T:
            start.wait()
            return work(worker)

        with ThreadPoolExecutor(self.workers) as pool:
            return list(pool.map(set_out, range(self.workers)))


class RacesContract:
    """Many threads at one record: twenty, unless `--portal-workers` says otherwise."""

    single_threaded = False
    """Set this in a subclass for a store that may be used by one thread only."""

    @pytest.fixture
    def portal_race(self, pytestconfig: pytest.Config) -> Race:
        if self.single_threaded:
            pytest.skip("the store says that it is for one thread only")
        return Race(pytestconfig.getoption("portal_workers", default=None) or WORKERS)

    def test_of_many_racing_answers_to_a_quote_one_is_the_decision(
        self, transactions: Transactions, portal_race: Race
    ) -> None:
        prepare(transactions, QUOTE)

        def answer(worker: int) -> Decision | None:
            decide = accept_quote if worker % 2 else decline_quote
            try:
                quote = _run(
                    transactions,
                    lambda store: decide(store, a_visit(), QUOTE.id, evidence(name=f"{worker}"), seen=1, now=NOW),
                )
            except AlreadyDecided:
                return None
            return quote.decision

        told = portal_race.run(answer)

        decisions, events = _run(transactions, lambda store: (_decisions(store), _events(store)))
        assert [each for each in told if each is not None] == decisions * (len(told) - told.count(None))
        assert len(decisions) == len(events) == 1
        assert events[0].data["decision_id"] == decisions[0].id
        assert told[int(decisions[0].evidence.name or "")] == decisions[0]

    def test_a_quote_racing_with_its_next_revision_is_decided_as_it_was_seen(
        self, transactions: Transactions, portal_race: Race
    ) -> None:
        revised = evolve(QUOTE, revision=2, total=eur("99.00"))
        prepare(transactions, QUOTE)

        def answer_or_revise(worker: int) -> bool:
            if worker == portal_race.workers // 2:
                _run(transactions, lambda store: feed(store, revised))
                return True
            try:
                _run(transactions, _accept)
            except MovedOn:
                return False
            return True

        told = portal_race.run(answer_or_revise)

        decisions = _run(transactions, _decisions)
        assert len(decisions) == (told.count(True) > 1)
        assert {(each.revision, each.document_sha256) for each in decisions} <= {(1, QUOTE.document_sha256())}
        assert _run(transactions, lambda store: store.quotes.get(SCOPE, QUOTE.id)) == revised

    def test_a_quote_racing_with_its_deletion_is_decided_or_gone(
        self, transactions: Transactions, portal_race: Race
    ) -> None:
        prepare(transactions, QUOTE)

        def answer_or_delete(worker: int) -> bool:
            try:
                if worker == portal_race.workers // 2:
                    _run(transactions, lambda store: take_in_records(store, _records(Deletion(ref_of(QUOTE)))))
                else:
                    _run(transactions, _accept)
            except (NotFound, RecordsDisagree):
                return False
            return True

        told = portal_race.run(answer_or_delete)

        deleted = told[portal_race.workers // 2]
        found, decisions = _run(transactions, lambda store: (store.quotes.get(SCOPE, QUOTE.id), _decisions(store)))
        assert (found is None, len(decisions)) == (deleted, not deleted)

    def test_a_client_racing_with_its_deletion_has_links_or_is_gone(
        self, transactions: Transactions, portal_race: Race
    ) -> None:
        prepare(transactions)
        client = RecordRef(RecordType.CLIENT, SCOPE.client_id)

        def issue_or_delete(worker: int) -> bool:
            try:
                if worker == portal_race.workers // 2:
                    _run(transactions, lambda store: take_in_records(store, _records(Deletion(client))))
                else:
                    _run(transactions, _issue)
            except (InvalidInput, RecordsDisagree):
                return False
            return True

        told = portal_race.run(issue_or_delete)

        deleted = told[portal_race.workers // 2]
        found, links = _run(
            transactions,
            lambda store: (
                store.clients.get(COMPANY, SCOPE.client_id),
                list(store.facts.referrers(COMPANY, client)),
            ),
        )
        assert (found is None, len(links)) == (deleted, told.count(True) - deleted)
        assert bool(links) is not deleted

    def test_of_many_racing_imports_of_one_client_each_follows_upon_another(
        self, transactions: Transactions, portal_race: Race
    ) -> None:
        prepare(transactions, QUOTE, an_invoice("I1", eur("100.00")))

        def bring(worker: int) -> None:
            payment = a_payment(f"P{worker}", eur("1.00"), allocations=(paid("I1", eur("1.00")),))
            changed = Upsert(fact=evolve(QUOTE, notes=f"{worker}"), revision_stated=False)
            _run(transactions, lambda store: take_in_records(store, _records(Upsert(fact=payment), changed)))

        portal_race.run(bring)

        quote, invoice = _run(
            transactions,
            lambda store: (store.quotes.get(SCOPE, QUOTE.id), store.invoices.get(SCOPE, InvoiceId("I1"))),
        )
        assert quote is not None
        assert quote.revision == 1 + portal_race.workers
        assert invoice is not None
        assert invoice.summary.amount_due == eur(f"{100 - portal_race.workers}.00")

    def test_of_two_clients_whose_imports_bring_one_record_it_becomes_the_one_clients(
        self, transactions: Transactions, portal_race: Race
    ) -> None:
        prepare(transactions)

        def bring(worker: int) -> Outcome | None:
            scope = NEIGHBOUR if worker % 2 else SCOPE
            records = _records(Upsert(fact=an_invoice("I1", scope=scope)), client_id=scope.client_id)
            try:
                counts = _run(transactions, lambda store: take_in_records(store, records))
            except RecordsDisagree:
                return None
            return next(outcome for _, outcome in counts)

        told = portal_race.run(bring)

        assert told.count(Outcome.CREATED) == 1
        winners = {worker % 2 for worker, outcome in enumerate(told) if outcome is not None}
        kept = _run(transactions, lambda store: store.facts.kept(COMPANY, [RecordRef(RecordType.INVOICE, "I1")]))
        assert winners == {int(each.client_id == NEIGHBOUR.client_id) for each in kept.values()}

    def test_of_many_racing_changes_to_a_grant_each_one_that_is_told_done_is_done(
        self, transactions: Transactions, portal_race: Race
    ) -> None:
        prepare(transactions)
        _run(transactions, lambda store: store.grants.add(a_grant()))

        def relabel(worker: int) -> bool:
            return _run(transactions, lambda store: store.grants.update(a_grant(label=f"{worker}")))

        told = portal_race.run(relabel)

        grant = _run(transactions, lambda store: store.grants.get(COMPANY, a_grant().id))
        assert told.count(True) == 1
        assert grant == a_grant(label=f"{told.index(True)}", version=2)

    def test_of_many_racing_answers_to_one_request_one_is_kept(
        self, transactions: Transactions, portal_race: Race
    ) -> None:
        prepare(transactions)

        def keep(worker: int) -> bool:
            answer = an_answer(status=200 + worker)
            return _run(transactions, lambda store: store.answers.keep(a_key(), answer, since=NOW))

        told = portal_race.run(keep)

        kept = _run(transactions, lambda store: store.answers.find(a_key(), since=NOW))
        assert told.count(True) == 1
        assert kept == an_answer(status=200 + told.index(True))

    def test_racing_replies_are_all_kept(self, transactions: Transactions, portal_race: Race) -> None:
        prepare(transactions)
        _run(transactions, lambda store: store.tickets.add(a_ticket()))

        def reply(worker: int) -> None:
            _run(transactions, lambda store: reply_as_client(store, a_visit(), a_ticket().id, f"{worker}", now=NOW))

        portal_race.run(reply)

        ticket = _run(transactions, lambda store: store.tickets.get(COMPANY, a_ticket().id, TicketFilter()))
        assert ticket is not None
        assert sorted(each.message for each in ticket.replies) == sorted(map(str, range(portal_race.workers)))
        assert len(_run(transactions, _events)) == portal_race.workers

    def test_a_client_who_is_erased_while_others_write_is_erased_whole(
        self, transactions: Transactions, portal_race: Race
    ) -> None:
        known, nobody = a_client(name="Lena", email="lena@example.com"), a_client(name=SCOPE.client_id)
        prepare(transactions, QUOTE, known)
        _run(transactions, _issue)
        _run(transactions, lambda store: store.tickets.add(a_ticket()))
        writing: list[Callable[[Store], object]] = [
            _accept,
            lambda store: reply_as_staff(store, COMPANY, a_ticket().id, "Soon.", close=False, now=NOW),
            _issue,
            lambda store: reply_as_client(store, a_visit(), a_ticket().id, "And now?", now=NOW),
            lambda store: take_in_records(store, _records(Upsert(fact=known))),
        ]

        def write(worker: int) -> None:
            with suppress(Refusal):
                _run(transactions, writing[(worker - 1) % len(writing)] if worker else _erase)

        portal_race.run(write)

        client = _run(transactions, lambda store: store.clients.get(COMPANY, SCOPE.client_id))
        ticket = _run(transactions, lambda store: store.tickets.get(COMPANY, a_ticket().id, TicketFilter()))
        grants = _run(transactions, _grants)
        assert client in {known, nobody}
        assert ticket is not None
        assert (ticket.subject, ticket.message) == ("", "")
        assert all(event.data.get("subject", "") == "" for event in _run(transactions, _events))
        assert {(each.label, each.revoked_at) for each in grants} <= {(None, NOW), ("For Lena", None)}
        assert [each.evidence.name for each in _run(transactions, _decisions)] == [evidence().name]
        _run(transactions, _erase)
        assert not any(_run(transactions, _erase).values())

    def test_who_reads_on_while_others_write_misses_no_event(
        self, transactions: Transactions, portal_race: Race
    ) -> None:
        prepare(transactions)
        reader, each_writes = 0, 5

        def write_or_read(worker: int) -> list[Event]:
            if worker != reader:
                for place in range(each_writes):
                    event = an_event(f"E{worker}-{place}")
                    _run(transactions, partial(_append, event=event))
                return []
            met: list[Event] = []
            while len(met) < each_writes * (portal_race.workers - 1):
                met += _run(transactions, partial(_events, after=met[-1].id if met else None))
            return met

        met = portal_race.run(write_or_read)[reader]

        assert met == _run(transactions, _events)


def _run(transactions: Transactions, use_case: Callable[[Store], T]) -> T:
    for _ in range(ATTEMPTS):
        try:
            with transactions.begin() as store:
                return use_case(store)
        except Busy:
            continue
    pytest.fail("the store stays busy")


def _records(*changes: Change, client_id: ClientId = SCOPE.client_id) -> ClientRecords:
    return ClientRecords(company_id=COMPANY, client_id=client_id, read=lambda _: changes)


def _issue(store: Store) -> None:
    issue_link(store, COMPANY, NewGrant(client_id=SCOPE.client_id, label="For Lena"), LinkLife(), now=NOW)


def _erase(store: Store) -> dict[str, int]:
    return erase_client(store, COMPANY, SCOPE.client_id, now=NOW)


def _grants(store: Store) -> list[Grant]:
    return list(store.grants.page(COMPANY, Listing(sort="created_at", limit=100), GrantFilter(), at=NOW).items)


def _accept(store: Store) -> Quote:
    return accept_quote(store, a_visit(), QUOTE.id, evidence(), seen=1, now=NOW)


def _decisions(store: Store) -> list[Decision]:
    return list(store.decisions.page(COMPANY, Listing(sort="created_at"), DecisionFilter()).items)


def _append(store: Store, *, event: Event) -> None:
    store.events.append(event)


def _events(store: Store, after: EventId | None = None) -> list[Event]:
    page = store.events.page(COMPANY, after=after, limit=1_000)
    assert page is not None
    return list(page.items)
