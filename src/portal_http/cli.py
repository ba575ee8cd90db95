"""The command line: results go to stdout, messages to stderr; it exits with 0 done, 1 refused, 2 wrong usage."""

import gc
import os
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click
from attrs import evolve

from portal_adapters.clock import now
from portal_core.domain.access import ALL_PERMISSIONS, GrantState, Permission
from portal_core.domain.audit import COMMAND_LINE
from portal_core.domain.errors import Busy, Refusal
from portal_core.domain.events import EventType
from portal_core.domain.ids import ClientId, CompanyId, DispatchId, GrantId, WebhookId
from portal_core.domain.paging import LARGEST_LIMIT, MOMENT_SORTS, Listing, Page
from portal_core.domain.webhooks import Webhook
from portal_core.ports import Store
from portal_http.settings import Settings, SettingsRefused, load_settings

WRONG_USAGE = 2

_LONGEST_RECEIPT = 1024 * 1024

_EVENTS = [each.value for each in EventType]

_OBJECTS_BETWEEN_COLLECTIONS = 50_000

T = TypeVar("T")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="customer-portal", prog_name="portal")
def main() -> None:
    """Share quotes, orders, deliveries, invoices and payments with clients behind a link.

    Settings come from PORTAL_* environment variables, or from portal.toml in the working directory.
    `portal demo` shows what it is about.
    """


@main.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port.")
def demo(port: int) -> None:
    """Serve a sample company on this machine and print a link that works.

    Its data is kept in a temporary file and is gone when you stop it with Ctrl+C.
    """
    from portal_http.demo import serve_demo

    with _refusals():
        serve_demo(port, say=click.echo)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="How many processes.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the portal. It needs PORTAL_ADMIN_JWT_KEY, and a database that `portal migrate` prepared."""
    from portal_http.serving import serve as run

    with _refusals():
        run(load_settings(), host=host, port=port, workers=workers)


@main.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE..."
)
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for programs.")
def import_(files: Sequence[str], *, dry_run: bool, as_json: bool) -> None:
    """Take in JSON Lines: one record a line, in any order. `-` reads the standard input.

    A record with a known id replaces what is kept under it. A file with anything wrong in it changes nothing.
    """
    from portal_adapters.records.importing import ImportOvertaken, import_records
    from portal_adapters.records.staging import FileRefused
    from portal_http.main import database

    # Thousands of records are made and let go of, hardly any in a circle: to look for such so often costs a tenth.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    with _refusals(), database(load_settings()) as transactions:
        try:
            with _progress() as progress:
                counts = import_records(
                    transactions,
                    _opened(files),
                    reading=transactions.read,
                    dry_run=dry_run,
                    helpers=os.cpu_count() or 0,
                    progress=progress,
                    by=COMMAND_LINE,
                )
        except FileRefused as refused:
            _tell_problems(refused, as_json=as_json)
            sys.exit(1)
        except ImportOvertaken as overtaken:
            _tell_problems(overtaken, overtaken.kept, as_json=as_json)
            sys.exit(1)
    _tell_counts(counts, as_json=as_json)
    if dry_run:
        click.echo("Nothing was changed: this was a dry run.", err=True)


