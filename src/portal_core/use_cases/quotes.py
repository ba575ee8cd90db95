"""Reading quotes, and answering them."""

from datetime import datetime

from attrs import evolve

from portal_core.domain.access import Permission, Visit
from portal_core.domain.audit import Act, Actor, ActorType, AuditAction, AuditEntry, Target, TargetType
from portal_core.domain.errors import Busy
from portal_core.domain.events import Event, EventType
from portal_core.domain.filters import QuoteFilter
from portal_core.domain.ids import DecisionId, EventId, GrantId, QuoteId
from portal_core.domain.paging import Listing, Page
from portal_core.domain.quotes import Answer, Decision, Evidence, Quote, QuoteSummary, standard_consent
from portal_core.ports import Store
from portal_core.use_cases.audit import entry_of
from portal_core.use_cases.finding import require_found
from portal_core.use_cases.narrowing import narrow_quote, within
from portal_core.use_cases.typed import clean_evidence

_ATTEMPTS = 5

_EVENTS = {Answer.ACCEPTED: EventType.QUOTE_ACCEPTED, Answer.DECLINED: EventType.QUOTE_DECLINED}
_ACTIONS = {Answer.ACCEPTED: AuditAction.QUOTE_ACCEPTED, Answer.DECLINED: AuditAction.QUOTE_DECLINED}


def list_quotes(
    store: Store, visit: Visit, listing: Listing, narrowed: QuoteFilter, *, now: datetime
) -> Page[QuoteSummary]:
    """Return a page of the client's quotes."""
    visit.grant.require(Permission.VIEW_QUOTES, at=now)
    return store.quotes.page(visit.scope, listing, narrowed, on=visit.today(now))


def read_quote(store: Store, visit: Visit, quote_id: QuoteId, *, now: datetime) -> Quote:
    """Return one quote with its decision."""
    visit.grant.require(Permission.VIEW_QUOTES, at=now)
    return within(visit.scope, _found(store, visit, quote_id), narrow_quote)


def accept_quote(
    store: Store, visit: Visit, quote_id: QuoteId, evidence: Evidence, *, seen: int | None, now: datetime
) -> Quote:
    """Accept a sent quote on the client's behalf and return it with its decision; `seen` is the revision shown."""
    visit.grant.require(Permission.VIEW_QUOTES, Permission.ACCEPT_QUOTES, at=now)
    quote = _decide(store, visit, quote_id, Answer.ACCEPTED, evidence, seen, now)
    return within(visit.scope, quote, narrow_quote)


def decline_quote(
    store: Store, visit: Visit, quote_id: QuoteId, evidence: Evidence, *, seen: int | None, now: datetime
) -> Quote:
    """Decline a sent quote on the client's behalf and return it with its decision; `seen` is the revision shown."""
    visit.grant.require(Permission.VIEW_QUOTES, Permission.ACCEPT_QUOTES, at=now)
    quote = _decide(store, visit, quote_id, Answer.DECLINED, evidence, seen, now)
    return within(visit.scope, quote, narrow_quote)


def _decide(
    store: Store, visit: Visit, quote_id: QuoteId, answer: Answer, evidence: Evidence, seen: int | None, now: datetime
) -> Quote:
    known = evolve(clean_evidence(evidence), grant_id=visit.grant.id, secret_hint=visit.secret_hint)
    for _ in range(_ATTEMPTS):
        quote = _found(store, visit, quote_id)
        quote.require_seen(seen)
        if quote.answer is answer:
            return quote
        decision_id = DecisionId(store.mint.new_id())
        agreed = _with_consent(known, quote) if answer is Answer.ACCEPTED else known
        decision = quote.decide(answer, agreed, decision_id=decision_id, at=now, on=visit.today(now))
        event, entry = _event(store, decision), _entry(store, decision, visit.grant.id)
        if store.decisions.record(quote, decision, event, entry):
            return quote.decided(decision)
    raise Busy("This quote is being changed just now. Try again in a moment.")


def _with_consent(evidence: Evidence, quote: Quote) -> Evidence:
    return evolve(evidence, consent_text=evidence.consent_text or standard_consent(quote))


def _found(store: Store, visit: Visit, quote_id: QuoteId) -> Quote:
    return require_found(store.quotes.get(visit.scope, quote_id), "quote", quote_id)


def _entry(store: Store, decision: Decision, grant_id: GrantId) -> AuditEntry:
    evidence = decision.evidence
    act = Act(
        action=_ACTIONS[decision.answer],
        company_id=decision.company_id,
        client_id=decision.client_id,
        target=Target(TargetType.QUOTE, decision.quote_id),
        details={"decision_id": decision.id, "revision": decision.revision},
    )
    client = Actor(
        type=ActorType.CLIENT,
        id=grant_id,
        token_hint=evidence.secret_hint,
        ip=evidence.ip,
        user_agent=evidence.user_agent,
    )
    return entry_of(store, act, by=client, now=decision.decided_at)


def _event(store: Store, decision: Decision) -> Event:
    return Event(
        id=EventId(store.mint.new_id()),
        company_id=decision.company_id,
        client_id=decision.client_id,
        type=_EVENTS[decision.answer],
        occurred_at=decision.decided_at,
        data={
            "quote_id": decision.quote_id,
            "quote_number": decision.quote_number,
            "revision": decision.revision,
            "decision_id": decision.id,
        },
    )
