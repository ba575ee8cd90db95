"""Lists and the statement as CSV: the same rows as the API's, whole, and harmless in a spreadsheet."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from portal_adapters.contract.builders import (
    SCOPE,
    a_delivery,
    a_quote,
    a_ticket,
    an_invoice,
    an_order,
    day,
    eur,
)
from portal_core.domain.access import DocumentRef, DocumentType, Permission
from portal_http import whole_lists
from portal_http.files import attachment
from portal_http.options import Options
from portal_http.spreadsheets import harmless
from tests.http.world import Reply, World, code, places

LISTS = ("quotes", "orders", "invoices", "payments", "deliveries", "feedback")
UNDONE = re.compile(r"'+[=+\-@\t\r＝＋－＠]")  # noqa: RUF001 - signs that are taken for others
HOSTILE = '=HYPERLINK("http://evil.example","€")'


def read(text: str) -> list[dict[str, str]]:
    """Return the rows of a file."""
    return list(csv.DictReader(io.StringIO(text, newline="")))


def undone(cell: str) -> str:
    return cell[1:] if UNDONE.match(cell) else cell


def in_words(thing: dict[str, Any]) -> str:
    """Return how something on a list within a record is said in a cell."""
    match thing:
        case {"invoice_number": number, "amount": {"amount": amount, "currency": currency}}:
            return f"{number} {amount} {currency}"
        case {"description": description, "quantity": quantity, "delivered_quantity": delivered, "unit": unit}:
            return f"{description} {delivered}/{quantity} {unit}"
        case _:
            return f"{thing['created_at']} {thing['by']}: {thing['message']}"


def as_cells(record: dict[str, Any]) -> dict[str, str]:
    """Return what a record of the API is as a row."""
    cells: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, dict) and "amount" in value:
            cells |= {"currency": value["currency"], name: value["amount"]}
        elif name == "document":
            cells |= {f"document_{part}": (value or {}).get(part) or "" for part in ("type", "id")}
        elif isinstance(value, list):
            cells[name] = "; ".join(map(in_words, value))
        elif isinstance(value, bool):
            cells[name] = str(value).lower()
        else:
            cells[name] = "" if value is None else str(value)
    return cells


def walk(world: World, address: str) -> list[dict[str, Any]]:
    """Return all rows of a list of the API, page after page."""
    rows: list[dict[str, Any]] = []
    mark = "&" if "?" in address else "?"
    answer = world.http.get(f"{address}{mark}limit=100").json()
    rows += answer["data"]
    while answer["meta"]["cursor"]:
        answer = world.http.get(f"{address}{mark}limit=100&cursor={answer['meta']['cursor']}").json()
        rows += answer["data"]
    return rows


def rows_of(answer: Reply) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    return [{name: undone(cell) for name, cell in row.items()} for row in read(answer.text)]


@pytest.mark.parametrize("name", LISTS)
def test_a_file_holds_what_the_api_lists(world: World, name: str) -> None:
    link = world.link()

    answer = world.http.get(f"{link}/{name}.csv")

    listed = walk(world, f"{link}/{name}")
    assert listed
    assert rows_of(answer) == [as_cells(each) for each in listed]


def test_what_a_payment_settled_and_a_delivery_brought_can_be_read_in_a_cell(world: World) -> None:
    link = world.link()

    (payment, *_), (delivery, *_) = (
        rows_of(world.http.get(f"{link}/{name}.csv")) for name in ("payments", "deliveries")
    )

    assert payment["allocations"] == "N-C1 5.00 EUR"
    assert delivery["lines"] == "Box 0/5 piece"


def test_a_file_holds_the_whole_list_in_the_order_asked_for(world: World) -> None:
    world.feed(*(an_invoice(f"I{place:04}", number=f"{place % 7}") for place in range(450)))
    link = world.link()

    answer = world.http.get(f"{link}/invoices.csv?sort=number&order=asc&kind=invoice")

    assert rows_of(answer) == [
        as_cells(each) for each in walk(world, f"{link}/invoices?sort=number&order=asc&kind=invoice")
    ]
    assert len(read(answer.text)) == 451


@pytest.mark.parametrize(
    "asked", ["quotes.csv?state=declined", "deliveries.csv?number=none", "payments.csv?from=2030-01-01"]
)
def test_filters_narrow_a_file_and_an_empty_one_still_names_its_columns(world: World, asked: str) -> None:
    answer = world.http.get(f"{world.link()}/{asked}")

    assert answer.status_code == 200
    assert answer.text.startswith("id,number,")
    assert answer.text.count("\r\n") == 1


@pytest.mark.parametrize("name", ["limit", "cursor", "state"])
def test_a_file_takes_no_page_and_no_unknown_filter(world: World, name: str) -> None:
    answer = world.http.get(f"{world.link()}/payments.csv?{name}=1")

    assert places(answer) == [name]


@pytest.mark.parametrize(
    "bound, least", [("MOST_ROWS", 2), ("MOST_BYTES", 300)], ids=["too many records", "too many bytes"]
)
def test_a_list_that_is_too_long_is_asked_for_in_parts(
    world: World, monkeypatch: pytest.MonkeyPatch, bound: str, least: int
) -> None:
    monkeypatch.setattr(whole_lists, bound, least)
    world.feed(*(an_invoice(f"I{place}", issued_on=day(place)) for place in range(4)))
    link = world.link()

    answer = world.http.get(f"{link}/invoices.csv")
    part = world.http.get(f"{link}/invoices.csv?from=2030-01-01")
    page = world.http.get(f"/p/{link.rpartition('/')[2]}/invoices.csv")

    assert (code(answer), places(answer)) == ("invalid_input", ["from"])
    assert part.status_code == 200
    assert page.status_code == 422
    assert "That is too much for one file" in page.text


def test_a_narrowed_link_downloads_what_it_covers_and_no_statement(world: World) -> None:
    link = world.link(documents=[(DocumentType.INVOICE, "I1")])

    [invoice] = rows_of(world.http.get(f"{link}/invoices.csv"))

    assert (invoice["id"], invoice["order_id"]) == ("I1", "")
    assert rows_of(world.http.get(f"{link}/quotes.csv")) == []
    assert code(world.http.get(f"{link}/statement.csv")) == "permission_denied"


def test_the_statement_opens_moves_and_closes_in_each_currency(world: World) -> None:
    link = world.link()
    [statement] = world.http.get(f"{link}/statement").json()["data"]

    opening, *moved, closing = rows_of(world.http.get(f"{link}/statement.csv"))

    assert (opening["type"], opening["on"], opening["balance"]) == (
        "opening",
        statement["from"],
        statement["opening"]["amount"],
    )
    assert moved == [{name: as_cells(line)[name] for name in opening} for line in statement["lines"]]
    assert (closing["type"], closing["balance"]) == ("closing", statement["closing"]["amount"])
    assert {row["currency"] for row in (opening, *moved, closing)} == {"EUR"}
    assert any(row["balance"].startswith("-") for row in read(world.http.get(f"{link}/statement.csv").text)) == any(
        line["balance"]["amount"].startswith("-") for line in statement["lines"]
    )


def test_a_negative_amount_stays_a_number_and_a_formula_becomes_text(world: World) -> None:
    world.feed(
        an_order("O9", client_reference=HOSTILE, number="-12"),
        a_quote("-Q", number="+1", total=eur("-5.00"), subtotal=eur("-5.00"), tax=eur("0.00")),
        a_delivery("D9", carrier_name="\n@now"),
    )
    link = world.link()

    order = next(row for row in read(world.http.get(f"{link}/orders.csv").text) if row["id"] == "O9")
    quote = next(row for row in read(world.http.get(f"{link}/quotes.csv").text) if row["number"] == "'+1")

    assert (order["client_reference"], order["number"]) == (f"'{HOSTILE}", "'-12")
    assert (quote["id"], quote["total"]) == ("'-Q", "-5.00")


@given(st.text())
def test_no_cell_begins_as_a_formula_does_and_what_was_said_can_be_had_back(text: str) -> None:
    assert not re.match(r"[=+\-@\t\r]", harmless(text))
    assert undone(harmless(text)) == text


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60), max_size=4))
def test_whatever_is_said_is_read_back(texts: list[str]) -> None:
    world = World()
    said = [f"{place}{text.strip()}" for place, text in enumerate(texts)]
    with world.transaction() as store:
        for place, text in enumerate(said):
            about = DocumentRef(DocumentType.QUOTE, "Q1") if place % 2 else None
            store.tickets.add(evolve(a_ticket(f"T{place}", document=about), subject=text, message=f'"{text}",\n;'))

    rows = rows_of(world.http.get(f"{world.link()}/feedback.csv"))

    assert sorted(row["subject"] for row in rows) == sorted(said)
    assert sorted(row["message"] for row in rows) == sorted(f'"{text}",\n;' for text in said)


@pytest.mark.parametrize("name", [*LISTS, "statement"])
def test_the_page_downloads_the_same_with_the_mark_that_excel_needs(world: World, name: str) -> None:
    token = world.token()

    ours = world.http.get(f"/api/v1/customer-portal/view/{token}/{name}.csv")
    page = world.http.get(f"/p/{token}/{name}.csv?utm_source=mail")
    head = world.http.head(f"/p/{token}/{name}.csv")

    assert page.content == b"\xef\xbb\xbf" + ours.content
    assert page.headers["content-disposition"] == ours.headers["content-disposition"]
    assert re.fullmatch(rf'attachment; filename="{name}-[0-9-]{{10}}\.csv"', page.headers["content-disposition"])
    for answer in (ours, page, head):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (head.content, head.headers["content-length"]) == (b"", page.headers["content-length"])


def test_the_link_on_a_page_keeps_its_filters_but_not_its_place(world: World) -> None:
    world.feed(*(an_invoice(f"I{place}", scope=SCOPE) for place in range(30)))
    token = world.token()

    first = world.http.get(f"/p/{token}/invoices?kind=invoice&from=2020-01-01").text
    further = re.search(r'href="(/p/[^"]*cursor=[^"]*)"', first)

    for page in (first, world.http.get(further[1].replace("&amp;", "&")).text if further else ""):
        assert f'href="/p/{token}/invoices.csv?from=2020-01-01&amp;kind=invoice" download' in page


def test_a_download_costs_one_read() -> None:
    limited = World(Options(reads_per_minute=2))
    link = limited.link()

    first, second = limited.http.get(f"{link}/quotes.csv"), limited.http.head(f"{link}/statement.csv")
    third = limited.http.get(f"/p/{link.rpartition('/')[2]}/quotes.csv")

    assert (first.headers["x-ratelimit-remaining"], second.headers["x-ratelimit-remaining"]) == ("1", "0")
    assert third.status_code == 429


def test_what_is_withheld_is_not_downloaded_from_a_page_either(world: World) -> None:
    token = world.token(without=list(Permission))

    for name in (*LISTS, "statement"):
        assert world.http.get(f"/p/{token}/{name}.csv").status_code == 403


@pytest.mark.parametrize(
    "name, field",
    [
        ("quote-Q/1.pdf", 'attachment; filename="quote-Q-1.pdf"'),
        ('"; filename=evil.exe.pdf', 'attachment; filename="filename-evil.exe.pdf"'),
        ("../../etc/passwd.csv", 'attachment; filename="etc-passwd.csv"'),
        ("Été 7.pdf", "attachment; filename=\"Ete-7.pdf\"; filename*=UTF-8''%C3%89t%C3%A9-7.pdf"),
        ("عرض.pdf", "attachment; filename=\"file.pdf\"; filename*=UTF-8''%D8%B9%D8%B1%D8%B6.pdf"),
        ("a\r\nSet-Cookie: x.pdf", 'attachment; filename="a-Set-Cookie-x.pdf"'),
        ("\u202egpj.pdf", "attachment; filename=\"gpj.pdf\"; filename*=UTF-8''gpj.pdf"),
    ],
)
def test_a_file_has_a_name_that_is_safe_wherever_it_is_kept(name: str, field: str) -> None:
    assert attachment(name) == (b"content-disposition", field.encode())


@given(st.text(), st.sampled_from(["pdf", "csv"]))
def test_no_name_breaks_out_of_its_field(stem: str, suffix: str) -> None:
    _, field = attachment(f"{stem}.{suffix}")

    assert re.fullmatch(rb"attachment; filename=\"[A-Za-z0-9._-]+\"(; filename\*=UTF-8''[A-Za-z0-9._~%-]+)?", field)


def columns(rows: Iterable[dict[str, str]]) -> list[str]:
    return list(next(iter(rows)))


def test_the_columns_are_the_fields_with_the_currency_before_the_amounts(world: World) -> None:
    link = world.link()

    payments = columns(read(world.http.get(f"{link}/payments.csv").text))
    tickets = columns(read(world.http.get(f"{link}/feedback.csv").text))

    assert payments[7:11] == ["currency", "amount", "unallocated", "allocations"]
    assert tickets[4:7] == ["rating", "document_type", "document_id"]
