"""The commands about the links that clients open."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from portal_adapters.clock import now
from portal_core.domain.access import ALL_PERMISSIONS, GrantState, Permission
from portal_core.domain.audit import COMMAND_LINE
from portal_core.domain.ids import ClientId, CompanyId, GrantId
from portal_core.domain.paging import every
from portal_http.cli.common import as_json_option, company, json_of, reading, refusals, writing
from portal_http.settings import Settings, load_settings


@click.group()
def token() -> None:
    """Issue, list, revoke and renew the links that clients open."""


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    from portal_adapters.records.values import parse_moment

    try:
        return None if text is None else parse_moment(text)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from None


@token.command("create")
@company
@click.option("--client", "client_id", required=True, metavar="ID", help="The client's id.")
@click.option(
    "--without",
    multiple=True,
    metavar="PERMISSION",
    type=click.Choice([each.value for each in Permission]),
    help=f"Withhold one of {', '.join(Permission)}; may be given several times.",
)
@click.option("--expires", callback=_moment, metavar="MOMENT", help='Such as "2027-01-31T18:00:00+01:00".')
@click.option("--label", metavar="TEXT", help="For staff, to tell links apart.")
@click.option("--send-to", metavar="EMAIL", help="Send it there, too; a courier does, where PORTAL_SMTP_URL is set.")
@as_json_option
def token_create(
    *,
    company_id: str,
    client_id: str,
    without: Sequence[str],
    expires: datetime | None,
    label: str | None,
    send_to: str | None,
    as_json: bool,
) -> None:
    """Issue a link to a client and print it. It is told this once and kept nowhere."""
    from portal_core.use_cases.access import NewGrant, issue_link
    from portal_core.use_cases.mail import queue_link
    from portal_http.wiring.links import life_of

    with refusals():
        asked = NewGrant(
            client_id=ClientId(client_id),
            permissions=ALL_PERMISSIONS - {Permission(each) for each in without},
            expires_at=expires,
            label=_label(label),
        )
        settings = load_settings()
        with writing(settings) as store:
            issued = issue_link(store, CompanyId(company_id), asked, life_of(settings), now=now(), by=COMMAND_LINE)
            if send_to is not None:
                _require_mail(settings)
                queue_link(store, CompanyId(company_id), issued.grant.id, send_to=send_to, now=now(), by=COMMAND_LINE)
    _tell_link(issued, settings, as_json=as_json)


@token.command("send")
@company
@click.argument("token_id", metavar="ID")
@click.option("--to", "send_to", metavar="EMAIL", help="Where to; else to the client's own address.")
def token_send(company_id: str, token_id: str, send_to: str | None) -> None:
    """Send a link by e-mail. Earlier ones of it go on working."""
    from portal_core.use_cases.mail import queue_link

    with refusals():
        settings = load_settings()
        _require_mail(settings)
        with writing(settings) as store:
            queued = queue_link(
                store, CompanyId(company_id), GrantId(token_id), send_to=send_to, now=now(), by=COMMAND_LINE
            )
    click.echo(f"It will be sent to {queued.target}.", err=True)


@token.command("list")
@company
@click.option("--client", "client_id", metavar="ID", help="Only this client's.")
@click.option("--state", multiple=True, type=click.Choice([each.value for each in GrantState]))
@as_json_option
def token_list(*, company_id: str, client_id: str | None, state: Sequence[str], as_json: bool) -> None:
    """List the links of a company, newest first. A link itself is never shown again."""
    from portal_core.domain.filters import GrantFilter
    from portal_core.use_cases.access import list_links
    from portal_http.present.links import link_row

    narrowed = GrantFilter(
        client_id=None if client_id is None else ClientId(client_id),
        states=frozenset(map(GrantState, state)) or None,
    )
    at = now()
    with refusals(), reading(load_settings()) as store:
        for grant in every(lambda listing: list_links(store, CompanyId(company_id), listing, narrowed, now=at)):
            row = link_row(grant, at)
            click.echo(json_of(row) if as_json else _row_of(row))


@token.command("revoke")
@company
@click.argument("token_id", metavar="ID")
def token_revoke(company_id: str, token_id: str) -> None:
    """Revoke a link by its id, effective at once."""
    from portal_core.use_cases.access import revoke_link

    with refusals(), writing(load_settings()) as store:
        revoke_link(store, CompanyId(company_id), GrantId(token_id), now=now(), by=COMMAND_LINE)
    click.echo(f"{token_id} is revoked.", err=True)


@token.command("rotate")
@company
@click.argument("token_id", metavar="ID")
@click.option(
    "--overlap", default=0, show_default=True, type=click.IntRange(0), help="Seconds the old link still works."
)
@as_json_option
def token_rotate(*, company_id: str, token_id: str, overlap: int, as_json: bool) -> None:
    """Give a link a fresh secret and print the new link; the old one dies."""
    from portal_core.use_cases.access import rotate_link

    with refusals():
        settings = load_settings()
        with writing(settings) as store:
            issued = rotate_link(
                store,
                CompanyId(company_id),
                GrantId(token_id),
                overlap=timedelta(seconds=overlap),
                now=now(),
                by=COMMAND_LINE,
            )
    _tell_link(issued, settings, as_json=as_json)


def _require_mail(settings: Settings) -> None:
    from portal_http.wiring import WiringRefused

    if settings.smtp_url is None:
        raise WiringRefused("PORTAL_SMTP_URL is not set, so no e-mail can be sent.")


def _label(label: str | None) -> str | None:
    from portal_core.domain.text import NAME_LENGTH, required_text

    try:
        return None if label is None else required_text(label, longest=NAME_LENGTH)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--label") from None


def _tell_link(issued: Any, settings: Settings, *, as_json: bool) -> None:  # noqa: ANN401 - an IssuedLink, imported late
    from portal_http.present.links import issued_link
    from portal_http.wiring.links import public_url_of

    shape = issued_link(issued, public_url_of(settings))
    click.echo(json_of({"data": shape}) if as_json else shape["url"])


def _row_of(row: Any) -> str:  # noqa: ANN401 - a LinkShape, imported late
    used = "never used" if row["last_used_at"] is None else f"used {row['last_used_at']:%Y-%m-%d %H:%M}"
    cells = (row["id"], row["client_id"], row["state"], f"…{row['hint']}", f"until {row['expires_at']:%Y-%m-%d %H:%M}")
    return "  ".join(map(str, (*cells, used, row["label"] or ""))).rstrip()
