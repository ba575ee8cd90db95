from collections.abc import Callable
from datetime import datetime

import pytest
from attrs import evolve

from portal_core.domain.access import DocumentType, Permission, Visit
from portal_core.domain.documents import sha256_of
from portal_core.domain.errors import (
    AlreadyDecided,
    Busy,
    DeadLink,
    InvalidInput,
    MovedOn,
    NotFound,
    NotOpen,
    PermissionDenied,
)
from portal_core.domain.events import Event, EventType
from portal_core.domain.filters import DecisionFilter, QuoteFilter
from portal_core.domain.ids import OrderId, QuoteId
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import Answer, Decision, Evidence, Quote, QuoteState
from portal_core.ports import Store
from portal_core.use_cases.quotes import accept_quote, decline_quote, list_quotes, read_quote
from tests.core.meanwhile import OvertakenDecisions
from tests.core.samples import COMPANY, DAY, LENA, NOW, STRANGER, TODAY, a_quote, a_visit, euros, only

NEWEST = Listing(sort="issued_on")


def events(store: Store) -> tuple[Event, ...]:
    page = store.events.page(COMPANY.id, after=None, limit=100)
    assert page is not None
    return page.items


def decisions(store: Store) -> tuple[Decision, ...]:
    return store.decisions.page(COMPANY.id, Listing(sort="created_at"), DecisionFilter()).items


def accept(
    store: Store,
    visit: Visit | None = None,
    evidence: Evidence = LENA,
    *,
    seen: int | None = None,
    now: datetime = NOW,
) -> Quote:
    return accept_quote(store, visit or a_visit(), QuoteId("q1"), evidence, seen=seen, now=now)


def decline(store: Store, *, seen: int | None = None, reason: str | None = None) -> Quote:
    return decline_quote(store, a_visit(), QuoteId("q1"), Evidence(reason=reason), seen=seen, now=NOW)


def test_accepting_keeps_the_decision_with_its_evidence_and_tells_of_it_once(store: Store) -> None:
    store.intake.save([a_quote()])

    quote = accept(store, seen=1)

    (decision,) = decisions(store)
    (event,) = events(store)
    assert quote == read_quote(store, a_visit(), QuoteId("q1"), now=NOW)
    assert (quote.state(TODAY), quote.decision) == (QuoteState.ACCEPTED, decision)
    assert decision.evidence == evolve(
        LENA,
        consent_text="I accept quote S00001, revision 1, for 119.00 EUR.",
        grant_id=a_visit().grant.id,
        secret_hint=a_visit().secret_hint,
    )
    assert (decision.decided_at, decision.answer) == (NOW, Answer.ACCEPTED)
    assert (event.type, event.occurred_at, event.client_id) == (EventType.QUOTE_ACCEPTED, NOW, quote.client_id)
    assert event.data == {"quote_id": "q1", "quote_number": "S00001", "revision": 1, "decision_id": decision.id}


def test_declining_keeps_the_reason_and_agrees_to_nothing(store: Store) -> None:
    store.intake.save([a_quote()])

    quote = decline(store, reason=" Too late. ")

    assert quote.state(TODAY) is QuoteState.DECLINED
    assert quote.decision is not None
    assert (quote.decision.evidence.reason, quote.decision.evidence.consent_text) == ("Too late.", None)
    assert [event.type for event in events(store)] == [EventType.QUOTE_DECLINED]


def test_the_consent_that_was_shown_is_the_one_kept(store: Store) -> None:
    store.intake.save([a_quote()])

    quote = accept(store, evidence=evolve(LENA, consent_text="Yes, please."))

    assert quote.decision is not None
    assert quote.decision.consent_sha256 == sha256_of("Yes, please.")


def test_the_same_answer_again_is_answered_with_the_first_decision(store: Store) -> None:
    store.intake.save([a_quote()])
    first = accept(store)

    again = accept(store, evidence=Evidence(name="Somebody Else"), seen=1, now=NOW + 9 * DAY)

    assert again == first
    assert len(events(store)) == len(decisions(store)) == 1


@pytest.mark.parametrize("state", [QuoteState.CANCELLED, QuoteState.SENT, QuoteState.ACCEPTED, QuoteState.DECLINED])
def test_the_same_answer_is_repeated_whatever_became_of_the_record(store: Store, state: QuoteState) -> None:
    store.intake.save([a_quote()])
    first = accept(store)
    store.intake.save([a_quote(recorded_state=state)])

    again = accept(store, now=NOW + 80 * DAY)

    assert again.decision == first.decision


def test_the_opposite_answer_is_refused(store: Store) -> None:
    store.intake.save([a_quote()])
    accept(store)

    with pytest.raises(AlreadyDecided):
        decline(store)

    assert [decision.answer for decision in decisions(store)] == [Answer.ACCEPTED]


