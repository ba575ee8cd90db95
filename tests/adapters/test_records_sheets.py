"""CSV as records: rows that become lines of an import, and what is wrong told by line and column."""

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest

from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory import MemoryTransactions
from portal_adapters.records.importing import import_records
from portal_adapters.records.sheets import Sheet, read_sheet
from portal_adapters.records.staging import FileRefused
from portal_core.domain.ids import CompanyId
from portal_core.domain.records import RecordType
from portal_core.ports import Transactions
from portal_core.use_cases.records import Counts
from tests.adapters.test_records_importing import CLIENT, COMPANY

HEAD = "id,client_id,number,kind,state,issued_on,currency,subtotal,tax,total"
ROW = "I1,C-7,2026-1,invoice,posted,2026-11-01,EUR,30.00,0.00,30.00"
LINES = f"""{HEAD},line.description,line.quantity,line.total
{ROW},Oak,1,10.00

{ROW},"Ash,
two metres",2,20.00
I2,C-7,2026-2,invoice,posted,2026-11-01,EUR,30.00,0.00,30.00,,,
"""


def sheet(text: str | bytes, kind: RecordType = RecordType.INVOICE, names: Mapping[str, str] | None = None) -> Sheet:
    content = text.encode() if isinstance(text, str) else text
    return read_sheet("1.csv", content, kind, CompanyId("acme"), names or {})


def records(given: Sheet) -> list[Any]:
    return [json.loads(line) for line in given.lines.splitlines() if line]


def take_in(transactions: Transactions, given: Sheet) -> Counts:
    return import_records(transactions, [(given.name, io.BytesIO(given.lines))])


def furnished() -> MemoryTransactions:
    transactions = MemoryTransactions(CountingMint())
    content = b"\n".join(json.dumps(each).encode() for each in (COMPANY, CLIENT))
    import_records(transactions, [("start", io.BytesIO(content))])
    return transactions


def refused(text: str | bytes, names: Mapping[str, str] | None = None) -> list[tuple[int | None, str]]:
    with pytest.raises(FileRefused) as problem:
        sheet(text, names=names)
    return [(each.line, each.pointer) for each in problem.value.problems]


def refused_as_records(text: str, names: Mapping[str, str] | None = None) -> list[tuple[int | None, str]]:
    given = sheet(text, names=names)
    with pytest.raises(FileRefused) as problem:
        take_in(furnished(), given)
    located = [given.located(each) for each in problem.value.problems]
    return [(each.line, each.pointer) for each in located]


def test_rows_with_one_id_are_one_record_with_their_lines() -> None:
    first, second = records(sheet(LINES))

    assert [(each["id"], each["kind"], each["description"], each["quantity"]) for each in first["lines"]] == [
        ("1", "item", "Oak", "1"),
        ("2", "item", "Ash,\ntwo metres", "2"),
    ]
    assert (first["company_id"], first["type"], first["total"]) == ("acme", "invoice", "30.00")
    assert (second["id"], second["lines"]) == ("I2", [])


def test_a_record_stands_in_the_line_of_its_first_row() -> None:
    lines = sheet(LINES).lines.splitlines()

    assert [number for number, line in enumerate(lines, start=1) if line] == [2, 6]


def test_the_same_sheet_changes_nothing() -> None:
    transactions = furnished()

    counts = [take_in(transactions, sheet(LINES)) for _ in range(2)]

    assert [{outcome.value: count for (_, outcome), count in each.items()} for each in counts] == [
        {"created": 2},
        {"unchanged": 2},
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_usual_forms_of_csv_are_read(delimiter: str, mark: str, end: str) -> None:
    text = mark + f"{HEAD}\n{ROW}\n".replace(",", delimiter).replace("\n", end)

    assert [each["total"] for each in records(sheet(text))] == ["30.00"]


def test_their_headers_stand_for_our_fields() -> None:
    text = f"{HEAD}\n{ROW}\n".replace("number", "Invoice no.").replace("total", "Gross")
    names = {"Invoice no.": "number", "subGross": "subtotal", "Gross": "total"}

    assert [each["number"] for each in records(sheet(text, names=names))] == ["2026-1"]
    assert refused_as_records(text.replace("EUR,30.00,0.00,30.00", "EUR,30.00,0.00,3.001"), names) == [(2, "Gross")]


def test_cells_that_were_made_harmless_come_back_as_they_were() -> None:
    text = "id,name\nC-1,'=SUM(A1)\nC-2,''-x\nC-3,'t Hooft\n"

    found = records(sheet(text, RecordType.CLIENT))

    assert [each["name"] for each in found] == ["=SUM(A1)", "'-x", "'t Hooft"]


def test_a_revision_is_a_number() -> None:
    text = "id,revision\nQ1,3\nQ2,x\n"

    assert [each["revision"] for each in records(sheet(text, RecordType.QUOTE))] == [3, "x"]


@pytest.mark.parametrize(
    "text,wrong",
    [
        ("id,colour\nI1,red\n", [(1, "colour")]),
        ("id,\nI1,red\n", [(1, "a column without a name")]),
        ("id,id\nI1,I1\n", [(1, "id")]),
        ("number\n1\n", [(1, "id")]),
        ("id,company_id\nI1,acme\n", [(1, "company_id")]),
        ("id,number\nI1,1,2\n", [(2, "")]),
        ('id,number\nI1,"1\n', [(2, "")]),
        (b"id,number\nI1,\xff\n", [(2, "")]),
        ("id,number\nI1,1\nI1,2\n", [(3, "number")]),
    ],
)
def test_what_is_no_such_table_is_refused(text: str | bytes, wrong: list[tuple[int, str]]) -> None:
    assert refused(text) == wrong


@pytest.mark.parametrize(
    "old,new,wrong",
    [
        ("2,20.00", "two,20.00", [(4, "line.quantity")]),
        ("C-7,2026-2", "nobody,2026-2", [(6, "client_id")]),
        ("I2,C-7", ",C-7", [(6, "id")]),
        ("I2,C-7", "I1,C-7", [(6, "number")]),
    ],
)
def test_what_is_wrong_with_a_record_is_told_by_line_and_column(
    old: str, new: str, wrong: list[tuple[int, str]]
) -> None:
    text = LINES.replace(old, new, 1)

    found = refused(text) if wrong == [(6, "number")] else refused_as_records(text)

    assert found == wrong


def test_a_record_that_comes_again_further_below_is_refused() -> None:
    row = ROW.replace("I1", "I3")

    assert refused_as_records(f"{HEAD}\n{ROW}\n{row}\n{ROW}\n") == [(4, "id")]


def test_an_empty_sheet_has_no_records() -> None:
    assert records(sheet("")) == records(sheet(f"{HEAD}\n")) == []
