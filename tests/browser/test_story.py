"""The story of a client in a real browser: read, accept, decline, write, be refused."""

import re

import pytest
from playwright.sync_api import Page, expect

from portal_adapters.contract.builders import COMPANY, a_file, a_quote, day, eur
from portal_core.domain.access import DocumentRef, DocumentType
from portal_core.domain.filters import DecisionFilter, TicketFilter
from portal_core.domain.paging import Listing
from tests.browser.conftest import Portal, Visit
from tests.http.test_pages_reading import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NEWEST = Listing(sort="created_at")


def open_menu(page: Page, width: int) -> None:
    if width < 960:
        page.locator("details.menu > summary").click()


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("locale, dark", [("en", False), ("ar", True)])
def test_a_client_reads_answers_and_writes(
    portal: Portal, visit: Visit, width: int, *, scripts: bool, locale: str, dark: bool
) -> None:
    portal.speak(locale)
    page = visit(width=width, scripts=scripts, dark=dark).page
    page.goto(portal.link())

    page.locator("a.button[href$='/quotes/Q1']").click()
    page.locator("#name").fill("Ada Lovelace")
    page.locator("#email").fill("ada@example.com")
    page.locator("#consent").check()
    page.locator("form:has(#consent) button").click()
    expect(page).to_have_url(re.compile(r"/quotes/Q1#answer$"))
    expect(page.locator("#answer")).to_contain_text("Ada Lovelace")

    open_menu(page, width)
    page.locator("header nav a[href$='/quotes']").click()
    page.locator("a[href$='/quotes/Q4']").click()
    page.locator("details.no > summary").click()
    page.locator("#reason").fill("Too dear")
    page.locator("details.no button").click()
    expect(page.locator("#answer")).to_contain_text("Too dear")

    open_menu(page, width)
    page.locator("header nav a[href$='/orders']").click()
    page.locator("a[href$='/orders/O1']").click()
    page.locator("main a[href$='/deliveries/D2']").click()
    expect(page.locator(".timeline li")).to_have_count(4)
    page.locator("p.ask a").click()
    page.locator("#subject").fill("Where is it?")
    page.locator("#message").fill("It should be here.")
    page.locator("form:has(#subject) button").click()
    expect(page.locator("#sent")).to_contain_text("It should be here.")

    decided = portal.world.run(lambda store: store.decisions.page(COMPANY, NEWEST, DecisionFilter()).items)
    assert sorted((each.quote_id, each.answer) for each in decided) == [("Q1", "accepted"), ("Q4", "declined")]
    (ticket,) = portal.world.run(lambda store: store.tickets.page(COMPANY, NEWEST, TicketFilter()).items)
    assert ticket.document == DocumentRef(DocumentType.DELIVERY, "D2")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_client_who_is_refused_keeps_what_they_typed(portal: Portal, visit: Visit, *, scripts: bool) -> None:
    page = visit(scripts=scripts).page
    page.goto(f"{portal.link()}/quotes/Q1")
    page.locator("#name").fill("Ada Lovelace")
    page.locator("#comment").fill("x" * 2_001)
    page.locator("#consent").check()
    page.locator("form:has(#consent) button").click()

    expect(page.locator("#comment")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#name")).to_have_value("Ada Lovelace")
    expect(page.locator("#problem")).to_be_focused()

    page.locator("#comment").fill("Soon, please")
    portal.world.feed(a_quote("Q1", number="Q-2026-0041", revision=2, total=eur("5000.00"), valid_until=day(9)))
    page.locator("form:has(#consent) button").click()
    expect(page.locator("#problem")).to_contain_text("revision 2")
    expect(page.locator("#comment")).to_have_value("Soon, please")
    expect(page.locator("#consent")).not_to_be_checked()
    page.locator("#consent").check()
    page.locator("form:has(#consent) button").click()
    expect(page.locator("#answer")).to_contain_text("Ada Lovelace")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
@pytest.mark.parametrize("locale", ["en", "ar"])
def test_a_client_downloads_lists_and_documents(
    portal: Portal, visit: Visit, width: int, *, scripts: bool, locale: str
) -> None:
    portal.speak(locale)
    invoice = a_file(DocumentRef(DocumentType.INVOICE, "I1"))
    portal.world.run(lambda store: store.attachments.attach(invoice))
    page = visit(width=width, scripts=scripts, accept_downloads=True).page

    def downloaded(path: str, file: str) -> bytes:
        page.goto(f"{portal.link()}/{path}")
        with page.expect_download() as started:
            page.locator(f"main a[download][href*='{file}']").click()
        assert re.fullmatch(r"[A-Za-z0-9.-]+\.(csv|pdf)", started.value.suggested_filename)
        return started.value.path().read_bytes()

    for name in ("quotes", "orders", "deliveries", "invoices", "payments"):
        assert downloaded(name, f"{name}.csv").startswith(b"\xef\xbb\xbfid,number,")
    for path in ("quotes/Q1", "orders/O1", "deliveries/D2", "statement"):
        assert downloaded(path, f"{path}/pdf").startswith(b"%PDF-")
    assert downloaded("statement", "statement.csv").startswith(b"\xef\xbb\xbfon,type,")
    assert downloaded("invoices/I1", "invoices/I1/pdf") == invoice.content


def test_the_keyboard_alone_is_enough(portal: Portal, visit: Visit) -> None:
    page = visit().page
    page.goto(f"{portal.link()}/quotes/Q1")

    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.locator("#name").focus()
    page.keyboard.type("Ada")
    while page.evaluate("document.activeElement.id") != "consent":
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("#answer")).to_contain_text("Ada")


def test_a_browser_that_runs_scripts_and_follows_every_link_changes_nothing(portal: Portal, visit: Visit) -> None:
    page, link, before = visit().page, portal.link(), portal.world.snapshot()

    for path in PAGES:
        page.goto(link + path)
    addresses = page.eval_on_selector_all("a[href]:not([download])", "links => links.map(link => link.href)")
    for address in addresses:
        if address.startswith(link):
            page.goto(address)

    assert portal.world.snapshot() == before


def test_light_or_dark_is_chosen_and_kept(portal: Portal, visit: Visit) -> None:
    page, link = visit(scripts=True).page, portal.link()
    page.goto(f"{link}/quotes")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.locator("button[value=dark]").click()

    expect(page).to_have_url(f"{link}/quotes")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
    page.goto(link)
    expect(page.locator("button[value=dark]")).to_have_attribute("aria-pressed", "true")


def test_what_is_printed_is_the_document_alone(portal: Portal, visit: Visit) -> None:
    page = visit(dark=True).page
    page.goto(f"{portal.link()}/quotes/Q1")

    page.emulate_media(media="print")

    for hidden in ("header nav", ".answer", ".scheme", ".skip", ".back"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("table")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
