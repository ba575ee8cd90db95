"""The commands about where events are sent."""

from collections.abc import Sequence
from datetime import timedelta

import click

from portal_adapters.clock import now
from portal_core.domain.audit import COMMAND_LINE
from portal_core.domain.events import EventType
from portal_core.domain.ids import CompanyId, DispatchId, WebhookId
from portal_core.domain.paging import every
from portal_core.domain.webhooks import Webhook
from portal_http.cli.common import as_json_option, company, json_of, reading, refusals, writing
from portal_http.settings import load_settings

_EVENTS = [each.value for each in EventType]


@click.group()
def webhook() -> None:
    """Say where events are sent, and see what became of each."""


_webhook_id = click.argument("webhook_id", metavar="ID")


@webhook.command("create")
@company
@click.option("--url", required=True, help="Where to: an http or https address.")
@click.option(
    "--event", "events", multiple=True, type=click.Choice(_EVENTS), help="Only such; may be given several times."
)
@click.option("--description", metavar="TEXT", help="What it is for.")
@as_json_option
def webhook_create(*, company_id: str, url: str, events: Sequence[str], description: str | None, as_json: bool) -> None:
    """Send a company's events to an address, and print the secret that signs them. It is told this once."""
    from portal_core.use_cases.webhooks import NewWebhook, add_webhook

    wanted = frozenset(map(EventType, events)) or None
    with refusals(), writing(load_settings()) as store:
        asked = NewWebhook(url=url, events=wanted, description=description)
        made = add_webhook(store, CompanyId(company_id), asked, now=now(), by=COMMAND_LINE)
    _tell_webhook(made, as_json=as_json)


@webhook.command("list")
@company
@as_json_option
def webhook_list(*, company_id: str, as_json: bool) -> None:
    """List the webhooks of a company, newest first. A secret is never shown again."""
    from portal_core.use_cases.webhooks import list_webhooks
    from portal_http.present.webhooks import webhook_row

    with refusals(), reading(load_settings()) as store:
        for each in every(lambda listing: list_webhooks(store, CompanyId(company_id), listing)):
            row = webhook_row(each)
            state = "enabled" if row["enabled"] else "disabled"
            click.echo(json_of(row) if as_json else f"{row['id']}  {state}  {row['url']}")


@webhook.command("change")
@company
@_webhook_id
@click.option("--url", help="Where to from now on.")
@click.option(
    "--event", "events", multiple=True, type=click.Choice(_EVENTS), help="Only such; may be given several times."
)
@click.option("--all-events", is_flag=True, help="Every event.")
@click.option("--enable/--disable", "enabled", default=None, help="Whether it is told of anything.")
def webhook_change(
    *,
    company_id: str,
    webhook_id: str,
    url: str | None,
    events: Sequence[str],
    all_events: bool,
    enabled: bool | None,
) -> None:
    """Change where events are sent, which, or whether at all."""
    from portal_core.domain.webhooks import WebhookChanges
    from portal_core.use_cases.webhooks import amend_webhook

    changes: WebhookChanges = {}
    if url is not None:
        changes["url"] = url
    if events or all_events:
        changes["events"] = None if all_events else frozenset(map(EventType, events))
    if enabled is not None:
        changes["enabled"] = enabled
    with refusals(), writing(load_settings()) as store:
        amend_webhook(store, CompanyId(company_id), WebhookId(webhook_id), changes, now=now(), by=COMMAND_LINE)
    click.echo(f"{webhook_id} is changed.", err=True)


@webhook.command("rotate")
@company
@_webhook_id
@click.option(
    "--overlap",
    default=24 * 60 * 60,
    show_default=True,
    type=click.IntRange(0),
    help="Seconds in which the old secret signs, too.",
)
@as_json_option
def webhook_rotate(*, company_id: str, webhook_id: str, overlap: int, as_json: bool) -> None:
    """Give a webhook a fresh secret and print it."""
    from portal_core.use_cases.webhooks import rotate_webhook

    with refusals(), writing(load_settings()) as store:
        lasting = timedelta(seconds=overlap)
        rotated = rotate_webhook(
            store, CompanyId(company_id), WebhookId(webhook_id), overlap=lasting, now=now(), by=COMMAND_LINE
        )
    _tell_webhook(rotated, as_json=as_json)


@webhook.command("remove")
@company
@_webhook_id
def webhook_remove(company_id: str, webhook_id: str) -> None:
    """Remove a webhook with all that was or is to be sent to it."""
    from portal_core.use_cases.webhooks import remove_webhook

    with refusals(), writing(load_settings()) as store:
        remove_webhook(store, CompanyId(company_id), WebhookId(webhook_id), now=now(), by=COMMAND_LINE)
    click.echo(f"{webhook_id} is removed.", err=True)


@webhook.command("test")
@company
@_webhook_id
def webhook_test(company_id: str, webhook_id: str) -> None:
    """Queue a message that means nothing for a webhook; `portal webhook deliveries` tells what becomes of it."""
    from portal_core.use_cases.webhooks import try_webhook

    with refusals(), writing(load_settings()) as store:
        queued = try_webhook(store, CompanyId(company_id), WebhookId(webhook_id), now=now(), by=COMMAND_LINE)
    click.echo(queued.id)


@webhook.command("deliveries")
@company
@_webhook_id
@click.option("--state", multiple=True, type=click.Choice(["pending", "delivered", "failed"]))
@as_json_option
def webhook_deliveries(*, company_id: str, webhook_id: str, state: Sequence[str], as_json: bool) -> None:
    """List what was and is to be sent to a webhook, newest first."""
    from portal_core.domain.outbox import DispatchState
    from portal_core.use_cases.webhooks import list_sent
    from portal_http.present.webhooks import sent

    states = frozenset(map(DispatchState, state)) or None
    whose = CompanyId(company_id), WebhookId(webhook_id)
    with refusals(), reading(load_settings()) as store:
        for each in every(lambda listing: list_sent(store, *whose, listing, states)):
            row = sent(each)
            cells = (row["id"], row["type"], row["state"], f"{row['attempts']} attempts", row["last_error"] or "")
            click.echo(json_of(row) if as_json else "  ".join(cells).rstrip())


@webhook.command("replay")
@company
@_webhook_id
@click.argument("delivery_id", metavar="DELIVERY")
def webhook_replay(company_id: str, webhook_id: str, delivery_id: str) -> None:
    """Send a message again."""
    from portal_core.use_cases.webhooks import send_again

    with refusals(), writing(load_settings()) as store:
        send_again(
            store, CompanyId(company_id), WebhookId(webhook_id), DispatchId(delivery_id), now=now(), by=COMMAND_LINE
        )
    click.echo(f"{delivery_id} will be sent again.", err=True)


def _tell_webhook(made: Webhook, *, as_json: bool) -> None:
    from portal_http.present.webhooks import issued_webhook

    shape = issued_webhook(made)
    click.echo(json_of({"data": shape}) if as_json else shape["secret"])
    click.echo(f"Its id is {made.id}.", err=True)
