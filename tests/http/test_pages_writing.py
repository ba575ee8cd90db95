"""What clients send by the pages' forms: answers to quotes, messages, and all that can be wrong with them."""

import re
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from portal_adapters.contract.builders import COMPANY, a_quote, day, eur
from portal_core.domain.access import DocumentRef, DocumentType, Permission
from portal_core.domain.filters import DecisionFilter, TicketFilter
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import Answer, Decision
from tests.browser.world import World, everything, the_client
from tests.http.test_pages_reading import Outline, browser, words

NEWEST = Listing(sort="created_at")


@pytest.fixture(name="world")
def a_world() -> World:
    world = World()
    world.feed(*everything())
    return world


def form(page: str, action: str, *, with_value: str = "") -> dict[str, str]:
    """Return what a form of the page would send if nothing was typed: its hidden fields."""
    found = next(
        part
        for part in re.findall(r"<form.*?</form>", page, re.DOTALL)
        if f'action="{action}"' in part and with_value in part
    )
    hidden = [each for each in Outline(found).all("input") if each.get("type") == "hidden"]
    return {each["name"] or "": each["value"] or "" for each in hidden}


def accept(client: TestClient, link: str, quote: str = "Q1", **typed: str) -> Response:
    page = client.get(f"{link}/quotes/{quote}").text
    hidden = form(page, f"{link}/quotes/{quote}", with_value='value="accept"')
    return client.post(f"{link}/quotes/{quote}", data={**hidden, "name": "Ada Lovelace", "consent": "yes", **typed})


def decline(client: TestClient, link: str, quote: str = "Q1", **typed: str) -> Response:
    page = client.get(f"{link}/quotes/{quote}").text
    return client.post(
        f"{link}/quotes/{quote}", data={**form(page, f"{link}/quotes/{quote}", with_value='value="decline"'), **typed}
    )


def decisions(world: World) -> list[Decision]:
    return list(world.run(lambda store: store.decisions.page(COMPANY, NEWEST, DecisionFilter())).items)


def tickets(world: World) -> list[Any]:
    return list(world.run(lambda store: store.tickets.page(COMPANY, NEWEST, TicketFilter())).items)


def field(page: str, name: str) -> dict[str, str | None]:
    outline = Outline(page)
    return next(each for _, each in outline.elements if each.get("id") == name)


def test_accepting_keeps_who_agreed_to_what_and_shows_it(world: World) -> None:
    link, client = world.link(), browser(world)

    answer = accept(client, link, title="Owner", email="ada@example.com", purchase_order="PO-9", comment="Please soon.")

    assert answer.status_code == 303
    assert answer.headers["location"] == f"{link}/quotes/Q1#answer"
    (decision,) = decisions(world)
    assert decision.answer is Answer.ACCEPTED
    evidence = decision.evidence
    assert (evidence.name, evidence.title, evidence.email) == ("Ada Lovelace", "Owner", "ada@example.com")
    assert (evidence.purchase_order, evidence.comment) == ("PO-9", "Please soon.")
    assert evidence.consent_text == "I accept quote Q-2026-0041, revision 1, for €4,355.40."
    assert evidence.user_agent == "testclient"
    page = words(client.get(f"{link}/quotes/Q1").text)
    assert "You accepted this quote" in page
    assert "Ada Lovelace , Owner" in page
    assert "Mar 15, 2026, 1:30 PM Central European Time" in page


def test_the_consent_is_kept_in_the_language_in_which_it_was_given(world: World) -> None:
    world.feed(the_client(locale="de_DE"))
    link, client = world.link(), browser(world)

    accept(client, link)

    consent = decisions(world)[0].evidence.consent_text
    assert consent == "Ich nehme das Angebot Q-2026-0041, Fassung 1, über 4.355,40\xa0€ an."
    assert consent in client.get(f"{link}/quotes/Q1").text


def test_declining_keeps_the_reason(world: World) -> None:
    link, client = world.link(), browser(world)

    answer = decline(client, link, reason="Too dear.\r\nSorry.", decliner="Grace Hopper")

    assert answer.status_code == 303
    (decision,) = decisions(world)
    assert decision.answer is Answer.DECLINED
    assert decision.evidence.reason == "Too dear.\nSorry."
    assert decision.evidence.name == "Grace Hopper"
    assert "You declined this quote" in client.get(f"{link}/quotes/Q1").text