@pytest.mark.parametrize("state", [QuoteState.CANCELLED, QuoteState.ACCEPTED, QuoteState.DECLINED])
def test_what_is_not_shown_as_sent_is_not_open(store: Store, state: QuoteState) -> None:
    store.intake.save([a_quote(recorded_state=state)])

    for answer in (accept, decline):
        with pytest.raises(NotOpen):
            answer(store)

    shown = read_quote(store, a_visit(), QuoteId("q1"), now=NOW)
    assert (shown.decision, shown.decided_at, events(store)) == (None, None, ())


def test_the_last_day_ends_at_midnight_where_the_company_is(store: Store) -> None:
    store.intake.save([a_quote(valid_until=TODAY)])

    with pytest.raises(NotOpen, match="expired"):
        accept(store, now=NOW.replace(hour=23))

    assert accept(store, now=NOW.replace(hour=22, minute=59)).answer is Answer.ACCEPTED


def test_the_revision_is_judged_before_everything_else(store: Store) -> None:
    store.intake.save([a_quote(revision=2)])
    accept(store)

    for seen in (1, 3):
        with pytest.raises(MovedOn) as refused:
            accept(store, seen=seen)
        assert refused.value.revision == 2
        with pytest.raises(MovedOn):
            decline(store, seen=seen)


def test_a_higher_revision_reopens_a_quote_and_the_earlier_decision_stays(store: Store) -> None:
    store.intake.save([a_quote()])
    decline(store)
    store.intake.save([a_quote(revision=2, total=euros("99.00"))])

    quote = accept(store, seen=2)

    assert quote.state(TODAY) is QuoteState.ACCEPTED
    assert {(each.revision, each.answer) for each in decisions(store)} == {
        (1, Answer.DECLINED),
        (2, Answer.ACCEPTED),
    }


def test_a_decision_that_came_in_meanwhile_is_repeated_or_refused(store: Store) -> None:
    store.intake.save([a_quote()])
    overtaken = evolve(store, decisions=OvertakenDecisions(store.decisions, lambda: accept(store)))

    quote = accept(overtaken, evidence=Evidence(name="Late"))

    assert quote.decision is not None
    assert quote.decision.evidence.name == LENA.name
    assert len(events(store)) == 1


def test_the_opposite_decision_that_came_in_meanwhile_wins(store: Store) -> None:
    store.intake.save([a_quote()])
    overtaken = evolve(store, decisions=OvertakenDecisions(store.decisions, lambda: decline(store)))

    with pytest.raises(AlreadyDecided, match="declined"):
        accept(overtaken)

    assert [event.type for event in events(store)] == [EventType.QUOTE_DECLINED]


def test_a_quote_cancelled_meanwhile_is_not_open(store: Store) -> None:
    store.intake.save([a_quote()])
    cancel = [a_quote(recorded_state=QuoteState.CANCELLED)]
    overtaken = evolve(store, decisions=OvertakenDecisions(store.decisions, lambda: store.intake.save(cancel)))

    with pytest.raises(NotOpen, match="cancelled"):
        accept(overtaken)

    assert decisions(store) == ()


def test_a_revision_raised_meanwhile_is_answered_only_by_whoever_names_none(store: Store) -> None:
    dearer = [a_quote(revision=2, total=euros("999.00"))]
    store.intake.save([a_quote()])
    overtaken = evolve(store, decisions=OvertakenDecisions(store.decisions, lambda: store.intake.save(dearer)))

    with pytest.raises(MovedOn):
        accept(overtaken, seen=1)

    store.intake.save([a_quote()])
    quote = accept(overtaken)
    assert quote.decision is not None
    assert quote.decision.evidence.consent_text == "I accept quote S00001, revision 2, for 999.00 EUR."
    assert quote.decision.document_sha256 == dearer[0].document_sha256()


def test_who_is_overtaken_again_and_again_is_asked_to_come_back(store: Store) -> None:
    revisions = iter(range(2, 100))
    store.intake.save([a_quote()])
    overtaken = evolve(
        store,
        decisions=OvertakenDecisions(store.decisions, lambda: store.intake.save([a_quote(revision=next(revisions))])),
    )

    with pytest.raises(Busy):
        accept(overtaken)

    assert (decisions(store), events(store)) == ((), ())


@pytest.mark.parametrize(
    "lacking, named",
    [
        ((Permission.VIEW_QUOTES, Permission.ACCEPT_QUOTES), Permission.VIEW_QUOTES),
        ((Permission.VIEW_QUOTES,), Permission.VIEW_QUOTES),
        ((Permission.ACCEPT_QUOTES,), Permission.ACCEPT_QUOTES),
    ],
    ids=["both", "view", "accept"],
)
def test_to_answer_needs_both_permissions_whatever_the_quote(
    store: Store, lacking: tuple[Permission, ...], named: Permission
) -> None:
    visit = a_visit(*lacking)

    for answer in (accept_quote, decline_quote):
        with pytest.raises(PermissionDenied) as refused:
            answer(store, visit, QuoteId("none"), Evidence(name=""), seen=None, now=NOW)
        assert refused.value.permission == named


