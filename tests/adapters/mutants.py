"""Broken stores: each breaks the memory store in one way in which real stores have been broken."""

import time
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar, cast, final

from attrs import evolve, field, frozen

from portal_adapters.contract.builders import NEIGHBOUR, SCOPE, STRANGER
from portal_adapters.memory import MemoryTransactions
from portal_adapters.memory.happenings import MemoryDecisions
from portal_adapters.memory.tables import Tables
from portal_adapters.randomness import RandomMint
from portal_core.domain.access import Grant, Scope, Use
from portal_core.domain.events import Event
from portal_core.domain.feedback import Ticket
from portal_core.domain.filters import QuoteFilter, TicketFilter
from portal_core.domain.ids import CompanyId, EventId, GrantId, InvoiceId, OrderId, PaymentId, QuoteId
from portal_core.domain.money import Money
from portal_core.domain.paging import Listing, Page, Position
from portal_core.domain.quotes import Decision, Quote
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import KeyOfAnswer, Store, Transactions

T = TypeVar("T")

EVERYTHING = 1_000


@final
@frozen
class Mutant(Transactions):
    """The memory store with one alteration."""

    alter: Callable[[Store], Store] = lambda store: store
    honest: MemoryTransactions = field(factory=lambda: MemoryTransactions(RandomMint()))

    @contextmanager
    def begin(self) -> Generator[Store]:
        with self.honest.begin() as store:
            yield self.alter(store)


@final
class _But:
    def __init__(self, port: object, replaced: dict[str, Any]) -> None:
        self._port = port
        self._replaced = replaced

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the port answers
        return self._replaced.get(name) or getattr(self._port, name)


def but(port: T, **replaced: Any) -> T:
    """Return the port with some of its methods replaced."""
    return cast("T", _But(port, replaced))


def _paging(name: str, change: Callable[[Any, Listing], Page[Any]]) -> Callable[[Store], Store]:
    """Return the alteration of a list's pages: `change` gets a function from a listing to the honest page."""

    def alter(store: Store) -> Store:
        port = getattr(store, name)

        def page(scope: Scope, listing: Listing, *rest: Any, **more: Any) -> Page[Any]:
            return change(lambda asked: port.page(scope, asked, *rest, **more), listing)

        return evolve(store, **{name: but(port, page=page)})

    return alter


# Transactions


@final
@frozen
class Leaking(Transactions):
    """What fails is committed all the same."""

    honest: MemoryTransactions = field(factory=lambda: MemoryTransactions(RandomMint()))

    @contextmanager
    def begin(self) -> Generator[Store]:
        failure: BaseException | None = None
        with self.honest.begin() as store:
            try:
                yield store
            except BaseException as raised:  # noqa: BLE001 - everything is raised again below
                failure = raised
        if failure is not None:
            raise failure


@final
@frozen
class Poisoned(Transactions):
    """A write that is refused undoes the others of its transaction, as a constraint does that nobody guards against."""

    honest: MemoryTransactions = field(factory=lambda: MemoryTransactions(RandomMint()))

    @contextmanager
    def begin(self) -> Generator[Store]:
        refused: list[bool] = []
        with self.honest.begin() as store:
            yield evolve(store, decisions=but(store.decisions, record=self._recording(store, refused)))
            if refused:
                _tables(store).roll_back()

    def _recording(self, store: Store, refused: list[bool]) -> Callable[..., bool]:
        def record(quote: Quote, decision: Decision, *told: Any) -> bool:
            recorded = store.decisions.record(quote, decision, *told)
            if not recorded:
                refused.append(True)
            return recorded

        return record


@final
@frozen
class CheckThenAct(Transactions):
    """Transactions run at the same time, and a decision is written a moment after the check that there is none."""

    honest: MemoryTransactions = field(factory=lambda: MemoryTransactions(RandomMint()))

    @contextmanager
    def begin(self) -> Generator[Store]:
        with self.honest.begin() as store:
            pass
        yield evolve(store, decisions=but(store.decisions, record=self._recording(store)))

    def _recording(self, store: Store) -> Callable[..., bool]:
        def record(quote: Quote, decision: Decision, *_: object) -> bool:
            scope = Scope(quote.company_id, quote.client_id)
            found = store.quotes.get(scope, quote.id)
            if found is None or found.answer is not None:
                return False
            time.sleep(0.01)
            _force(store, decision)
            return True

        return record


