"""How `portal import` reads CSV: what it is told of the files, and their columns."""

import io
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from portal_core.domain.ids import ID_RULE, CompanyId, is_id

if TYPE_CHECKING:
    from portal_adapters.records.sheets import Sheet


def opened_sheets(
    files: Iterator[tuple[str, BinaryIO]],
    sheets: "list[Sheet]",
    kind: str | None,
    company_id: str | None,
    columns: Path | None,
) -> Iterator[tuple[str, BinaryIO]]:
    """Yield CSV files as JSON Lines, and note in `sheets` where everything stands."""
    from portal_adapters.records.sheets import read_sheet
    from portal_core.domain.records import RecordType

    if kind not in set(RecordType):
        raise click.BadParameter(f"must be one of {', '.join(RecordType)}", param_hint="--type")
    if company_id is None or not is_id(company_id):
        raise click.BadParameter(f"is needed with --type, and {ID_RULE}", param_hint="--company")
    names = _columns(columns)
    for name, file in files:
        sheet = read_sheet(name, file.read(), RecordType(kind), CompanyId(company_id), names)
        sheets.append(sheet)
        yield name, io.BytesIO(sheet.lines)


def _columns(file: Path | None) -> Mapping[str, str]:
    if file is None:
        return {}
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise click.BadParameter(f"{file} is no TOML file: {wrong}", param_hint="--map") from None
    names = {header: meant for header, meant in found.items() if isinstance(meant, str)}
    if len(names) < len(found):
        raise click.BadParameter('takes lines like "Invoice no." = "number"', param_hint="--map")
    return names
