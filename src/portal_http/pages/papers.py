"""The papers that the portal makes by itself: of a quote, its receipt, an order, a delivery and a statement."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any, TypeVar

from portal_core.domain.access import Visit
from portal_core.domain.balance import AGING_BUCKETS, Aging
from portal_core.domain.companies import Company
from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.lines import Line, LineKind
from portal_core.domain.money import Money
from portal_core.domain.orders import Order
from portal_core.domain.quotes import Decision, Evidence, Quote, QuoteState
from portal_core.domain.statement import Statement, StatementLine
from portal_http.pages import theme
from portal_http.pages.labels import N_
from portal_http.pages.voice import Voice
from portal_http.paper import Attachment, Column, Letterhead, Paper, Row, Table, as_written, breakable

T = TypeVar("T")

_LEFT_TO_RIGHT, _END = "\N{LEFT-TO-RIGHT ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"

_BUCKETS = {
    "current": N_("Not due yet"),
    "days_1_30": N_("1\N{EN DASH}30 days"),
    "days_31_60": N_("31\N{EN DASH}60 days"),
    "days_61_90": N_("61\N{EN DASH}90 days"),
    "over_90": N_("Over 90 days"),
}


def quote_paper(voice: Voice, visit: Visit, quote: Quote, state: QuoteState) -> Paper:
    """Return a quote with its revision and state, and who answered it when, and what they agreed to."""
    say, decision = voice.say, quote.decision
    answered = () if decision is None else (voice.moment(decision.decided_at), _signer(decision.evidence))
    consent = None if decision is None else decision.evidence.consent_text
    return _paper(
        voice,
        visit,
        title=say(N_("Quote %(number)s"), number=quote.number),
        state=voice.label(state),
        facts=[
            (say(N_("Client")), visit.client.name),
            (say(N_("Date")), voice.day(quote.issued_on)),
            (say(N_("Valid until")), _maybe(voice.day, quote.valid_until)),
            (say(N_("Revision")), voice.quantity_of(quote.revision)),
            (voice.label(state), ", ".join(filter(None, answered))),
        ],
        tables=(_lines(voice, quote.lines, quote.total),),
        totals=_totals(voice, quote),
        texts=_given(
            voice,
            [(say(N_("Notes")), quote.notes), (say(N_("Terms")), quote.terms), (say(N_("Agreed to")), consent)],
        ),
    )


def receipt_paper(voice: Voice, visit: Visit, decision: Decision, signed: str, keys_address: str) -> Paper:
    """Return a decision with its evidence. What is signed comes along as a file; the paper only repeats it."""
    say, evidence, answer = voice.say, decision.evidence, QuoteState(decision.answer.value)
    check = N_(
        "What is signed is the file receipt.jose, which is attached to this document (a compact JWS, RFC 7515). Save "
        "it, and the keys from %(address)s as jwks.json, and run: portal verify receipt.jose --keys jwks.json"
    )
    nature = N_(
        "A simple electronic signature and nothing more: it says what was answered over the link, not who the "
        "person was."
    )
    return _paper(
        voice,
        visit,
        title=say(N_("Receipt for quote %(number)s"), number=decision.quote_number),
        state=voice.label(answer),
        facts=[
            (say(N_("Client")), visit.client.name),
            (say(N_("Revision")), voice.quantity_of(decision.revision)),
            (voice.label(answer), voice.moment(decision.decided_at)),
            ("UTC", f"{decision.decided_at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"),
            (say(N_("Name")), _signer(evidence)),
            (say(N_("E-mail")), evidence.email),
            (say(N_("Your order number")), evidence.purchase_order),
            (say(N_("IP address")), evidence.ip),
            (say(N_("Browser")), evidence.user_agent),
        ],
        tables=(),
        texts=(
            *_given(voice, [(say(N_("Agreed to")), evidence.consent_text)]),
            *_given(voice, [(say(N_("Comment")), evidence.comment), (say(N_("Your reason")), evidence.reason)]),
            # A digest is not made breakable: whoever copies it wants nothing else in it.
            (say(N_("SHA-256 of the document that was answered")), decision.document_sha256),
            *_given(voice, [(say(N_("What this is")), say(nature))]),
            *_given(voice, [(say(N_("How to check it")), say(check, address=keys_address))]),
        ),
        attachments=(
            Attachment(
                name="receipt.jose",
                media_type="application/jose",
                content=signed,
                description=say(N_("The signed receipt")),
            ),
        ),
    )


def order_paper(voice: Voice, visit: Visit, order: Order) -> Paper:
    """Return an order."""
    say = voice.say
    return _paper(
        voice,
        visit,
        title=say(N_("Order %(number)s"), number=order.number),
        state=voice.label(order.state),
        facts=[
            (say(N_("Client")), visit.client.name),
            (say(N_("Date")), voice.day(order.ordered_on)),
            (say(N_("Your order number")), order.client_reference),
            (say(N_("Delivery")), voice.label(order.delivery_status)),
        ],
        tables=(_lines(voice, order.lines, order.total),),
        totals=_totals(voice, order),
    )


def delivery_paper(voice: Voice, visit: Visit, view: DeliveryView) -> Paper:
    """Return a delivery note: what was to be brought and what was."""
    say, delivery = voice.say, view.delivery
    columns = (
        Column(label=say(N_("Description")), wide=True),
        Column(label=say(N_("Quantity")), number=True),
        Column(label=say(N_("Delivered")), number=True),
    )
    rows = (
        Row(
            (
                _theirs(voice, line.description),
                _measured(voice, line.quantity, line.unit),
                voice.quantity(line.delivered_quantity),
            )
        )
        for line in delivery.lines
    )
    return _paper(
        voice,
        visit,
        title=say(N_("Delivery note %(number)s"), number=delivery.number),
        state=voice.label(delivery.state),
        facts=[
            (say(N_("Client")), visit.client.name),
            (say(N_("Order")), view.order_number),
            (say(N_("Planned")), _maybe(voice.day, delivery.scheduled_on)),
            (say(N_("Handed to the carrier")), _maybe(voice.moment, delivery.shipped_at)),
            (say(N_("Delivered")), _maybe(voice.moment, delivery.delivered_at)),
            (say(N_("Carrier")), delivery.carrier_name),
            (say(N_("Tracking number")), delivery.tracking_number),
        ],
        tables=(Table(say(N_("Contents")), columns, tuple(rows)),),
    )


def statement_paper(voice: Voice, visit: Visit, statements: Sequence[Statement]) -> Paper:
    """Return the statement of account in each currency."""
    tables = (table for each in statements for table in _account(voice, each))
    return _paper(
        voice,
        visit,
        title=voice.say(N_("Statement of account")),
        facts=[(voice.say(N_("Client")), visit.client.name)],
        tables=tuple(tables),
    )


def _paper(voice: Voice, visit: Visit, *, title: str, facts: Sequence[tuple[str, str | None]], **more: Any) -> Paper:
    company = visit.company
    return Paper(
        language=voice.locale.language,
        region=voice.locale.territory,
        direction=voice.direction,
        company=_letterhead(voice, company),
        title=breakable(title),
        short_title=f"{company.name} · {title}"[:120],
        facts=_given(voice, facts),
        footer=_theirs(voice, company.footer or ""),
        **more,
    )


def _letterhead(voice: Voice, company: Company) -> Letterhead:
    phone = None if company.phone is None else f"{_LEFT_TO_RIGHT}{company.phone}{_END}"
    contact = (company.address, phone, company.email, company.website)
    return Letterhead(
        name=_theirs(voice, company.name),
        accent=f"#{theme.shade(theme.accent_of(company.accent_colour), theme.LIGHT).accent}",
        contact=tuple(_theirs(voice, each) for each in contact if each),
    )


def _signer(evidence: Evidence) -> str:
    return ", ".join(filter(None, (evidence.name, evidence.title)))


def _lines(voice: Voice, lines: Iterable[Line], total: Money) -> Table:
    say = voice.say
    columns = (
        Column(label=say(N_("Description")), wide=True),
        Column(label=say(N_("Quantity")), number=True),
        Column(label=say(N_("Unit price")), number=True),
        Column(label=say(N_("Discount")), number=True),
        Column(label=say(N_("Amount")), number=True),
    )
    return Table(say(N_("Lines")), columns, tuple(_line(voice, line, total) for line in lines))


def _line(voice: Voice, line: Line, total: Money) -> Row:
    description = _theirs(voice, line.description)
    if line.kind is not LineKind.ITEM:
        return Row((description,), "whole")
    return Row(
        (
            description,
            "" if line.quantity is None else _measured(voice, line.quantity, line.unit),
            "" if line.unit_price is None else voice.unit_price(line.unit_price, total),
            voice.percent(line.discount_percent) if line.discount_percent else "",
            _maybe(voice.money, line.subtotal) or "",
        )
    )


def _measured(voice: Voice, quantity: Decimal, unit: str | None) -> str:
    return _theirs(voice, " ".join(filter(None, (voice.quantity(quantity), unit))))


def _theirs(voice: Voice, text: str) -> str:
    return as_written(text, voice.direction)


def _given(voice: Voice, pairs: Sequence[tuple[str, str | None]]) -> tuple[tuple[str, str], ...]:
    """Return the pairs that have something to say."""
    return tuple((label, _theirs(voice, text)) for label, text in pairs if text)


def _maybe(said: Callable[[T], str], value: T | None) -> str | None:
    return None if value is None else said(value)


def _totals(voice: Voice, of: Quote | Order) -> tuple[tuple[str, str], ...]:
    return (
        (voice.say(N_("Subtotal")), voice.money(of.subtotal)),
        (voice.say(N_("Tax")), voice.money(of.tax)),
        (voice.say(N_("Total")), voice.money(of.total)),
    )


def _account(voice: Voice, statement: Statement) -> Iterator[Table]:
    say = voice.say
    columns = (
        Column(label=say(N_("Date"))),
        Column(label=say(N_("Document")), wide=True),
        Column(label=say(N_("Debit")), number=True),
        Column(label=say(N_("Credit")), number=True),
        Column(label=say(N_("Balance")), number=True),
    )
    caption = say(
        N_("%(from_day)s to %(to_day)s in %(currency)s"),
        from_day=voice.day(statement.since),
        to_day=voice.day(statement.until),
        currency=statement.currency.code,
    )
    opening = (voice.day(statement.since), say(N_("Opening balance")), "", "", voice.money(statement.opening))
    closing = (voice.day(statement.until), say(N_("Closing balance")), "", "", voice.money(statement.closing))
    moved = (_movement(voice, line) for line in statement.lines)
    yield Table(caption, columns, (Row(opening, "strong"), *moved, Row(closing, "strong")))
    if statement.aging is not None:
        yield _aging(voice, statement.aging)


def _movement(voice: Voice, line: StatementLine) -> Row:
    return Row(
        (
            voice.day(line.on),
            _theirs(voice, f"{voice.label(line.type)} {line.number}"),
            _maybe(voice.money, line.debit) or "",
            _maybe(voice.money, line.credit) or "",
            voice.money(line.balance),
        )
    )


def _aging(voice: Voice, aging: Aging) -> Table:
    columns = (Column(label=voice.say(_BUCKETS[bucket]), wide=True, number=True) for bucket in AGING_BUCKETS)
    amounts = (voice.money(getattr(aging, bucket)) for bucket in AGING_BUCKETS)
    return Table(voice.say(N_("What is due, by age")), tuple(columns), (Row(tuple(amounts)),))
