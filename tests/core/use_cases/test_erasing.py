from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve

from portal_core.domain.access import GrantState
from portal_core.domain.audit import COMMAND_LINE, AuditAction, AuditEntry, Target, TargetType
from portal_core.domain.errors import Busy, DeadLink, NotFound
from portal_core.domain.events import Event
from portal_core.domain.feedback import Party, Ticket
from portal_core.domain.filters import AuditFilter, DispatchFilter, TicketFilter
from portal_core.domain.ids import ClientId, DispatchId, EventId
from portal_core.domain.outbox import Channel, Dispatch
from portal_core.domain.paging import LARGEST_LIMIT, MOMENT_SORTS, Listing
from portal_core.ports import KeptAnswer, KeyOfAnswer, Store
from portal_core.use_cases.access import IssuedLink, LinkLife, NewGrant, issue_link, open_link, read_link, revoke_link
from portal_core.use_cases.erasing import erase_client
from portal_core.use_cases.feedback import NewTicket, reply_as_client, reply_as_staff, submit_feedback
from portal_core.use_cases.mail import queue_link
from portal_core.use_cases.outbox import address_events
from portal_core.use_cases.quotes import accept_quote
from tests.core.meanwhile import OvertakenGrants
from tests.core.samples import CLIENT, COMPANY, LENA, NOW, SECOND, STRANGER, a_quote, a_visit

OLDEST = Listing(sort=MOMENT_SORTS[0], descending=False, limit=LARGEST_LIMIT)
LATER = NOW + timedelta(hours=1)
STRANGERS = evolve(a_visit(), client=STRANGER, grant=evolve(a_visit().grant, client_id=STRANGER.id))

NOTHING = {"tokens": 0, "client": 0, "feedback": 0, "events": 0, "messages": 0, "answers": 0}


def erase(store: Store) -> dict[str, int]:
    return erase_client(store, COMPANY.id, CLIENT.id, now=LATER, by=COMMAND_LINE)


def link(store: Store, client_id: ClientId = CLIENT.id, label: str | None = "For Lena") -> IssuedLink:
    return issue_link(store, COMPANY.id, NewGrant(client_id=client_id, label=label), LinkLife(), now=NOW)


def ask(store: Store) -> Ticket:
    asked = submit_feedback(store, a_visit(), NewTicket(subject="Hammer", message="It broke."), now=NOW)
    reply_as_staff(store, COMPANY.id, asked.id, "Send it back.", close=False, now=NOW + SECOND)
    return reply_as_client(store, a_visit(), asked.id, "My address is …", now=NOW + 2 * SECOND)


def messages(store: Store) -> list[Dispatch]:
    return list(store.dispatches.page(COMPANY.id, OLDEST, DispatchFilter()).items)


def events(store: Store) -> list[Event]:
    page = store.events.page(COMPANY.id, after=None, limit=LARGEST_LIMIT)
    assert page is not None
    return list(page.items)


def entries(store: Store) -> list[AuditEntry]:
    narrowed = AuditFilter(actions=frozenset({AuditAction.CLIENT_ERASED}))
    return list(store.audit.page(COMPANY.id, OLDEST, narrowed).items)


def deliver_by(store: Store, *channels: Channel) -> None:
    while address_events(store, channels, now=NOW):
        continue


def test_links_are_dead_and_nameless(store: Store) -> None:
    living, revoked, nameless = link(store), link(store), link(store, label=None)
    revoke_link(store, COMPANY.id, revoked.grant.id, now=NOW)

    erased = erase(store)

    assert erased["tokens"] == 3
    for each in (living, revoked, nameless):
        kept = read_link(store, COMPANY.id, each.grant.id)
        assert (kept.label, kept.state(LATER)) == (None, GrantState.REVOKED)
        with pytest.raises(DeadLink):
            open_link(store, each.token, now=LATER)


def test_the_record_keeps_the_id_alone(store: Store) -> None:
    store.intake.save([evolve(CLIENT, email="lena@example.com", locale="de")])

    erased = erase(store)

    assert erased == {**NOTHING, "client": 1}
    assert store.clients.get(COMPANY.id, CLIENT.id) == evolve(CLIENT, name=CLIENT.id, email=None, locale="de")
    assert store.clients.get(COMPANY.id, STRANGER.id) == STRANGER


def test_that_there_was_a_ticket_is_kept_and_what_the_client_wrote_is_not(store: Store) -> None:
    asked = ask(store)
    other = submit_feedback(store, STRANGERS, NewTicket(subject="Saw", message="It is fine."), now=NOW)

    erased = erase(store)

    kept = store.tickets.get(COMPANY.id, asked.id, TicketFilter())
    assert erased["feedback"] == 1
    assert kept is not None
    assert (kept.subject, kept.message, kept.category, kept.state) == ("", "", asked.category, asked.state)
    assert [(each.by, each.message) for each in kept.replies] == [(Party.STAFF, "Send it back."), (Party.CLIENT, "")]
    assert store.tickets.get(COMPANY.id, other.id, TicketFilter()) == other


