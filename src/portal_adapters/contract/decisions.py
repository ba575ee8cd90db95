"""Decisions: kept once for each revision, on exactly what was judged, and never touched again."""

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    COMPANY,
    NEIGHBOUR,
    OTHER_COMPANY,
    SCOPE,
    STRANGER,
    TODAY,
    a_client,
    a_decision,
    a_line,
    a_quote,
    an_audit_entry,
    an_event,
    eur,
    moment,
)
from portal_adapters.contract.feeding import feed, forget, keep_decision, prepare
from portal_core.domain.filters import AuditFilter, DecisionFilter, QuoteFilter
from portal_core.domain.ids import DecisionId, GrantId, OrderId
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import Answer, Decision, Evidence, Quote, QuoteState
from portal_core.domain.records import ref_of
from portal_core.ports import Store, Transactions

QUOTE = a_quote("Q1", revision=2, total=eur("119.00"))

MOVED_ON: tuple[tuple[str, Quote], ...] = (
    ("re-quoted", evolve(QUOTE, revision=3)),
    ("set back to an earlier revision", evolve(QUOTE, revision=1)),
    ("changed in its total", evolve(QUOTE, total=eur("119.01"))),
    ("changed in its lines", evolve(QUOTE, lines=(a_line(description="Consulting."),))),
    ("changed in its terms", evolve(QUOTE, terms="Net 30 days")),
    ("changed in its validity", evolve(QUOTE, valid_until=TODAY)),
    ("cancelled", evolve(QUOTE, recorded_state=QuoteState.CANCELLED)),
    ("accepted by record", evolve(QUOTE, recorded_state=QuoteState.ACCEPTED)),
    ("declined by record", evolve(QUOTE, recorded_state=QuoteState.DECLINED)),
    ("made a draft again", evolve(QUOTE, recorded_state=QuoteState.DRAFT)),
)
MOVED_ON_CASES = [pytest.param(quote, id=name.replace(" ", "-")) for name, quote in MOVED_ON]

EVIDENCE = Evidence(
    name="Ada 😀",
    title="Head of purchasing",
    email="ada@example.com",
    purchase_order="PO 4711",
    comment="First line\nsecond line",
    reason="r" * 2_000,
    ip="2001:db8::1",
    user_agent="Mozilla/5.0",
    consent_text="I accept “everything”.",
    grant_id=GrantId("G1"),
    secret_hint="wxyz",  # noqa: S106 - the end of a token
)


