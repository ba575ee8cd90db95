"""One quote, and thirty-two who want different things of it at the same moment."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import TypeAlias, final

from attrs import evolve, field, frozen

from portal_adapters.contract.builders import COMPANY, NOW, SCOPE, TODAY, a_quote, a_visit, eur, evidence
from portal_core.domain.errors import AlreadyDecided, MovedOn, NotOpen
from portal_core.domain.events import Event, EventType
from portal_core.domain.filters import DecisionFilter
from portal_core.domain.ids import EventId, QuoteId
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import Answer, Decision, Quote, QuoteState
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Store
from portal_core.use_cases.quotes import accept_quote, decline_quote
from portal_core.use_cases.records import ClientRecords, RecordsDisagree, Upsert, take_in_records

CALLERS = 32

_LATE = timedelta(days=1)
_FOREVER = timedelta(days=4_000)
_EVENTS = {Answer.ACCEPTED: EventType.QUOTE_ACCEPTED, Answer.DECLINED: EventType.QUOTE_DECLINED}

Work: TypeAlias = Callable[[Store], Quote | None]
Result: TypeAlias = Quote | Exception | None
"""What a caller was told: the decided quote, a refusal (or a failure, which is a fault), or (an import) nothing."""

AtOnce: TypeAlias = Callable[[Sequence[Work]], Sequence[Result]]
"""Runs works at the same time, each in a transaction of its own until it is not refused as Busy."""


@final
@frozen
class Client:
    """Answers the quote, as a client who saw a revision or looked at none, on its last day or on the day after."""

    name: str
    answer: Answer
    seen: int | None
    at: datetime

    def __call__(self, store: Store, quote_id: QuoteId) -> Quote:
        decide = accept_quote if self.answer is Answer.ACCEPTED else decline_quote
        visit = a_visit(expires_at=NOW + _FOREVER)
        return decide(store, visit, quote_id, evidence(name=self.name), seen=self.seen, now=self.at)


@final
@frozen
class Record:
    """Brings in a record of the quote: another revision, or its cancellation."""

    change: Callable[[Quote], Quote]

    def __call__(self, store: Store, quote_id: QuoteId) -> None:
        record = Upsert(fact=self.change(quoted(quote_id)))
        client = ClientRecords(company_id=COMPANY, client_id=SCOPE.client_id, read=lambda _: [record])
        take_in_records(store, client)


Caller: TypeAlias = Client | Record


def quoted(quote_id: QuoteId) -> Quote:
    """Return the quote that is raced for: sent, and valid until today."""
    return a_quote(quote_id, valid_until=TODAY)


def re_quoted(quote: Quote) -> Quote:
    """Return the second revision, cheaper than the first."""
    return evolve(quote, revision=2, subtotal=eur("99.00"), total=eur("99.00"))


def cancelled(quote: Quote) -> Quote:
    """Return the first revision as staff cancel it; once there is a second one, it comes too late."""
    return evolve(quote, recorded_state=QuoteState.CANCELLED)


@final
@frozen
class Trial:
    """Who races for which quote. Every fourth trial is for clients alone; imports join the others."""

    number: int
    imports: bool = True
    quote_id: QuoteId = field(init=False)
    callers: tuple[Caller, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "quote_id", QuoteId(f"Q{self.number}"))
        object.__setattr__(self, "callers", tuple(self._callers()))

    @property
    def is_re_quoted(self) -> bool:
        return self.imports and self.number % 4 in {1, 3}

    @property
    def is_cancelled(self) -> bool:
        return self.imports and self.number % 4 in {2, 3}

    def works(self) -> list[Work]:
        return [partial(caller, quote_id=self.quote_id) for caller in self.callers]

    def _callers(self) -> list[Caller]:
        chance = Random(self.number)  # noqa: S311 - a shuffle that can be repeated
        records = [Record(re_quoted)] * 2 * self.is_re_quoted + [Record(cancelled)] * self.is_cancelled
        clients = [
            Client(
                name=f"{self.quote_id}/{place}",
                answer=chance.choice(tuple(Answer)),
                seen=chance.choice((1, None)),
                at=NOW + _LATE * (chance.random() < 1 / 4),
            )
            for place in range(CALLERS - len(records))
        ]
        callers: list[Caller] = [*records, *clients]
        chance.shuffle(callers)
        return callers


@final
@frozen
class Outcome:
    """What the store holds after a trial."""

    quote: Quote
    decisions: tuple[Decision, ...]
    events: tuple[Event, ...]


def outcome_of(store: Store, trial: Trial, after: EventId | None) -> Outcome:
    """Return what there is about the quote, and all events since one."""
    ref = RecordRef(RecordType.QUOTE, trial.quote_id)
    quote = store.facts.find(COMPANY, [ref])[ref]
    page = store.events.page(COMPANY, after=after, limit=1_000)
    assert isinstance(quote, Quote)
    assert page is not None
    of_quote = DecisionFilter(quote_id=trial.quote_id)
    decisions = store.decisions.page(COMPANY, Listing(sort="created_at", limit=100), of_quote)
    return Outcome(quote=quote, decisions=tuple(decisions.items), events=tuple(page.items))


def faults_of(trial: Trial, told: Sequence[Result], outcome: Outcome) -> list[str]:
    """Return everything in which a trial's outcome is not one that its callers were told, in words."""
    return [*_faults_of_decisions(trial, outcome), *_faults_of_words(trial, told, outcome)]