@main.command()
@click.option("--company", "company_id", metavar="ID", help="Only this company.")
@click.option("--client", "client_id", metavar="ID", help="Only this client, with its company.")
@click.option("--decisions", is_flag=True, help="Add clients' decisions and feedback, which an import does not take.")
def export(company_id: str | None, client_id: str | None, *, decisions: bool) -> None:
    """Print all records as JSON Lines, in a fixed order and form."""
    from portal_adapters.records.writing import export_records
    from portal_http.main import database

    out = sys.stdout.buffer
    company = None if company_id is None else CompanyId(company_id)
    client = None if client_id is None else ClientId(client_id)
    written = False
    with _refusals(), database(load_settings()) as transactions, transactions.read() as store:
        for line in export_records(store, company_id=company, client_id=client, decisions=decisions):
            out.write(line)
            written = True
    out.flush()
    if not written and (client_id or company_id):
        raise click.ClickException("There is no such company or client.")


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False))
@click.option("--company", "company_id", required=True, metavar="ID", help="The company's id.")
@click.option("--invoice", "invoice_id", metavar="ID", help="Whose the one file is, where its name does not tell.")
def attach(files: Sequence[str], company_id: str, invoice_id: str | None) -> None:
    """Attach PDFs to invoices and credit notes. A file is named after its invoice's id: I-1.pdf.

    Every file is looked at before one is kept: if any is wrong, none is attached.
    """
    from portal_core.domain.errors import InvalidInput, NotFound
    from portal_core.domain.ids import InvoiceId
    from portal_core.use_cases.files import attach_file

    if invoice_id is not None and len(files) > 1:
        raise click.BadParameter("goes with one file", param_hint="--invoice")
    settings, at, wrong = load_settings(), now(), list[str]()
    with _refusals(), _writing(settings) as store:
        for name in files:
            try:
                content = _pdf_in(Path(name), settings)
                own_id = InvoiceId(invoice_id or Path(name).stem)
                attach_file(store, CompanyId(company_id), own_id, content, now=at, by=COMMAND_LINE)
            except InvalidInput as invalid:
                wrong += [f"{name}: {each.detail}" for each in invalid.problems]
            except NotFound as missing:
                wrong.append(f"{name}: {missing.detail}")
        if wrong:
            raise click.ClickException("\n".join([*wrong, "Nothing was attached."]))
    click.echo(f"{len(files)} attached.", err=True)


@main.command()
def migrate() -> None:
    """Create the database's tables, or bring them up to date."""
    from portal_http.main import migrate_database

    with _refusals():
        migrate_database(load_settings())
    click.echo("The database is up to date.", err=True)


@main.group()
def token() -> None:
    """Issue, list, revoke and renew the links that clients open."""


_company = click.option("--company", "company_id", required=True, metavar="ID", help="The company's id.")
_as_json = click.option("--json", "as_json", is_flag=True, help="Print what the API answers.")


def _moment(_: click.Context, __: click.Parameter, text: str | None) -> datetime | None:
    from portal_adapters.records.values import parse_moment

    try:
        return None if text is None else parse_moment(text)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong)) from None


@token.command("create")
@_company
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
@_as_json
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
    from portal_http.main import life_of

    with _refusals():
        asked = NewGrant(
            client_id=ClientId(client_id),
            permissions=ALL_PERMISSIONS - {Permission(each) for each in without},
            expires_at=expires,
            label=_label(label),
        )
        settings = load_settings()
        with _writing(settings) as store:
            issued = issue_link(store, CompanyId(company_id), asked, life_of(settings), now=now(), by=COMMAND_LINE)
            if send_to is not None:
                _require_mail(settings)
                queue_link(store, CompanyId(company_id), issued.grant.id, send_to=send_to, now=now(), by=COMMAND_LINE)
    _tell_link(issued, settings, as_json=as_json)


@token.command("send")
@_company
@click.argument("token_id", metavar="ID")
@click.option("--to", "send_to", metavar="EMAIL", help="Where to; else to the client's own address.")
def token_send(company_id: str, token_id: str, send_to: str | None) -> None:
    """Send a link by e-mail. Earlier ones of it go on working."""
    from portal_core.use_cases.mail import queue_link

    with _refusals():
        settings = load_settings()
        _require_mail(settings)
        with _writing(settings) as store:
            queued = queue_link(
                store, CompanyId(company_id), GrantId(token_id), send_to=send_to, now=now(), by=COMMAND_LINE
            )
    click.echo(f"It will be sent to {queued.target}.", err=True)


@token.command("list")
@_company
@click.option("--client", "client_id", metavar="ID", help="Only this client's.")
@click.option("--state", multiple=True, type=click.Choice([each.value for each in GrantState]))
@_as_json
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
    with _refusals(), _reading(load_settings()) as store:
        for grant in _every(lambda listing: list_links(store, CompanyId(company_id), listing, narrowed, now=at)):
            row = link_row(grant, at)
            click.echo(_json(row) if as_json else _row_of(row))


@token.command("revoke")
@_company
@click.argument("token_id", metavar="ID")
def token_revoke(company_id: str, token_id: str) -> None:
    """Revoke a link by its id, effective at once."""
    from portal_core.use_cases.access import revoke_link

    with _refusals(), _writing(load_settings()) as store:
        revoke_link(store, CompanyId(company_id), GrantId(token_id), now=now(), by=COMMAND_LINE)
    click.echo(f"{token_id} is revoked.", err=True)


