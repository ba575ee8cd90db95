"""For staff: the webhooks that a company's systems listen at, and what was sent to each."""

from datetime import datetime, timedelta

from attrs import evolve, frozen

from portal_core.domain.audit import PROGRAM, Act, Actor, AuditAction, Target, TargetType
from portal_core.domain.documents import JSON, moment_json
from portal_core.domain.errors import Busy, InvalidInput, NotFound
from portal_core.domain.events import EventType
from portal_core.domain.filters import DispatchFilter
from portal_core.domain.ids import CompanyId, DispatchId, WebhookId
from portal_core.domain.outbox import TEST_MESSAGE, Channel, Dispatch, DispatchState
from portal_core.domain.paging import Listing, Page
from portal_core.domain.webhooks import SigningSecret, Webhook, WebhookChanges
from portal_core.ports import Store
from portal_core.use_cases.access import LONGEST_OVERLAP
from portal_core.use_cases.audit import note_act
from portal_core.use_cases.finding import require_found
from portal_core.use_cases.payloads import message_of
from portal_core.use_cases.typed import clean_description, clean_webhook_url

USUAL_OVERLAP = timedelta(days=1)
"""How long an earlier secret signs beside a fresh one, if nothing is said: the receiver needs time to change it."""


@frozen(kw_only=True)
class NewWebhook:
    """Where events are to be sent, which (None: all), and what it is for."""

    url: str
    events: frozenset[EventType] | None = None
    description: str | None = None


def add_webhook(
    store: Store, company_id: CompanyId, asked: NewWebhook, *, now: datetime, by: Actor = PROGRAM
) -> Webhook:
    """Add a webhook with a fresh secret; it hears of what happens from now on. Refuse with InvalidInput.

    Refuses with NotFound where there is no such company.
    """
    require_found(store.companies.get(company_id), "company", company_id)
    webhook = Webhook(
        id=WebhookId(store.mint.new_id()),
        company_id=company_id,
        url=clean_webhook_url(asked.url),
        events=_some(asked.events),
        description=clean_description(asked.description),
        created_at=now,
        secrets=(SigningSecret(key=store.mint.new_key(), created_at=now),),
    )
    store.webhooks.add(webhook)
    _note(store, AuditAction.WEBHOOK_CREATED, company_id, webhook.id, _shown(webhook), by=by, now=now)
    return webhook


def list_webhooks(store: Store, company_id: CompanyId, listing: Listing) -> Page[Webhook]:
    """Return a page of a company's webhooks."""
    return store.webhooks.page(company_id, listing)


def read_webhook(store: Store, company_id: CompanyId, webhook_id: WebhookId) -> Webhook:
    """Return one webhook."""
    return require_found(store.webhooks.get(company_id, webhook_id), "webhook", webhook_id)


def amend_webhook(
    store: Store,
    company_id: CompanyId,
    webhook_id: WebhookId,
    changes: WebhookChanges,
    *,
    now: datetime,
    by: Actor = PROGRAM,
) -> Webhook:
    """Change where events are sent, which, or whether at all; refuse with InvalidInput."""
    if "url" in changes:
        changes = {**changes, "url": clean_webhook_url(changes["url"])}
    if "description" in changes:
        changes = {**changes, "description": clean_description(changes["description"])}
    if "events" in changes:
        changes = {**changes, "events": _some(changes["events"])}
    webhook = read_webhook(store, company_id, webhook_id)
    amended = _updated(store, webhook.amend(at=now, **changes))
    if changed := _changed(webhook, amended):
        _note(store, AuditAction.WEBHOOK_CHANGED, company_id, webhook_id, changed, by=by, now=now)
    return amended


