"""Webhooks, and what was sent to them."""

from portal_core.domain.outbox import Dispatch, DispatchState
from portal_core.domain.webhooks import Webhook
from portal_http.present.values import moment
from portal_http.shapes import IssuedWebhookShape, SentShape, WebhookShape


def webhook_row(webhook: Webhook) -> WebhookShape:
    """Return a webhook without its secrets."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": None if webhook.events is None else sorted(webhook.events),
        "description": webhook.description,
        "enabled": webhook.enabled,
        "disabled_at": moment(webhook.disabled_at),
        "disabled_because": webhook.disabled_because,
        "created_at": moment(webhook.created_at),
    }


def issued_webhook(webhook: Webhook) -> IssuedWebhookShape:
    """Return a webhook with its newest secret."""
    return {**webhook_row(webhook), "secret": webhook.secrets[-1].text}


def sent(dispatch: Dispatch) -> SentShape:
    """Return what was sent, or is to be."""
    waits = dispatch.state is DispatchState.PENDING
    return {
        "id": dispatch.id,
        "event_id": dispatch.message_id,
        "type": dispatch.type,
        "state": dispatch.state,
        "attempts": dispatch.attempts,
        "created_at": moment(dispatch.created_at),
        "next_attempt_at": moment(dispatch.due_at) if waits else None,
        "last_attempt_at": moment(dispatch.attempted_at),
        "last_status": dispatch.status,
        "last_error": dispatch.problem,
    }
