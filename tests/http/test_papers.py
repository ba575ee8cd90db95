"""Documents as PDF: printed when they are asked for, in the reader's language, and never anything but what they say."""

import asyncio
import io
import json
import re
import unicodedata
from collections.abc import Mapping
from threading import Event
from typing import Any, final

import pytest
from attrs import define, field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from portal_adapters.contract.builders import (
    a_client,
    a_company,
    a_delivery,
    a_file,
    a_line,
    a_quote,
    an_order,
    day,
)
from portal_adapters.pdf import TypstPrinter
from portal_core.domain.access import DocumentRef, DocumentType, Permission
from portal_core.domain.errors import Busy
from portal_http import paper, printing
from portal_http.outside import Printer
from portal_http.paper import as_written
from portal_http.printing import PrintShop
from tests.browser.world import a_picture
from tests.http.world import Reply, World, code, full_world, places

DOCUMENTS = ("quotes/Q1", "orders/O1", "deliveries/D1", "statement")
UNSEEN = re.compile("[\u200b\u2066-\u2069\\s]")


def read(answer: Reply) -> PdfReader:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return PdfReader(io.BytesIO(answer.content))


def text_of(answer: Reply) -> str:
    return "\n".join(page.extract_text() for page in read(answer).pages)


def squeezed(text: str) -> str:
    """Return text without what only places it."""
    return UNSEEN.sub("", text)


@pytest.mark.parametrize("path", DOCUMENTS)
def test_api_and_page_print_the_same_and_the_same_again(world: World, path: str) -> None:
    token = world.token()
    addresses = (f"/api/v1/customer-portal/view/{token}/{path}/pdf", f"/p/{token}/{path}/pdf")

    ours, page, head = (*map(world.http.get, addresses), world.http.head(addresses[1]))

    assert ours.content == page.content
    root: Any = read(ours).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert head.headers["content-length"] == str(len(page.content))
    for answer in (ours, page, head):
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert re.fullmatch('"[0-9a-f]{64}"', answer.headers["etag"])
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_paper_is_pdf_ua_in_the_readers_language(world: World, path: str) -> None:
    world.feed(a_client(locale="de"))

    reader = read(world.http.get(f"/p/{world.token()}/{path}/pdf"))

    root: Any = reader.trailer["/Root"]
    assert root["/Lang"] == "de"
    assert b"pdfuaid:part" in root["/Metadata"].get_object().get_data()
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]


def test_a_quote_says_what_is_offered_its_revision_and_its_state(world: World) -> None:
    link = world.link()

    sent = text_of(world.http.get(f"{link}/quotes/Q1/pdf"))
    world.http.post(f"{link}/quotes/Q1/accept", json={"name": "Ada Lovelace", "title": "Director"})
    accepted = text_of(world.http.get(f"{link}/quotes/Q1/pdf"))
    german = text_of(world.http.get(f"{link}/quotes/Q1/pdf", headers={"Accept-Language": "de"}))

    assert "To answer" in sent
    assert re.search(r"Revision\s*1", sent)
    assert "€119.00" in sent
    assert "Accepted" in accepted
    assert "Ada Lovelace, Director" in accepted
    assert "Agreed to\nI accept quote N-Q1, revision 1, for 119.00 EUR." in accepted
    assert "Agreed to" not in sent
    assert "Zugestimmt\nI accept quote" in german


def test_a_delivery_note_says_what_was_brought_and_no_price(world: World) -> None:
    text = text_of(world.http.get(f"{world.link()}/deliveries/D1/pdf"))

    assert "Delivery note N-D1" in text
    assert "€" not in text


def test_a_statement_is_of_the_period_that_is_asked_for(world: World) -> None:
    token = world.token()
    first, last = day(-5), day(5)
    asked = f"statement/pdf?from={first}&to={last}&currency=EUR"

    ours = text_of(world.http.get(f"/api/v1/customer-portal/view/{token}/{asked}"))
    page = text_of(world.http.get(f"/p/{token}/{asked}"))
    wrong = world.http.get(f"/api/v1/customer-portal/view/{token}/statement/pdf?from={last}&to={first}")

    assert ours == page
    assert "Opening balance" in ours
    assert "Mar 10, 2026 to Mar 20, 2026 in EUR" in ours
    assert places(wrong) == ["from"]


@pytest.mark.parametrize("locale, words", [("en", "Quote"), ("fr", "Devis"), ("de", "Angebot"), ("ar", "عرض السعر")])
def test_a_paper_speaks_the_clients_language(world: World, locale: str, words: str) -> None:
    world.feed(a_client(locale=locale))

    reader = read(world.http.get(f"{world.link()}/quotes/Q1/pdf", headers={"Accept-Language": "it"}))

    assert reader.metadata is not None
    assert words in (reader.metadata.title or "")


