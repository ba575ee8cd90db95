"""CSV to the lines of an import: one type of record a file, one row a record, or one for each of its lines.

A record stands in the line in which its first row was, so that what is wrong is told by the line of the sheet.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeAlias, final

import orjson
from attrs import evolve, frozen

from portal_adapters.records.fields import PARTS, TABLES
from portal_adapters.records.staging import FileRefused, LineProblem, Problems
from portal_core.domain.ids import CompanyId
from portal_core.domain.records import RecordType

DELIMITERS = (",", ";", "\t")

Row: TypeAlias = tuple[int, Mapping[str, str]]
"""A row that holds anything: its line, and its cells by the names of fields."""

_Record: TypeAlias = dict[str, Any]
_Places: TypeAlias = dict[tuple[int, str], list[int]]
"""The lines of the parts of a record, by its first line and the name of the list."""

_MARKED = re.compile(r"'+[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""A cell that was made harmless for spreadsheets, as our own files are."""

_PLACE = re.compile(r"/([a-z_]+)/([0-9]+)(?:/([a-z_]+))?")
_WHOLE = re.compile(r"[1-9][0-9]{0,8}")


@final
@frozen
class Sheet:
    """A CSV file that was read: the lines of an import, and where in the sheet each part of a record stands."""

    name: str
    lines: bytes
    headers: Mapping[str, str]
    places: Mapping[tuple[int, str], Sequence[int]]

    def located(self, problem: LineProblem) -> LineProblem:
        """Return a problem with the line of its own row, and the name of its column in place of the pointer."""
        line, name = problem.line, problem.pointer.removeprefix("/")
        found = _PLACE.fullmatch(problem.pointer)
        if found is not None and line is not None:
            rows = self.places.get((line, found[1]), ())
            line = rows[int(found[2])] if int(found[2]) < len(rows) else line
            name = f"{found[1][:-1]}.{found[3] or 'id'}"
        return evolve(problem, line=line, pointer=self.headers.get(name, name))


def read_sheet(name: str, content: bytes, kind: RecordType, company_id: CompanyId, columns: Mapping[str, str]) -> Sheet:
    """Read a CSV file of one company's records of one type; `columns` says which field a header stands for.

    It is UTF-8, with commas, semicolons or tabulators. A field of a part is `line.quantity`, `allocation.amount` and so
    on; rows that follow each other with the same id are one record. An empty cell is a field that is left out.
    Refuses with FileRefused a file that is no such table; whether its records are right is the import's to tell.
    """
    problems = Problems()
    rows = _rows_of(name, content, problems)
    first = next(rows, None)
    headers = _headers(name, first, kind, columns, problems)
    _refuse_if_any(problems)
    names = {field: header for header, field in headers.items()}

    def tell(line: int, field: str, detail: str) -> None:
        problems.add(LineProblem(file=name, line=line, pointer=names[field], detail=detail))

    texts: list[bytes] = []
    places: _Places = {}
    for _, rows_of_one in groupby(
        _named(name, rows, list(headers.values()), problems), key=lambda row: row[1].get("id")
    ):
        group = list(rows_of_one)
        texts += [b"\n"] * (group[0][0] - 1 - len(texts))
        record = _owner(kind, company_id) | _record(kind, group, tell, places)
        texts.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
    _refuse_if_any(problems)
    return Sheet(name, b"".join(texts), names, places)


def _rows_of(name: str, content: bytes, problems: Problems) -> Iterator[tuple[int, list[str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = content.count(b"\n", 0, wrong.start) + 1
        problems.add(LineProblem(file=name, line=line, pointer="", detail="is not UTF-8"))
        return
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(DELIMITERS, key=head.count), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(each.strip() for each in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as wrong:
        problems.add(LineProblem(file=name, line=line, pointer="", detail=f"is not CSV: {wrong}"))


def _headers(
    name: str,
    first: tuple[int, list[str]] | None,
    kind: RecordType,
    columns: Mapping[str, str],
    problems: Problems,
) -> Mapping[str, str]:
    """Return the field of each header; take note of those that stand for none, or for one that is there already."""
    line, cells = first or (1, [])
    known, found = _fields_of(kind), dict[str, str]()
    for header in map(str.strip, cells):
        meant = columns.get(header, header)
        if meant not in known:
            detail = f"stands for no field of {kind.value} records; known are {', '.join(known)}"
        elif meant in found.values():
            detail = f"stands for {meant!r}, which another column stands for too"
        else:
            found[header] = meant
            continue
        problems.add(LineProblem(file=name, line=line, pointer=header or "a column without a name", detail=detail))
    if first is not None and not problems.total and "id" not in found.values():
        problems.add(LineProblem(file=name, line=line, pointer="id", detail="is required, and no column stands for it"))
    return found


def _fields_of(kind: RecordType) -> list[str]:
    names: list[str] = []
    for each in TABLES[kind].fields:
        parts = PARTS[kind].get(each.name)
        names += [each.name] if parts is None else [f"{each.name[:-1]}.{part.name}" for part in parts.fields]
    return [each for each in names if each != "company_id"]


def _named(
    name: str, rows: Iterator[tuple[int, list[str]]], headers: Sequence[str], problems: Problems
) -> Iterator[Row]:
    """Yield the cells that hold anything by the fields that they are of, without what made them harmless."""
    for line, cells in rows:
        if len(cells) > len(headers):
            detail = f"has {len(cells)} cells, and there are {len(headers)} columns"
            problems.add(LineProblem(file=name, line=line, pointer="", detail=detail))
            continue
        named = {field: cell.strip() for field, cell in zip(headers, cells, strict=False) if cell.strip()}
        yield line, {field: cell[1:] if _MARKED.match(cell) else cell for field, cell in named.items()}


def _record(kind: RecordType, group: Sequence[Row], tell: Callable[[int, str, str], None], places: _Places) -> _Record:
    """Return the record that rows with one id make, each of which may bring a part of each kind."""
    start = group[0][0]
    record: _Record = {each.name: [] for each in TABLES[kind].fields if each.required and each.name in PARTS[kind]}
    for line, row in group:
        for field, cell in row.items():
            if "." not in field and record.setdefault(field, _value(field, cell)) != _value(field, cell):
                tell(line, field, f"is {cell!r}, and {record[field]!r} in line {start}, which is of the same record")
        for listed in PARTS[kind]:
            prefix = f"{listed[:-1]}."
            part = {field.removeprefix(prefix): cell for field, cell in row.items() if field.startswith(prefix)}
            if part:
                rows = places.setdefault((start, listed), [])
                rows.append(line)
                usual = {"id": str(len(rows)), "kind": "item"} if _has_kind(kind, listed) else {}
                record.setdefault(listed, []).append(usual | part)
    return record


def _has_kind(kind: RecordType, listed: str) -> bool:
    return any(each.name == "kind" for each in PARTS[kind][listed].fields)


def _value(field: str, cell: str) -> object:
    return int(cell) if field == "revision" and _WHOLE.fullmatch(cell) else cell


def _owner(kind: RecordType, company_id: CompanyId) -> _Record:
    return {"type": kind.value, "company_id": company_id}


def _refuse_if_any(problems: Problems) -> None:
    if problems.total:
        raise FileRefused(problems)
