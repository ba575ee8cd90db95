from datetime import timedelta

import pytest
from attrs import evolve

from portal_core.domain.errors import Busy, InvalidInput, NotFound, NotOpen
from portal_core.domain.events import EventType
from portal_core.domain.filters import AuditFilter
from portal_core.domain.ids import CompanyId, DispatchId, WebhookId
from portal_core.domain.outbox import Channel, DispatchState
from portal_core.domain.paging import Listing
from portal_core.domain.webhooks import Webhook, WebhookChanges
from portal_core.ports import Store
from portal_core.use_cases.audit import list_audit_entries
from portal_core.use_cases.webhooks import (
    NewWebhook,
    add_webhook,
    amend_webhook,
    list_sent,
    list_webhooks,
    read_webhook,
    remove_webhook,
    rotate_webhook,
    send_again,
    try_webhook,
)
from tests.core.meanwhile import OvertakenDispatches, OvertakenWebhooks
from tests.core.samples import COMPANY, NOW, SECOND

NEWEST = Listing(sort="created_at")
OTHER = CompanyId("other")
URL = "https://hooks.example/in"


def added(store: Store) -> Webhook:
    return add_webhook(store, COMPANY.id, NewWebhook(url=URL), now=NOW)


def places(refused: pytest.ExceptionInfo[InvalidInput]) -> list[str | None]:
    return [problem.pointer for problem in refused.value.problems]


def test_a_webhook_is_added_with_a_secret_of_its_own(store: Store) -> None:
    first, second = added(store), added(store)

    assert first.secrets[0].key != second.secrets[0].key
    assert list(list_webhooks(store, COMPANY.id, NEWEST).items) == [second, first]
    assert read_webhook(store, COMPANY.id, first.id) == first
    with pytest.raises(NotFound):
        read_webhook(store, OTHER, first.id)


