"""The commands that look after the database and the machine, or tell about them."""

import sys

import click

from portal_adapters.clock import now
from portal_http.cli.common import refusals, writing
from portal_http.settings import load_settings


@click.command()
def migrate() -> None:
    """Create the database's tables, or bring them up to date."""
    from portal_http.wiring.databases import migrate_database

    with refusals():
        migrate_database(load_settings())
    click.echo("The database is up to date.", err=True)


@click.command()
def doctor() -> None:
    """Check the settings, the database and this machine; exit with 1 when something is wrong."""
    from portal_http.doctor import examine

    findings = list(examine(load_settings, now()))
    for each in findings:
        click.echo(f"{'ok   ' if each.fine else 'WRONG'}  {each.subject}: {each.detail}")
    sys.exit(0 if all(each.fine for each in findings) else 1)


@click.command()
def prune() -> None:
    """Forget answers to repeated requests after a day, and what was sent after 30 days. Run it once a day."""
    from portal_core.use_cases.idempotency import prune_answers
    from portal_core.use_cases.outbox import prune_dispatches

    with refusals(), writing(load_settings()) as store:
        count = prune_answers(store, now=now()) + prune_dispatches(store, now=now())
    click.echo(f"{count} forgotten.", err=True)


@click.command()
def openapi() -> None:
    """Print the API's description (OpenAPI 3.1) as JSON."""
    from portal_http.documentation import document_of
    from portal_http.wiring.links import public_url_of

    with refusals():
        click.echo(document_of(public_url_of(load_settings())), nl=False)
