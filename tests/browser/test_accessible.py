"""Every page and state, judged by axe-core and measured at the width of a small phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped] # it has no types
from playwright.sync_api import Page

from portal_adapters.contract.builders import COMPANY, EUR, a_line, a_payment, a_quote, an_invoice, an_order, day
from portal_core.domain.access import Permission
from portal_core.domain.filters import TicketFilter
from portal_core.domain.money import Money
from portal_core.domain.paging import Listing
from tests.browser.conftest import Portal, Visit
from tests.browser.world import many_invoices, the_client, the_company
from tests.http.test_pages_reading import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MORE = ("/quotes?state=cancelled", "/quotes?state=nope", "/statement?from=2026-04-01&to=2026-03-01", "/nowhere")


def states(portal: Portal, page: Page) -> Iterator[str]:
    """Open every page and bring it into every state in turn; yield what each one is called."""
    link = portal.link()
    for path in (*PAGES, *MORE):
        page.goto(link + path)
        yield path
    page.goto(f"{portal.link(without=(Permission.VIEW_QUOTES,))}/quotes")
    yield "withheld"
    page.goto(f"{portal.address}/p/nothing")
    yield "dead link"
    yield from _answering(portal, page, link)
    yield from _writing(portal, page, link)


def _answering(portal: Portal, page: Page, link: str) -> Iterator[str]:
    page.goto(f"{link}/quotes/Q1")
    page.locator("details.no > summary").click()
    yield "declining"
    page.locator("#name").fill("Ada")
    page.locator("#comment").fill("x" * 2_001)
    page.locator("#consent").check()
    page.locator("form:has(#consent) button").click()
    yield "wrong"
    portal.world.feed(a_quote("Q1", revision=2, valid_until=day(9)))
    page.locator("#comment").fill("")
    page.locator("form:has(#consent) button").click()
    yield "moved on"
    page.locator("#consent").check()
    page.locator("form:has(#consent) button").click()
    yield "accepted"
    page.goto(f"{link}/quotes/Q4")
    page.locator("details.no > summary").click()
    page.locator("details.no button").click()
    yield "declined"


def _writing(portal: Portal, page: Page, link: str) -> Iterator[str]:
    page.goto(f"{link}/feedback")
    page.locator("#subject").fill("Chairs")
    page.locator("#message").fill("x" * 10_001)
    page.locator("form:has(#subject) button").click()
    yield "message too long"
    page.locator("#message").fill("Where are they?")
    page.locator("form:has(#subject) button").click()
    page.wait_for_url("**/feedback/*")
    listing = Listing(sort="created_at")
    (ticket,) = portal.world.run(lambda store: store.tickets.page(COMPANY, listing, TicketFilter()).items)
    portal.world.reply(ticket.id, "On their way.", close=True)
    page.reload()
    yield "conversation"
    page.goto(f"{link}/feedback")
    yield "conversations"


LONG = "W" * 150


@pytest.mark.parametrize("width", [320, 800, 1280])
def test_long_words_and_great_amounts_fit_every_page(portal: Portal, visit: Visit, width: int) -> None:
    great = Money(10**17, EUR)
    portal.world.feed(
        the_company(name=LONG, address=LONG, footer=LONG, payment_instructions=LONG),
        the_client(name=LONG),
        a_quote("Q1", great, number=LONG, notes=LONG, valid_until=day(3), lines=(a_line(description=LONG, unit=LONG),)),
        an_order("O1", great, number=LONG, client_reference=LONG),
        an_invoice("I1", great, number=LONG, reference=LONG, due_on=day(-3)),
        a_payment("P2", great, number=LONG, reference=LONG, method=LONG),
    )
    page, link = visit(width=width).page, portal.link()

    for path in PAGES:
        page.goto(link + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize(
    "locale, width, dark, accent",
    [
        ("en", 320, False, "#0F766E"),
        ("ar", 1280, True, "#ffee00"),
        pytest.param("de", 1280, False, "#ffee00", marks=pytest.mark.long),
        pytest.param("fr", 320, True, "#000000", marks=pytest.mark.long),
    ],
)
def test_axe_finds_nothing_wrong_and_nothing_is_wider_than_the_window(
    portal: Portal, visit: Visit, locale: str, width: int, *, dark: bool, accent: str
) -> None:
    portal.world.feed(the_company(accent_colour=accent), *many_invoices(30))
    portal.speak(locale)
    page = visit(width=width, dark=dark).page
    found: list[str] = []

    for state in states(portal, page):
        if width < 960 and page.locator("details.menu").count():
            page.locator("details.menu > summary").click()
        results = Axe().run(page)
        found += [f"{state}: {each['id']} {[node['html'][:200] for node in each['nodes']]}"
                  for each in results.response["violations"]]  # fmt: skip
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{state}: wider than {width}")

    assert found == []