@pytest.mark.parametrize(
    "asked, place",
    [
        (NewWebhook(url="ftp://hooks.example"), "/url"),
        (NewWebhook(url="https://me:secret@hooks.example"), "/url"),
        (NewWebhook(url="https://hooks.example:65536/"), "/url"),
        (NewWebhook(url="https://hooks.example/\N{SNOWMAN}"), "/url"),
        (NewWebhook(url=f"https://hooks.example/{'x' * 2_000}"), "/url"),
        (NewWebhook(url=URL, events=frozenset()), "/events"),
        (NewWebhook(url=URL, description="x" * 2_001), "/description"),
    ],
)
def test_what_is_wrong_with_it_is_named(store: Store, asked: NewWebhook, place: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        add_webhook(store, COMPANY.id, asked, now=NOW)

    assert places(refused) == [place]


def test_a_webhook_is_changed_in_what_is_given(store: Store) -> None:
    webhook = added(store)
    events = frozenset({EventType.QUOTE_ACCEPTED})

    changed = amend_webhook(
        store,
        COMPANY.id,
        webhook.id,
        {"url": f" {URL}/2 ", "events": events, "description": " CRM ", "enabled": False},
        now=NOW + SECOND,
    )
    untouched = amend_webhook(store, COMPANY.id, webhook.id, {}, now=NOW)

    assert (changed.url, changed.events, changed.description, changed.enabled) == (f"{URL}/2", events, "CRM", False)
    assert untouched.description == "CRM"
    assert read_webhook(store, COMPANY.id, webhook.id) == untouched


def test_a_webhook_is_added_to_a_company_that_there_is(store: Store) -> None:
    with pytest.raises(NotFound, match="company"):
        add_webhook(store, OTHER, NewWebhook(url=URL), now=NOW)


def test_the_audit_log_tells_what_a_webhook_does_and_did_but_no_query(store: Store) -> None:
    webhook = add_webhook(store, COMPANY.id, NewWebhook(url=f"{URL}?key=s1", description="CRM"), now=NOW)
    events = frozenset({EventType.QUOTE_DECLINED, EventType.QUOTE_ACCEPTED})
    changes: list[WebhookChanges] = [
        {"url": f"{URL}?key=s2"},
        {"url": f"{URL}/2?key=s2", "events": events, "enabled": False, "description": "ERP"},
        {"enabled": False, "events": events},
        {},
    ]

    for second, each in enumerate(changes, 1):
        amend_webhook(store, COMPANY.id, webhook.id, each, now=NOW + second * SECOND)
    rotate_webhook(store, COMPANY.id, webhook.id, overlap=timedelta(0), now=NOW + 9 * SECOND)

    page = list_audit_entries(store, COMPANY.id, Listing(sort="created_at", descending=False), AuditFilter())
    notes = [(entry.act.action, entry.act.details) for entry in page.items]
    words = ["quote.accepted", "quote.declined"]
    assert notes == [
        ("webhook.created", {"url": URL, "events": None, "enabled": True}),
        ("webhook.changed", {"query": "changed"}),
        (
            "webhook.changed",
            {
                "url": {"from": URL, "to": f"{URL}/2"},
                "events": {"from": None, "to": words},
                "enabled": {"from": True, "to": False},
                "description": "changed",
            },
        ),
        ("webhook.rotated", {"others_die_at": "2026-11-23T12:00:09Z"}),
    ]


def test_a_change_that_another_forestalls_is_refused(store: Store) -> None:
    webhook = added(store)
    racing = evolve(store, webhooks=OvertakenWebhooks(store.webhooks, lambda: store.webhooks.update(webhook)))

    with pytest.raises(Busy):
        amend_webhook(racing, COMPANY.id, webhook.id, {}, now=NOW)


def test_a_rotated_webhook_signs_with_both_secrets_until_the_overlap_ends(store: Store) -> None:
    webhook = added(store)

    rotated = rotate_webhook(store, COMPANY.id, webhook.id, overlap=timedelta(seconds=9), now=NOW)

    old, new = rotated.secrets
    assert (old.key, old.dies_at) == (webhook.secrets[0].key, NOW + 9 * SECOND)
    assert new.dies_at is None
    for overlap in (timedelta(seconds=-1), timedelta(days=366)):
        with pytest.raises(InvalidInput):
            rotate_webhook(store, COMPANY.id, webhook.id, overlap=overlap, now=NOW)


def test_a_webhook_is_removed_once(store: Store) -> None:
    webhook = added(store)

    remove_webhook(store, COMPANY.id, webhook.id, now=NOW)

    with pytest.raises(NotFound):
        remove_webhook(store, COMPANY.id, webhook.id, now=NOW)


def test_a_webhook_is_tried_with_a_message_of_no_meaning(store: Store) -> None:
    webhook = added(store)

    dispatch = try_webhook(store, COMPANY.id, webhook.id, now=NOW)

    assert (dispatch.channel, dispatch.target, dispatch.due_at) == (Channel.WEBHOOK, webhook.id, NOW)
    assert dispatch.payload == {
        "type": "webhook.test",
        "timestamp": "2026-11-23T12:00:00Z",
        "data": {"webhook_id": webhook.id},
    }
    assert list_sent(store, COMPANY.id, webhook.id, NEWEST, None).items == (dispatch,)


def test_what_was_sent_is_listed_for_a_webhook_that_there_is(store: Store) -> None:
    webhook, silent = added(store), added(store)
    try_webhook(store, COMPANY.id, webhook.id, now=NOW)

    assert list_sent(store, COMPANY.id, silent.id, NEWEST, None).items == ()
    assert list_sent(store, COMPANY.id, webhook.id, NEWEST, frozenset({DispatchState.FAILED})).items == ()
    for company, webhook_id in ((OTHER, webhook.id), (COMPANY.id, WebhookId("none"))):
        with pytest.raises(NotFound):
            list_sent(store, company, webhook_id, NEWEST, None)


def test_what_was_sent_to_a_webhook_is_sent_again(store: Store) -> None:
    webhook, another = added(store), added(store)
    dispatch = try_webhook(store, COMPANY.id, webhook.id, now=NOW)

    again = send_again(store, COMPANY.id, webhook.id, dispatch.id, now=NOW + SECOND)

    assert (again.state, again.due_at, again.message_id) == ("pending", NOW + SECOND, dispatch.message_id)
    for webhook_id, dispatch_id in ((another.id, dispatch.id), (webhook.id, DispatchId("none"))):
        with pytest.raises(NotFound):
            send_again(store, COMPANY.id, webhook_id, dispatch_id, now=NOW)


def test_what_is_being_sent_just_now_is_not_sent_again(store: Store) -> None:
    webhook = added(store)
    dispatch = try_webhook(store, COMPANY.id, webhook.id, now=NOW)
    overtaken = OvertakenDispatches(store.dispatches, lambda: store.dispatches.update(dispatch))
    racing = evolve(store, dispatches=overtaken)

    with pytest.raises(Busy):
        send_again(racing, COMPANY.id, webhook.id, dispatch.id, now=NOW)


def test_nothing_is_sent_to_a_disabled_webhook(store: Store) -> None:
    webhook = added(store)
    dispatch = try_webhook(store, COMPANY.id, webhook.id, now=NOW)
    amend_webhook(store, COMPANY.id, webhook.id, {"enabled": False}, now=NOW)

    with pytest.raises(NotOpen):
        try_webhook(store, COMPANY.id, webhook.id, now=NOW)
    with pytest.raises(NotOpen):
        send_again(store, COMPANY.id, webhook.id, dispatch.id, now=NOW)
