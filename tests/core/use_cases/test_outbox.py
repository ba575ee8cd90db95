from collections.abc import Collection
from datetime import datetime, timedelta

from portal_core.domain.events import EventType
from portal_core.domain.filters import DispatchFilter
from portal_core.domain.ids import QuoteId
from portal_core.domain.outbox import Attempt, Channel, Dispatch, DispatchState, Schedule
from portal_core.domain.paging import Listing
from portal_core.domain.webhooks import Webhook
from portal_core.ports import Store
from portal_core.use_cases.outbox import (
    KEPT_FOR,
    Parcel,
    address_events,
    claim_parcels,
    prune_dispatches,
    put_off_parcel,
    settle_parcel,
)
from portal_core.use_cases.payloads import event_of
from portal_core.use_cases.quotes import accept_quote
from portal_core.use_cases.webhooks import (
    NewWebhook,
    add_webhook,
    amend_webhook,
    read_webhook,
    remove_webhook,
    try_webhook,
)
from tests.core.samples import CLIENT, COMPANY, DAY, LENA, NOW, SECOND, a_quote, a_visit

ONLY_WEBHOOKS = frozenset({Channel.WEBHOOK})
LEASE = timedelta(seconds=30)
ONCE = Schedule(())
ARRIVED = Attempt(arrived=True, status=200)
GONE = Attempt(arrived=False, status=410, final=True, gone=True)


def listen(store: Store, *events: EventType) -> Webhook:
    asked = NewWebhook(url="https://hooks.example/in", events=frozenset(events) or None)
    return add_webhook(store, COMPANY.id, asked, now=NOW)


def accept(store: Store, number: int = 1) -> str:
    quote = a_quote(id=QuoteId(f"q{number}"))
    store.intake.save([quote])
    decided = accept_quote(store, a_visit(), quote.id, LENA, seen=1, now=NOW)
    assert decided.decision is not None
    return decided.decision.id


def queued(store: Store) -> list[Dispatch]:
    listing = Listing(sort="created_at", descending=False, limit=100)
    return list(store.dispatches.page(COMPANY.id, listing, DispatchFilter()).items)


def claimed(
    store: Store, channels: Collection[Channel] = ONLY_WEBHOOKS, *, most: int = 9, now: datetime = NOW
) -> list[Parcel]:
    return claim_parcels(store, channels, lease=LEASE, most=most, now=now) or []


def test_an_event_goes_to_every_webhook_that_wants_it(store: Store) -> None:
    every, some, others = listen(store), listen(store, EventType.QUOTE_ACCEPTED), listen(store, EventType.TOKEN_REVOKED)
    decision_id = accept(store)

    addressed = [address_events(store, ONLY_WEBHOOKS, now=NOW) for _ in range(2)]

    assert addressed == [1, 0]
    assert {each.target for each in queued(store)} == {every.id, some.id} - {others.id}
    told = store.events.page(COMPANY.id, after=None, limit=9)
    assert told is not None
    (event,) = told.items
    for dispatch in queued(store):
        assert dispatch.message_id == event.id
        assert dispatch.payload == {
            "type": "quote.accepted",
            "timestamp": "2026-11-23T12:00:00Z",
            "data": {
                "client_id": CLIENT.id,
                "quote_id": "q1",
                "quote_number": "S00001",
                "revision": 1,
                "decision_id": decision_id,
            },
        }
        assert event_of(dispatch) == event


def test_more_webhooks_than_a_page_holds_all_hear_of_it(store: Store) -> None:
    made = {listen(store).id for _ in range(101)}
    accept(store)

    address_events(store, ONLY_WEBHOOKS, now=NOW)
    heard = {parcel.dispatch.target for parcel in claimed(store, most=200)}

    assert heard == made


def test_a_host_hears_of_every_event_and_webhooks_of_none_where_nobody_sends_to_them(store: Store) -> None:
    listen(store)
    accept(store)

    address_events(store, {Channel.HOST}, now=NOW)

    (parcel,) = claimed(store, {Channel.HOST})
    assert (parcel.dispatch.channel, parcel.webhook) == (Channel.HOST, None)


