"""The pages as they are read: what is on them, what is withheld, and what surrounds them."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NoReturn

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from portal_adapters.contract.builders import (
    a_credit_note,
    a_delivery,
    a_quote,
    a_refund,
    an_invoice,
    day,
    eur,
    moment,
    paid,
)
from portal_core.domain.access import DocumentRef, DocumentType, Permission
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.errors import Busy
from portal_core.domain.invoices import Instalment
from portal_core.ports import ComposedDashboards, Store
from portal_core.use_cases.access import revoke_links_of
from portal_http.pages import theme
from portal_http.pages.spoken import SpokenEnvironment
from portal_http.runners import InlineRunner
from tests.browser.world import World, everything, many_invoices, the_client, the_company

PAGES = (
    "",
    "/quotes",
    "/quotes/Q1",
    "/quotes/Q2",
    "/orders",
    "/orders/O1",
    "/deliveries",
    "/deliveries/D2",
    "/invoices",
    "/invoices/I1",
    "/invoices/I2",
    "/invoices/C1",
    "/payments",
    "/payments/P2",
    "/payments/R1",
    "/statement",
    "/feedback",
    "/feedback?about=quote:Q1",
)

VOID = frozenset({"meta", "link", "img", "input", "br", "rect", "path"})


class Outline(HTMLParser):
    """The elements of a page in order, and whether each that was opened was closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]


@pytest.fixture(name="world")
def a_world() -> World:
    world = World()
    world.feed(*everything())
    return world


def browser(world: World, **options: Any) -> TestClient:
    return TestClient(world.app(**options), follow_redirects=False)


def section(page: str, heading: str) -> str:
    """Return the part of a page that a heading's id names."""
    found = re.search(rf'<section[^>]*aria-labelledby="{heading}".*?</section>', page, re.DOTALL)
    assert found is not None
    return found[0]


