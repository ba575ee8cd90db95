"""The commands that take records in and give them out."""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from portal_adapters.clock import now
from portal_core.domain.audit import COMMAND_LINE
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.ports import Store
from portal_http.cli import telling
from portal_http.cli.common import refusals, writing
from portal_http.settings import Settings, load_settings

if TYPE_CHECKING:
    from portal_adapters.records.sheets import Sheet

_OBJECTS_BETWEEN_COLLECTIONS = 50_000


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True), metavar="FILE..."
)
@click.option("--type", "kind", metavar="TYPE", help="The files are CSV, with records of this type: invoice, say.")
@click.option("--company", "company_id", metavar="ID", help="The company of the records, with --type.")
@click.option(
    "--map",
    "columns",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help='A TOML file that says what columns stand for, with --type: "Invoice no." = "number".',
)
@click.option("--dry-run", is_flag=True, help="Only tell what would change.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object for programs.")
def import_(
    files: Sequence[str],
    *,
    kind: str | None,
    company_id: str | None,
    columns: Path | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Take in JSON Lines: one record a line, in any order. `-` reads the standard input.

    With --type and --company, take in CSV: records of one type, each in a row, or in one row for each of its lines.
    A record with a known id replaces what is kept under it. A file with anything wrong in it changes nothing.
    """
    from portal_adapters.records.importing import ImportOvertaken, import_records
    from portal_adapters.records.staging import FileRefused
    from portal_http.cli.sheets import opened_sheets
    from portal_http.wiring.databases import database

    # Thousands of records are made and let go of, hardly any in a circle: to look for such so often costs a tenth.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    sheets: list[Sheet] = []
    with refusals(), database(load_settings()) as transactions:
        try:
            given = _opened(files)
            if kind or company_id or columns:
                given = opened_sheets(given, sheets, kind, company_id, columns)
            with telling.progress() as progress:
                counts = import_records(
                    transactions,
                    given,
                    reading=transactions.read,
                    dry_run=dry_run,
                    helpers=os.cpu_count() or 0,
                    progress=progress,
                    by=COMMAND_LINE,
                )
        except FileRefused as refused:
            telling.tell_problems(refused, sheets=sheets, as_json=as_json)
            sys.exit(1)
        except ImportOvertaken as overtaken:
            telling.tell_problems(overtaken, overtaken.kept, sheets=sheets, as_json=as_json)
            sys.exit(1)
    telling.tell_counts(counts, as_json=as_json)
    if dry_run:
        click.echo("Nothing was changed: this was a dry run.", err=True)


@click.command()
@click.option("--company", "company_id", metavar="ID", help="Only this company.")
@click.option("--client", "client_id", metavar="ID", help="Only this client, with its company.")
@click.option("--decisions", is_flag=True, help="Add clients' decisions and feedback, which an import does not take.")
@click.option("--everything", is_flag=True, help="All that is kept about one client, for when they ask what there is.")
def export(company_id: str | None, client_id: str | None, *, decisions: bool, everything: bool) -> None:
    """Print all records as JSON Lines, in a fixed order and form."""
    from portal_http.wiring.databases import database

    if everything and not (company_id and client_id):
        raise click.UsageError("--everything is about one client: give --company and --client.")
    out = sys.stdout.buffer
    company = None if company_id is None else CompanyId(company_id)
    client = None if client_id is None else ClientId(client_id)
    written = False
    with refusals(), database(load_settings()) as transactions, transactions.read() as store:
        for line in _exported(store, company, client, decisions=decisions, everything=everything):
            out.write(line)
            written = True
    out.flush()
    if not written and (client_id or company_id):
        raise click.ClickException("There is no such company or client.")


@click.command()
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
    with refusals(), writing(settings) as store:
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


def _opened(files: Sequence[str]) -> Iterator[tuple[str, BinaryIO]]:
    """Yield the files one after the other, each with the name that it is told by."""
    for name in files:
        if name == "-":
            yield "standard input", sys.stdin.buffer
        else:
            with Path(name).open("rb") as file:
                yield name, file


def _exported(
    store: Store, company_id: CompanyId | None, client_id: ClientId | None, *, decisions: bool, everything: bool
) -> Iterator[bytes]:
    from portal_adapters.records.everything import export_everything
    from portal_adapters.records.writing import export_records

    if everything and company_id is not None and client_id is not None:
        return export_everything(store, company_id, client_id, now=now())
    return export_records(store, company_id=company_id, client_id=client_id, decisions=decisions)


def _pdf_in(file: Path, settings: Settings) -> bytes:
    from portal_core.domain.errors import InvalidInput

    if file.stat().st_size > settings.document_max_mb * 1024 * 1024:
        raise InvalidInput.at("", f"may have at most {settings.document_max_mb} MiB")
    return file.read_bytes()