def _faults_of_decisions(trial: Trial, outcome: Outcome) -> Iterator[str]:
    revisions = Counter(each.revision for each in outcome.decisions)
    if any(count > 1 for count in revisions.values()):
        yield f"several decisions on one revision: {revisions}"
    if sorted(_about(each) for each in outcome.decisions) != sorted(map(_told_by, outcome.events)):
        yield f"{len(outcome.decisions)} decisions and other events: {outcome.events}"
    shown = {1: quoted(trial.quote_id), 2: re_quoted(quoted(trial.quote_id))}
    for each in outcome.decisions:
        if each.document_sha256 != shown[each.revision].document_sha256():
            yield f"revision {each.revision} was decided as something else: {each.document}"
    if outcome.quote.revision != 1 + trial.is_re_quoted:
        yield f"the last record is revision {outcome.quote.revision}"
    if not trial.is_cancelled and not revisions and any(map(_in_time, trial.callers)):
        yield "nobody's answer was kept"


def _faults_of_words(trial: Trial, told: Sequence[Result], outcome: Outcome) -> Iterator[str]:
    for caller, result in zip(trial.callers, told, strict=True):
        told_right = _client_told_right if isinstance(caller, Client) else _record_told_right
        if not told_right(caller, result, trial, outcome):
            yield f"{caller} was told {result!r}"
    for each in outcome.decisions:
        if each not in (result.decision for result in told if isinstance(result, Quote)):
            yield f"nobody was told of {each.id}"


def _client_told_right(caller: Caller, result: Result, trial: Trial, outcome: Outcome) -> bool:
    assert isinstance(caller, Client)
    match result:
        case Quote(decision=Decision() as decision):
            return decision in outcome.decisions and decision.answer is caller.answer
        case AlreadyDecided():
            return any(each.answer is not caller.answer for each in outcome.decisions)
        case MovedOn():
            return caller.seen == 1 and trial.is_re_quoted
        case NotOpen():
            return trial.is_cancelled or not _in_time(caller)
        case _:
            return False


def _record_told_right(caller: Caller, result: Result, trial: Trial, _: Outcome) -> bool:
    if isinstance(result, RecordsDisagree):
        return isinstance(caller, Record) and caller.change is cancelled and trial.is_re_quoted
    return result is None


def _in_time(caller: Caller) -> bool:
    return isinstance(caller, Client) and caller.at == NOW


def _about(decision: Decision) -> tuple[str, str, int]:
    return _EVENTS[decision.answer], decision.id, decision.revision


def _told_by(event: Event) -> tuple[str, str, int]:
    return event.type, str(event.data["decision_id"]), int(str(event.data["revision"]))