def test_what_is_claimed_comes_with_its_webhook_and_nobody_else_gets_it(store: Store) -> None:
    webhook = listen(store)
    accept(store, 1)
    accept(store, 2)
    address_events(store, ONLY_WEBHOOKS, now=NOW)

    first, second, third = claimed(store, most=1), claimed(store), claimed(store)

    assert [len(each) for each in (first, second, third)] == [1, 1, 0]
    assert {parcel.webhook for parcel in (*first, *second)} == {webhook}
    again = claimed(store, now=NOW + LEASE)
    assert len(again) == 2


def test_receivers_that_are_busy_are_left_alone(store: Store) -> None:
    webhook = listen(store)
    accept(store)
    address_events(store, ONLY_WEBHOOKS, now=NOW)

    assert claim_parcels(store, ONLY_WEBHOOKS, lease=LEASE, most=9, but={(COMPANY.id, webhook.id)}, now=NOW) is None
    assert claim_parcels(store, ONLY_WEBHOOKS, lease=LEASE, most=9, but_of={COMPANY.id}, now=NOW) is None


def test_what_arrived_is_settled_once(store: Store) -> None:
    listen(store)
    accept(store)
    address_events(store, ONLY_WEBHOOKS, now=NOW)
    (parcel,) = claimed(store)

    settled = [settle_parcel(store, parcel, ARRIVED, ONCE, jitter=1, now=NOW) for _ in range(2)]

    assert settled == [True, False]
    assert [each.state for each in queued(store)] == [DispatchState.DELIVERED]


def test_what_is_put_off_is_claimed_later_and_no_attempt_is_counted(store: Store) -> None:
    webhook = listen(store)
    try_webhook(store, COMPANY.id, webhook.id, now=NOW)
    (parcel,) = claimed(store)

    put_off = [put_off_parcel(store, parcel, until=NOW + SECOND) for _ in range(2)]

    assert (put_off, claimed(store)) == ([True, False], [])
    (again,) = claimed(store, now=NOW + SECOND)
    assert (again.dispatch.id, again.dispatch.attempts) == (parcel.dispatch.id, 0)


def test_who_answers_that_it_is_gone_is_disabled_and_hears_no_more(store: Store) -> None:
    webhook = listen(store)
    accept(store, 1)
    accept(store, 2)
    address_events(store, ONLY_WEBHOOKS, now=NOW)
    (parcel,) = claimed(store, most=1)

    settle_parcel(store, parcel, GONE, ONCE, jitter=1, now=NOW)
    rest = claim_parcels(store, ONLY_WEBHOOKS, lease=LEASE, most=9, now=NOW)
    accept(store, 3)
    address_events(store, ONLY_WEBHOOKS, now=NOW)

    disabled = read_webhook(store, COMPANY.id, webhook.id)
    assert (disabled.enabled, disabled.disabled_because) == (False, "The receiver answered that it is gone (410).")
    assert rest == []
    assert {each.state for each in queued(store)} == {DispatchState.FAILED}
    assert {each.problem for each in queued(store)} == {None, "The webhook is disabled."}


def test_a_webhook_that_was_changed_meanwhile_is_not_disabled(store: Store) -> None:
    webhook = listen(store)
    try_webhook(store, COMPANY.id, webhook.id, now=NOW)
    (parcel,) = claimed(store)
    amend_webhook(store, COMPANY.id, webhook.id, {"url": "https://hooks.example/moved"}, now=NOW)

    settle_parcel(store, parcel, GONE, ONCE, jitter=1, now=NOW)

    assert read_webhook(store, COMPANY.id, webhook.id).enabled


def test_a_webhook_that_is_removed_takes_along_what_was_claimed(store: Store) -> None:
    webhook = listen(store)
    try_webhook(store, COMPANY.id, webhook.id, now=NOW)
    (parcel,) = claimed(store)
    remove_webhook(store, COMPANY.id, webhook.id, now=NOW)

    assert not settle_parcel(store, parcel, GONE, ONCE, jitter=1, now=NOW)


def test_what_was_sent_is_forgotten_after_a_while(store: Store) -> None:
    listen(store)
    accept(store)
    address_events(store, ONLY_WEBHOOKS, now=NOW)
    (parcel,) = claimed(store)
    settle_parcel(store, parcel, ARRIVED, ONCE, jitter=1, now=NOW)

    assert prune_dispatches(store, now=NOW + KEPT_FOR) == 0
    assert prune_dispatches(store, now=NOW + KEPT_FOR + SECOND) == 1
    assert KEPT_FOR == 30 * DAY