def test_a_paper_carries_the_companys_logo_contact_and_footer(world: World) -> None:
    world.feed(a_company(logo=a_picture(), address="Lindenweg 4\n10115 Berlin", footer="VAT DE1", phone="+49 30 1"))

    answer = world.http.get(f"{world.link()}/quotes/Q1/pdf")

    text = text_of(answer)
    assert all(each in text for each in ("Company acme", "Lindenweg 4", "10115 Berlin", "VAT DE1"))
    assert len(read(answer).pages[0].images) == 1


@pytest.mark.parametrize(
    "logo",
    [
        b"\x89PNG\r\n\x1a\n broken",
        b"\xff\xd8\xff broken",
        a_picture()[:16] + (60_000).to_bytes(4) * 2 + a_picture()[24:],
    ],
    ids=["PNG", "JPEG", "of too many pixels"],
)
def test_a_logo_that_is_no_picture_is_left_out(world: World, logo: bytes) -> None:
    world.feed(a_company(logo=logo))

    answer = world.http.get(f"{world.link()}/quotes/Q1/pdf")

    assert "N-Q1" in text_of(answer)
    assert not read(answer).pages[0].images


def test_what_has_no_glyph_does_not_stop_the_press(world: World) -> None:
    world.feed(a_quote("Q1", notes="private \ue000 unassigned \u0378 and after"))

    assert "and after" in text_of(world.http.get(f"{world.link()}/quotes/Q1/pdf"))