def test_a_form_that_is_sent_twice_decides_once(world: World) -> None:
    link, client = world.link(), browser(world)
    page = client.get(f"{link}/quotes/Q1").text
    filled = {**form(page, f"{link}/quotes/Q1", with_value='value="accept"'), "name": "Ada", "consent": "yes"}

    answers = [client.post(f"{link}/quotes/Q1", data=filled) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(decisions(world)) == 1


def test_what_is_missing_is_said_beside_its_field_and_the_rest_is_kept(world: World) -> None:
    link, client = world.link(), browser(world)

    answer = accept(client, link, name=" \u200b ", consent="", title="Owner", email="nobody", comment="x" * 2_001)

    assert answer.status_code == 422
    assert not decisions(world)
    assert field(answer.text, "title")["value"] == "Owner"
    assert field(answer.text, "email")["value"] == "nobody"
    assert f">\n{'x' * 2_001}</textarea>" in answer.text
    ids = Outline(answer.text).ids()
    for name in ("name", "email", "comment", "consent"):
        wrong = field(answer.text, name)
        assert wrong["aria-invalid"] == "true"
        assert (wrong["aria-describedby"] or "").split()[0] in ids
        assert f'<li><a href="#{name}">' in answer.text
    assert 'role="alert"' in answer.text
    assert "Write at most 2,000 characters; there are 2,001." in answer.text
    assert "<title>Error: " in answer.text


@pytest.mark.parametrize("name", ["Ada\x07", "Ada \u202eecalevoL"])
def test_text_with_control_characters_is_refused_in_words(world: World, name: str) -> None:
    answer = accept(browser(world), world.link(), name=name)

    assert answer.status_code == 422
    assert "Remove the characters that cannot be shown." in answer.text


def test_a_quote_that_changed_meanwhile_is_shown_anew_and_what_was_typed_is_kept(world: World) -> None:
    link, client = world.link(), browser(world)
    page = client.get(f"{link}/quotes/Q1").text
    filled = {**form(page, f"{link}/quotes/Q1", with_value='value="accept"'), "name": "Ada", "consent": "yes"}
    world.feed(a_quote("Q1", number="Q-2026-0041", revision=2, total=eur("5000.00"), valid_until=day(9)))

    answer = client.post(f"{link}/quotes/Q1", data=filled)

    assert answer.status_code == 412
    assert not decisions(world)
    assert "This quote changed while you were reading it" in answer.text
    assert "€5,000.00" in answer.text
    assert field(answer.text, "name")["value"] == "Ada"
    assert "checked" not in field(answer.text, "consent")
    assert form(answer.text, f"{link}/quotes/Q1", with_value='value="accept"')["revision"] == "2"


def test_the_opposite_of_what_was_decided_is_refused_and_the_decision_shown(world: World) -> None:
    link, client = world.link(), browser(world)
    page = client.get(f"{link}/quotes/Q1").text
    accept(client, link)

    answer = client.post(f"{link}/quotes/Q1", data=form(page, f"{link}/quotes/Q1", with_value='value="decline"'))

    assert answer.status_code == 409
    assert "This quote was answered before" in answer.text
    assert "You accepted this quote" in answer.text
    assert len(decisions(world)) == 1


def test_an_expired_quote_has_no_form_and_takes_no_answer(world: World) -> None:
    link, client = world.link(), browser(world)
    assert "Accept this quote" not in client.get(f"{link}/quotes/Q2").text

    answer = client.post(
        f"{link}/quotes/Q2", data={"answer": "accept", "revision": "1", "name": "Ada", "consent": "yes"}
    )

    assert answer.status_code == 409
    assert "This can no longer be answered" in answer.text
    assert not decisions(world)


@pytest.mark.parametrize(
    "filled",
    [
        {"name": "Ada"},
        {"answer": "perhaps", "revision": "1"},
        {"answer": "accept", "name": "Ada", "consent": "yes"},
        {"answer": "decline", "revision": "0"},
        {"answer": "decline", "revision": "1x"},
    ],
)
def test_a_form_of_ours_that_came_incomplete_decides_nothing(world: World, filled: dict[str, str]) -> None:
    answer = browser(world).post(f"{world.link()}/quotes/Q1", data=filled)

    assert answer.status_code == 422
    assert not decisions(world)


def test_a_link_that_may_not_accept_is_refused_before_its_form_is_read(world: World) -> None:
    link = world.link(without=(Permission.ACCEPT_QUOTES,))

    answer = browser(world).post(f"{link}/quotes/Q1", content=b"x" * 70_000)

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "fields, status",
    [
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"}, 303),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://portal.example"}, 403),
        ({"Origin": "https://portal.example"}, 303),
        ({"Origin": "http://testserver"}, 303),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://portal.example.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 303),
    ],
)
def test_a_form_from_another_site_does_nothing(world: World, fields: dict[str, str], status: int) -> None:
    client = browser(world, public_url="https://portal.example")
    filled = {"answer": "decline", "revision": "1"}

    answer = client.post(f"{world.link()}/quotes/Q1", data=filled, headers=fields)

    assert answer.status_code == status
    assert len(decisions(world)) == (status == 303)


