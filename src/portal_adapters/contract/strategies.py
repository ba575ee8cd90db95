"""Hypothesis strategies for facts that obey the rules: above all, a whole history of one client.

Amounts, days, numbers and ids come from small ranges, so that ties, exact settlements and repeated ids are common.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import cache
from typing import TypeVar

from attrs import evolve, frozen
from hypothesis import strategies as st

from portal_adapters.contract.builders import (
    EUR,
    JPY,
    KWD,
    SCOPE,
    a_delivery,
    a_line,
    a_payment,
    a_quote,
    an_invoice,
    an_order,
    an_order_line,
    credited,
    day,
    moment,
    paid,
)
from portal_core.domain.access import DocumentType, Scope
from portal_core.domain.deliveries import Delivery, DeliveryLine, DeliveryState
from portal_core.domain.ids import InvoiceId, OrderId
from portal_core.domain.invoices import Adjustment, Instalment, Invoice, InvoiceKind, InvoiceState, PaymentState
from portal_core.domain.ledger import Ledger
from portal_core.domain.lines import Line, LineKind, OrderLine
from portal_core.domain.money import Currency, Money
from portal_core.domain.orders import DeliveryStatus, Order, OrderState
from portal_core.domain.payments import Payment, PaymentAllocation, PaymentKind, PaymentRecordState
from portal_core.domain.quotes import Quote, QuoteState
from portal_core.domain.records import Document
from portal_core.domain.text import required_text

T = TypeVar("T")

CURRENCIES = (EUR, EUR, EUR, JPY, KWD)
NUMBERS = ("10", "9", "a", "B", "É", "日本 😀")

RECORDED_STATES = (
    QuoteState.SENT,
    QuoteState.CANCELLED,
    QuoteState.ACCEPTED,
    QuoteState.DECLINED,
    QuoteState.DRAFT,
)

# Made once: to make a strategy costs more than to draw from it.
_quote_states = st.sampled_from((*(QuoteState.SENT,) * 5, *RECORDED_STATES))
_order_states, _delivery_statuses = st.sampled_from(OrderState), st.sampled_from(DeliveryStatus)
_delivery_states = st.sampled_from(DeliveryState)
_invoice_kinds = st.sampled_from((InvoiceKind.INVOICE, InvoiceKind.INVOICE, InvoiceKind.CREDIT_NOTE))
_invoice_states = st.sampled_from((*(InvoiceState.POSTED,) * 4, *InvoiceState))
_stated = st.sampled_from((None, None, PaymentState.IN_PAYMENT, PaymentState.REVERSED))
_payment_kinds = st.sampled_from((PaymentKind.PAYMENT, PaymentKind.PAYMENT, PaymentKind.REFUND))
_payment_states = st.sampled_from((*(PaymentRecordState.PAID,) * 4, *PaymentRecordState))
_either, _rarely, _up_to_two = st.booleans(), st.integers(0, 3), st.integers(0, 2)

POOL = 5
"""How many ids of each type a client's documents share."""

days = st.integers(-120, 40).map(day)
near_days = st.integers(-2, 2).map(day)
moments = st.integers(-(10**7), 10**7).map(moment)
amounts = st.builds(Money, st.sampled_from((100, 11_900, 1, 0, 10**15)), st.sampled_from(CURRENCIES))
numbers = st.sampled_from(NUMBERS)
maybe_days, maybe_moments, maybe_numbers = st.none() | days, st.none() | moments, st.none() | numbers
maybe_near_days = st.none() | st.none() | near_days
decimals = st.tuples(st.integers(-9_999, 9_999), st.integers(0, 4)).map(
    lambda drawn: Decimal(drawn[0]).scaleb(-drawn[1])
)


def id_of(scope: Scope, kind: DocumentType, place: int) -> str:
    """Return one of a client's ids; the clients of a company never share one, and those of two companies may."""
    return f"{scope.client_id}:{kind.value}-{place}"


def texts(longest: int) -> st.SearchStrategy[str]:
    """Return text as the core keeps it: trimmed, in NFC, without control characters but newline, not empty."""
    letters = st.characters(exclude_categories=("Cc", "Cs"), include_characters="\n")
    return st.text(letters, min_size=1, max_size=longest).map(_cleaned).filter(bool)


