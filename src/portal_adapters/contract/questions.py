"""Everything that a store can be asked, as a Hypothesis strategy of functions from a store to its answer."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar

from attrs import evolve
from hypothesis import strategies as st

from portal_adapters.contract.builders import (
    COMPANY,
    EUR,
    JPY,
    NEIGHBOUR,
    OTHER_COMPANY,
    SCOPE,
    STRANGER,
    a_visit,
    moment,
)
from portal_adapters.contract.strategies import NUMBERS, POOL, days, id_of, near_days
from portal_core.domain.access import DocumentRef, DocumentType, GrantState, Scope
from portal_core.domain.audit import AuditAction
from portal_core.domain.balance import Balance
from portal_core.domain.dashboard import Dashboard, FirstPage, PagePart
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.events import Event
from portal_core.domain.feedback import TicketState
from portal_core.domain.filters import (
    AuditFilter,
    DecisionFilter,
    DeliveryFilter,
    GrantFilter,
    InvoiceFilter,
    OrderFilter,
    QuoteFilter,
    TicketFilter,
)
from portal_core.domain.ids import CompanyId, DeliveryId, InvoiceId, OrderId, PaymentId, QuoteId
from portal_core.domain.invoices import InvoiceKind, PaymentState
from portal_core.domain.money import Currency, Money
from portal_core.domain.orders import DeliveryStatus, OrderState
from portal_core.domain.paging import (
    DELIVERY_SORTS,
    INVOICE_SORTS,
    MOMENT_SORTS,
    OLDEST_DUE,
    ORDER_SORTS,
    PAYMENT_SORTS,
    QUOTE_SORTS,
    Listing,
    Page,
)
from portal_core.domain.quotes import Answer, QuoteState
from portal_core.domain.records import Fact, RecordRef, RecordType
from portal_core.domain.statement import Statement
from portal_core.ports import Store
from portal_core.use_cases.statement import read_statement

Question: TypeAlias = Callable[[Store], object]

T = TypeVar("T")

places = st.integers(0, POOL - 1)
scopes = st.sampled_from((SCOPE, SCOPE, NEIGHBOUR, STRANGER))
companies = st.sampled_from((COMPANY, COMPANY, OTHER_COMPANY))


def references(scope: Scope) -> st.SearchStrategy[DocumentRef]:
    """Return references to documents that the client may have."""
    drawn = st.tuples(st.sampled_from(DocumentType), places)
    return drawn.map(lambda pair: DocumentRef(pair[0], id_of(scope, *pair)))


def narrowed(scope: Scope) -> st.SearchStrategy[Scope]:
    """Return the scope as it is, or narrowed to some documents."""
    documents = st.frozensets(references(scope), max_size=6).map(lambda drawn: evolve(scope, documents=drawn))
    return st.just(scope) | st.just(scope) | documents


def listings(sorts: tuple[str, ...]) -> st.SearchStrategy[Listing]:
    """Return what a list may be asked for, the first page of it."""
    return st.builds(
        Listing,
        sort=st.sampled_from(sorts),
        descending=st.booleans(),
        limit=st.integers(1, 4) | st.just(100),
        number=st.none() | st.none() | st.none() | st.sampled_from(NUMBERS) if "number" in sorts else st.none(),
        since=st.none() | st.none() | days if "number" in sorts else st.none(),
        until=st.none() | st.none() | days if "number" in sorts else st.none(),
    )


def _among(values: Iterable[T]) -> st.SearchStrategy[frozenset[T] | None]:
    return st.none() | st.none() | st.frozensets(st.sampled_from(tuple(values)), max_size=3)


def _walk(page_of: Callable[[Listing], Page[Any]], listing: Listing) -> list[Page[Any]]:
    pages = [page_of(listing)]
    while (after := pages[-1].next) is not None:
        pages.append(page_of(evolve(listing, after=after, total=pages[0].total)))
    return pages


def quotes(store: Store, *, scope: Scope, listing: Listing, asked: QuoteFilter, on: date) -> list[Page[Any]]:
    return _walk(lambda each: store.quotes.page(scope, each, asked, on=on), listing)


def orders(store: Store, *, scope: Scope, listing: Listing, asked: OrderFilter) -> list[Page[Any]]:
    return _walk(lambda each: store.orders.page(scope, each, asked), listing)


def deliveries(store: Store, *, scope: Scope, listing: Listing, asked: DeliveryFilter) -> list[Page[Any]]:
    return _walk(lambda each: store.deliveries.page(scope, each, asked), listing)


def invoices(store: Store, *, scope: Scope, listing: Listing, asked: InvoiceFilter, on: date) -> list[Page[Any]]:
    return _walk(lambda each: store.invoices.page(scope, each, asked, on=on), listing)


def payments(store: Store, *, scope: Scope, listing: Listing) -> list[Page[Any]]:
    return _walk(lambda each: store.payments.page(scope, each), listing)


def grants(
    store: Store, *, company_id: CompanyId, listing: Listing, asked: GrantFilter, at: datetime
) -> list[Page[Any]]:
    return _walk(lambda each: store.grants.page(company_id, each, asked, at=at), listing)


def decisions(store: Store, *, company_id: CompanyId, listing: Listing, asked: DecisionFilter) -> list[Page[Any]]:
    return _walk(lambda each: store.decisions.page(company_id, each, asked), listing)


def tickets(store: Store, *, company_id: CompanyId, listing: Listing, asked: TicketFilter) -> list[Page[Any]]:
    return _walk(lambda each: store.tickets.page(company_id, each, asked), listing)


def audit(store: Store, *, company_id: CompanyId, listing: Listing, asked: AuditFilter) -> list[Page[Any]]:
    return _walk(lambda each: store.audit.page(company_id, each, asked), listing)


def details(store: Store, *, scope: Scope, place: int) -> list[object]:
    return [
        store.quotes.get(scope, QuoteId(id_of(scope, DocumentType.QUOTE, place))),
        store.orders.get(scope, OrderId(id_of(scope, DocumentType.ORDER, place))),
        store.deliveries.get(scope, DeliveryId(id_of(scope, DocumentType.DELIVERY, place))),
        store.invoices.get(scope, InvoiceId(id_of(scope, DocumentType.INVOICE, place))),
        store.payments.get(scope, PaymentId(id_of(scope, DocumentType.PAYMENT, place))),
    ]


def dashboard(store: Store, *, scope: Scope, on: date, shown: frozenset[DocumentType], balances: bool) -> Dashboard:
    return store.dashboards.get(scope, on=on, shown=shown, balances=balances)


def first_page(store: Store, *, scope: Scope, on: date, parts: frozenset[PagePart]) -> FirstPage:
    return store.dashboards.first_page(scope, on=on, parts=parts)


def balances(store: Store, *, scope: Scope, on: date) -> tuple[Balance, ...]:
    return store.balances.get(scope, on=on)


def statements(
    store: Store, *, scope: Scope, unit: Currency | None, since: date | None, until: date | None, now: datetime
) -> tuple[Statement, ...]:
    visit = a_visit(scope, expires_at=datetime.max.replace(tzinfo=now.tzinfo))
    return read_statement(store, visit, unit=unit, since=since, until=until, now=now)


def events(store: Store, *, company_id: CompanyId, skipped: int, limit: int) -> list[Page[Event] | None]:
    first = store.events.page(company_id, after=None, limit=skipped)
    after = first.items[-1].id if first is not None and first.items else None
    return [first, store.events.page(company_id, after=after, limit=limit)]


def facts(store: Store, *, company_id: CompanyId | None, scope: Scope | None) -> list[Fact]:
    if scope is None:
        return list(store.facts.each(company_id))
    return list(store.facts.each(scope.company_id, scope.client_id))


def records(store: Store, *, refs: frozenset[DocumentRef], company_id: CompanyId) -> list[object]:
    asked = [RecordRef(RecordType(ref.type.value), ref.id) for ref in sorted(refs, key=lambda ref: (ref.type, ref.id))]
    found = store.facts.find(company_id, asked)
    return [[found.get(ref), set(store.facts.referrers(company_id, ref))] for ref in asked]


def parties(store: Store, *, scope: Scope) -> list[set[str]]:
    refs = (RecordRef(RecordType.COMPANY, scope.company_id), RecordRef(RecordType.CLIENT, scope.client_id))
    return [set(store.facts.referrers(scope.company_id, ref)) for ref in refs]


def ledger(store: Store, *, scope: Scope, place: int) -> list[Money]:
    invoice_id = InvoiceId(id_of(scope, DocumentType.INVOICE, place))
    payment_id = PaymentId(id_of(scope, DocumentType.PAYMENT, place))
    around = [RecordRef(RecordType.INVOICE, invoice_id), RecordRef(RecordType.PAYMENT, payment_id)]
    found = store.intake.ledger(scope.company_id, scope.client_id, around)
    due = [found.amount_due(each) for each in found.invoices.values() if each.id == invoice_id]
    return due + [found.unallocated(each) for each in found.payments.values() if each.id == payment_id]


def _asked(question: Callable[..., object], **drawn: st.SearchStrategy[Any]) -> st.SearchStrategy[Question]:
    return st.builds(partial, st.just(question), **drawn)


_views = scopes.flatmap(narrowed)
_maybe_client = st.none() | scopes.map(lambda scope: scope.client_id)
_by_moment = listings(MOMENT_SORTS)

questions: st.SearchStrategy[Question] = st.one_of(
    _asked(
        quotes,
        scope=_views,
        listing=listings(QUOTE_SORTS),
        asked=st.builds(QuoteFilter, states=_among(QuoteState)),
        on=near_days,
    ),
    _asked(
        orders,
        scope=_views,
        listing=listings(ORDER_SORTS),
        asked=st.builds(OrderFilter, states=_among(OrderState), delivery_statuses=_among(DeliveryStatus)),
    ),
    _asked(
        deliveries,
        scope=_views,
        listing=listings(DELIVERY_SORTS),
        asked=st.builds(DeliveryFilter, states=_among(DeliveryState)),
    ),
    _asked(
        invoices,
        scope=_views,
        listing=listings((*INVOICE_SORTS, OLDEST_DUE)),
        asked=st.builds(
            InvoiceFilter,
            kinds=_among(InvoiceKind),
            payment_states=_among(PaymentState),
            overdue=st.none() | st.booleans(),
            due_by=st.none() | days,
        ),
        on=days,
    ),
    _asked(payments, scope=_views, listing=listings(PAYMENT_SORTS)),
    _asked(
        grants,
        company_id=companies,
        listing=_by_moment,
        asked=st.builds(GrantFilter, client_id=_maybe_client, states=_among(GrantState)),
        at=st.integers(0, 10**6).map(moment),
    ),
    _asked(
        decisions,
        company_id=companies,
        listing=_by_moment,
        asked=st.builds(DecisionFilter, client_id=_maybe_client, answers=_among(Answer)),
    ),
    _asked(
        tickets,
        company_id=companies,
        listing=_by_moment,
        asked=st.builds(
            TicketFilter,
            client_id=_maybe_client,
            states=_among(TicketState),
            documents=_views.map(lambda scope: scope.documents),
        ),
    ),
    _asked(
        audit,
        company_id=companies,
        listing=st.builds(evolve, _by_moment, since=st.none() | days, until=st.none() | days),
        asked=st.builds(AuditFilter, client_id=_maybe_client, actions=_among(AuditAction)),
    ),
    _asked(details, scope=_views, place=places),
    _asked(details, scope=scopes, place=places),
    _asked(
        dashboard,
        scope=_views,
        on=near_days,
        shown=st.frozensets(st.sampled_from(DocumentType)) | st.just(frozenset(DocumentType)),
        balances=st.booleans(),
    ),
    _asked(
        first_page,
        scope=_views,
        on=near_days,
        parts=st.frozensets(st.sampled_from(PagePart)) | st.just(frozenset(PagePart)),
    ),
    _asked(balances, scope=scopes, on=days),
    _asked(
        statements,
        scope=scopes,
        unit=st.sampled_from((None, EUR, JPY)),
        since=st.none() | days,
        until=st.none() | days,
        now=st.integers(0, 10**6).map(moment),
    ),
    _asked(events, company_id=companies, skipped=st.integers(1, 5), limit=st.integers(1, 9)),
    _asked(facts, company_id=st.none() | companies, scope=st.none() | scopes),
    _asked(records, refs=scopes.flatmap(lambda scope: st.frozensets(references(scope))), company_id=companies),
    _asked(parties, scope=scopes),
    _asked(ledger, scope=scopes, place=places),
)
"""Questions of every port that reads."""
