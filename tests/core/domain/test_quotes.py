from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.documents import canonical_json, sha256_of
from portal_core.domain.errors import AlreadyDecided, MovedOn, NotOpen
from portal_core.domain.ids import DecisionId, OrderId
from portal_core.domain.lines import Line, LineKind
from portal_core.domain.quotes import SHOWN_QUOTE_STATES, Answer, Decision, Quote, QuoteState, standard_consent
from tests.core.samples import DAY, LENA, NOW, TODAY, a_quote, euros

RECORDED = [state for state in QuoteState if state is not QuoteState.EXPIRED]

days = st.dates(date(2026, 1, 1), date(2027, 12, 31))

DETAIL = {"id", "number", "revision", "issued_on", "valid_until", "currency", "subtotal", "tax", "total"} | {
    "lines",
    "notes",
    "terms",
}

CONTENT: dict[str, Any] = {
    "number": "S00002",
    "issued_on": TODAY,
    "valid_until": None,
    "subtotal": euros("100.01"),
    "tax": euros("18.99"),
    "total": euros("119.01"),
    "lines": (),
    "notes": "By hand.",
    "terms": None,
}


def decided(quote: Quote, answer: Answer = Answer.ACCEPTED) -> Quote:
    return quote.decided(decision_on(quote, answer))


def decision_on(quote: Quote, answer: Answer = Answer.ACCEPTED) -> Decision:
    return quote.decide(answer, LENA, decision_id=DecisionId("e1"), at=NOW, on=TODAY)


def test_the_last_day_of_validity_still_counts() -> None:
    quote = a_quote(valid_until=TODAY)

    states = [quote.state(day) for day in (TODAY - DAY, TODAY, TODAY + DAY)]

    assert states == [QuoteState.SENT, QuoteState.SENT, QuoteState.EXPIRED]


def test_a_quote_without_a_last_day_never_expires() -> None:
    quote = a_quote(valid_until=None)

    state = quote.state(date.max)

    assert state is QuoteState.SENT


@given(st.sampled_from(RECORDED), st.none() | days, st.none() | st.sampled_from(Answer), days)
def test_cancelled_comes_before_the_decision_which_comes_before_expiry(
    recorded: QuoteState, valid_until: date | None, answer: Answer | None, on: date
) -> None:
    quote = a_quote(recorded_state=recorded, valid_until=valid_until, answer=answer)

    state = quote.state(on)

    if recorded is QuoteState.CANCELLED:
        assert state is QuoteState.CANCELLED
    elif answer is not None:
        assert state == answer.value
    elif recorded is QuoteState.SENT and valid_until is not None and on > valid_until:
        assert state is QuoteState.EXPIRED
    else:
        assert state is recorded


@given(st.sampled_from(RECORDED), st.none() | days, st.none() | st.sampled_from(Answer), days, st.sampled_from(Answer))
def test_a_quote_can_be_answered_exactly_while_it_is_shown_as_sent(
    recorded: QuoteState, valid_until: date | None, before: Answer | None, on: date, answer: Answer
) -> None:
    quote = a_quote(recorded_state=recorded, valid_until=valid_until, answer=before)

    shown = quote.state(on)

    if shown is QuoteState.SENT:
        decision = quote.decide(answer, LENA, decision_id=DecisionId("e1"), at=NOW, on=on)
        assert quote.decided(decision).state(on) == answer.value
        return
    with pytest.raises(NotOpen if before is None else AlreadyDecided):
        quote.decide(answer, LENA, decision_id=DecisionId("e1"), at=NOW, on=on)


def test_a_decided_quote_that_was_cancelled_answers_already_decided() -> None:
    quote = evolve(decided(a_quote()), recorded_state=QuoteState.CANCELLED)

    with pytest.raises(AlreadyDecided, match="accepted before"):
        decision_on(quote, Answer.DECLINED)

    assert quote.state(TODAY) is QuoteState.CANCELLED


def test_a_refusal_says_the_state_shown() -> None:
    quote = a_quote(valid_until=TODAY - DAY)

    with pytest.raises(NotOpen, match="expired"):
        decision_on(quote)


def test_what_was_seen_must_be_the_current_revision_or_left_out() -> None:
    quote = a_quote(revision=3)

    for seen in (None, 3):
        quote.require_seen(seen)

    for seen in (0, 2, 4):
        with pytest.raises(MovedOn) as refused:
            quote.require_seen(seen)
        assert refused.value.revision == 3
        assert "3" in refused.value.detail


def test_a_decision_keeps_what_was_shown_word_for_word_and_both_digests() -> None:
    quote = a_quote(revision=2)
    consent = standard_consent(quote)

    decision = quote.decide(
        Answer.ACCEPTED, evolve(LENA, consent_text=consent), decision_id=DecisionId("e1"), at=NOW, on=TODAY
    )

    assert decision.document == canonical_json(quote.document())
    assert decision.document_sha256 == sha256_of(decision.document) == quote.document_sha256()
    assert decision.consent_sha256 == sha256_of("I accept quote S00001, revision 2, for 119.00 EUR.")
    assert (decision.quote_id, decision.quote_number, decision.revision) == (quote.id, quote.number, 2)
    assert (decision.company_id, decision.client_id) == (quote.company_id, quote.client_id)
    assert (decision.decided_at, decision.evidence.name) == (NOW, LENA.name)


def test_a_decision_without_consent_has_no_digest_of_one() -> None:
    quote = a_quote()

    decision = decision_on(quote, Answer.DECLINED)

    assert decision.consent_sha256 is None