HOSTILE = (
    '#panic("x")',
    '#import "@preview/x:1.0.0"',
    '] #read("/etc/passwd") [',
    "$ integral $ *bold* _it_ `raw` = heading\n= heading\n- list // comment /* x */ <label> @ref \\u{1f600}",
    '"}, {"kind": "whole',
    "a" * 300,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_prints_as_it_was_typed(world: World, text: str) -> None:
    world.feed(
        a_company(name=text[:200], footer=text, address=text),
        a_quote("Q1", number=text[:200], notes=text, terms=text, lines=(a_line("1", description=text),)),
        an_order("O1", client_reference=text, number=text),
        a_delivery("D1", carrier_name=text[:200], number=text),
    )

    for path in DOCUMENTS[:3]:
        printed = squeezed(text_of(world.http.get(f"{world.link()}/{path}/pdf")))
        assert squeezed(text)[:100] in printed


PRINTABLE = st.text(st.characters(codec="latin-1", categories=["L", "N", "P", "S", "Zs"]), max_size=60)


@given(PRINTABLE, PRINTABLE)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_said_is_set_and_can_be_read(notes: str, description: str) -> None:
    line = a_line("1", description=f"x{description}")
    printed = TypstPrinter().print(_paper(notes, line.description), None)

    text = squeezed("\n".join(page.extract_text() for page in PdfReader(io.BytesIO(printed)).pages))

    assert _plain(notes) in _plain(text)
    assert _plain(line.description) in _plain(text)


@given(st.text(max_size=40))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_at_all_stops_the_press(text: str) -> None:
    said = text.encode(errors="ignore").decode()

    assert TypstPrinter().print(_paper(said, said), None).startswith(b"%PDF-")


def _paper(notes: str, description: str) -> Mapping[str, Any]:
    return {
        "language": "en",
        "region": None,
        "direction": "ltr",
        "company": {"name": notes, "accent": "#1f5fbf", "contact": [notes]},
        "title": notes or "x",
        "short_title": notes,
        "state": None,
        "facts": [["Date", notes]],
        "tables": [
            {
                "caption": None,
                "columns": [{"label": "Description", "wide": True, "number": False}],
                "rows": [{"kind": "plain", "cells": [description]}],
            }
        ],
        "totals": [],
        "texts": [["Notes", notes]],
        "footer": "",
        "attachments": [],
    }


def _plain(text: str) -> str:
    """Return text as extraction may give it back: without spaces and soft hyphens, and ligatures taken apart."""
    return squeezed(unicodedata.normalize("NFKC", text)).replace("\xad", "").replace("-", "").replace("\u2010", "")


def test_a_paper_of_many_pages_repeats_the_head_of_its_table_and_counts_its_pages(world: World) -> None:
    lines = tuple(a_line(f"{place}", description=f"Item {place}") for place in range(120))
    world.feed(a_quote("Q1", lines=lines))

    pages = read(world.http.get(f"{world.link()}/quotes/Q1/pdf")).pages

    assert len(pages) > 2
    assert all("Description" in page.extract_text() for page in pages)
    assert f"2 / {len(pages)}" in pages[1].extract_text()


@pytest.mark.parametrize("bound, most", [("MOST_ROWS", 3), ("MOST_CHARACTERS", 50)])
def test_a_paper_of_too_many_lines_is_not_printed(
    world: World, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(paper, bound, most)
    token = world.token()

    ours = world.http.get(f"/api/v1/customer-portal/view/{token}/statement/pdf")
    page = world.http.get(f"/p/{token}/statement/pdf")

    assert (code(ours), places(ours)) == ("invalid_input", ["from"])
    assert page.status_code == 422
    assert "That is too much for one file" in page.text


def test_without_a_printer_there_is_no_pdf_and_no_link_to_one() -> None:
    world = full_world(printing=False)
    token = world.token()

    for path in DOCUMENTS:
        assert code(world.http.get(f"/api/v1/customer-portal/view/{token}/{path}/pdf")) == "not_found"
        assert world.http.get(f"/p/{token}/{path}/pdf").status_code == 404
        assert "/pdf" not in world.http.get(f"/p/{token}/{path}").text
    assert world.http.get(f"/p/{token}/invoices/I1/pdf").status_code == 200


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_page_of_a_document_leads_to_its_pdf(world: World, path: str) -> None:
    token = world.token()

    assert f'href="/p/{token}/{path}/pdf" download' in world.http.get(f"/p/{token}/{path}").text


@pytest.mark.parametrize("printing", [True, False])
def test_a_hosts_own_file_takes_the_place_of_what_would_be_printed(*, printing: bool) -> None:
    world = full_world(printing=printing)
    own = a_file(DocumentRef(DocumentType.QUOTE, "Q1"), content=b"%PDF-1.7 the host's %%EOF")
    with world.transaction() as store:
        store.attachments.attach(own)
    token = world.token()

    assert world.http.get(f"/api/v1/customer-portal/view/{token}/quotes/Q1/pdf").content == own.content
    assert f'href="/p/{token}/quotes/Q1/pdf"' in world.http.get(f"/p/{token}/quotes/Q1").text


def test_what_is_withheld_is_not_printed(world: World) -> None:
    token = world.token(without=list(Permission))

    for path in DOCUMENTS:
        assert world.http.get(f"/p/{token}/{path}/pdf").status_code == 403


def test_a_narrowed_link_prints_its_documents_alone_and_nothing_that_leads_to_others(world: World) -> None:
    link = world.link(documents=[(DocumentType.DELIVERY, "D1")])

    text = text_of(world.http.get(f"{link}/deliveries/D1/pdf"))

    assert "N-O1" not in text
    assert code(world.http.get(f"{link}/deliveries/D2/pdf")) == "not_found"
    assert code(world.http.get(f"{link}/statement/pdf")) == "permission_denied"


@final
@define
class SlowPrinter(Printer):
    """Prints nothing until it may."""

    may: Event = field(factory=Event)

    def print(self, paper: Mapping[str, Any], logo: bytes | None) -> bytes:
        assert self.may.wait(20)
        return json.dumps([paper, logo]).encode()


def test_who_would_have_to_wait_too_long_is_told_to_come_back() -> None:
    printer = SlowPrinter()
    shop = PrintShop(printer)
    sheet = paper.Paper(
        language="en",
        region=None,
        direction="ltr",
        company=paper.Letterhead(name="Acme", accent="#000000", contact=()),
        title="Quote",
        short_title="Quote",
        facts=(),
        tables=(),
    )

    async def rush() -> tuple[int, list[bytes], bytes]:
        orders = [asyncio.create_task(shop.print(sheet, None)) for _ in range(printing.AT_ONCE + printing.MOST_WAITING)]
        await asyncio.sleep(0)
        refused = 0
        for _ in range(3):
            try:
                await shop.print(sheet, None)
            except Busy:
                refused += 1
        printer.may.set()
        done = await asyncio.gather(*orders)
        return refused, done, await shop.print(sheet, None)

    refused, done, later = asyncio.run(rush())

    assert refused == 3
    assert set(done) == {later}


def test_text_of_the_other_direction_keeps_its_full_stop_at_its_end() -> None:
    assert as_written("Made here.\nبرلين", "rtl") == "\u2068Made here.\u2069\nبرلين"
    assert as_written("Made here.\nبرلين.", "ltr") == "Made here.\n\u2068برلين.\u2069"