class DecisionsContract:
    """The one conditional write that must never be wrong."""

    def test_a_decision_is_kept_with_every_field(self, transactions: Transactions) -> None:
        decision = evolve(a_decision(QUOTE), evidence=EVIDENCE, consent_sha256="0" * 64, decided_at=moment(1))
        prepare(transactions, QUOTE)

        with transactions.begin() as store:
            recorded = keep_decision(store, QUOTE, decision)

        with transactions.begin() as store:
            assert recorded
            assert store.decisions.get(COMPANY, decision.id) == decision
            assert _decisions(store) == [decision]

    def test_a_decision_comes_with_its_event_and_its_entry_or_all_three_stay_away(
        self, transactions: Transactions
    ) -> None:
        prepare(transactions, QUOTE)

        for name in ("first", "second"):
            with transactions.begin() as store:
                decision = a_decision(QUOTE, id=DecisionId(name))
                store.decisions.record(QUOTE, decision, an_event(name), an_audit_entry(name))

        with transactions.begin() as store:
            events = store.events.page(COMPANY, after=None, limit=10)
            entries = store.audit.page(COMPANY, Listing(sort="created_at"), AuditFilter())
            assert [each.id for each in _decisions(store)] == ["first"]
            assert events is not None
            assert events.items == (an_event("first"),)
            assert entries.items == (an_audit_entry("first"),)

    @pytest.mark.parametrize("answer", Answer)
    def test_a_decided_quote_shows_its_decision(self, transactions: Transactions, answer: Answer) -> None:
        decision = a_decision(QUOTE, answer)
        prepare(transactions, QUOTE, a_quote("Q2", revision=2))
        with transactions.begin() as store:
            keep_decision(store, QUOTE, decision)

        with transactions.begin() as store:
            found = store.quotes.get(SCOPE, QUOTE.id)
            listed = store.quotes.page(SCOPE, Listing(sort="number", descending=False), QuoteFilter(), on=TODAY).items
            facts = store.facts.find(COMPANY, [ref_of(QUOTE)])
            exported = list(store.facts.each(COMPANY, SCOPE.client_id))

        assert found == QUOTE.decided(decision)
        assert [(each.answer, each.decided_at) for each in listed] == [(answer, decision.decided_at), (None, None)]
        assert facts == {ref_of(QUOTE): found}
        assert exported[2:] == [found, a_quote("Q2", revision=2)]

    @pytest.mark.parametrize("second", Answer)
    def test_a_revision_is_decided_once(self, transactions: Transactions, second: Answer) -> None:
        first = a_decision(QUOTE, Answer.DECLINED)
        prepare(transactions, QUOTE)
        with transactions.begin() as store:
            keep_decision(store, QUOTE, first)

        with transactions.begin() as store:
            recorded = keep_decision(store, QUOTE, a_decision(QUOTE, second, id=DecisionId("second")))

        with transactions.begin() as store:
            assert not recorded
            assert _decisions(store) == [first]
            assert store.decisions.get(COMPANY, DecisionId("second")) is None

    @pytest.mark.parametrize("current", MOVED_ON_CASES)
    def test_nothing_is_decided_on_a_quote_that_moved_on(self, transactions: Transactions, current: Quote) -> None:
        prepare(transactions, QUOTE)
        prepare(transactions, current)

        with transactions.begin() as store:
            recorded = keep_decision(store, QUOTE, a_decision(QUOTE))

        with transactions.begin() as store:
            assert not recorded
            assert _decisions(store) == []

    def test_nothing_is_decided_on_a_quote_that_is_gone_or_not_theirs(self, transactions: Transactions) -> None:
        theirs, another = a_quote("Q1", scope=NEIGHBOUR, revision=2), a_quote("Q1", scope=STRANGER, revision=2)
        prepare(transactions, QUOTE)

        with transactions.begin() as store:
            recorded = [keep_decision(store, each, a_decision(each)) for each in (theirs, another)]
            forget(store, COMPANY, ref_of(QUOTE))
            recorded.append(keep_decision(store, QUOTE, a_decision(QUOTE)))

        with transactions.begin() as store:
            assert recorded == [False, False, False]
            assert _decisions(store) == []

    def test_the_order_that_came_of_a_quote_does_not_hinder_its_decision(self, transactions: Transactions) -> None:
        prepare(transactions, QUOTE)
        prepare(transactions, evolve(QUOTE, order_id=OrderId("O1")))

        with transactions.begin() as store:
            assert keep_decision(store, QUOTE, a_decision(QUOTE))

    def test_a_higher_revision_is_open_again_and_may_be_decided_once_more(self, transactions: Transactions) -> None:
        again = evolve(QUOTE, revision=3)
        decisions = [a_decision(QUOTE, Answer.DECLINED), a_decision(again, Answer.ACCEPTED, decided_at=moment(1))]
        prepare(transactions, QUOTE)
        with transactions.begin() as store:
            keep_decision(store, QUOTE, decisions[0])
        prepare(transactions, again)

        with transactions.begin() as store:
            reopened = store.quotes.get(SCOPE, QUOTE.id)
            recorded = keep_decision(store, again, decisions[1])

        with transactions.begin() as store:
            assert (reopened, recorded) == (again, True)
            assert store.quotes.get(SCOPE, QUOTE.id) == again.decided(decisions[1])
            assert _decisions(store) == decisions

    def test_a_record_never_touches_a_decision(self, transactions: Transactions) -> None:
        decision = a_decision(QUOTE)
        prepare(transactions, QUOTE)
        with transactions.begin() as store:
            keep_decision(store, QUOTE, decision)

        prepare(transactions, evolve(QUOTE, recorded_state=QuoteState.CANCELLED))
        with transactions.begin() as store:
            cancelled = store.quotes.get(SCOPE, QUOTE.id)
            forget(store, COMPANY, ref_of(QUOTE))

        with transactions.begin() as store:
            assert cancelled == evolve(QUOTE, recorded_state=QuoteState.CANCELLED).decided(decision)
            assert store.quotes.get(SCOPE, QUOTE.id) is None
            assert _decisions(store) == [decision]

    def test_a_decision_within_a_saved_quote_is_not_taken_in(self, transactions: Transactions) -> None:
        prepare(transactions, QUOTE.decided(a_decision(QUOTE)))

        with transactions.begin() as store:
            assert store.quotes.get(SCOPE, QUOTE.id) == QUOTE
            assert list(store.facts.each(COMPANY, SCOPE.client_id))[-1] == QUOTE
            assert _decisions(store) == []

    def test_a_refused_decision_spoils_nothing_in_its_transaction(self, transactions: Transactions) -> None:
        prepare(transactions, QUOTE, a_quote("Q2"))
        with transactions.begin() as store:
            keep_decision(store, QUOTE, a_decision(QUOTE))

        with transactions.begin() as store:
            feed(store, a_client(name="renamed"))
            refused = keep_decision(store, QUOTE, a_decision(QUOTE, id=DecisionId("second")))
            recorded = keep_decision(store, a_quote("Q2"), a_decision(a_quote("Q2")))

        with transactions.begin() as store:
            client = store.clients.get(COMPANY, SCOPE.client_id)
            assert (refused, recorded) == (False, True)
            assert client is not None
            assert client.name == "renamed"
            assert [each.quote_id for each in _decisions(store)] == ["Q1", "Q2"]

    def test_decisions_are_read_by_their_company_alone(self, transactions: Transactions) -> None:
        theirs = a_quote("Q1", scope=STRANGER)
        prepare(transactions, QUOTE, theirs)
        with transactions.begin() as store:
            keep_decision(store, QUOTE, a_decision(QUOTE))

        with transactions.begin() as store:
            assert store.decisions.get(OTHER_COMPANY, a_decision(QUOTE).id) is None
            assert store.quotes.get(STRANGER, theirs.id) == theirs


def _decisions(store: Store) -> list[Decision]:
    listing = Listing(sort="created_at", descending=False)
    return list(store.decisions.page(COMPANY, listing, DecisionFilter()).items)