def _tables(store: Store) -> Tables:
    return cast("MemoryDecisions", store.decisions).tables


def _force(store: Store, decision: Decision) -> None:
    tables = _tables(store)
    tables.put(tables.decisions, (decision.company_id, decision.quote_id, decision.revision), decision)


# Scoping


def company_forgotten(store: Store) -> Store:
    """Orders are found by client, in whatever company."""

    def get(scope: Scope, order_id: OrderId) -> object:
        found = (
            store.orders.get(each, order_id) for each in (scope, SCOPE, STRANGER) if each.client_id == scope.client_id
        )
        return next(filter(None, found), None)

    return evolve(store, orders=but(store.orders, get=get))


def client_forgotten(store: Store) -> Store:
    """Invoices are found by company, whosever they are."""

    def get(scope: Scope, invoice_id: InvoiceId) -> object:
        found = (store.invoices.get(each, invoice_id) for each in (scope, SCOPE, NEIGHBOUR))
        return next(filter(None, found), None) if scope.company_id == SCOPE.company_id else None

    return evolve(store, invoices=but(store.invoices, get=get))


def narrowing_forgotten(store: Store) -> Store:
    """A link to single documents opens every payment."""

    def get(scope: Scope, payment_id: PaymentId) -> object:
        return store.payments.get(evolve(scope, documents=None), payment_id)

    return evolve(store, payments=but(store.payments, get=get))


def drafts_shown(store: Store) -> Store:
    """Any quote of the client's is found."""

    def get(scope: Scope, quote_id: QuoteId) -> object:
        found = store.facts.find(scope.company_id, [RecordRef(RecordType.QUOTE, quote_id)]).values()
        return next((each for each in found if isinstance(each, Quote) and each.client_id == scope.client_id), None)

    return evolve(store, quotes=but(store.quotes, get=get))


# Paging


def _nulls_first(page_of: Callable[[Listing], Page[Any]], listing: Listing) -> Page[Any]:
    whole = page_of(evolve(listing, limit=EVERYTHING, after=None)).items
    bare = [view for view in whole if view.delivery.scheduled_on is None]
    valued = [view for view in whole if view.delivery.scheduled_on is not None]
    return _cut([*bare, *valued], listing, lambda view: Position(view.delivery.scheduled_on, view.delivery.id))


def _ties_ascending(page_of: Callable[[Listing], Page[Any]], listing: Listing) -> Page[Any]:
    whole = sorted(page_of(evolve(listing, limit=EVERYTHING, after=None)).items, key=lambda quote: quote.id)
    whole.sort(key=lambda quote: getattr(quote, listing.sort), reverse=listing.descending)
    return _cut(whole, listing, lambda quote: Position(getattr(quote, listing.sort), quote.id))


def _cut(items: Sequence[Any], listing: Listing, place: Callable[[Any], Position]) -> Page[Any]:
    places = [place(item) for item in items]
    start = 0 if listing.after is None else places.index(listing.after) + 1
    end = start + listing.limit
    more = end < len(items)
    return Page(tuple(items[start:end]), len(items), places[end - 1] if more else None)


def _by_offset(page_of: Callable[[Listing], Page[Any]], listing: Listing) -> Page[Any]:
    whole = page_of(evolve(listing, limit=EVERYTHING, after=None)).items
    start = 0 if listing.after is None else int(listing.after.id)
    end = start + listing.limit
    return Page(whole[start:end], len(whole), Position(None, str(end)) if end < len(whole) else None)


def _off_by_one(page_of: Callable[[Listing], Page[Any]], listing: Listing) -> Page[Any]:
    page = page_of(listing)
    return page if listing.after is None else evolve(page, items=page.items[1:])


def _always_more(page_of: Callable[[Listing], Page[Any]], listing: Listing) -> Page[Any]:
    page = page_of(listing)
    last = Position(page.items[-1].created_at, page.items[-1].id) if len(page.items) == listing.limit else None
    return evolve(page, next=page.next or last)


def _total_of_page(page_of: Callable[[Listing], Page[Any]], listing: Listing) -> Page[Any]:
    page = page_of(listing)
    return evolve(page, total=len(page.items))