@token.command("rotate")
@_company
@click.argument("token_id", metavar="ID")
@click.option(
    "--overlap", default=0, show_default=True, type=click.IntRange(0), help="Seconds the old link still works."
)
@_as_json
def token_rotate(*, company_id: str, token_id: str, overlap: int, as_json: bool) -> None:
    """Give a link a fresh secret and print the new link; the old one dies."""
    from portal_core.use_cases.access import rotate_link

    with _refusals():
        settings = load_settings()
        with _writing(settings) as store:
            issued = rotate_link(
                store,
                CompanyId(company_id),
                GrantId(token_id),
                overlap=timedelta(seconds=overlap),
                now=now(),
                by=COMMAND_LINE,
            )
    _tell_link(issued, settings, as_json=as_json)


@main.command()
@_company
@click.option("--client", "client_id", metavar="ID", help="Only what is about this client.")
@_as_json
def audit(*, company_id: str, client_id: str | None, as_json: bool) -> None:
    """Print a company's audit log, newest first: who did what, when and from where."""
    from portal_core.domain.filters import AuditFilter
    from portal_core.use_cases.audit import list_audit_entries
    from portal_http.present.audit import audit_entry

    narrowed = AuditFilter(client_id=None if client_id is None else ClientId(client_id))
    with _refusals(), _reading(load_settings()) as store:
        for entry in _every(lambda listing: list_audit_entries(store, CompanyId(company_id), listing, narrowed)):
            shape = audit_entry(entry)
            click.echo(_json(shape) if as_json else _act_of(shape))


@main.command()
@click.option("--once", is_flag=True, help="Send what is due now, and end.")
def deliver(*, once: bool) -> None:
    """Send what is to be sent to webhooks, until stopped. Several may run at a time, beside `portal serve` too."""
    import asyncio

    from portal_http.main import deliver as run

    with _refusals():
        asyncio.run(run(load_settings(), once=once))


@main.group()
def webhook() -> None:
    """Say where events are sent, and see what became of each."""


_webhook_id = click.argument("webhook_id", metavar="ID")


@webhook.command("create")
@_company
@click.option("--url", required=True, help="Where to: an http or https address.")
@click.option(
    "--event", "events", multiple=True, type=click.Choice(_EVENTS), help="Only such; may be given several times."
)
@click.option("--description", metavar="TEXT", help="What it is for.")
@_as_json
def webhook_create(*, company_id: str, url: str, events: Sequence[str], description: str | None, as_json: bool) -> None:
    """Send a company's events to an address, and print the secret that signs them. It is told this once."""
    from portal_core.use_cases.webhooks import NewWebhook, add_webhook

    wanted = frozenset(map(EventType, events)) or None
    with _refusals(), _writing(load_settings()) as store:
        asked = NewWebhook(url=url, events=wanted, description=description)
        made = add_webhook(store, CompanyId(company_id), asked, now=now(), by=COMMAND_LINE)
    _tell_webhook(made, as_json=as_json)


@webhook.command("list")
@_company
@_as_json
def webhook_list(*, company_id: str, as_json: bool) -> None:
    """List the webhooks of a company, newest first. A secret is never shown again."""
    from portal_core.use_cases.webhooks import list_webhooks
    from portal_http.present.webhooks import webhook_row

    with _refusals(), _reading(load_settings()) as store:
        for each in _every(lambda listing: list_webhooks(store, CompanyId(company_id), listing)):
            row = webhook_row(each)
            state = "enabled" if row["enabled"] else "disabled"
            click.echo(_json(row) if as_json else f"{row['id']}  {state}  {row['url']}")


@webhook.command("change")
@_company
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
    with _refusals(), _writing(load_settings()) as store:
        amend_webhook(store, CompanyId(company_id), WebhookId(webhook_id), changes, now=now(), by=COMMAND_LINE)
    click.echo(f"{webhook_id} is changed.", err=True)


