"""CSV files (RFC 4180): the fields of a shape as columns, and no cell that a spreadsheet would take for a formula."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints

from attrs import frozen

from portal_http.answers import Header, encoded
from portal_http.shapes import AllocationShape, DeliveryLineShape, DocumentShape, MoneyShape, ReplyShape

Row: TypeAlias = Mapping[str, Any]

CSV_TYPE: Header = (b"content-type", b"text/csv; charset=utf-8; header=present")

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_CURRENCY = "currency"
_FORMULA = re.compile(r"'*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""How a formula begins, full-width signs included, which some spreadsheets take for the same."""


@frozen
class Column:
    """One column: its name, the field of the shape that fills it, and the part of that field, if it has several.

    Of a field that is a list, `in_words` says each thing on it.
    """

    name: str
    field: str
    part: str | None = None
    numeric: bool = False
    in_words: Callable[[Row], str] | None = None

    def cell(self, row: Row) -> str:
        """Return what stands in the column: nothing where there is nothing."""
        value = row[self.field]
        if self.in_words is not None:
            return harmless("; ".join(map(self.in_words, value)))
        if value is not None and self.part is not None:
            value = value[self.part]
        return value if self.numeric and value is not None else _cell(value)


def _allocation_in_words(allocation: Row) -> str:
    amount = allocation["amount"]
    return f"{allocation['invoice_number']} {amount['amount']} {amount['currency']}"


def _line_in_words(line: Row) -> str:
    return " ".join(
        filter(None, (line["description"], f"{line['delivered_quantity']}/{line['quantity']}", line["unit"]))
    )


def _reply_in_words(reply: Row) -> str:
    return f"{_cell(reply['created_at'])} {_cell(reply['by'])}: {reply['message']}"


_IN_WORDS: Mapping[type, Callable[[Row], str]] = {
    AllocationShape: _allocation_in_words,
    DeliveryLineShape: _line_in_words,
    ReplyShape: _reply_in_words,
}


@cache
def columns_of(shape: Any) -> Sequence[Column]:  # noqa: ANN401 - any shape of a list
    """Return the columns of a shape: money as its amount, with a column for the currency before the first of them."""
    hints = get_type_hints(shape)
    columns: list[Column] = []
    for name, kind in hints.items():
        if MoneyShape in _kinds(kind):
            if not any(each.name == _CURRENCY for each in columns):
                always_there = next(each for each, of in hints.items() if of is MoneyShape)
                columns.append(Column(_CURRENCY, always_there, "currency"))
            columns.append(Column(name, name, "amount", numeric=True))
        elif DocumentShape in _kinds(kind):
            columns += [Column(f"{name}_{part}", name, part) for part in get_type_hints(DocumentShape)]
        elif get_origin(kind) is list:
            columns.append(Column(name, name, in_words=_IN_WORDS[get_args(kind)[0]]))
        else:
            columns.append(Column(name, name))
    return columns


def head_of(columns: Iterable[Column]) -> bytes:
    """Return the line that names the columns."""
    return _lines([[each.name for each in columns]])


def lines_of(columns: Sequence[Column], rows: Iterable[Row]) -> bytes:
    """Return a line for each row."""
    return _lines([each.cell(row) for each in columns] for row in rows)


def for_people(file: bytes) -> bytes:
    """Return a file with the mark by which Excel knows that it is in UTF-8."""
    return _MARK.encode() + file


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula: behind an apostrophe, if it begins as one does.

    So does text that looks as if this had been done to it, so that it can be undone.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def _kinds(kind: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any annotation at all
    return (kind,) if get_origin(kind) is list else (kind, *get_args(kind))


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case str():
            return harmless(value)
        case _:
            return encoded(value).decode().strip('"')
