"""The work of those who send: events become dispatches, dispatches are claimed, and what came of each is kept."""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from attrs import frozen

from portal_core.domain.events import Event
from portal_core.domain.ids import CompanyId, DispatchId, WebhookId
from portal_core.domain.outbox import Attempt, Channel, Dispatch, Receiver, Schedule
from portal_core.domain.paging import every
from portal_core.domain.webhooks import Webhook
from portal_core.ports import Store
from portal_core.use_cases.mail import readers_of
from portal_core.use_cases.payloads import told

MOST_EVENTS = 100
"""So many events become dispatches in one transaction."""

KEPT_FOR = timedelta(days=30)
"""How long it is told what was sent, after it has arrived or was given up."""

_DISABLED = Attempt(arrived=False, problem="The webhook is disabled.", final=True)


@frozen(kw_only=True)
class Parcel:
    """A dispatch that somebody has claimed, with the webhook that it goes to, where it goes to one."""

    dispatch: Dispatch
    webhook: Webhook | None = None


def address_events(store: Store, channels: Collection[Channel], *, now: datetime) -> int:
    """Make dispatches of the next events of some company; return how many events those were."""
    events = store.outbox.take_events(most=MOST_EVENTS)
    if events:
        webhooks = list(_webhooks_of(store, events[0].company_id)) if Channel.WEBHOOK in channels else []
        store.dispatches.add(
            _dispatch(store, event, channel, target, now)
            for event in events
            for channel, target in _receivers(event, webhooks, channels, now)
        )
    return len(events)


def claim_parcels(
    store: Store,
    channels: Collection[Channel],
    *,
    lease: timedelta,
    most: int,
    but: Collection[Receiver] = (),
    but_of: Collection[CompanyId] = (),
    now: datetime,
) -> list[Parcel] | None:
    """Claim what is due, for as long as the lease, or return None where nothing is.

    What is for a disabled webhook is given up at once and left out of the list, which may then be empty. What goes to
    the receivers in `but`, and all that is of the companies in `but_of`, is left alone.
    """
    claimed = store.outbox.claim(channels, at=now, until=now + lease, most=most, but=but, but_of=but_of)
    if not claimed:
        return None
    known: dict[tuple[CompanyId, str], Webhook | None] = {}
    parcels: list[Parcel] = []
    for dispatch in claimed:
        webhook = None
        if dispatch.channel is Channel.WEBHOOK:
            place = (dispatch.company_id, dispatch.target)
            if place not in known:
                known[place] = store.webhooks.get(dispatch.company_id, WebhookId(dispatch.target))
            webhook = known[place]
            if webhook is None or not webhook.enabled:
                store.dispatches.update(dispatch.tried(_DISABLED, Schedule(()), jitter=1, at=now))
                continue
        parcels.append(Parcel(dispatch=dispatch, webhook=webhook))
    return parcels


def settle_parcel(
    store: Store, parcel: Parcel, outcome: Attempt, schedule: Schedule, *, jitter: float, now: datetime
) -> bool:
    """Keep what came of an attempt; False when the claim had run out, and somebody else has tried since."""
    if not store.dispatches.update(parcel.dispatch.tried(outcome, schedule, jitter=jitter, at=now)):
        return False
    if outcome.gone and parcel.webhook is not None:
        # Whoever changed the webhook meanwhile knew what they did; the next answer will say again that it is gone.
        store.webhooks.update(parcel.webhook.disabled("The receiver answered that it is gone (410).", at=now))
    return True


def put_off_parcel(store: Store, parcel: Parcel, *, until: datetime) -> bool:
    """Let a parcel be claimed again from a moment on, without an attempt; False when the claim had run out."""
    return store.dispatches.update(parcel.dispatch.put_off(until=until))


def prune_dispatches(store: Store, *, now: datetime) -> int:
    """Forget what was sent, or given up, long ago; return how many dispatches that was."""
    return store.outbox.prune(before=now - KEPT_FOR)


def _webhooks_of(store: Store, company_id: CompanyId) -> Iterator[Webhook]:
    return every(lambda listing: store.webhooks.page(company_id, listing))


def _receivers(
    event: Event, webhooks: Collection[Webhook], channels: Collection[Channel], now: datetime
) -> Iterator[tuple[Channel, str]]:
    for webhook in webhooks:
        if webhook.wants(event):
            yield Channel.WEBHOOK, webhook.id
    if Channel.MAIL in channels:
        for reader in readers_of(event, now=now):
            yield Channel.MAIL, reader
    if Channel.HOST in channels:
        yield Channel.HOST, ""


def _dispatch(store: Store, event: Event, channel: Channel, target: str, now: datetime) -> Dispatch:
    return Dispatch(
        id=DispatchId(store.mint.new_id()),
        company_id=event.company_id,
        channel=channel,
        target=target,
        message_id=event.id,
        type=event.type.value,
        payload=told(event),
        created_at=now,
        due_at=now,
    )