@webhook.command("rotate")
@_company
@_webhook_id
@click.option(
    "--overlap",
    default=24 * 60 * 60,
    show_default=True,
    type=click.IntRange(0),
    help="Seconds in which the old secret signs, too.",
)
@_as_json
def webhook_rotate(*, company_id: str, webhook_id: str, overlap: int, as_json: bool) -> None:
    """Give a webhook a fresh secret and print it."""
    from portal_core.use_cases.webhooks import rotate_webhook

    with _refusals(), _writing(load_settings()) as store:
        lasting = timedelta(seconds=overlap)
        rotated = rotate_webhook(
            store, CompanyId(company_id), WebhookId(webhook_id), overlap=lasting, now=now(), by=COMMAND_LINE
        )
    _tell_webhook(rotated, as_json=as_json)


@webhook.command("remove")
@_company
@_webhook_id
def webhook_remove(company_id: str, webhook_id: str) -> None:
    """Remove a webhook with all that was or is to be sent to it."""
    from portal_core.use_cases.webhooks import remove_webhook

    with _refusals(), _writing(load_settings()) as store:
        remove_webhook(store, CompanyId(company_id), WebhookId(webhook_id), now=now(), by=COMMAND_LINE)
    click.echo(f"{webhook_id} is removed.", err=True)


@webhook.command("test")
@_company
@_webhook_id
def webhook_test(company_id: str, webhook_id: str) -> None:
    """Queue a message that means nothing for a webhook; `portal webhook deliveries` tells what becomes of it."""
    from portal_core.use_cases.webhooks import try_webhook

    with _refusals(), _writing(load_settings()) as store:
        queued = try_webhook(store, CompanyId(company_id), WebhookId(webhook_id), now=now(), by=COMMAND_LINE)
    click.echo(queued.id)


@webhook.command("deliveries")
@_company
@_webhook_id
@click.option("--state", multiple=True, type=click.Choice(["pending", "delivered", "failed"]))
@_as_json
def webhook_deliveries(*, company_id: str, webhook_id: str, state: Sequence[str], as_json: bool) -> None:
    """List what was and is to be sent to a webhook, newest first."""
    from portal_core.domain.outbox import DispatchState
    from portal_core.use_cases.webhooks import list_sent
    from portal_http.present.webhooks import sent

    states = frozenset(map(DispatchState, state)) or None
    whose = CompanyId(company_id), WebhookId(webhook_id)
    with _refusals(), _reading(load_settings()) as store:
        for each in _every(lambda listing: list_sent(store, *whose, listing, states)):
            row = sent(each)
            cells = (row["id"], row["type"], row["state"], f"{row['attempts']} attempts", row["last_error"] or "")
            click.echo(_json(row) if as_json else "  ".join(cells).rstrip())


@webhook.command("replay")
@_company
@_webhook_id
@click.argument("delivery_id", metavar="DELIVERY")
def webhook_replay(company_id: str, webhook_id: str, delivery_id: str) -> None:
    """Send a message again."""
    from portal_core.use_cases.webhooks import send_again

    with _refusals(), _writing(load_settings()) as store:
        send_again(
            store, CompanyId(company_id), WebhookId(webhook_id), DispatchId(delivery_id), now=now(), by=COMMAND_LINE
        )
    click.echo(f"{delivery_id} will be sent again.", err=True)


@main.command("admin-token")
@click.option(
    "--company", "company_ids", required=True, multiple=True, metavar="ID", help="May be given several times."
)
@click.option(
    "--scope",
    default="portal:admin",
    show_default=True,
    type=click.Choice(["portal:read", "portal:admin"]),
    help="portal:read only reads.",
)
@click.option("--subject", default="developer", show_default=True, help="Who it is for.")
def admin_token(company_ids: Sequence[str], scope: str, subject: str) -> None:
    """Print a token of staff's, for trying the API. It needs PORTAL_ADMIN_JWT_KEY, a secret (HS256)."""
    from portal_core.domain.ids import ID_RULE, is_id
    from portal_http.main import development_token

    for each in company_ids:
        if not is_id(each):
            raise click.BadParameter(ID_RULE, param_hint="--company")
    if not subject.strip():
        raise click.BadParameter("must not be empty", param_hint="--subject")
    with _refusals():
        click.echo(development_token(load_settings(), company_ids, scope=scope, subject=subject, at=now()))