@frozen(kw_only=True)
class History:
    """All documents of one client; what they name is among them, and what they settle adds up."""

    quotes: tuple[Quote, ...] = ()
    orders: tuple[Order, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    invoices: tuple[Invoice, ...] = ()
    payments: tuple[Payment, ...] = ()

    @property
    def documents(self) -> tuple[Document, ...]:
        """Every document."""
        return (*self.quotes, *self.orders, *self.deliveries, *self.invoices, *self.payments)

    @property
    def ledger(self) -> Ledger:
        """What settles what."""
        return Ledger(self.invoices, self.payments)


@st.composite
def histories(draw: st.DrawFn, scope: Scope = SCOPE, *, most: int = 3) -> History:
    """Draw a client's documents, at most so many of each type."""
    fewest = min(most, draw(st.sampled_from((1, 2, 0))))
    quote_ids, order_ids, delivery_ids = (
        draw(_ids(scope, kind, most, fewest=fewest))
        for kind in (DocumentType.QUOTE, DocumentType.ORDER, DocumentType.DELIVERY)
    )
    quotes = [draw(quotes_of(scope, each)) for each in quote_ids]
    orders = [draw(orders_of(scope, each, quote_ids)) for each in order_ids]
    deliveries: list[Delivery] = []
    for each in delivery_ids:
        deliveries.append(draw(deliveries_of(scope, each, order_ids, [earlier.id for earlier in deliveries])))
    invoices, payments = draw(accounts_of(scope, order_ids, most=most))
    return History(
        quotes=tuple(evolve(quote, order_id=draw(_maybe([OrderId(each) for each in order_ids]))) for quote in quotes),
        orders=tuple(orders),
        deliveries=tuple(deliveries),
        invoices=invoices,
        payments=payments,
    )


@st.composite
def lines(draw: st.DrawFn, unit: Currency) -> tuple[Line, ...]:
    """Draw no line, or an item perhaps followed by a note."""
    length = draw(_up_to_two)
    if not length:
        return ()
    item = a_line(priced_in=unit, quantity=draw(decimals), unit_price=draw(decimals))
    return (item, Line(id="2", kind=LineKind.NOTE, description=draw(numbers)))[:length]


@st.composite
def order_lines(draw: st.DrawFn, unit: Currency) -> tuple[OrderLine, ...]:
    """Draw no line or one."""
    return (an_order_line(priced_in=unit, delivered_quantity=draw(decimals)),) if draw(_either) else ()


@st.composite
def quotes_of(draw: st.DrawFn, scope: Scope, quote_id: str) -> Quote:
    """Draw a quote, perhaps a draft or one that has expired."""
    total, state = draw(amounts), draw(_quote_states)
    return a_quote(
        quote_id,
        total,
        scope=scope,
        number=draw(numbers),
        recorded_state=state,
        withdrawn=state is QuoteState.DRAFT and draw(_either),
        revision=draw(st.integers(1, 3)),
        issued_on=draw(days),
        valid_until=draw(maybe_near_days),
        lines=draw(lines(total.currency)),
        notes=draw(maybe_numbers),
    )


@st.composite
def orders_of(draw: st.DrawFn, scope: Scope, order_id: str, quote_ids: Sequence[str]) -> Order:
    """Draw an order, perhaps of one of the quotes."""
    total = draw(amounts)
    return an_order(
        order_id,
        total,
        scope=scope,
        number=draw(numbers),
        state=draw(_order_states),
        ordered_on=draw(days),
        client_reference=draw(maybe_numbers),
        delivery_status=draw(_delivery_statuses),
        quote_id=draw(_maybe(quote_ids)),
        lines=draw(order_lines(total.currency)),
    )


@st.composite
def deliveries_of(
    draw: st.DrawFn, scope: Scope, delivery_id: str, order_ids: Sequence[str], delivery_ids: Sequence[str]
) -> Delivery:
    """Draw a delivery, perhaps a draft, of one of the orders, or the back-order of one of the deliveries."""
    line = DeliveryLine(description="Box", quantity=draw(decimals), delivered_quantity=draw(decimals))
    return a_delivery(
        delivery_id,
        scope=scope,
        number=draw(numbers),
        state=draw(_delivery_states),
        order_id=draw(_maybe(order_ids)),
        backorder_of=draw(_maybe(delivery_ids)),
        scheduled_on=draw(maybe_days),
        shipped_at=draw(maybe_moments),
        lines=(line,) if draw(_either) else (),
    )


@st.composite
def accounts_of(
    draw: st.DrawFn, scope: Scope, order_ids: Sequence[str] = (), *, most: int = 3
) -> tuple[tuple[Invoice, ...], tuple[Payment, ...]]:
    """Draw invoices, credit notes, payments and refunds whose allocations never exceed what there is.

    Allocations by or to documents that are not shown are void, and may say anything.
    """
    invoices = [
        draw(_unsettled(scope, each, order_ids))
        for each in draw(_ids(scope, DocumentType.INVOICE, most + 1, fewest=min(most, 2)))
    ]
    left = {each.id: each.total.minor for each in invoices}
    invoices = [draw(_adjusted(each, left)) for each in invoices]
    notes = [each for each in invoices if each.is_credit_note]
    plain = [each for each in invoices if not each.is_credit_note]
    notes = [draw(_credited(each, plain, left)) for each in notes]
    payments: list[Payment] = []
    for payment_id in draw(_ids(scope, DocumentType.PAYMENT, most, fewest=min(most, 1))):
        kind = draw(_payment_kinds)
        targets = notes if kind is PaymentKind.REFUND else plain
        payments.append(draw(_given(scope, payment_id, kind, targets, left)))
    return (*plain, *notes), tuple(payments)


@st.composite
def _unsettled(draw: st.DrawFn, scope: Scope, invoice_id: str, order_ids: Sequence[str]) -> Invoice:
    kind = draw(_invoice_kinds)
    total = draw(amounts)
    invoice = an_invoice(
        invoice_id,
        total,
        scope=scope,
        kind=kind,
        number=draw(numbers),
        state=draw(_invoice_states),
        stated_payment_state=draw(_stated),
        issued_on=draw(days),
        due_on=draw(maybe_days),
        order_id=draw(_maybe(order_ids)),
        lines=draw(lines(total.currency)),
    )
    if invoice.is_credit_note or total.minor < 2 or draw(_either):
        return invoice
    first = draw(st.integers(1, total.minor - 1))
    parts = [Instalment(due_on=draw(days), amount=Money(each, total.currency)) for each in (first, total.minor - first)]
    return evolve(invoice, instalments=tuple(parts))


@st.composite
def _adjusted(draw: st.DrawFn, invoice: Invoice, left: dict[InvoiceId, int]) -> Invoice:
    if not left[invoice.id] or draw(_rarely):
        return invoice
    minor = draw(_up_to(left[invoice.id]))
    left[invoice.id] -= minor
    part = Adjustment(amount=Money(minor, invoice.total.currency), reason=draw(numbers), adjusted_on=draw(days))
    return evolve(invoice, adjustments=(part,))


@st.composite
def _credited(draw: st.DrawFn, note: Invoice, invoices: Sequence[Invoice], left: dict[InvoiceId, int]) -> Invoice:
    parts = list(note.allocations)
    for target in draw(_some([each for each in invoices if each.total.currency == note.total.currency])):
        counts = note.is_posted and target.is_posted
        minor = draw(_up_to(min(left[note.id], left[target.id]) if counts else 10))
        if counts:
            left[note.id] -= minor
            left[target.id] -= minor
        if minor:
            amount = Money(minor, note.total.currency)
            parts.append(credited(target.id, amount, on=draw(maybe_days)))
    return evolve(note, allocations=tuple(parts))


@st.composite
def _given(
    draw: st.DrawFn,
    scope: Scope,
    payment_id: str,
    kind: PaymentKind,
    targets: Sequence[Invoice],
    left: dict[InvoiceId, int],
) -> Payment:
    payment = a_payment(
        payment_id,
        draw(amounts),
        scope=scope,
        kind=kind,
        number=draw(numbers),
        state=draw(_payment_states),
        received_on=draw(days),
        method=draw(maybe_numbers),
    )
    rest = payment.amount.minor
    parts: list[PaymentAllocation] = []
    for target in draw(_some(targets)):
        counts = payment.is_shown and target.is_posted
        same = target.total.currency == payment.amount.currency
        there = left[target.id] if counts else 10
        minor = draw(_up_to(min(there, rest) if same else there))
        used = minor if same else draw(_up_to(rest))
        if minor and used:
            rest -= used if counts else 0
            left[target.id] -= minor if counts else 0
            parts.append(
                paid(
                    target.id,
                    Money(minor, target.total.currency),
                    using=None if same and draw(_either) else Money(used, payment.amount.currency),
                    on=draw(maybe_days),
                )
            )
    return evolve(payment, allocations=tuple(parts))


def _up_to(most: int) -> st.SearchStrategy[int]:
    return st.just(most) | st.integers(0, most)


def _some(among: Sequence[T]) -> st.SearchStrategy[list[T]]:
    return st.lists(st.sampled_from(among), min_size=1, max_size=2) if among else st.just([])


def _maybe(ids: Sequence[T]) -> st.SearchStrategy[T | None]:
    return st.sampled_from((None, *ids))


@cache
def _ids(scope: Scope, kind: DocumentType, most: int, *, fewest: int = 0) -> st.SearchStrategy[list[str]]:
    pool = [id_of(scope, kind, place) for place in range(POOL)]
    return st.lists(st.sampled_from(pool), unique=True, min_size=fewest, max_size=min(most, POOL))


def _cleaned(text: str) -> str:
    try:
        return required_text(text, longest=len(text) * 4)
    except ValueError:
        return ""