@pytest.mark.parametrize(
    "content, media_type, status",
    [
        (b"{}", "application/json", 415),
        (b"", "multipart/form-data; boundary=x", 415),
        (b"answer=decline&revision=1", "application/x-www-form-urlencoded; charset=UTF-8", 303),
        (b"answer=decline&revision=1", "application/x-www-form-urlencoded; charset=latin-1", 415),
        (b"a=" + b"x" * 65_536, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"f%d=1" % index for index in range(21)), "application/x-www-form-urlencoded", 422),
        (b"answer=decline&answer=accept&revision=1", "application/x-www-form-urlencoded", 422),
        (b"answer=decline&revision=1&reason=%ff", "application/x-www-form-urlencoded", 422),
    ],
)
def test_forms_are_read_within_bounds(world: World, content: bytes, media_type: str, status: int) -> None:
    answer = browser(world).post(f"{world.link()}/quotes/Q1", content=content, headers={"Content-Type": media_type})

    assert answer.status_code == status
    assert len(decisions(world)) == (status == 303)


def test_writes_have_a_budget_of_their_own(world: World) -> None:
    link, client = world.link(), browser(world, writes_per_minute=1, reads_per_minute=30)

    answers = [client.post(f"{link}/feedback", data={"subject": "Hello", "message": "There"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 429]
    assert answers[0].headers["x-ratelimit-remaining"] == "0"
    assert len(tickets(world)) == 1
    assert client.get(link).status_code == 200


def test_a_message_starts_a_conversation_that_goes_on_until_it_is_closed(world: World) -> None:
    link, client = world.link(), browser(world)

    page = client.get(f"{link}/feedback?about=delivery:D2").text
    assert '<option value="delivery:D2" selected>Delivery OUT/00038</option>' in page
    answer = client.post(
        f"{link}/feedback",
        data={"subject": "Where?", "message": "It is late.", "category": "question", "rating": "3",
              "about": "delivery:D2"},
    )  # fmt: skip

    assert answer.status_code == 303
    (ticket,) = tickets(world)
    assert answer.headers["location"] == f"{link}/feedback/{ticket.id}#sent"
    assert (ticket.rating, ticket.document) == (3, DocumentRef(DocumentType.DELIVERY, "D2"))
    world.reply(ticket.id, "It left today.")
    client.post(f"{link}/feedback/{ticket.id}", data={"message": "Thank you."})
    page = words(client.get(f"{link}/feedback/{ticket.id}").text)
    assert page.index("It is late.") < page.index("It left today.") < page.index("Thank you.")
    assert "OUT/00038" in page
    world.reply(ticket.id, "You are welcome.", close=True)
    late = client.post(f"{link}/feedback/{ticket.id}", data={"message": "One more"})
    assert late.status_code == 409
    assert "This conversation is closed." in late.text
    assert len(tickets(world)[0].replies) == 3


def test_a_message_that_is_sent_twice_by_a_double_click_is_taken_once(world: World) -> None:
    link, client = world.link(), browser(world)
    typed = {"subject": "Chairs", "message": "Four more, please.", "category": "question"}

    first, second = (client.post(f"{link}/feedback", data=typed) for _ in range(2))
    replies = [client.post(first.headers["location"].partition("#")[0], data={"message": "Soon."}) for _ in range(2)]
    other = client.post(f"{link}/feedback", data={**typed, "message": "And a table."})

    assert first.headers["location"] == second.headers["location"] != other.headers["location"]
    assert [each.status_code for each in replies] == [303, 303]
    assert sorted(len(each.replies) for each in tickets(world)) == [0, 1]


def test_the_longest_message_fits_whatever_its_letters(world: World) -> None:
    typed = {"subject": "Chairs", "category": "praise"}

    longest, longer = (
        browser(world).post(f"{world.link()}/feedback", data={**typed, "message": "\N{CHAIR}" * length})
        for length in (10_000, 10_001)
    )

    assert (longest.status_code, longer.status_code) == (303, 422)
    assert [len(each.message) for each in tickets(world)] == [10_000]


def test_a_message_without_words_is_kept_with_what_is_missing(world: World) -> None:
    answer = browser(world).post(
        f"{world.link()}/feedback", data={"subject": "Chairs", "message": " ", "category": "rant", "rating": "9"}
    )

    assert answer.status_code == 422
    assert field(answer.text, "subject")["value"] == "Chairs"
    assert field(answer.text, "message")["aria-invalid"] == "true"
    assert not tickets(world)


def test_a_message_about_what_the_client_cannot_see_is_refused(world: World) -> None:
    for about in ("quote:NONE", "planet:1", "quote"):
        answer = browser(world).post(
            f"{world.link()}/feedback", data={"subject": "Chairs", "message": "Hm", "about": about}
        )
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
    assert not tickets(world)


def test_a_link_to_one_document_offers_that_one_to_write_about(world: World) -> None:
    link = world.link(documents=frozenset({DocumentRef(DocumentType.INVOICE, "I1")}))
    client = browser(world)

    page = client.get(f"{link}/feedback").text
    answer = client.post(
        f"{link}/feedback", data={"subject": "Sum", "message": "Hm", "category": "question", "about": "invoice:I1"}
    )

    assert '<option value="invoice:I1"' in page
    assert answer.status_code == 303