@main.command()
def doctor() -> None:
    """Check the settings, the database and this machine; exit with 1 when something is wrong."""
    from portal_http.doctor import examine

    findings = list(examine(load_settings, now()))
    for each in findings:
        click.echo(f"{'ok   ' if each.fine else 'WRONG'}  {each.subject}: {each.detail}")
    sys.exit(0 if all(each.fine for each in findings) else 1)


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--keys",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The business's keys, as its /.well-known/jwks.json shows them; else those of the settings.",
)
def verify(file: BinaryIO, keys: Path | None) -> None:
    """Check the receipt of a decision and print what it says; exit with 1 when it is not genuine.

    `-` reads the standard input. No network is needed.
    """
    from portal_http.main import ForgedReceipt, checked_receipt

    with _refusals():
        published = None if keys is None else keys.read_text(encoding="utf-8", errors="replace")
        receipt = file.read(_LONGEST_RECEIPT).decode("ascii", errors="replace").removesuffix("\n")
        try:
            statement, kid = checked_receipt(load_settings(), receipt, published=published)
        except ForgedReceipt as forged:
            raise click.ClickException(f"This receipt is not genuine: {forged}.") from None
    click.echo(statement)
    click.echo(f"This receipt is genuine; it was signed with the key {kid}.", err=True)


@main.command()
def openapi() -> None:
    """Print the API's description (OpenAPI 3.1) as JSON."""
    from portal_http.main import openapi_document

    with _refusals():
        click.echo(openapi_document(load_settings()), nl=False)


@main.command()
def prune() -> None:
    """Forget answers to repeated requests after a day, and what was sent after 30 days. Run it once a day."""
    from portal_core.use_cases.idempotency import prune_answers
    from portal_core.use_cases.outbox import prune_dispatches

    with _refusals(), _writing(load_settings()) as store:
        count = prune_answers(store, now=now()) + prune_dispatches(store, now=now())
    click.echo(f"{count} forgotten.", err=True)


@contextmanager
def _refusals() -> Generator[None]:
    """Tell what was refused in a sentence, without a traceback."""
    from portal_http.main import SchemaOutdated, WiringRefused

    try:
        yield
    except Busy as busy:
        raise click.ClickException(f"The database is busy: {busy.detail}") from None
    except Refusal as refusal:
        raise click.ClickException(refusal.detail) from None
    except SchemaOutdated as outdated:
        raise click.ClickException(str(outdated)) from None
    except (SettingsRefused, WiringRefused) as wrong:
        click.echo(str(wrong), err=True)
        sys.exit(WRONG_USAGE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _opened(files: Sequence[str]) -> Iterator[tuple[str, BinaryIO]]:
    """Yield the files one after the other, each with the name that it is told by."""
    for name in files:
        if name == "-":
            yield "standard input", sys.stdin.buffer
        else:
            with Path(name).open("rb") as file:
                yield name, file


def _pdf_in(file: Path, settings: Settings) -> bytes:
    from portal_core.domain.errors import InvalidInput

    if file.stat().st_size > settings.document_max_mb * 1024 * 1024:
        raise InvalidInput.at("", f"may have at most {settings.document_max_mb} MiB")
    return file.read_bytes()


@contextmanager
def _writing(settings: Settings) -> Generator[Store]:
    from portal_http.main import database

    with database(settings) as transactions, transactions.begin() as store:
        yield store


@contextmanager
def _reading(settings: Settings) -> Generator[Store]:
    from portal_http.main import database

    with database(settings) as transactions, transactions.read() as store:
        yield store


def _every(page_of: Callable[[Listing], Page[T]]) -> Iterator[T]:
    """Yield all of a list, newest first."""
    listing: Listing | None = Listing(sort=MOMENT_SORTS[0], limit=LARGEST_LIMIT, total=0)
    while listing is not None:
        page = page_of(listing)
        yield from page.items
        listing = None if page.next is None else evolve(listing, after=page.next)


def _tell_webhook(made: Webhook, *, as_json: bool) -> None:
    from portal_http.present.webhooks import issued_webhook

    shape = issued_webhook(made)
    click.echo(_json({"data": shape}) if as_json else shape["secret"])
    click.echo(f"Its id is {made.id}.", err=True)


def _require_mail(settings: Settings) -> None:
    from portal_http.main import WiringRefused

    if settings.smtp_url is None:
        raise WiringRefused("PORTAL_SMTP_URL is not set, so no e-mail can be sent.")


def _label(label: str | None) -> str | None:
    from portal_core.domain.text import NAME_LENGTH, required_text

    try:
        return None if label is None else required_text(label, longest=NAME_LENGTH)
    except ValueError as wrong:
        raise click.BadParameter(str(wrong), param_hint="--label") from None


def _json(value: object) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_UTC_Z).decode()