def _any_case(page_of: Callable[[Listing], Page[Any]], listing: Listing) -> Page[Any]:
    whole = page_of(evolve(listing, limit=EVERYTHING, after=None, number=None)).items
    found = [each for each in whole if listing.number is None or each.number.lower() == listing.number.lower()]
    return _cut(found, listing, lambda each: Position(each.number, each.id))


nulls_first = _paging("deliveries", _nulls_first)
ties_ascending = _paging("quotes", _ties_ascending)
by_offset = _paging("orders", _by_offset)
off_by_one = _paging("invoices", _off_by_one)
always_more = _paging("tickets", _always_more)
total_of_page = _paging("grants", _total_of_page)
number_in_any_case = _paging("orders", _any_case)


def recorded_state(store: Store) -> Store:
    """Quotes are filtered by what the record says, not by what is shown."""

    def page(scope: Scope, listing: Listing, narrowed: QuoteFilter, *, on: date) -> Page[Any]:
        whole = store.quotes.page(scope, evolve(listing, limit=EVERYTHING), evolve(narrowed, states=None), on=on)
        found = tuple(each for each in whole.items if narrowed.states is None or each.recorded_state in narrowed.states)
        return Page(found, len(found), None)

    return evolve(store, quotes=but(store.quotes, page=page))


# Values


def money_as_float(store: Store) -> Store:
    """Totals go through a float."""

    def get(scope: Scope, quote_id: QuoteId) -> object:
        quote = store.quotes.get(scope, quote_id)
        return quote and evolve(quote, total=Money(int(float(quote.total.minor)), quote.total.currency))

    return evolve(store, quotes=but(store.quotes, get=get))


def decimals_normalized(store: Store) -> Store:
    """Quantities lose their zeros."""

    def get(scope: Scope, quote_id: QuoteId) -> object:
        quote = store.quotes.get(scope, quote_id)
        return quote and evolve(
            quote,
            lines=tuple(evolve(line, quantity=(line.quantity or Decimal(0)).normalize()) for line in quote.lines),
        )

    return evolve(store, quotes=but(store.quotes, get=get))


def moments_in_milliseconds(store: Store) -> Store:
    """Moments lose their last digits."""

    def get(company_id: CompanyId, grant_id: GrantId) -> object:
        grant = store.grants.get(company_id, grant_id)
        if grant is None:
            return None
        kept = grant.created_at.microsecond // 1_000 * 1_000
        return evolve(grant, created_at=grant.created_at.replace(microsecond=kept))

    return evolve(store, grants=but(store.grants, get=get))


# Decisions, grants, tickets


def content_ignored(store: Store) -> Store:
    """A decision is recorded whatever has become of the quote within its revision."""

    def record(quote: Quote, decision: Decision, *told: Any) -> bool:
        found = store.quotes.get(Scope(quote.company_id, quote.client_id), quote.id)
        if found is None or found.revision != quote.revision:
            return False
        return store.decisions.record(found, decision, *told)

    return evolve(store, decisions=but(store.decisions, record=record))


def last_write_wins(store: Store) -> Store:
    """A grant is replaced whatever its version."""

    def update(grant: Grant) -> bool:
        kept = store.grants.get(grant.company_id, grant.id)
        return kept is not None and store.grants.update(evolve(grant, version=kept.version))

    return evolve(store, grants=but(store.grants, update=update))


def links_cached() -> Callable[[Store], Store]:
    """A link that was opened once is not looked up again."""
    opened: dict[bytes, Any] = {}

    def alter(store: Store) -> Store:
        def open_(digest: bytes, *, at: datetime) -> object:
            return opened.setdefault(digest, store.links.open(digest, at=at))

        return evolve(store, links=but(store.links, open=open_))

    return alter


def expiry_a_day_late(store: Store) -> Store:
    """Links are judged by yesterday's clock."""

    def open_(digest: bytes, *, at: datetime) -> object:
        return store.links.open(digest, at=at - timedelta(days=1))

    return evolve(store, links=but(store.links, open=open_))


def use_goes_back(store: Store) -> Store:
    """An earlier use is noted over a later one."""

    def touch(uses: Collection[Use]) -> None:
        store.links.touch(uses)
        for use in uses:
            grant = store.grants.get(use.company_id, use.grant_id)
            if grant is not None:
                store.grants.add(evolve(grant, last_used_at=use.at))

    return evolve(store, links=but(store.links, touch=touch))


