"""Whether a store kept what clients were told, once, with an event for each fact and a fact for each event."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, final

from attrs import evolve, frozen

from portal_adapters.contract.builders import COMPANY
from portal_core.domain.events import Event, EventType
from portal_core.domain.feedback import Ticket
from portal_core.domain.filters import DecisionFilter, TicketFilter
from portal_core.domain.ids import EventId
from portal_core.domain.paging import LARGEST_LIMIT, Listing, Page
from portal_core.domain.quotes import Decision
from portal_core.ports import Store
from tests.prove.writers import Asked, Memory, Told

T = TypeVar("T")

OK, CREATED, CONFLICT = 200, 201, 409

_ANSWERS = (EventType.QUOTE_ACCEPTED, EventType.QUOTE_DECLINED)


@final
@frozen
class Kept:
    """All decisions, tickets and events of a company."""

    decisions: Sequence[Decision]
    tickets: Sequence[Ticket]
    events: Sequence[Event]


def all_kept(store: Store) -> Kept:
    """Read a store from its first decision, ticket and event to its last."""
    return Kept(
        _walked(lambda each: store.decisions.page(COMPANY, each, DecisionFilter())),
        _walked(lambda each: store.tickets.page(COMPANY, each, TicketFilter())),
        _all_events(store),
    )


def faults_of(kept: Kept, memory: Memory) -> list[str]:
    """Return everything in which a store does not hold what was told, or holds what nobody asked for."""
    return [*_faults_among(kept), *_faults_of_facts(kept, memory), *_faults_of_words(kept, memory)]


def _faults_among(kept: Kept) -> Iterator[str]:
    for name, several in (
        ("decision", Counter((each.quote_id, each.revision) for each in kept.decisions)),
        ("ticket", Counter(each.subject for each in kept.tickets)),
    ):
        yield from (f"{count} times a {name}: {what}" for what, count in several.items() if count > 1)
    for kinds, key, facts in (
        (
            {EventType.QUOTE_ACCEPTED, EventType.QUOTE_DECLINED},
            "decision_id",
            [str(each.id) for each in kept.decisions],
        ),
        ({EventType.FEEDBACK_SUBMITTED}, "feedback_id", [str(each.id) for each in kept.tickets]),
    ):
        told = Counter(str(each.data[key]) for each in kept.events if each.type in kinds)
        if told != Counter(facts):
            yield f"events without facts: {told - Counter(facts)}; facts without events: {Counter(facts) - told}"


def _faults_of_facts(kept: Kept, memory: Memory) -> Iterator[str]:
    asked = {each.key: each for each in memory.told}
    for decision in kept.decisions:
        by = asked.get(decision.evidence.name or "")
        if by is None or (by.quote_id, by.answer) != (decision.quote_id, decision.answer.value):
            yield f"nobody asked for {decision}"
    for ticket in kept.tickets:
        if ticket.subject not in asked or asked[ticket.subject].quote_id is not None:
            yield f"nobody asked for {ticket}"


def _faults_of_words(kept: Kept, memory: Memory) -> Iterator[str]:
    decisions = {str(each.quote_id): each for each in kept.decisions}
    tickets = {str(each.id): each for each in kept.tickets}
    for asked, told in memory.told.items():
        if told is None:
            continue
        if asked.quote_id is None:
            right = _right_about_ticket(asked, told, tickets.get(str(_data(told).get("id"))))
        else:
            right = _right_about_quote(asked, told, decisions.get(asked.quote_id))
        if not right:
            yield f"{asked} was told {told}"


def _right_about_ticket(asked: Asked, told: Told, kept: Ticket | None) -> bool:
    return told.status == CREATED and kept is not None and kept.subject == asked.key


def _right_about_quote(asked: Asked, told: Told, kept: Decision | None) -> bool:
    if kept is None:
        return False
    if told.status == CONFLICT:
        return bool(told.body["code"] == "already_decided" and kept.answer.value != asked.answer)
    decision = _data(told).get("decision") or {}
    return told.status == OK and (decision["answer"], decision["name"], decision["document_sha256"]) == (
        asked.answer,
        kept.evidence.name,
        kept.document_sha256,
    ) == (kept.answer.value, decision["name"], kept.document_sha256)


def _data(told: Told) -> dict[str, Any]:
    return told.body.get("data") or {}


def _walked(page_of: Callable[[Listing], Page[T]]) -> list[T]:
    listing: Listing | None = Listing(sort="created_at", descending=False, limit=LARGEST_LIMIT)
    items: list[T] = []
    while listing is not None:
        page = page_of(listing)
        items += page.items
        listing = None if page.next is None else evolve(listing, after=page.next, total=page.total)
    return items


def _all_events(store: Store) -> list[Event]:
    items: list[Event] = []
    while True:
        after = EventId(items[-1].id) if items else None
        page = store.events.page(COMPANY, after=after, limit=LARGEST_LIMIT)
        assert page is not None
        items += page.items
        if page.next is None:
            return items
