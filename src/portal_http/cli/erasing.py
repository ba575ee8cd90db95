"""The command that erases a client."""

import click

from portal_adapters.clock import now
from portal_core.domain.audit import COMMAND_LINE
from portal_core.domain.ids import ClientId, CompanyId
from portal_http.cli.common import company, json_of, reading, refusals, writing
from portal_http.settings import load_settings


@click.command()
@company
@click.option("--client", "client_id", required=True, metavar="ID", help="The client's id.")
@click.option("--yes", is_flag=True, help="Do not ask: for programs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for programs.")
def erase(*, company_id: str, client_id: str, yes: bool, as_json: bool) -> None:
    """Erase what a client wrote and how they are reached, and revoke their links. It cannot be undone.

    Decisions with their evidence, documents and the audit log stay. A client can be erased again, which changes what
    has come since.
    """
    from portal_core.use_cases.erasing import erase_client
    from portal_core.use_cases.finding import require_found

    settings, owner, client = load_settings(), CompanyId(company_id), ClientId(client_id)
    with refusals():
        if not yes:
            with reading(settings) as store:
                name = require_found(store.clients.get(owner, client), "client", client).name
            click.confirm(f"Erase client {client}, {name}? This cannot be undone.", abort=True, err=True)
        with writing(settings) as store:
            erased = erase_client(store, owner, client, now=now(), by=COMMAND_LINE)
    if as_json:
        click.echo(json_of(erased))
        return
    told = ", ".join(f"{kind}: {count:d}" for kind, count in erased.items() if count)
    click.echo(f"Erased {told}." if told else "There was nothing left to erase.", err=True)