def replies_overwritten(store: Store) -> Store:
    """A ticket is replaced whatever was written meanwhile."""

    def update(ticket: Ticket, *, was: Ticket) -> bool:
        store.tickets.add(ticket)
        return was is not None

    return evolve(store, tickets=but(store.tickets, update=update))


def replies_tell_what_was_erased(store: Store) -> Store:
    """Whether a ticket has been erased since it was read is not looked at."""

    def update(ticket: Ticket, *, was: Ticket) -> bool:
        kept = store.tickets.get(was.company_id, was.id, TicketFilter())
        return kept is not None and store.tickets.update(
            ticket, was=evolve(was, subject=kept.subject, message=kept.message)
        )

    return evolve(store, tickets=but(store.tickets, update=update))


# Events and answers


def _events(change: Callable[[list[Event], EventId | None], list[Event]]) -> Callable[[Store], Store]:
    def alter(store: Store) -> Store:
        def page(company_id: CompanyId, *, after: EventId | None, limit: int) -> Page[Event] | None:
            if (whole := store.events.page(company_id, after=None, limit=EVERYTHING)) is None:
                return None
            if after is not None and after not in {each.id for each in whole.items}:
                return None
            rest = change(list(whole.items), after)
            return Page(tuple(rest[:limit]), len(rest), Position(None, "") if len(rest) > limit else None)

        return evolve(store, events=but(store.events, page=page))

    return alter


def _after(events: list[Event], after: EventId | None) -> list[Event]:
    places = [place for place, each in enumerate(events) if each.id == after]
    return events[places[0] + 1 :] if places else events


events_by_moment = _events(lambda events, after: _after(sorted(events, key=lambda each: each.occurred_at), after))
events_by_id = _events(lambda events, after: _after(sorted(events, key=lambda each: each.id), after))
after_included = _events(lambda events, after: [each for each in events if each.id == after] + _after(events, after))


def keys_without_asker(store: Store) -> Store:
    """Whoever uses somebody else's idempotency key gets their answer."""

    def find(key: KeyOfAnswer, *, since: datetime) -> object:
        return store.answers.find(evolve(key, asker="staff"), since=since)

    return evolve(store, answers=but(store.answers, find=find))


def answers_for_ever(store: Store) -> Store:
    """An old answer is given again."""

    def find(key: KeyOfAnswer, *, since: datetime) -> object:
        return store.answers.find(key, since=since - timedelta(days=1))

    return evolve(store, answers=but(store.answers, find=find))


# Facts and sums


def decisions_removed_with_their_quote(store: Store) -> Store:
    """Removing a quote removes what was decided on it."""

    def remove(company_id: CompanyId, refs: Collection[RecordRef]) -> None:
        store.intake.remove(company_id, refs)
        tables = _tables(store)
        for key in [key for key in tables.decisions if RecordRef(RecordType.QUOTE, key[1]) in refs]:
            tables.drop(tables.decisions, key)

    return evolve(store, intake=but(store.intake, remove=remove))


def facts_in_any_order(store: Store) -> Store:
    """Facts come out as they came in."""
    return evolve(store, facts=but(store.facts, each=lambda *of: reversed(list(store.facts.each(*of)))))


def tickets_do_not_refer(store: Store) -> Store:
    """A document can be removed under a conversation about it."""

    def referrers(company_id: CompanyId, ref: RecordRef) -> list[str]:
        return [each for each in store.facts.referrers(company_id, ref) if not each.startswith("feedback")]

    return evolve(store, facts=but(store.facts, referrers=referrers))


def balances_kept() -> Callable[[Store], Store]:
    """A balance is summed once and not when documents change."""
    kept: dict[Any, Any] = {}

    def alter(store: Store) -> Store:
        def get(scope: Scope, *, on: date) -> object:
            return kept.setdefault((scope, on), store.balances.get(scope, on=on))

        return evolve(store, balances=but(store.balances, get=get))

    return alter


def one_movement_short(store: Store) -> Store:
    """A period stops at the most, and nobody can tell that there was more."""

    def periods(scope: Scope, *, most: int, **asked: Any) -> object:
        return store.accounts.periods(scope, most=most - 1, **asked)

    return evolve(store, accounts=but(store.accounts, periods=periods))
