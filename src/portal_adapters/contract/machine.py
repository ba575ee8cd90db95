"""A store and the memory store, side by side: the same is done to both, and every answer is compared.

```python
from collections.abc import Generator
from contextlib import contextmanager

from portal_adapters.contract.machine import StoreMachine
from portal_core.ports import Mint, Transactions


class MyMachine(StoreMachine):
    @contextmanager
    def opened(self, mint: Mint) -> Generator[Transactions]:
        yield MyTransactions(mint)


TestMyMachine = MyMachine.TestCase
```
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, suppress
from datetime import timedelta
from typing import TypeVar

from attrs import evolve, frozen
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, initialize, rule

from portal_adapters.contract.builders import COMPANY, NOW, SCOPE, a_visit, an_answer, evidence
from portal_adapters.contract.differences import difference_between
from portal_adapters.contract.feeding import PEOPLE, feed, replace
from portal_adapters.contract.mint import CountingMint
from portal_adapters.contract.questions import Question, narrowed, places, questions, references, scopes
from portal_adapters.contract.strategies import RECORDED_STATES, History, amounts, histories
from portal_adapters.memory import MemoryTransactions
from portal_core.domain.access import DocumentRef, Scope, Use, Visit
from portal_core.domain.errors import NotFound, Refusal
from portal_core.domain.feedback import Ticket
from portal_core.domain.money import Money
from portal_core.domain.quotes import Answer, Quote, QuoteState
from portal_core.ports import KeptAnswer, KeyOfAnswer, Mint, Store, Transactions
from portal_core.use_cases.access import (
    IssuedLink,
    LinkLife,
    NewGrant,
    amend_link,
    issue_link,
    note_uses,
    open_link,
    revoke_link,
    revoke_links_of,
    rotate_link,
)
from portal_core.use_cases.erasing import erase_client
from portal_core.use_cases.feedback import NewTicket, reply_as_client, reply_as_staff, submit_feedback
from portal_core.use_cases.idempotency import keep_answer, prune_answers, replay
from portal_core.use_cases.quotes import accept_quote, decline_quote

T = TypeVar("T")

_LIFE = LinkLife(usual=timedelta(days=1), longest=timedelta(days=3))
_FOREVER = timedelta(days=4_000)

_histories = scopes.flatmap(lambda scope: st.tuples(st.just(scope), histories(scope)))
_views = scopes.flatmap(narrowed)
_abouts = scopes.flatmap(lambda scope: st.tuples(narrowed(scope), st.none() | references(scope)))
_spans = st.sampled_from((timedelta(0), timedelta(microseconds=1), timedelta(hours=5), timedelta(days=1)))


@frozen
class Refused:
    """A refusal, as an answer that can be compared."""

    code: str
    detail: str


class StoreMachine(RuleBasedStateMachine):
    """Does to a store whatever a portal, its staff and its imports do, in any order."""

    links = Bundle[IssuedLink]("links")
    tickets = Bundle[Ticket]("tickets")

    def opened(self, mint: Mint) -> AbstractContextManager[Transactions]:
        """Open the store to drive: empty, with this mint. It is closed after each run."""
        raise NotImplementedError

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self._open = ExitStack()
        driven = self._open.enter_context(self.opened(CountingMint()))
        self._sides: tuple[Transactions, Transactions] = (MemoryTransactions(CountingMint()), driven)

    def teardown(self) -> None:
        self._open.close()

    def both(self, use_case: Callable[[Store], T]) -> T | Refused:
        """Run a use case in a transaction of each store, and return the answer of both."""
        expected, found = (_answer(side, use_case) for side in self._sides)
        if (difference := difference_between(found, expected)) is not None:
            raise AssertionError(difference)
        return expected

    def visit(self, scope: Scope) -> Visit:
        """Return the visit of a client who may do everything within the scope."""
        return a_visit(scope, expires_at=self.now + _FOREVER)

    @initialize(first=histories(SCOPE), second=_histories)
    def begin(self, first: History, second: tuple[Scope, History]) -> None:
        self.both(lambda store: feed(store, *PEOPLE))
        self.take_in((SCOPE, first))
        self.take_in(second)

    @rule(asked=st.lists(questions, min_size=1, max_size=5))
    def ask(self, asked: list[Question]) -> None:
        for question in asked:
            self.both(question)

    @rule(span=_spans)
    def wait(self, span: timedelta) -> None:
        self.now += span
        self.both(lambda store: prune_answers(store, now=self.now))

    @rule(drawn=_histories)
    def take_in(self, drawn: tuple[Scope, History]) -> None:
        scope, history = drawn
        self.both(lambda store: replace(store, scope, history.documents))
        # Drawn questions seldom ask for one balance before and after a change.
        self.both(lambda store: store.balances.get(scope, on=self.now.date()))

    @rule(drawn=_histories, scope=scopes, pick=places, answer=st.sampled_from(Answer))
    def fail(self, drawn: tuple[Scope, History], scope: Scope, pick: int, answer: Answer) -> None:
        changed, history = drawn
        for side in self._sides:
            with suppress(ZeroDivisionError), side.begin() as store:
                self._decide(store, scope, pick, answer, None)
                replace(store, changed, history.documents)
                raise ZeroDivisionError

    @rule(scope=st.just(SCOPE) | scopes, pick=places, state=st.sampled_from(RECORDED_STATES), total=st.none() | amounts)
    def re_quote(self, scope: Scope, pick: int, state: QuoteState, total: Money | None) -> None:
        def save(store: Store) -> None:
            quote = _picked(store, scope, pick)
            if total is None:
                feed(store, evolve(quote, recorded_state=state))
            else:
                changed = evolve(quote, subtotal=total, tax=Money(0, total.currency), total=total, lines=())
                feed(store, evolve(changed, recorded_state=state, revision=quote.revision + 1))

        self.both(save)

    @rule(
        scope=st.just(SCOPE) | _views, pick=places, answer=st.sampled_from(Answer), seen=st.none() | st.integers(1, 3)
    )
    def decide(self, scope: Scope, pick: int, answer: Answer, seen: int | None) -> None:
        self.both(lambda store: self._decide(store, scope, pick, answer, seen))

    @rule(target=links, scope=_views, label=st.none() | st.just("Sales"))
    def issue(self, scope: Scope, label: str | None) -> IssuedLink | MultipleResults[IssuedLink]:
        asked = NewGrant(client_id=scope.client_id, documents=scope.documents, label=label)
        return _kept(self.both(lambda store: issue_link(store, scope.company_id, asked, _LIFE, now=self.now)))

    @rule(target=links, link=links, overlap=_spans)
    def rotate(self, link: IssuedLink, overlap: timedelta) -> IssuedLink | MultipleResults[IssuedLink]:
        grant = link.grant
        return _kept(
            self.both(lambda store: rotate_link(store, grant.company_id, grant.id, overlap=overlap, now=self.now))
        )

    @rule(link=links, scope=_views, days=st.integers(0, 4))
    def amend(self, link: IssuedLink, scope: Scope, days: int) -> None:
        grant, expires_at = link.grant, self.now + timedelta(days=days)
        self.both(
            lambda store: amend_link(
                store,
                grant.company_id,
                grant.id,
                {"label": f"{days} days", "expires_at": expires_at, "documents": scope.documents},
                _LIFE,
                now=self.now,
            )
        )

    @rule(link=links)
    def revoke(self, link: IssuedLink) -> None:
        self.both(lambda store: revoke_link(store, link.grant.company_id, link.grant.id, now=self.now))

    @rule(link=links)
    def revoke_all(self, link: IssuedLink) -> None:
        client = link.grant.scope
        self.both(lambda store: revoke_links_of(store, client.company_id, client.client_id, now=self.now))

    @rule(link=links, earlier=_spans)
    def come_in(self, link: IssuedLink, earlier: timedelta) -> None:
        def enter(store: Store) -> Visit:
            visit = open_link(store, link.token, now=self.now)
            note_uses(store, [Use(visit.grant.company_id, visit.grant.id, self.now - earlier)])
            return visit

        visit = self.both(lambda store: _without_secrets(enter(store)))
        kept = self.both(lambda store: store.grants.get(link.grant.company_id, link.grant.id))
        assert isinstance(visit, Refused) or kept is not None

    @rule(target=tickets, about=_abouts)
    def submit(self, about: tuple[Scope, DocumentRef | None]) -> Ticket | MultipleResults[Ticket]:
        scope, document = about
        said = NewTicket(subject="Where is it?", message="I wait.", rating=3, document=document)
        return _kept(self.both(lambda store: submit_feedback(store, self.visit(scope), said, now=self.now)))

    @rule(ticket=tickets, scope=_views)
    def reply(self, ticket: Ticket, scope: Scope) -> None:
        self.both(lambda store: reply_as_client(store, self.visit(scope), ticket.id, "And now?", now=self.now))

    @rule(ticket=tickets, close=st.booleans())
    def answer(self, ticket: Ticket, *, close: bool) -> None:
        self.both(lambda store: reply_as_staff(store, ticket.company_id, ticket.id, "Soon.", close=close, now=self.now))

    @rule(scope=scopes)
    def erase(self, scope: Scope) -> None:
        self.both(lambda store: erase_client(store, scope.company_id, scope.client_id, now=self.now))

    @rule(place=places, body=st.integers(0, 1))
    def ask_twice(self, place: int, body: int) -> None:
        key = KeyOfAnswer(company_id=COMPANY, asker="staff", route="POST /tokens", key=f"{place}")
        fresh = an_answer(fingerprint=bytes([body]) * 32, body=b"%d" % place, answered_at=self.now)

        def answered(store: Store) -> KeptAnswer:
            if (found := replay(store, key, fresh.fingerprint, now=self.now)) is not None:
                return found
            keep_answer(store, key, fresh)
            return fresh

        self.both(answered)

    def _decide(self, store: Store, scope: Scope, pick: int, answer: Answer, seen: int | None) -> Quote | Refused:
        decide = accept_quote if answer is Answer.ACCEPTED else decline_quote
        try:
            quote_id = _picked(store, scope, pick).id
            return decide(store, self.visit(scope), quote_id, evidence(), seen=seen, now=self.now)
        except Refusal as refusal:
            return Refused(refusal.code, refusal.detail)


def _answer(side: Transactions, use_case: Callable[[Store], T]) -> T | Refused:
    try:
        with side.begin() as store:
            return use_case(store)
    except Refusal as refusal:
        return Refused(refusal.code, refusal.detail)


def _kept(answer: T | Refused) -> T | MultipleResults[T]:
    return MultipleResults(()) if isinstance(answer, Refused) else answer


def _without_secrets(visit: Visit) -> Visit:
    return evolve(visit, grant=evolve(visit.grant, secrets=()))


def _picked(store: Store, scope: Scope, pick: int) -> Quote:
    facts = store.facts.each(scope.company_id, scope.client_id)
    quotes = [fact for fact in facts if isinstance(fact, Quote)]
    if not quotes:
        raise NotFound("There is no quote.")
    return quotes[pick % len(quotes)]
