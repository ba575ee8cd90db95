"""Webhooks: where a company's systems hear of events, and what was sent to each. A secret is told once."""

from datetime import timedelta
from http import HTTPStatus

from portal_core.domain.ids import DispatchId, WebhookId
from portal_core.domain.outbox import DispatchState
from portal_core.domain.paging import MOMENT_SORTS
from portal_core.domain.webhooks import Webhook
from portal_core.ports import Store
from portal_core.use_cases import webhooks
from portal_http import present
from portal_http.answers import Answer, answered, encoded, nothing
from portal_http.calls import StaffCall
from portal_http.cursors import asked_list
from portal_http.queries import choices
from portal_http.requests import AddWebhook, AmendWebhook, Nothing, RotateWebhook, webhook_changes_of

STATE = choices("state", DispatchState, "What became of them: `failed` are those that were given up.")


async def list_all(call: StaffCall) -> Answer:
    """Return a page of webhooks, without their secrets."""
    asked = asked_list(call, MOMENT_SORTS)
    page = await call.read(lambda store: webhooks.list_webhooks(store, call.company_id, asked.listing))
    return asked.answer(page, [present.webhook_row(each) for each in page.items])


async def read_one(call: StaffCall) -> Answer:
    """Return one webhook, without its secrets."""
    webhook_id = WebhookId(call.record_id)
    webhook = await call.read(lambda store: webhooks.read_webhook(store, call.company_id, webhook_id))
    return answered(present.webhook_row(webhook))


async def add(call: StaffCall, asked: AddWebhook) -> Answer:
    """Add a webhook."""
    wanted = asked.webhook()
    return await call.write(
        lambda store: _told_once(
            webhooks.add_webhook(store, call.company_id, wanted, now=call.now, by=call.actor), status=HTTPStatus.CREATED
        )
    )


async def amend(call: StaffCall, asked: AmendWebhook) -> Answer:
    """Change where events are sent, which, what for, or whether at all."""
    webhook_id, changes = WebhookId(call.record_id), webhook_changes_of(asked)

    def work(store: Store) -> Answer:
        webhook = webhooks.amend_webhook(store, call.company_id, webhook_id, changes, now=call.now, by=call.actor)
        return answered(present.webhook_row(webhook))

    return await call.write(work)


async def remove(call: StaffCall) -> Answer:
    """Remove a webhook."""

    def work(store: Store) -> Answer:
        webhooks.remove_webhook(store, call.company_id, WebhookId(call.record_id), now=call.now, by=call.actor)
        return nothing()

    return await call.write(work)


async def rotate(call: StaffCall, asked: RotateWebhook) -> Answer:
    """Give a webhook a fresh secret."""
    webhook_id, overlap = WebhookId(call.record_id), timedelta(seconds=asked.overlap_seconds)
    return await call.write(
        lambda store: _told_once(
            webhooks.rotate_webhook(store, call.company_id, webhook_id, overlap=overlap, now=call.now, by=call.actor),
            status=HTTPStatus.OK,
        )
    )


async def test(call: StaffCall, _: Nothing) -> Answer:
    """Queue a message that means nothing."""

    def work(store: Store) -> Answer:
        dispatch = webhooks.try_webhook(store, call.company_id, WebhookId(call.record_id), now=call.now, by=call.actor)
        return answered(present.sent(dispatch), status=HTTPStatus.ACCEPTED)

    return await call.write(work)


async def list_sent(call: StaffCall) -> Answer:
    """Return a page of what was and is to be sent to a webhook."""
    asked, states, webhook_id = asked_list(call, MOMENT_SORTS), call.query.get(STATE), WebhookId(call.record_id)
    page = await call.read(lambda store: webhooks.list_sent(store, call.company_id, webhook_id, asked.listing, states))
    return asked.answer(page, [present.sent(each) for each in page.items])


async def send_again(call: StaffCall, _: Nothing) -> Answer:
    """Queue anew what was sent before."""
    webhook_id, dispatch_id = WebhookId(call.above_id), DispatchId(call.record_id)

    def work(store: Store) -> Answer:
        dispatch = webhooks.send_again(store, call.company_id, webhook_id, dispatch_id, now=call.now, by=call.actor)
        return answered(present.sent(dispatch), status=HTTPStatus.ACCEPTED)

    return await call.write(work)


def _told_once(webhook: Webhook, *, status: HTTPStatus) -> Answer:
    shape = present.issued_webhook(webhook)
    answer = answered(shape, status=status)
    answer.kept = encoded({"data": {**shape, "secret": None}})
    return answer