def test_the_document_is_the_detail_without_state_decision_and_order() -> None:
    quote = a_quote(order_id=OrderId("o1"))

    document = decided(quote).document()

    assert set(document) == DETAIL
    assert document["valid_until"] == "2026-11-23"
    assert document["lines"] == [
        {
            "id": "1",
            "kind": "item",
            "description": "Hammer",
            "quantity": "4",
            "unit": "piece",
            "unit_price": "25.0000",
            "discount_percent": None,
            "subtotal": {"amount": "100.00", "currency": "EUR"},
            "total": {"amount": "119.00", "currency": "EUR"},
        }
    ]


def test_a_section_is_a_description_alone() -> None:
    line = Line(id="7", kind=LineKind.SECTION, description="Tools")

    shown = line.as_json()

    assert {key for key, value in shown.items() if value is not None} == {"id", "kind", "description"}


@pytest.mark.parametrize("field", CONTENT)
def test_the_digest_differs_as_soon_as_anything_agreed_to_does(field: str) -> None:
    quote = a_quote()

    changed = evolve(quote, **{field: CONTENT[field]})

    assert changed.document_sha256() != quote.document_sha256()


@pytest.mark.parametrize("state", RECORDED)
def test_state_decision_and_order_are_no_content(state: QuoteState) -> None:
    quote = a_quote()

    changed = evolve(decided(quote), recorded_state=state, order_id=OrderId("o9"))

    assert changed.document_sha256() == quote.document_sha256()
    assert changed.succeed(quote, revision_stated=True) == evolve(changed, withdrawn=changed.is_draft)
    assert evolve(changed, revision=7).succeed(quote, revision_stated=False).revision == 1


@pytest.mark.parametrize("field", CONTENT)
def test_other_content_of_a_sent_quote_must_raise_the_revision(field: str) -> None:
    earlier = a_quote(revision=4)
    record = evolve(earlier, **{field: CONTENT[field]})

    raised = record.succeed(earlier, revision_stated=False)

    assert raised == evolve(record, revision=5)
    assert evolve(record, revision=6).succeed(earlier, revision_stated=True).revision == 6
    with pytest.raises(ValueError, match="more than 4"):
        record.succeed(earlier, revision_stated=True)


def test_a_revision_never_moves_back() -> None:
    earlier = a_quote(revision=4)
    record = a_quote(revision=3)

    with pytest.raises(ValueError, match="moved back: it is 4, and 3"):
        record.succeed(earlier, revision_stated=True)

    assert record.succeed(earlier, revision_stated=False).revision == 4


def test_a_draft_may_change_within_its_revision() -> None:
    earlier = a_quote(recorded_state=QuoteState.DRAFT, revision=2)
    record = a_quote(total=euros("1.00"), revision=2)

    followed = record.succeed(earlier, revision_stated=True), record.succeed(earlier, revision_stated=False)

    assert followed == (record, record)


def test_what_was_shown_cannot_change_by_the_way_of_a_draft() -> None:
    drawn_back = a_quote(recorded_state=QuoteState.DRAFT).succeed(a_quote(), revision_stated=True)
    changed = a_quote(recorded_state=QuoteState.DRAFT, total=euros("999.00"))

    raised = changed.succeed(drawn_back, revision_stated=False)

    assert drawn_back.withdrawn
    assert (raised.revision, raised.withdrawn) == (2, False)
    with pytest.raises(ValueError, match="more than 1"):
        changed.succeed(drawn_back, revision_stated=True)


def test_a_withdrawn_quote_can_be_sent_again_as_it_was() -> None:
    withdrawn = a_quote(recorded_state=QuoteState.DRAFT, withdrawn=True)

    assert a_quote().succeed(withdrawn, revision_stated=True) == a_quote()


@given(
    states=st.lists(st.sampled_from(RECORDED), min_size=1, max_size=6),
    data=st.data(),
)
def test_whatever_is_shown_under_one_revision_is_the_same_ever_after(
    states: list[QuoteState], data: st.DataObject
) -> None:
    quote = a_quote(recorded_state=states[0])
    shown: dict[int, str] = {}
    for state in states:
        record = a_quote(
            recorded_state=state,
            revision=data.draw(st.integers(1, 3)),
            terms=data.draw(st.sampled_from(("These", "Others"))),
        )
        with suppress(ValueError):
            quote = record.succeed(quote, revision_stated=data.draw(st.booleans()))
        if not quote.is_draft:
            content = canonical_json(quote.document())
            assert shown.setdefault(quote.revision, content) == content
        assert quote.was_shown == (quote.revision in shown)


@given(
    state=st.sampled_from(RECORDED),
    before=st.integers(1, 5),
    after=st.integers(1, 5),
    changes=st.booleans(),
    stated=st.booleans(),
    withdrawn=st.booleans(),
)
def test_a_record_is_refused_only_for_a_revision_that_it_states(
    *, state: QuoteState, before: int, after: int, changes: bool, stated: bool, withdrawn: bool
) -> None:
    earlier = a_quote(recorded_state=state, revision=before, withdrawn=withdrawn)
    record = a_quote(revision=after, terms="Other" if changes else earlier.terms)

    try:
        successor = record.succeed(earlier, revision_stated=stated)
    except ValueError:
        assert stated
        assert after < before or (changes and after == before)
        return

    assert successor.revision >= before
    assert evolve(successor, revision=after) == record


def test_drafts_are_the_only_quotes_not_shown() -> None:
    quotes = [a_quote(recorded_state=state) for state in RECORDED]

    drafts = [quote.recorded_state for quote in quotes if quote.is_draft]

    assert drafts == [QuoteState.DRAFT]
    assert set(QuoteState) - SHOWN_QUOTE_STATES == set(drafts)