def rotate_webhook(
    store: Store,
    company_id: CompanyId,
    webhook_id: WebhookId,
    *,
    overlap: timedelta,
    now: datetime,
    by: Actor = PROGRAM,
) -> Webhook:
    """Give a webhook a fresh secret, beside which the earlier ones sign until the overlap ends."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise InvalidInput.at("/overlap_seconds", f"must be from 0 to {LONGEST_OVERLAP // timedelta(seconds=1):,}")
    fresh = SigningSecret(key=store.mint.new_key(), created_at=now)
    webhook = read_webhook(store, company_id, webhook_id)
    rotated = _updated(store, webhook.rotate(fresh, others_die_at=now + overlap))
    details: dict[str, JSON] = {"others_die_at": moment_json(now + overlap)}
    _note(store, AuditAction.WEBHOOK_ROTATED, company_id, webhook_id, details, by=by, now=now)
    return rotated


def remove_webhook(
    store: Store, company_id: CompanyId, webhook_id: WebhookId, *, now: datetime, by: Actor = PROGRAM
) -> None:
    """Remove a webhook with all that was or is to be sent to it."""
    if not store.webhooks.remove(company_id, webhook_id):
        raise NotFound(f"There is no webhook {webhook_id!r} here.")
    _note(store, AuditAction.WEBHOOK_REMOVED, company_id, webhook_id, by=by, now=now)


def try_webhook(
    store: Store, company_id: CompanyId, webhook_id: WebhookId, *, now: datetime, by: Actor = PROGRAM
) -> Dispatch:
    """Queue a message of no meaning for a webhook; refuse with NotOpen when it is disabled."""
    webhook = read_webhook(store, company_id, webhook_id)
    webhook.require_enabled()
    message_id = store.mint.new_id()
    dispatch = Dispatch(
        id=DispatchId(message_id),
        company_id=company_id,
        channel=Channel.WEBHOOK,
        target=webhook.id,
        message_id=message_id,
        type=TEST_MESSAGE,
        payload=message_of(TEST_MESSAGE, now, {"webhook_id": webhook.id}),
        created_at=now,
        due_at=now,
    )
    store.dispatches.add([dispatch])
    _note(store, AuditAction.WEBHOOK_TESTED, company_id, webhook_id, by=by, now=now)
    return dispatch


def list_sent(
    store: Store,
    company_id: CompanyId,
    webhook_id: WebhookId,
    listing: Listing,
    states: frozenset[DispatchState] | None,
) -> Page[Dispatch]:
    """Return a page of what was and is to be sent to a webhook."""
    narrowed = DispatchFilter(channel=Channel.WEBHOOK, target=webhook_id, states=states)
    page = store.dispatches.page(company_id, listing, narrowed)
    if not page.items:
        read_webhook(store, company_id, webhook_id)
    return page


def send_again(
    store: Store,
    company_id: CompanyId,
    webhook_id: WebhookId,
    dispatch_id: DispatchId,
    *,
    now: datetime,
    by: Actor = PROGRAM,
) -> Dispatch:
    """Send anew what was sent to a webhook before, or was given up; refuse with NotOpen when it is disabled."""
    dispatch = store.dispatches.get(company_id, dispatch_id)
    theirs = dispatch if dispatch is not None and dispatch.target == webhook_id else None
    again = require_found(theirs, "delivery", dispatch_id).again(at=now)
    read_webhook(store, company_id, webhook_id).require_enabled()
    if not store.dispatches.update(again):
        raise Busy("This is being sent just now. Try again in a moment.")
    details: dict[str, JSON] = {"delivery_id": dispatch_id}
    _note(store, AuditAction.WEBHOOK_REPLAYED, company_id, webhook_id, details, by=by, now=now)
    return again


def _some(events: frozenset[EventType] | None) -> frozenset[EventType] | None:
    if events is not None and not events:
        raise InvalidInput.at("/events", "must name at least one event; leave it out to hear of all of them")
    return events


def _shown(webhook: Webhook) -> dict[str, JSON]:
    """Return what a webhook does, for the audit log: its address without the query, in which there may be a secret."""
    events = None if webhook.events is None else sorted(event.value for event in webhook.events)
    return {
        "url": _without_query(webhook.url),
        "events": None if events is None else [*events],
        "enabled": webhook.enabled,
    }


def _changed(before: Webhook, after: Webhook) -> dict[str, JSON]:
    """Return what differs between two states of a webhook, each with what it was and what it is; words without."""
    was, now_is = _shown(before), _shown(after)
    changes: dict[str, JSON] = {
        name: {"from": was[name], "to": now_is[name]} for name in was if was[name] != now_is[name]
    }
    if before.url != after.url and "url" not in changes:
        changes["query"] = "changed"
    return changes if before.description == after.description else {**changes, "description": "changed"}


def _without_query(url: str) -> str:
    return url.partition("?")[0]


def _updated(store: Store, webhook: Webhook) -> Webhook:
    if not store.webhooks.update(webhook):
        raise Busy("Somebody else is changing this webhook just now. Try again in a moment.")
    return evolve(webhook, version=webhook.version + 1)


def _note(
    store: Store,
    action: AuditAction,
    company_id: CompanyId,
    webhook_id: WebhookId,
    details: dict[str, JSON] | None = None,
    *,
    by: Actor,
    now: datetime,
) -> None:
    target = Target(TargetType.WEBHOOK, webhook_id)
    note_act(store, Act(action=action, company_id=company_id, target=target, details=details or {}), by=by, now=now)
