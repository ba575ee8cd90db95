import pytest

from portal_core.domain.errors import InvalidInput, NotFound
from portal_core.domain.filters import DecisionFilter
from portal_core.domain.ids import ClientId, CompanyId, DecisionId, EventId, QuoteId
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import Answer, Decision
from portal_core.ports import Store
from portal_core.use_cases.decisions import list_decisions, read_decision, read_events
from portal_core.use_cases.quotes import accept_quote, decline_quote
from tests.core.samples import CLIENT, COMPANY, LENA, NOW, SECOND, a_quote, a_visit

NEWEST = Listing(sort="created_at")


def decide_three(store: Store) -> list[Decision]:
    """Accept, decline and accept a quote, a second apart, and return the decisions."""
    made: list[Decision | None] = []
    for number, answer in enumerate((accept_quote, decline_quote, accept_quote)):
        quote = a_quote(id=QuoteId(f"q{number}"))
        store.intake.save([quote])
        made.append(answer(store, a_visit(), quote.id, LENA, seen=1, now=NOW + number * SECOND).decision)
    return [decision for decision in made if decision is not None]


def test_staff_see_what_was_decided_newest_first(store: Store) -> None:
    made = decide_three(store)

    page = list_decisions(store, COMPANY.id, NEWEST, DecisionFilter())

    assert list(page.items) == made[::-1]
    assert [read_decision(store, COMPANY.id, each.id) for each in made] == made


def test_decisions_are_found_by_client_quote_and_answer(store: Store) -> None:
    first, second, third = decide_three(store)

    def found(narrowed: DecisionFilter) -> list[Decision]:
        return list(list_decisions(store, COMPANY.id, NEWEST, narrowed).items)

    assert found(DecisionFilter(answers=frozenset({Answer.ACCEPTED}))) == [third, first]
    assert found(DecisionFilter(quote_id=second.quote_id)) == [second]
    assert len(found(DecisionFilter(client_id=CLIENT.id))) == 3
    assert found(DecisionFilter(client_id=ClientId("nobody"))) == []


def test_another_companys_decisions_are_not_found(store: Store) -> None:
    decision, *_ = decide_three(store)

    for company, decision_id in ((CompanyId("other"), decision.id), (COMPANY.id, DecisionId("none"))):
        with pytest.raises(NotFound):
            read_decision(store, company, decision_id)

    assert list_decisions(store, CompanyId("other"), NEWEST, DecisionFilter()).items == ()


def test_events_are_read_on_from_the_last_one_seen(store: Store) -> None:
    decide_three(store)

    first = read_events(store, COMPANY.id, after=None, limit=2)
    second = read_events(store, COMPANY.id, after=first.items[-1].id, limit=2)
    third = read_events(store, COMPANY.id, after=second.items[-1].id, limit=2)

    assert [event.data["quote_id"] for page in (first, second, third) for event in page.items] == ["q0", "q1", "q2"]
    assert (first.next is None, second.next is None) == (False, True)


def test_an_unknown_event_is_refused(store: Store) -> None:
    decide_three(store)

    with pytest.raises(InvalidInput) as refused:
        read_events(store, COMPANY.id, after=EventId("none"), limit=2)

    assert refused.value.problems[0].parameter == "after"
