"""Events in the order in which they were kept, the audit log, and answers for requests that come twice."""

from datetime import timedelta

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    CLIENT,
    COMPANY,
    NEIGHBOUR,
    NOW,
    OTHER_COMPANY,
    STRANGER,
    a_key,
    a_secret,
    an_answer,
    an_audit_entry,
    an_event,
    moment,
)
from portal_adapters.contract.feeding import prepare
from portal_core.domain.audit import COMMAND_LINE, Actor, ActorType, AuditAction, Target, TargetType
from portal_core.domain.events import Event, EventType
from portal_core.domain.filters import AuditFilter
from portal_core.domain.ids import CompanyId, EventId
from portal_core.domain.paging import MOMENT_SORTS, Listing
from portal_core.ports import KeyOfAnswer, Store, Transactions

MICROSECOND = timedelta(microseconds=1)

EVENTS = (
    an_event("E9", data={"text": "Grüße 😀", "number": -3, "none": None, "list": [1, "a", {"deep": True}]}),
    an_event("E1", type=EventType.QUOTE_DECLINED, occurred_at=moment(-5)),
    an_event("e5", scope=NEIGHBOUR, occurred_at=moment(7)),
    an_event("E3", data={}),
)

FULL_ENTRY = an_audit_entry(
    action=AuditAction.QUOTE_ACCEPTED,
    actor=Actor(type=ActorType.CLIENT, id="G1", token_hint=a_secret().hint, ip="2001:db8::1", user_agent="Grüße 😀"),
    target=Target(TargetType.QUOTE, "Q1"),
    details={"revision": 2, "none": None, "list": ["a", {"deep": True}], "text": "Grüße 😀"},
)

OTHER_KEYS = (
    a_key("K2"),
    a_key(asker="somebody else"),
    a_key(route="DELETE /tokens"),
    evolve(a_key(), company_id=OTHER_COMPANY),
)


