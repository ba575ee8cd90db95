from collections.abc import Callable

import pytest
from attrs import evolve

from portal_core.domain.access import DocumentRef, DocumentType, Permission
from portal_core.domain.errors import Busy, DeadLink, InvalidInput, NotFound, NotOpen, PermissionDenied
from portal_core.domain.events import EventType
from portal_core.domain.feedback import Category, Party, Ticket, TicketState
from portal_core.domain.filters import TicketFilter
from portal_core.domain.ids import CompanyId, QuoteId, TicketId
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import QuoteState
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Store
from portal_core.use_cases.feedback import (
    NewTicket,
    list_feedback,
    list_tickets,
    read_feedback,
    read_ticket,
    reply_as_client,
    reply_as_staff,
    submit_feedback,
)
from tests.core.meanwhile import OvertakenTickets
from tests.core.samples import CLIENT, COMPANY, NOW, SECOND, STRANGER, a_quote, a_visit, only

NEWEST = Listing(sort="created_at")
QUOTE = DocumentRef(DocumentType.QUOTE, "q1")
STRANGERS = evolve(a_visit(), client=STRANGER, grant=evolve(a_visit().grant, client_id=STRANGER.id))


def submit(store: Store, document: DocumentRef | None = None) -> Ticket:
    said = NewTicket(subject="Hammer", message="It is broken.", category=Category.PROBLEM, document=document)
    return submit_feedback(store, a_visit(), said, now=NOW)


def told(store: Store) -> list[tuple[str, object, object]]:
    page = store.events.page(COMPANY.id, after=None, limit=100)
    assert page is not None
    return [(event.type.value, event.data["feedback_id"], event.data.get("by")) for event in page.items]


def test_a_ticket_is_kept_for_both_sides_and_told_of(store: Store) -> None:
    ticket = submit(store)

    seen = read_feedback(store, a_visit(), ticket.id, now=NOW), read_ticket(store, COMPANY.id, ticket.id)

    assert seen == (ticket, ticket)
    assert (ticket.state, ticket.client_id, ticket.created_at) == (TicketState.OPEN, CLIENT.id, NOW)
    assert told(store) == [("feedback.submitted", ticket.id, None)]


def test_both_sides_answer_until_staff_close_it(store: Store) -> None:
    ticket = submit(store)

    answered = reply_as_staff(store, COMPANY.id, ticket.id, " Send it back. ", close=False, now=NOW + SECOND)
    asked = reply_as_client(store, a_visit(), ticket.id, "Where to?", now=NOW + 2 * SECOND)
    closed = reply_as_staff(store, COMPANY.id, ticket.id, "Here.", close=True, now=NOW + 3 * SECOND)

    assert (answered.state, asked.state) == (TicketState.ANSWERED, TicketState.OPEN)
    assert closed.state is TicketState.CLOSED
    assert [(each.by, each.message) for each in closed.replies] == [
        (Party.STAFF, "Send it back."),
        (Party.CLIENT, "Where to?"),
        (Party.STAFF, "Here."),
    ]
    assert read_feedback(store, a_visit(), ticket.id, now=NOW) == closed
    assert [by for kind, _, by in told(store) if kind == EventType.FEEDBACK_REPLIED] == ["staff", "client", "staff"]


def test_a_closed_ticket_takes_no_reply_from_anybody(store: Store) -> None:
    ticket = submit(store)
    reply_as_staff(store, COMPANY.id, ticket.id, "Done.", close=True, now=NOW)

    uses: list[Callable[[], object]] = [
        lambda: reply_as_client(store, a_visit(), ticket.id, "But …", now=NOW),
        lambda: reply_as_staff(store, COMPANY.id, ticket.id, "And …", close=True, now=NOW),
    ]
    for reply in uses:
        with pytest.raises(NotOpen):
            reply()

    assert len(told(store)) == 2


def test_what_was_written_is_cleaned_and_every_broken_rule_is_named(store: Store) -> None:
    broken = NewTicket(subject="x" * 201, message=" \n ")

    with pytest.raises(InvalidInput) as refused:
        submit_feedback(store, a_visit(), broken, now=NOW)
    ticket = submit_feedback(store, a_visit(), NewTicket(subject=" A ", message="1\r\n2", rating=5), now=NOW)
    with pytest.raises(InvalidInput) as reply_refused:
        reply_as_client(store, a_visit(), ticket.id, "x" * 10_001, now=NOW)

    assert [problem.pointer for problem in refused.value.problems] == ["/subject", "/message"]
    assert [problem.pointer for problem in reply_refused.value.problems] == ["/message"]
    assert (ticket.subject, ticket.message, ticket.category) == ("A", "1\n2", Category.OTHER)


