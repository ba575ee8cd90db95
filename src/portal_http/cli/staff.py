"""The commands for who has to know who did what, and whether it is true."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import click

from portal_adapters.clock import now
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.paging import every
from portal_http.cli.common import as_json_option, company, json_of, reading, refusals
from portal_http.settings import load_settings

_LONGEST_RECEIPT = 1024 * 1024


@click.command()
@company
@click.option("--client", "client_id", metavar="ID", help="Only what is about this client.")
@as_json_option
def audit(*, company_id: str, client_id: str | None, as_json: bool) -> None:
    """Print a company's audit log, newest first: who did what, when and from where."""
    from portal_core.domain.filters import AuditFilter
    from portal_core.use_cases.audit import list_audit_entries
    from portal_http.present.audit import audit_entry

    narrowed = AuditFilter(client_id=None if client_id is None else ClientId(client_id))
    with refusals(), reading(load_settings()) as store:
        for entry in every(lambda listing: list_audit_entries(store, CompanyId(company_id), listing, narrowed)):
            shape = audit_entry(entry)
            click.echo(json_of(shape) if as_json else _act_of(shape))


@click.command("admin-token")
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
    from portal_http.wiring.keys import development_token

    for each in company_ids:
        if not is_id(each):
            raise click.BadParameter(ID_RULE, param_hint="--company")
    if not subject.strip():
        raise click.BadParameter("must not be empty", param_hint="--subject")
    with refusals():
        click.echo(development_token(load_settings(), company_ids, scope=scope, subject=subject, at=now()))


@click.command()
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
    from portal_adapters.receipt_keys import ForgedReceipt
    from portal_http.wiring.keys import checked_receipt

    with refusals():
        published = None if keys is None else keys.read_text(encoding="utf-8", errors="replace")
        receipt = file.read(_LONGEST_RECEIPT).decode("ascii", errors="replace").removesuffix("\n")
        try:
            statement, kid = checked_receipt(load_settings(), receipt, published=published)
        except ForgedReceipt as forged:
            raise click.ClickException(f"This receipt is not genuine: {forged}.") from None
    click.echo(statement)
    click.echo(f"This receipt is genuine; it was signed with the key {kid}.", err=True)


def _act_of(entry: Any) -> str:  # noqa: ANN401 - an AuditEntryShape, imported late
    target, actor = entry["target"], entry["actor"]
    cells = (f"{entry['created_at']:%Y-%m-%d %H:%M:%S}", entry["action"], target["type"], target["id"])
    known = [actor["id"] if actor["type"] != "client" else f"link {actor['id']}", entry["ip"]]
    return "  ".join((*cells, "by", *filter(None, known)))