def test_to_read_needs_the_permission_to_view(store: Store) -> None:
    store.intake.save([a_quote()])
    without, only_viewing = a_visit(Permission.VIEW_QUOTES), a_visit(Permission.ACCEPT_QUOTES)

    def read(visit: Visit) -> tuple[str, ...]:
        page = list_quotes(store, visit, NEWEST, QuoteFilter(), now=NOW)
        return tuple(read_quote(store, visit, each.id, now=NOW).id for each in page.items)

    assert read(only_viewing) == ("q1",)
    with pytest.raises(PermissionDenied, match="view_quotes"):
        read(without)
    with pytest.raises(PermissionDenied, match="view_quotes"):
        read_quote(store, without, QuoteId("q1"), now=NOW)


def test_what_is_not_there_not_theirs_or_a_draft_is_refused_in_the_same_words(store: Store) -> None:
    store.intake.save(
        [
            a_quote(id=QuoteId("draft"), recorded_state=QuoteState.DRAFT),
            a_quote(id=QuoteId("other"), client_id=STRANGER.id),
        ]
    )

    uses: list[Callable[[QuoteId], object]] = [
        lambda each: read_quote(store, a_visit(), each, now=NOW),
        lambda each: accept_quote(store, a_visit(), each, LENA, seen=7, now=NOW),
        lambda each: decline_quote(store, a_visit(), each, LENA, seen=7, now=NOW),
    ]
    for quote_id in ("draft", "other", "none"):
        for use in uses:
            with pytest.raises(NotFound) as refused:
                use(QuoteId(quote_id))
            assert refused.value.detail == f"There is no quote '{quote_id}' here."


def test_a_dead_link_answers_nothing(store: Store) -> None:
    store.intake.save([a_quote()])

    with pytest.raises(DeadLink):
        accept(store, a_visit(expires_at=NOW))

    assert decisions(store) == ()


def test_what_was_typed_is_cleaned_and_every_broken_rule_is_named(store: Store) -> None:
    store.intake.save([a_quote()])
    broken = Evidence(
        name=" ", title="x" * 201, email="lena", purchase_order="\u200b", comment="x" * 2001, reason="\x00"
    )

    with pytest.raises(InvalidInput) as refused:
        accept(store, evidence=broken)

    assert [problem.pointer for problem in refused.value.problems] == [
        "/name",
        "/title",
        "/email",
        "/purchase_order",
        "/comment",
        "/reason",
    ]
    typed = Evidence(name=" Zoe\u0308 ", title="CEO", email=" z@example.com ", purchase_order="PO 7", comment=" ")
    decision = accept(store, evidence=typed).decision
    assert decision is not None
    assert (decision.evidence.name, decision.evidence.email) == ("Zoë", "z@example.com")
    assert (decision.evidence.purchase_order, decision.evidence.comment) == ("PO 7", None)


def test_the_list_shows_states_as_of_today(store: Store) -> None:
    store.intake.save([a_quote(valid_until=TODAY), a_quote(id=QuoteId("q2"), valid_until=TODAY - DAY)])
    sent, expired = (QuoteFilter(states=frozenset({state})) for state in (QuoteState.SENT, QuoteState.EXPIRED))

    found = [
        [each.id for each in list_quotes(store, a_visit(), NEWEST, which, now=NOW).items] for which in (sent, expired)
    ]

    assert found == [["q1"], ["q2"]]


def test_a_link_to_single_documents_does_not_lead_to_an_order_beside_them(store: Store) -> None:
    store.intake.save([a_quote(order_id=OrderId("o1")), a_quote(id=QuoteId("q2"))])
    quote, order = (DocumentType.QUOTE, "q1"), (DocumentType.ORDER, "o1")
    alone, both = a_visit(documents=only(quote)), a_visit(documents=only(quote, order))

    shown = [read_quote(store, visit, QuoteId("q1"), now=NOW).order_id for visit in (alone, both)]

    assert shown == [None, "o1"]
    assert accept(store, alone).order_id is None
    with pytest.raises(AlreadyDecided):
        decline_quote(store, alone, QuoteId("q1"), LENA, seen=None, now=NOW)
    with pytest.raises(NotFound):
        accept_quote(store, alone, QuoteId("q2"), LENA, seen=None, now=NOW)
    assert [each.id for each in list_quotes(store, alone, NEWEST, QuoteFilter(), now=NOW).items] == ["q1"]