def words(page: str) -> str:
    """Return the text of a page without its markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_and_has_one_heading_one_main_part_and_unique_ids(world: World, path: str) -> None:
    answer = browser(world).get(world.link() + path)

    assert answer.status_code == 200
    page = Outline(answer.text)
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("title")) == 1
    assert len(page.ids()) == len(set(page.ids()))
    assert page.all("html") == [{"lang": "en", "dir": "ltr"}]
    assert not page.all("script")
    assert not [each for _, each in page.elements if "style" in each]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_of_ours_is_rendered_twice(world: World, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SpokenEnvironment, "patient", property(lambda _: pytest.fail("Jinja was asked")))

    assert browser(world).get(world.link() + path).status_code == 200


def test_the_first_page_is_read_together_with_the_link(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[object] = []
    read = InlineRunner.read

    async def counted(runner: InlineRunner, use_case: Callable[[Store], object]) -> object:
        turns.append(use_case)
        return await read(runner, use_case)

    monkeypatch.setattr(InlineRunner, "read", counted)

    assert browser(world).get(world.link()).status_code == 200
    assert len(turns) == 1


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_header_fields_of_a_secret_address(world: World, path: str) -> None:
    answer = browser(world).get(world.link() + path)

    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["x-robots-tag"] == "noindex"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    assert len(answer.headers.get_list("content-security-policy")) == 1


@pytest.mark.parametrize("path", PAGES)
def test_a_head_request_is_answered_like_a_get_without_the_page(world: World, path: str) -> None:
    link, client = world.link(), browser(world)

    page, head = client.get(link + path), client.head(link + path)

    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == page.headers["content-length"]


def test_opening_every_page_changes_nothing(world: World) -> None:
    link, client = world.link(), browser(world)
    before = world.snapshot()

    for path in PAGES:
        client.get(link + path)
        client.head(link + path)

    assert world.snapshot() == before


def test_the_first_page_tells_what_needs_the_client_what_they_owe_and_what_comes(world: World) -> None:
    page = words(browser(world).get(world.link()).text)

    assert "Quote Q-2026-0041 awaits your answer" in page
    assert "Invoice INV-2026-0088 is overdue" in page
    assert "€1,410.50" in page
    assert "Track KF 0042 7719" in page
    assert "€4,416.60" in page
    assert "¥359,000" in page


def test_an_order_tells_of_each_line_how_far_it_is(world: World) -> None:
    page = words(browser(world).get(f"{world.link()}/orders/O1").text)

    assert "Dining chair, ash 24 piece 16 5 3 16 Partly paid €2,280.00" in page


def test_an_invoice_tells_what_is_due_when_how_to_pay_and_what_settled_it(world: World) -> None:
    link, client = world.link(), browser(world)

    page = client.get(f"{link}/invoices/I1").text

    assert 'href="https://pay.example/INV-2026-0088"' in page
    assert "Bank transfer to DE00" in page
    assert f'href="{link}/payments/P2"' in page
    assert "Apr 2, 2026 €1,256.10 €1,256.10" in words(client.get(f"{link}/invoices/I2").text)


def test_a_statement_opens_moves_and_closes(world: World) -> None:
    page = words(browser(world).get(f"{world.link()}/statement?from=2026-02-01&to=2026-02-28&currency=EUR").text)

    assert "Opening balance €2,780.50" in page
    assert "Feb 23, 2026 Payment PAY-0060 €1,500.00 €3,617.60" in page
    assert "Closing balance €3,617.60" in page


def test_a_long_statement_is_shown_from_its_end_with_a_way_to_what_was_before(world: World) -> None:
    world.feed(*(an_invoice(f"M{index:04}", number=f"INV-{index:04}", issued_on=day(-1)) for index in range(260)))
    link, client = world.link(), browser(world)

    page = client.get(f"{link}/statement?currency=EUR").text

    seen = [page]
    while (earlier := re.search(r'href="([^"]+)">Show the earlier movements', seen[-1])) is not None:
        seen.append(client.get(earlier[1].replace("&amp;", "&")).text)
    movements = [re.findall(r"<bdi>(INV-\d{4})</bdi>", each) for each in seen]
    shown = [number for page in reversed(movements) for number in page]
    assert len(seen) == 3
    assert len(shown) == len(set(shown)) == 260
    assert shown == sorted(shown)
    assert ["Brought forward" in each for each in seen] == [True, True, False]
    assert ["Carried forward" in each for each in seen] == [False, True, True]


def test_what_is_overdue_comes_before_what_falls_due_soon(world: World) -> None:
    soon = [an_invoice(f"S{index}", number=f"SOON-{index}", due_on=day(10)) for index in range(6)]
    long_ago = an_invoice("OLD", number="LONG-AGO", due_on=None, issued_on=day(-90))
    world.feed(*soon, long_ago)

    needed = section(browser(world).get(world.link()).text, "now")

    assert "LONG-AGO" in needed


def test_an_invoice_in_parts_asks_first_for_what_is_overdue(world: World) -> None:
    parts = (Instalment(due_on=day(-10), amount=eur("10.00")), Instalment(due_on=day(100), amount=eur("990.00")))
    world.feed(an_invoice("IN", eur("1000.00"), number="IN-PARTS", due_on=day(100), instalments=parts))
    link, client = world.link(), browser(world)

    needed = words(section(client.get(link).text, "now"))
    asked = words(section(client.get(f"{link}/invoices/IN").text, "due"))

    assert "A part of invoice IN-PARTS is overdue" in needed
    assert "Open in all €1,000.00" in needed
    assert "Still due €10.00" in asked
    assert "Due later: €990.00" in asked


def test_a_delivery_that_was_forgotten_does_not_hide_the_one_that_comes_tomorrow(world: World) -> None:
    forgotten = [
        a_delivery(f"F{index}", number=f"FORGOTTEN-{index}", state=DeliveryState.SHIPPED, scheduled_on=day(-300))
        for index in range(6)
    ]
    world.feed(*forgotten, a_delivery("NEXT", number="TOMORROW", state=DeliveryState.READY, scheduled_on=day(1)))

    coming = section(browser(world).get(world.link()).text, "way")

    assert "TOMORROW" in coming
    assert "All deliveries" in coming


def test_money_that_went_back_is_called_so(world: World) -> None:
    note = a_credit_note("CN", eur("50.00"), number="NOTE")
    world.feed(note, a_refund("RF", eur("20.00"), number="BACK", allocations=(paid("CN", eur("20.00")),)))
    link, client = world.link(), browser(world)

    refund, note_page = (words(client.get(f"{link}/{path}").text) for path in ("payments/RF", "invoices/CN"))

    assert "Received" not in refund
    assert "What it paid back" in refund
    assert "BACK Refund" in note_page
    assert "Partly paid" not in note_page


def test_lists_are_narrowed_searched_and_paged(world: World) -> None:
    world.feed(*many_invoices(60))
    link, client = world.link(), browser(world)

    first = client.get(f"{link}/invoices?payment_state=not_paid,partial").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following is not None
    second = client.get(following[1].replace("&amp;", "&")).text

    assert "25 of 65" in words(first)
    assert set(re.findall(r"INV-0\d{3}", first)).isdisjoint(re.findall(r"INV-0\d{3}", second))
    back = f'href="{link}/invoices?payment_state=not_paid%2Cpartial">First page</a>'
    assert [back in page for page in (first, second)] == [False, True]
    found = words(client.get(f"{link}/invoices?number=INV-0042&from=&to=").text)
    assert "1 of 1" in found
    assert "INV-0042" in found


def test_what_mail_programs_add_to_an_address_is_passed_over(world: World) -> None:
    assert browser(world).get(f"{world.link()}/quotes?utm_source=mail&fbclid=x").status_code == 200


@pytest.mark.parametrize("query", ["state=draft", "cursor=abc", "from=2026-13-01", "from=2026-03-02&to=2026-03-01"])
def test_a_list_that_is_asked_for_what_there_is_not_says_so_beside_the_whole_list(world: World, query: str) -> None:
    answer = browser(world).get(f"{world.link()}/quotes?{query}")

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "Q-2026-0041" in answer.text


def test_a_day_that_is_none_is_kept_in_its_field_with_the_error_beside_it(world: World) -> None:
    page = Outline(browser(world).get(f"{world.link()}/statement?from=2026-02-30").text)

    field = next(each for each in page.all("input") if each.get("id") == "from")
    assert field["value"] == "2026-02-30"
    assert field["aria-invalid"] == "true"
    assert field["aria-describedby"] in page.ids()


def test_a_list_of_25_is_a_light_page_and_the_stylesheet_is_light_too(world: World) -> None:
    world.feed(*many_invoices(40))
    link, client = world.link(), browser(world)

    for section in ("quotes", "orders", "invoices", "payments", "deliveries"):
        assert len(client.get(f"{link}/{section}").content) <= 60_000
    assert len(theme.stylesheet("1f5fbf")) <= 20_000


@pytest.mark.parametrize(
    "permission, section, path",
    [
        (Permission.VIEW_QUOTES, "quotes", "/quotes/Q1"),
        (Permission.VIEW_ORDERS, "orders", "/orders/O1"),
        (Permission.VIEW_DELIVERIES, "deliveries", "/deliveries/D1"),
        (Permission.VIEW_INVOICES, "invoices", "/invoices/I1"),
        (Permission.VIEW_PAYMENTS, "payments", "/payments/P1"),
        (Permission.VIEW_PAYMENTS, "statement", "/statement"),
        (Permission.SUBMIT_FEEDBACK, "feedback", "/feedback"),
    ],
)
def test_what_is_withheld_is_refused_and_nowhere_linked_to(
    world: World, permission: Permission, section: str, path: str
) -> None:
    link, client = world.link(without=(permission,)), browser(world)

    refused = client.get(link + path)

    assert refused.status_code == client.get(f"{link}/{section}").status_code == 403
    assert "This part is not open to you" in refused.text
    for each in PAGES:
        assert f"{link}/{section}" not in client.get(link + each).text.replace(f'value="/{section}', "")


def test_a_link_that_may_not_accept_shows_the_quote_without_the_form(world: World) -> None:
    link, client = world.link(without=(Permission.ACCEPT_QUOTES,)), browser(world)

    page = client.get(f"{link}/quotes/Q1").text

    assert "Accept this quote" not in page
    assert "awaits your answer" not in client.get(link).text


def test_a_link_that_may_not_see_payments_is_not_told_what_settled_an_invoice(world: World) -> None:
    page = browser(world).get(f"{world.link(without=(Permission.VIEW_PAYMENTS,))}/invoices/I1").text

    assert "PAY-0060" not in page
    assert "What settled it" not in page


def test_a_link_to_one_document_shows_that_one_alone(world: World) -> None:
    one = frozenset({DocumentRef(DocumentType.INVOICE, "I1")})
    link, client = world.link(documents=one), browser(world)

    assert "1 of 1" in words(client.get(f"{link}/invoices").text)
    assert client.get(f"{link}/invoices/I2").status_code == 404
    assert client.get(f"{link}/statement").status_code == 403
    first = client.get(link).text
    assert "What you owe" not in first
    assert "statement" not in first
    page = client.get(f"{link}/invoices/I1").text
    assert "/orders/O1" not in page
    assert "/payments/P2" not in page


def test_every_dead_link_gets_the_same_page_byte_for_byte(world: World) -> None:
    expired, revoked = world.link(), World().link
    del revoked
    client = browser(world, support_text="Write to hello@northwind.example")
    world.run(lambda store: revoke_links_of(store, the_company().id, the_client().id, now=world.now))
    later = world.link()
    world.now = moment(200 * 24 * 60 * 60)
    stranger = World()
    stranger.feed(*everything())

    answers = [
        client.get(path)
        for path in (expired, later, stranger.link(), "/p/nonsense", "/p/", "/p", f"{expired}/quotes/Q1", "/p/static/x",
                     f"{later[:-1]}0", "/p/cpt_%F0%9F%98%80")
    ]  # fmt: skip

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.headers.items())) for answer in answers}) == 1
    assert "Write to hello@northwind.example" in answers[0].text
    assert "Northwind Joinery" not in answers[0].text


def test_a_page_that_there_is_not_keeps_the_way_to_the_others(world: World) -> None:
    link, client = world.link(), browser(world)

    for path in ("/nowhere", "/quotes/NONE", "/quotes/Q1/x", "/orders/..%2f", "/feedback/none"):
        answer = client.get(link + path)
        assert answer.status_code == 404
        assert f'href="{link}/quotes"' in answer.text


def test_a_first_page_that_the_store_is_too_busy_for_is_refused_as_any_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object, **__: object) -> NoReturn:
        raise Busy("The store is busy.")

    monkeypatch.setattr(ComposedDashboards, "first_page", busy)
    link, client = world.link(), browser(world, reads_per_minute=2)

    answer = client.get(link)

    assert answer.status_code == 503
    assert f'href="{link}/quotes"' in answer.text
    assert answer.headers["x-ratelimit-remaining"] == "1"


def test_methods_that_a_page_does_not_take_are_named(world: World) -> None:
    link, client = world.link(), browser(world)

    assert client.delete(f"{link}/quotes/Q1").headers["allow"] == "GET, HEAD, POST"
    assert client.post(f"{link}/orders/O1").status_code == 405
    assert client.get(f"{link}/display").headers["allow"] == "POST"


def test_the_budget_of_a_link_is_told_and_kept(world: World) -> None:
    link, client = world.link(), browser(world, reads_per_minute=2)

    first, second, third = client.get(link), client.get(f"{link}/nowhere"), client.get(link)

    assert [each.headers["x-ratelimit-remaining"] for each in (first, second)] == ["1", "0"]
    assert third.status_code == 429
    assert third.headers["retry-after"] == "60"
    assert "Try again in 60 seconds." in third.text
    assert client.get(f"{link}/logo").status_code == 200


def test_guesses_are_counted_and_live_links_still_answered(world: World) -> None:
    link, client = world.link(), browser(world, guesses_per_minute=3)

    answers = [client.get("/p/guess").status_code for _ in range(5)]

    assert answers == [404, 404, 404, 429, 429]
    assert client.get(link).status_code == 200


def test_the_stylesheet_and_the_icon_are_kept_by_browsers_and_free(world: World) -> None:
    link, client = world.link(), browser(world, reads_per_minute=1)
    page = Outline(client.get(link).text)

    for each in page.all("link"):
        answer = client.get(each["href"] or "")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert "x-ratelimit-limit" not in answer.headers
    assert "0f766e" in (page.all("link")[0]["href"] or "")
    assert client.get("/p/static/0000000000000000-0f766e.css").status_code == 404
    assert client.post(page.all("link")[0]["href"] or "").status_code == 405


@pytest.mark.parametrize(
    "accepted, compressed",
    [
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("GZIP ; q=1.0, br", True),
        ("gzip;q=0", False),
        ("br, gzip; q=0.000, deflate", False),
        ("x-gzip", False),
        ("identity", False),
    ],
)
def test_the_stylesheet_is_compressed_for_who_takes_it_so_and_pages_never_are(
    world: World, accepted: str, *, compressed: bool
) -> None:
    link, client = world.link(), browser(world)
    page = client.get(link, headers={"accept-encoding": accepted})
    address = Outline(page.text).all("link")[0]["href"] or ""

    answer = client.get(address, headers={"accept-encoding": accepted})

    assert answer.headers.get("content-encoding") == ("gzip" if compressed else None)
    assert (int(answer.headers["content-length"]) < len(answer.content)) is compressed
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == client.get(address, headers={"accept-encoding": "identity"}).content
    assert "content-encoding" not in page.headers


@pytest.mark.parametrize("colour", [None, "teal", "#fff", "#GGGGGG"])
def test_a_colour_that_is_none_leaves_the_plain_one(world: World, colour: str | None) -> None:
    world.feed(the_company(accent_colour=colour))

    page = Outline(browser(world).get(world.link()).text)

    assert f"-{theme.PLAIN_ACCENT}.css" in (page.all("link")[0]["href"] or "")


def test_the_logo_is_served_as_the_picture_that_it_is(world: World) -> None:
    link, client = world.link(), browser(world)

    assert client.get(f"{link}/logo").headers["content-type"] == "image/png"
    assert client.get(f"{link}/logo").content == the_company().logo
    world.feed(the_company(logo=b"<svg/>"))
    assert client.get(f"{link}/logo").status_code == 404


@pytest.mark.parametrize(
    "locale, accepted, expected",
    [
        ("fr_CH", "de", "fr-CH"),
        ("nl_NL", "de;q=0.5, ar;q=0.9, sv", "ar"),
        (None, "xx, *", "en"),
        ("??", "de-AT", "de-AT"),
        (None, "", "en"),
    ],
)
def test_the_clients_language_comes_first_then_the_browsers_then_the_companys(
    world: World, locale: str | None, accepted: str, expected: str
) -> None:
    world.feed(the_client(locale=locale))

    page = browser(world).get(world.link(), headers={"Accept-Language": accepted})

    assert Outline(page.text).all("html")[0]["lang"] == expected


def test_arabic_is_written_from_the_right_with_its_own_words_and_amounts(world: World) -> None:
    world.feed(the_client(locale="ar_EG"))

    page = browser(world).get(world.link()).text

    assert '<html lang="ar-EG" dir="rtl">' in page
    assert "٤٬٤١٦٫٦٠" in page  # noqa: RUF001 - as Arabic writes it
    assert "ما يحتاج إليك الآن" in page


def test_light_or_dark_is_kept_in_a_cookie_and_leads_back(world: World) -> None:
    link, client = world.link(), browser(world)

    answer = client.post(f"{link}/display", data={"scheme": "dark", "back": "/quotes/Q1"})

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{link}/quotes/Q1"
    assert 'data-scheme="dark"' in client.get(f"{link}/quotes").text
    client.post(f"{link}/display", data={"scheme": "auto", "back": ""})
    assert "data-scheme" not in client.get(link).text
    elsewhere = client.post(f"{link}/display", data={"scheme": "dark", "back": "//evil.example"})
    assert elsewhere.headers["location"] == link


def test_a_language_can_be_chosen_and_keeps_the_formats_of_the_country(world: World) -> None:
    link, client = world.link(), browser(world)

    answer = client.post(f"{link}/display", data={"language": "de", "back": "/quotes"})

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{link}/quotes"
    page = client.get(f"{link}/quotes", headers={"accept-language": "de-CH, en"}).text
    assert '<html lang="de-CH"' in page
    assert 'lang="de" dir="auto" aria-pressed="true">Deutsch</button>' in page
    assert '<html lang="de"' in client.get("/p/nobody").text
    client.post(f"{link}/display", data={"language": "ar"})
    assert '<html lang="ar" dir="rtl">' in client.get(link).text


@pytest.mark.parametrize("language", ["xx", "../../etc", "de\r\nset-cookie: a=b"])
def test_a_language_that_is_not_offered_is_refused(world: World, language: str) -> None:
    answer = browser(world).post(f"{world.link()}/display", data={"language": language})

    assert answer.status_code == 422
    assert "set-cookie" not in answer.headers


def test_what_documents_say_is_never_taken_for_markup(world: World) -> None:
    world.feed(a_quote("X1", number="<b>&\"'", notes="<script>alert(1)</script>", valid_until=day(3)))

    page = browser(world).get(f"{world.link()}/quotes/X1").text

    assert "<script>" not in page
    assert "<b>&" not in page


def test_a_host_replaces_templates_and_adds_a_language(world: World, tmp_path: Path) -> None:
    (tmp_path / "quotes.html").write_text(
        '{% extends "ours/quotes.html" %}{% block name %}Our offers{% endblock %}', encoding="utf-8"
    )
    (tmp_path / "locales").mkdir()
    (tmp_path / "locales" / "sv.po").write_text(
        'msgid ""\nmsgstr "Language: sv\\nContent-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Quotes"\nmsgstr "Offerter"\n',
        encoding="utf-8",
    )
    world.feed(the_client(locale="sv_SE"))

    page = browser(world, templates=(tmp_path,)).get(f"{world.link()}/quotes").text

    assert "<title>Our offers · Northwind Joinery</title>" in page
    assert "<h1>Offerter</h1>" in page


def test_under_a_prefix_every_address_on_a_page_has_it(world: World) -> None:
    link = world.link()
    client = TestClient(Starlette(routes=[Mount("/clients", app=world.app())]))

    page = Outline(client.get(f"/clients{link}").text)

    addresses = [each.get("href") or "" for each in (*page.all("a"), *page.all("link"))]
    ours = [each for each in addresses if each.startswith("/")]
    assert ours
    assert all(each.startswith("/clients/p/") for each in ours)
    assert client.get(page.all("link")[0]["href"] or "").status_code == 200


def test_a_malformed_host_is_refused_and_builds_no_address(world: World) -> None:
    link, client = world.link(), browser(world, allowed_hosts=("portal.example",))

    assert client.get(link, headers={"Host": "evil.example"}).status_code == 400
    page = client.get(link, headers={"Host": "portal.example"}).text
    assert "portal.example" not in page