def test_a_client_who_is_gone_since_the_link_was_opened_is_told_that_it_is_dead(store: Store) -> None:
    store.intake.remove(COMPANY.id, [RecordRef(RecordType.CLIENT, CLIENT.id)])

    with pytest.raises(DeadLink):
        submit(store)

    assert told(store) == []


@pytest.mark.parametrize("rating", [-1, 0, 6])
def test_a_rating_is_from_one_to_five(store: Store, rating: int) -> None:
    said = NewTicket(subject="A", message="B", rating=rating)

    with pytest.raises(InvalidInput) as refused:
        submit_feedback(store, a_visit(), said, now=NOW)

    assert refused.value.problems[0].pointer == "/rating"
    assert [submit_feedback(store, a_visit(), evolve(said, rating=each), now=NOW).rating for each in (1, 5)] == [1, 5]


@pytest.mark.parametrize("kind", list(DocumentType))
def test_a_ticket_is_about_a_document_that_the_client_can_see(store: Store, kind: DocumentType) -> None:
    store.intake.save(
        [
            a_quote(),
            a_quote(id=QuoteId("draft"), recorded_state=QuoteState.DRAFT),
            a_quote(id=QuoteId("other"), client_id=STRANGER.id),
        ]
    )

    for document_id in ("draft", "other", "none"):
        with pytest.raises(InvalidInput) as refused:
            submit(store, DocumentRef(kind, document_id))
        assert refused.value.problems[0].pointer == "/document/id"

    assert submit(store, QUOTE).document == QUOTE
    said = NewTicket(subject="A", message="B", document=QUOTE)
    with pytest.raises(InvalidInput):
        submit_feedback(store, a_visit(Permission.VIEW_QUOTES), said, now=NOW)


def test_every_call_needs_the_permission(store: Store) -> None:
    ticket, without = submit(store), a_visit(Permission.SUBMIT_FEEDBACK)

    uses: list[Callable[[], object]] = [
        lambda: submit_feedback(store, without, NewTicket(subject="", message=""), now=NOW),
        lambda: list_feedback(store, without, NEWEST, now=NOW),
        lambda: read_feedback(store, without, ticket.id, now=NOW),
        lambda: reply_as_client(store, without, ticket.id, "", now=NOW),
    ]
    for use in uses:
        with pytest.raises(PermissionDenied, match="submit_feedback"):
            use()

    assert read_ticket(store, COMPANY.id, ticket.id) == ticket


def test_nobody_sees_anothers_ticket(store: Store) -> None:
    ticket = submit(store)

    uses: list[Callable[[], object]] = [
        lambda: read_feedback(store, STRANGERS, ticket.id, now=NOW),
        lambda: reply_as_client(store, STRANGERS, ticket.id, "x", now=NOW),
        lambda: read_ticket(store, CompanyId("other"), ticket.id),
        lambda: reply_as_staff(store, CompanyId("other"), ticket.id, "x", close=True, now=NOW),
        lambda: read_ticket(store, COMPANY.id, TicketId("none")),
    ]
    for use in uses:
        with pytest.raises(NotFound):
            use()

    assert list_feedback(store, STRANGERS, NEWEST, now=NOW).items == ()
    assert list_feedback(store, a_visit(), NEWEST, now=NOW).items == (ticket,)
    assert list_tickets(store, COMPANY.id, NEWEST, TicketFilter()).items == (ticket,)
    assert list_tickets(store, CompanyId("other"), NEWEST, TicketFilter()).items == ()


def test_a_link_to_single_documents_is_for_tickets_about_them(store: Store) -> None:
    store.intake.save([a_quote(), a_quote(id=QuoteId("q2"))])
    about_all, about_other = submit(store), submit(store, DocumentRef(DocumentType.QUOTE, "q2"))
    narrowed = a_visit(documents=only((DocumentType.QUOTE, "q1")))

    for document in (None, about_other.document):
        with pytest.raises(InvalidInput):
            submit_feedback(store, narrowed, NewTicket(subject="A", message="B", document=document), now=NOW)
    ticket = submit_feedback(store, narrowed, NewTicket(subject="A", message="B", document=QUOTE), now=NOW)

    assert list_feedback(store, narrowed, NEWEST, now=NOW).items == (ticket,)
    for hidden in (about_all, about_other):
        with pytest.raises(NotFound):
            read_feedback(store, narrowed, hidden.id, now=NOW)


def test_who_was_overtaken_is_asked_to_come_back(store: Store) -> None:
    ticket = submit(store)
    overtaken = evolve(
        store,
        tickets=OvertakenTickets(
            store.tickets, lambda: reply_as_staff(store, COMPANY.id, ticket.id, "First.", close=False, now=NOW)
        ),
    )

    with pytest.raises(Busy):
        reply_as_client(overtaken, a_visit(), ticket.id, "Second.", now=NOW)

    assert [each.message for each in read_ticket(store, COMPANY.id, ticket.id).replies] == ["First."]
    assert len(told(store)) == 2