def _tell_link(issued: Any, settings: Settings, *, as_json: bool) -> None:  # noqa: ANN401 - an IssuedLink, imported late
    from portal_http.main import public_url_of
    from portal_http.present.links import issued_link

    shape = issued_link(issued, public_url_of(settings))
    click.echo(_json({"data": shape}) if as_json else shape["url"])


def _row_of(row: Any) -> str:  # noqa: ANN401 - a LinkShape, imported late
    used = "never used" if row["last_used_at"] is None else f"used {row['last_used_at']:%Y-%m-%d %H:%M}"
    cells = (row["id"], row["client_id"], row["state"], f"…{row['hint']}", f"until {row['expires_at']:%Y-%m-%d %H:%M}")
    return "  ".join(map(str, (*cells, used, row["label"] or ""))).rstrip()


def _act_of(entry: Any) -> str:  # noqa: ANN401 - an AuditEntryShape, imported late
    target, actor = entry["target"], entry["actor"]
    cells = (f"{entry['created_at']:%Y-%m-%d %H:%M:%S}", entry["action"], target["type"], target["id"])
    known = [actor["id"] if actor["type"] != "client" else f"link {actor['id']}", entry["ip"]]
    return "  ".join((*cells, "by", *filter(None, known)))


def _tell_counts(counts: Any, *, as_json: bool) -> None:  # noqa: ANN401 - Counts, imported late
    told = _by_type(counts)
    if as_json:
        click.echo(_json(told))
        return
    for kind, row in told.items():
        parts = [f"{count} {outcome}" for outcome, count in row.items() if outcome != "deleted" or count]
        click.echo(f"{kind}: {', '.join(parts)}")


def _by_type(counts: Any) -> dict[str, dict[str, int]]:  # noqa: ANN401 - as above
    from portal_core.domain.records import RecordType
    from portal_core.use_cases.records import Outcome

    table = {kind.value: {each.value: counts[kind, each] for each in Outcome} for kind in RecordType}
    return {kind: row for kind, row in table.items() if any(row.values())}


def _tell_problems(refused: Any, kept: Any = None, *, as_json: bool) -> None:  # noqa: ANN401 - imported late, as above
    for problem in refused.problems:
        click.echo(str(problem), err=True)
    more = refused.total - len(refused.problems)
    if more:
        click.echo(f"… and {more} more.", err=True)
    click.echo("Nothing was changed." if kept is None else _how_far(kept), err=True)
    if as_json:
        fields = ("file", "line", "pointer", "detail")
        errors = [{name: getattr(each, name) for name in fields} for each in refused.problems]
        how_far = {} if kept is None else {"kept": _by_type(kept)}
        click.echo(_json({"errors": errors, "total": refused.total, **how_far}))


def _how_far(kept: Any) -> str:  # noqa: ANN401 - as above
    changed = sum(count for row in _by_type(kept).values() for outcome, count in row.items() if outcome != "unchanged")
    return (
        "Meanwhile others changed what the files had been checked against. "
        f"{changed} records, all of whole clients, were taken in before that. Mend the problems and run it again."
    )


@contextmanager
def _progress() -> Generator[Callable[[str, int], None]]:
    """Tell how far a long work is: on a terminal in one line, else a line every few seconds."""
    terminal = sys.stderr.isatty()
    pause = timedelta(seconds=0.2 if terminal else 5)
    last = now()
    shown = False

    def progress(what: str, done: int) -> None:
        nonlocal last, shown
        if now() - last < pause:
            return
        last, shown = now(), True
        click.echo(f"{chr(13) if terminal else ''}{what}: {done:,} records", nl=not terminal, err=True)

    try:
        yield progress
    finally:
        if terminal and shown:
            click.echo("", err=True)
