"""Webhooks, and what is on its way: nothing is sent by two at a time, and nothing is lost."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from threading import Thread

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    COMPANY,
    NOW,
    OTHER_COMPANY,
    STRANGER,
    a_dispatch,
    a_webhook,
    an_event,
    moment,
)
from portal_adapters.contract.feeding import prepare
from portal_core.domain.errors import Busy
from portal_core.domain.events import EventType
from portal_core.domain.filters import DispatchFilter
from portal_core.domain.ids import DispatchId
from portal_core.domain.outbox import Attempt, Channel, Dispatch, DispatchState, Schedule
from portal_core.domain.paging import Listing
from portal_core.domain.webhooks import SigningSecret, Webhook
from portal_core.ports import Store, Transactions

SECRETS = (
    SigningSecret(key=b"0" * 32, created_at=NOW, dies_at=moment(9)),
    SigningSecret(key=bytes(range(32)), created_at=moment(1)),
)
WEBHOOKS = (
    a_webhook("W1"),
    a_webhook(
        "W2",
        events=frozenset({EventType.QUOTE_ACCEPTED, EventType.FEEDBACK_REPLIED}),
        description="Grüße 😀",
        disabled_at=moment(5),
        disabled_because="gone",
        secrets=SECRETS,
        created_at=moment(3),
    ),
)
EVERY = frozenset(Channel)
NEWEST = Listing(sort="created_at")
DISPATCHES = (
    a_dispatch("X1", due_at=moment(3)),
    a_dispatch("X2", due_at=moment(1)),
    a_dispatch("X3", due_at=moment(2), target="W2"),
    a_dispatch("X4", due_at=moment(0), channel=Channel.MAIL, target="staff"),
    a_dispatch("X5", company_id=OTHER_COMPANY, due_at=moment(4)),
)
WORKERS = 8


class OutboxContract:
    """What is to be told to whom, and the work of telling it."""

    def test_a_webhook_is_read_back_as_it_was_kept(self, transactions: Transactions) -> None:
        _keep(transactions, *WEBHOOKS)

        with transactions.begin() as store:
            assert [store.webhooks.get(COMPANY, each.id) for each in WEBHOOKS] == [*WEBHOOKS]
            assert store.webhooks.get(OTHER_COMPANY, WEBHOOKS[0].id) is None
            assert store.webhooks.page(COMPANY, NEWEST).items == WEBHOOKS[::-1]
            assert store.webhooks.page(OTHER_COMPANY, NEWEST).items == ()

    def test_a_webhook_is_changed_once_for_each_version(self, transactions: Transactions) -> None:
        _keep(transactions, *WEBHOOKS)
        changed = evolve(
            WEBHOOKS[0], url="http://other.example", events=frozenset(EventType), description="x", secrets=SECRETS
        )

        with transactions.begin() as store:
            first = store.webhooks.update(changed)
            second = store.webhooks.update(changed)
            theirs = store.webhooks.update(evolve(changed, company_id=OTHER_COMPANY, version=2))

        with transactions.begin() as store:
            assert (first, second, theirs) == (True, False, False)
            assert store.webhooks.get(COMPANY, changed.id) == evolve(changed, version=2)
            assert store.webhooks.get(COMPANY, WEBHOOKS[1].id) == WEBHOOKS[1]

    def test_a_webhook_goes_with_all_that_was_sent_to_it(self, transactions: Transactions) -> None:
        _keep(transactions, *WEBHOOKS)
        _queue(transactions, *DISPATCHES)

        with transactions.begin() as store:
            removed = store.webhooks.remove(COMPANY, WEBHOOKS[0].id)
            again = store.webhooks.remove(COMPANY, WEBHOOKS[0].id)
            theirs = store.webhooks.remove(OTHER_COMPANY, WEBHOOKS[1].id)

        with transactions.begin() as store:
            assert (removed, again, theirs) == (True, False, False)
            assert store.webhooks.get(COMPANY, WEBHOOKS[0].id) is None
            assert [_kept(store, each) is not None for each in DISPATCHES] == [False, False, True, True, True]

    def test_a_dispatch_is_read_back_as_it_was_kept(self, transactions: Transactions) -> None:
        tried = a_dispatch(
            "X9",
            state=DispatchState.FAILED,
            attempts=3,
            attempted_at=moment(7),
            status=500,
            problem="Grüße 😀",
            version=4,
        )
        _queue(transactions, *DISPATCHES, tried)

        with transactions.begin() as store:
            for dispatch in (*DISPATCHES, tried):
                assert _kept(store, dispatch) == dispatch
            assert store.dispatches.get(OTHER_COMPANY, DISPATCHES[0].id) is None

    @pytest.mark.parametrize(
        "narrowed, found",
        [
            (DispatchFilter(), "X4 X3 X2 X1"),
            (DispatchFilter(channel=Channel.WEBHOOK, target="W1"), "X2 X1"),
            (DispatchFilter(channel=Channel.MAIL), "X4"),
            (DispatchFilter(states=frozenset({DispatchState.DELIVERED})), "X2"),
            (DispatchFilter(target="W1", states=frozenset({DispatchState.PENDING})), "X1"),
        ],
    )
    def test_dispatches_are_found_by_receiver_and_state(
        self, transactions: Transactions, narrowed: DispatchFilter, found: str
    ) -> None:
        _queue(transactions, *DISPATCHES)
        with transactions.begin() as store:
            store.dispatches.update(evolve(DISPATCHES[1], state=DispatchState.DELIVERED))

        with transactions.begin() as store:
            page = store.dispatches.page(COMPANY, NEWEST, narrowed)

        assert " ".join(each.id for each in page.items) == found

    def test_a_dispatch_is_settled_once_for_each_version(self, transactions: Transactions) -> None:
        _queue(transactions, *DISPATCHES)
        tried = DISPATCHES[0].tried(Attempt(arrived=False, status=500, problem="x"), Schedule(()), jitter=1, at=NOW)

        with transactions.begin() as store:
            settled = [store.dispatches.update(tried) for _ in range(2)]
            theirs = store.dispatches.update(evolve(tried, company_id=OTHER_COMPANY, version=2))

        with transactions.begin() as store:
            assert (settled, theirs) == ([True, False], False)
            assert _kept(store, tried) == evolve(tried, version=2)

    def test_dispatches_are_removed_whatever_came_of_them(self, transactions: Transactions) -> None:
        _queue(transactions, *DISPATCHES)
        sent, waiting = DISPATCHES[0], DISPATCHES[2]
        asked = [sent.id, waiting.id, DispatchId("unknown")]
        with transactions.begin() as store:
            store.dispatches.update(evolve(sent, state=DispatchState.DELIVERED))

        with transactions.begin() as store:
            theirs = store.dispatches.remove(OTHER_COMPANY, [DISPATCHES[1].id])
            removed = [store.dispatches.remove(COMPANY, ids) for ids in (asked, asked, [])]

        with transactions.begin() as store:
            assert (theirs, removed) == (0, [2, 0, 0])
            assert [_kept(store, each) is not None for each in DISPATCHES] == [False, True, False, True, True]

    def test_what_is_due_the_longest_is_claimed_first_and_put_off(self, transactions: Transactions) -> None:
        _queue(transactions, *DISPATCHES)

        with transactions.begin() as store:
            early = store.outbox.claim(EVERY, at=moment(-1), until=moment(60), most=9)
            first = store.outbox.claim(EVERY, at=moment(3), until=moment(60), most=3)
            second = store.outbox.claim(EVERY, at=moment(3), until=moment(60), most=3)
            later = store.outbox.claim(EVERY, at=moment(60), until=moment(90), most=9)

        assert [_ids(each) for each in (early, first, second, later)] == ["", "X2 X3 X4", "X1", "X1 X2 X3 X4 X5"]
        assert first[0] == evolve(DISPATCHES[1], due_at=moment(60), version=2)
        with transactions.begin() as store:
            assert _kept(store, DISPATCHES[1]) == evolve(DISPATCHES[1], due_at=moment(90), version=3)

    def test_claims_are_of_some_ways_out_and_leave_some_receivers_alone(self, transactions: Transactions) -> None:
        _queue(transactions, *DISPATCHES)

        with transactions.begin() as store:
            mail = store.outbox.claim({Channel.MAIL}, at=moment(9), until=moment(60), most=9)
            others = store.outbox.claim(
                {Channel.WEBHOOK}, at=moment(9), until=moment(60), most=9, but={(COMPANY, "W1"), (OTHER_COMPANY, "W2")}
            )
            nothing = store.outbox.claim((), at=moment(99), until=moment(199), most=9)

        assert (_ids(mail), _ids(others), nothing) == ("X4", "X3 X5", ())

    def test_claims_leave_some_companies_alone(self, transactions: Transactions) -> None:
        _queue(transactions, *DISPATCHES)

        with transactions.begin() as store:
            theirs = store.outbox.claim(EVERY, at=moment(9), until=moment(60), most=9, but_of={COMPANY})
            nothing = store.outbox.claim(EVERY, at=moment(9), until=moment(60), most=9, but_of={COMPANY, OTHER_COMPANY})
            ours = store.outbox.claim(
                EVERY, at=moment(9), until=moment(60), most=9, but={(COMPANY, "staff")}, but_of={OTHER_COMPANY}
            )

        assert (_ids(theirs), nothing, _ids(ours)) == ("X5", (), "X1 X2 X3")

    def test_what_was_settled_is_claimed_no_more(self, transactions: Transactions) -> None:
        _queue(transactions, *DISPATCHES)
        with transactions.begin() as store:
            store.dispatches.update(evolve(DISPATCHES[0], state=DispatchState.DELIVERED))
            store.dispatches.update(evolve(DISPATCHES[1], state=DispatchState.FAILED))

        with transactions.begin() as store:
            assert _ids(store.outbox.claim(EVERY, at=moment(9), until=moment(60), most=9)) == "X3 X4 X5"

    def test_events_are_taken_once_and_in_order(self, transactions: Transactions) -> None:
        prepare(transactions)
        events = [an_event(f"E{number}") for number in (3, 1, 2)]
        theirs = an_event("E1", scope=STRANGER)
        with transactions.begin() as store:
            for event in (*events, theirs):
                store.events.append(event)

        taken: list[list[str]] = []
        for _ in range(4):
            with transactions.begin() as store:
                taken.append([f"{each.company_id} {each.id}" for each in store.outbox.take_events(most=2)])
        with transactions.begin() as store:
            store.events.append(an_event("E4"))
        with transactions.begin() as store:
            after = store.outbox.take_events(most=2)

        assert taken == [["acme E3", "acme E1"], ["acme E2"], ["umbrella E1"], []]
        assert after == (an_event("E4"),)

    def test_events_whose_taking_failed_are_taken_again(self, transactions: Transactions) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            store.events.append(an_event())

        def take_and_fail() -> None:
            with transactions.begin() as store:
                store.outbox.take_events(most=9)
                store.dispatches.add([a_dispatch()])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            take_and_fail()

        with transactions.begin() as store:
            assert _kept(store, a_dispatch()) is None
            assert store.outbox.take_events(most=9) == (an_event(),)

    def test_there_is_work_when_events_were_not_taken_or_dispatches_are_due(self, transactions: Transactions) -> None:
        prepare(transactions)
        asked: list[bool] = []

        def ask(at: datetime = NOW) -> None:
            with transactions.begin() as store:
                asked.append(store.outbox.has_work({Channel.WEBHOOK}, at=at))

        ask()
        with transactions.begin() as store:
            store.events.append(an_event())
        ask()
        with transactions.begin() as store:
            store.outbox.take_events(most=9)
            store.dispatches.add([DISPATCHES[1], DISPATCHES[3]])
        ask()
        ask(moment(1))

        assert asked == [False, True, False, True]

    def test_what_was_settled_long_ago_is_pruned(self, transactions: Transactions) -> None:
        states = (DispatchState.DELIVERED, DispatchState.FAILED, DispatchState.PENDING)
        old = [a_dispatch(f"old.{each}", state=each, attempted_at=moment(1)) for each in states]
        fresh = [a_dispatch(f"new.{each}", state=each, attempted_at=moment(2)) for each in states]
        _queue(transactions, *old, *fresh, a_dispatch("X1"))

        with transactions.begin() as store:
            pruned = store.outbox.prune(before=moment(2))

        with transactions.begin() as store:
            left = store.dispatches.page(COMPANY, NEWEST, DispatchFilter()).items
            assert pruned == 2
            assert {str(each.id) for each in left} == {
                "new.delivered",
                "new.failed",
                "new.pending",
                "X1",
                "old.pending",
            }

    def test_many_share_the_work_and_nobody_gets_what_another_has(self, transactions: Transactions) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            for number in range(60):
                store.events.append(an_event(f"E{number:02}"))
        taken: list[str] = []
        claimed: list[str] = []

        def work() -> None:
            idle = 0
            while idle < 3:
                try:
                    with transactions.begin() as store:
                        events = store.outbox.take_events(most=7)
                        store.dispatches.add(a_dispatch(f"X{each.id}", message_id=each.id) for each in events)
                    with transactions.begin() as store:
                        mine = store.outbox.claim(EVERY, at=NOW, until=moment(60), most=5)
                except Busy:
                    continue
                taken.extend(each.id for each in events)
                claimed.extend(each.id for each in mine)
                idle = 0 if events or mine else idle + 1

        _all_at_once(1 if getattr(self, "single_threaded", False) else WORKERS, work)

        assert Counter(taken) == Counter(f"E{number:02}" for number in range(60))
        assert Counter(claimed) == Counter(f"XE{number:02}" for number in range(60))


def _all_at_once(workers: int, work: Callable[[], None]) -> None:
    threads = [Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _keep(transactions: Transactions, *webhooks: Webhook) -> None:
    prepare(transactions)
    with transactions.begin() as store:
        for webhook in webhooks:
            store.webhooks.add(webhook)


def _queue(transactions: Transactions, *dispatches: Dispatch) -> None:
    prepare(transactions)
    with transactions.begin() as store:
        store.dispatches.add(dispatches)


def _kept(store: Store, dispatch: Dispatch) -> Dispatch | None:
    return store.dispatches.get(dispatch.company_id, dispatch.id)


def _ids(dispatches: tuple[Dispatch, ...]) -> str:
    return " ".join(each.id for each in dispatches)