class HappeningsContract:
    """What is appended, and read on from where one stopped."""

    def test_events_come_in_the_order_in_which_they_were_appended(self, transactions: Transactions) -> None:
        _append(transactions)

        with transactions.begin() as store:
            assert _events(store) == [*EVENTS]

    @pytest.mark.parametrize("place", range(len(EVENTS)))
    def test_events_are_read_on_after_one(self, transactions: Transactions, place: int) -> None:
        _append(transactions)

        with transactions.begin() as store:
            page = store.events.page(COMPANY, after=EVENTS[place].id, limit=100)

        assert page is not None
        assert page.items == EVENTS[place + 1 :]

    @pytest.mark.parametrize("limit", [1, 3, 4])
    def test_events_come_in_pages(self, transactions: Transactions, limit: int) -> None:
        _append(transactions)
        met: list[Event] = []
        after: EventId | None = None
        more = True

        while more:
            with transactions.begin() as store:
                page = store.events.page(COMPANY, after=after, limit=limit)
            assert page is not None
            assert page.total == len(EVENTS) - len(met)
            assert 0 < len(page.items) <= limit
            met += page.items
            after = page.items[-1].id
            more = page.next is not None

        assert met == [*EVENTS]

    def test_there_is_no_page_after_an_unknown_event(self, transactions: Transactions) -> None:
        _append(transactions)

        with transactions.begin() as store:
            assert store.events.page(COMPANY, after=EventId("E2"), limit=100) is None
            assert store.events.page(OTHER_COMPANY, after=EVENTS[0].id, limit=100) is None

    def test_the_events_of_companies_are_apart(self, transactions: Transactions) -> None:
        _append(transactions)
        theirs = an_event("E9", scope=STRANGER)
        with transactions.begin() as store:
            store.events.append(theirs)

        with transactions.begin() as store:
            assert _events(store, OTHER_COMPANY) == [theirs]
            assert _events(store) == [*EVENTS]

    def test_the_texts_in_a_clients_events_are_erased_and_nothing_else(self, transactions: Transactions) -> None:
        written = an_event("E1", data={"feedback_id": "T1", "subject": "Hammer 😀"})
        labelled = an_event("E2", data={"token_id": "G1", "label": "For Ada"})
        others = [an_event("E3", scope=NEIGHBOUR, data=labelled.data), an_event("E4"), an_event("E5", data={"n": 1})]
        strangers = an_event("E1", scope=STRANGER, data=labelled.data)
        prepare(transactions)
        with transactions.begin() as store:
            for event in (written, labelled, *others, strangers):
                store.events.append(event)

        with transactions.begin() as store:
            erased = [store.events.erase(COMPANY, CLIENT) for _ in range(2)]

        with transactions.begin() as store:
            blank = [
                evolve(written, data={"feedback_id": "T1", "subject": ""}),
                evolve(labelled, data={"token_id": "G1", "label": None}),
            ]
            assert erased == [2, 0]
            assert _events(store) == [*blank, *others]
            assert _events(store, OTHER_COMPANY) == [strangers]

    def test_an_entry_of_the_audit_log_is_kept_as_it_is(self, transactions: Transactions) -> None:
        bare = an_audit_entry("A2", client_id=None, actor=COMMAND_LINE, created_at=moment(-1))
        prepare(transactions)

        with transactions.begin() as store:
            store.audit.append(FULL_ENTRY)
            store.audit.append(bare)

        with transactions.begin() as store:
            page = store.audit.page(COMPANY, Listing(sort=MOMENT_SORTS[0]), AuditFilter())
            assert page.items == (FULL_ENTRY, bare)

    def test_an_answer_is_found_under_its_key_alone(self, transactions: Transactions) -> None:
        answer = an_answer(fingerprint=bytes(range(32)), body=bytes(range(256)))
        prepare(transactions)

        with transactions.begin() as store:
            kept = store.answers.keep(a_key(), answer, since=NOW)

        with transactions.begin() as store:
            assert kept
            assert store.answers.find(a_key(), since=NOW) == answer
            assert [store.answers.find(key, since=NOW) for key in OTHER_KEYS] == [None] * len(OTHER_KEYS)

    def test_an_answer_is_found_until_it_is_too_old(self, transactions: Transactions) -> None:
        _keep(transactions, a_key())

        with transactions.begin() as store:
            assert store.answers.find(a_key(), since=NOW - MICROSECOND) == an_answer()
            assert store.answers.find(a_key(), since=NOW) == an_answer()
            assert store.answers.find(a_key(), since=NOW + MICROSECOND) is None

    def test_a_second_answer_is_not_kept(self, transactions: Transactions) -> None:
        _keep(transactions, a_key())

        with transactions.begin() as store:
            second = store.answers.keep(a_key(), an_answer(status=500, answered_at=moment(9)), since=NOW)
            another = store.answers.keep(a_key("K2"), an_answer(status=409), since=NOW)

        with transactions.begin() as store:
            assert (second, another) == (False, True)
            assert store.answers.find(a_key(), since=NOW) == an_answer()
            assert store.answers.find(a_key("K2"), since=NOW) == an_answer(status=409)

    def test_an_answer_that_is_too_old_is_replaced(self, transactions: Transactions) -> None:
        fresh = an_answer(fingerprint=b"1" * 32, status=200, body=b"", answered_at=moment(9))
        _keep(transactions, a_key())

        with transactions.begin() as store:
            replaced = store.answers.keep(a_key(), fresh, since=NOW + MICROSECOND)

        with transactions.begin() as store:
            assert replaced
            assert store.answers.find(a_key(), since=NOW) == fresh

    def test_what_was_answered_before_a_moment_is_pruned(self, transactions: Transactions) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            for second, key in enumerate((*OTHER_KEYS, a_key())):
                store.answers.keep(key, an_answer(answered_at=moment(second)), since=NOW)

        with transactions.begin() as store:
            pruned = store.answers.prune(before=moment(2))
            again = store.answers.prune(before=moment(2))

        with transactions.begin() as store:
            left = [key for key in (*OTHER_KEYS, a_key()) if store.answers.find(key, since=NOW) is not None]
            assert (pruned, again) == (2, 0)
            assert left == [*OTHER_KEYS[2:], a_key()]

    def test_what_somebody_was_answered_is_forgotten(self, transactions: Transactions) -> None:
        keys = [a_key(asker=asker, key=key) for asker, key in (("G1", "K1"), ("G1", "K2"), ("G2", "K1"), ("G3", "K1"))]
        theirs = a_key(asker="G1", company_id=OTHER_COMPANY)
        prepare(transactions)
        with transactions.begin() as store:
            for key in (*keys, theirs):
                store.answers.keep(key, an_answer(), since=NOW)

        with transactions.begin() as store:
            forgotten = [store.answers.forget(COMPANY, askers) for askers in (["G1", "G2", "G9"], ["G1", "G2"], [])]

        with transactions.begin() as store:
            left = [key for key in (*keys, theirs) if store.answers.find(key, since=NOW) is not None]
            assert (forgotten, left) == ([3, 0, 0], [keys[-1], theirs])


def _append(transactions: Transactions) -> None:
    prepare(transactions)
    with transactions.begin() as store:
        for event in EVENTS[:2]:
            store.events.append(event)
    with transactions.begin() as store:
        for event in EVENTS[2:]:
            store.events.append(event)


def _events(store: Store, company_id: CompanyId = COMPANY) -> list[Event]:
    page = store.events.page(company_id, after=None, limit=100)
    assert page is not None
    return list(page.items)


def _keep(transactions: Transactions, key: KeyOfAnswer) -> None:
    prepare(transactions)
    with transactions.begin() as store:
        store.answers.keep(key, an_answer(), since=NOW)