def test_events_stay_in_their_places_without_the_texts(store: Store) -> None:
    link(store)
    ask(store)
    link(store, STRANGER.id, "For Omar")
    before = events(store)

    erased = erase(store)

    after = events(store)
    assert erased["events"] == 4
    assert [each.id for each in after[: len(before)]] == [each.id for each in before]
    assert [each.data["label"] for each in after if "label" in each.data] == [None, "For Omar", None]
    assert [each.data["subject"] for each in after if "subject" in each.data] == [""] * 3


def test_messages_to_the_client_and_with_their_texts_are_not_sent(store: Store) -> None:
    ours, theirs = link(store), link(store, STRANGER.id)
    for each in (ours, theirs):
        queue_link(store, COMPANY.id, each.grant.id, send_to="x@example.com", now=NOW)
    store.intake.save([a_quote()])
    accept_quote(store, a_visit(), a_quote().id, LENA, seen=None, now=NOW)
    ask(store)
    deliver_by(store, Channel.MAIL, Channel.HOST)

    erased = erase(store)

    # Of the client's: a link, the event of it, and what was told of the ticket and its two replies, by both ways.
    assert erased["messages"] == 1 + 1 + 3 * 2
    assert sorted((each.type, each.channel.value) for each in messages(store)) == [
        ("link", "mail"),
        ("quote.accepted", "host"),
        ("quote.accepted", "mail"),
        ("token.issued", "host"),
    ]


def test_messages_are_found_however_many_there_are(store: Store) -> None:
    issued = link(store)
    sent = queue_link(store, COMPANY.id, issued.grant.id, send_to="x@example.com", now=NOW)
    later: dict[str, Any] = {"created_at": NOW + SECOND, "message_id": EventId("e"), "channel": Channel.HOST}
    others = [
        evolve(sent, **later, id=DispatchId(f"d{place}"), type="test", payload={"data": {}})
        for place in range(LARGEST_LIMIT)
    ]
    store.dispatches.add(others)

    assert erase(store)["messages"] == 1
    assert len(messages(store)) == LARGEST_LIMIT


def test_answers_to_the_client_are_forgotten(store: Store) -> None:
    issued = link(store)
    keys = [
        KeyOfAnswer(company_id=COMPANY.id, asker=asker, route="POST /feedback", key="k")
        for asker in (issued.grant.id, "ada@example.com")
    ]
    for key in keys:
        store.answers.keep(key, KeptAnswer(fingerprint=b"", status=201, body=b"", answered_at=NOW), since=NOW)

    erased = erase(store)

    assert erased["answers"] == 1
    assert [store.answers.find(key, since=NOW) is not None for key in keys] == [False, True]


def test_decisions_and_documents_stay_as_evidence(store: Store) -> None:
    store.intake.save([a_quote()])
    accepted = accept_quote(store, a_visit(), a_quote().id, LENA, seen=None, now=NOW)

    erase(store)

    assert accepted.decision is not None
    assert store.decisions.get(COMPANY.id, accepted.decision.id) == accepted.decision
    assert store.quotes.get(a_visit().scope, a_quote().id) == accepted


def test_who_erased_whom_is_in_the_audit_log_with_figures_alone(store: Store) -> None:
    link(store)

    erased = erase(store)

    (entry,) = entries(store)
    assert (entry.actor, entry.created_at) == (COMMAND_LINE, LATER)
    assert (entry.act.client_id, entry.act.target) == (CLIENT.id, Target(TargetType.CLIENT, CLIENT.id))
    assert entry.act.details == erased == {**NOTHING, "tokens": 1, "client": 1, "events": 1}


def test_a_second_time_changes_nothing_and_notes_nothing(store: Store) -> None:
    issued = link(store)
    queue_link(store, COMPANY.id, issued.grant.id, send_to="x@example.com", now=NOW)
    ask(store)
    erase(store)
    deliver_by(store, Channel.MAIL, Channel.HOST)
    told = events(store), messages(store), entries(store)

    again = erase(store)

    assert again == NOTHING
    assert (events(store), messages(store), entries(store)) == told


def test_an_unknown_client_is_refused(store: Store) -> None:
    with pytest.raises(NotFound):
        erase_client(store, COMPANY.id, ClientId("nobody"), now=NOW)


def test_a_link_that_somebody_is_changing_is_busy(store: Store) -> None:
    issued = link(store)

    def overtake() -> None:
        store.grants.update(issued.grant)

    overtaken = evolve(store, grants=OvertakenGrants(store.grants, overtake))

    with pytest.raises(Busy):
        erase(overtaken)
