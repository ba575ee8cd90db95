"""One line of JSON Lines to one change, or to everything that is wrong with it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NoReturn, TypeAlias, cast

import orjson
from attrs import frozen

from portal_adapters.records.fields import (
    CLIENT,
    COMPANY,
    DELETION,
    DELIVERY,
    INVOICE,
    ORDER,
    PAYMENT,
    QUOTE,
    Read,
    read_document,
)
from portal_core.domain.agreement import Claim
from portal_core.domain.companies import Client, Company
from portal_core.domain.deliveries import Delivery
from portal_core.domain.errors import InvalidInput, Problem
from portal_core.domain.ids import ClientId, CompanyId, InvoiceId
from portal_core.domain.invoices import Instalment, Invoice, InvoiceState, PaymentState
from portal_core.domain.money import Currency, Money, total_of
from portal_core.domain.orders import Order
from portal_core.domain.payments import Payment, PaymentAllocation
from portal_core.domain.quotes import Quote
from portal_core.domain.records import RecordRef, RecordType, client_of
from portal_core.use_cases.records import Change, Deletion, Upsert

Units: TypeAlias = Mapping[InvoiceId, Currency]
"""The currencies of invoices that payments in other currencies are allocated to."""

_STATED = frozenset({PaymentState.IN_PAYMENT, PaymentState.REVERSED})
_FOR_READING_ONLY = frozenset({"decision", "feedback", "token", "audit_entry", "event"})
_NO_UNITS: Units = {}
_SPACES = b" \t\r"


@frozen(kw_only=True)
class Line:
    """A line that was read: whose it is, the change, and what was left out of it.

    `waits_for` are the places of a payment's allocations that need the currency of an invoice, and those invoices.
    """

    company_id: CompanyId
    change: Change
    waits_for: Sequence[tuple[int, InvoiceId]] = ()

    @property
    def client_id(self) -> ClientId | None:
        """Whose record it is; a deletion does not say."""
        return client_of(self.change.fact) if isinstance(self.change, Upsert) else None


def read_line(text: bytes, units: Units = _NO_UNITS, *, whole: bool = True) -> Line:
    """Return the record of a line; refuse with InvalidInput naming every field that is wrong.

    Where a payment gives an amount in another currency, only the invoice tells which one. Allocations to invoices
    that `units` does not know are left out and waited for. Less than whole, all but quotes come without lines.
    """
    given = _object_of(text)
    names, kind = len(given), _type_of(given)
    del given["type"]
    if not whole and "lines" in given and kind in _MAY_LACK_LINES:
        given["lines"] = []
    line = _deletion(kind, given) if "deleted" in given else _READERS[kind](given, units)
    if whole:
        _refuse_repeated_keys(text, names + _names_in_parts(given))
    return line


def _object_of(text: bytes) -> Read:
    try:
        given: object = orjson.loads(text)
    except orjson.JSONDecodeError as broken:
        _refuse("", _what_is_broken(text, broken))
    if not isinstance(given, dict):
        _refuse("", "must be a JSON object")
    return cast("Read", given)


def _what_is_broken(text: bytes, broken: orjson.JSONDecodeError) -> str:
    try:
        text.decode()
    except UnicodeDecodeError as wrong:
        return f"is not UTF-8 (at byte {wrong.start + 1} of the line)"
    return f"is not JSON: {broken.msg} at column {broken.colno}"


def _type_of(given: Read) -> RecordType:
    stated = given.get("type")
    if stated is None:
        _refuse("/type", "is required")
    if isinstance(stated, str) and stated in _FOR_READING_ONLY:
        _refuse("/type", f"{stated!r} is exported to be read, and cannot be imported")
    try:
        return RecordType(stated)
    except ValueError:
        _refuse("/type", f"{stated!r} is none of {', '.join(RecordType)}")


def _refuse(pointer: str, detail: str) -> NoReturn:
    raise InvalidInput.at(pointer, detail)


def _refuse_repeated_keys(text: bytes, names: int) -> None:
    """Refuse a name that comes twice in an object: the parser, which found so many, keeps the last without a word.

    Every name has a colon. To count them is cheap, and so is to count those that can only be the end of a name, once
    the spaces are gone; where there are more of these than names, look closely.
    """
    if text.count(b":") == names or text.translate(None, _SPACES).count(b'":') == names:
        return
    repeated: list[str] = []

    def note(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        repeated.extend(name for name in names if names.count(name) > 1)
        return dict(pairs)

    json.loads(text, object_pairs_hook=note)
    if repeated:
        _refuse("", f"{repeated[0]!r} comes more than once in one object")


def _names_in_parts(given: Read) -> int:
    count = 0
    for value in given.values():
        if isinstance(value, list):
            count += sum(map(len, cast("list[dict[str, object]]", value)))
    return count


def _deletion(kind: RecordType, given: Read) -> Line:
    if given.pop("deleted") is not True:
        _refuse("/deleted", "must be true, or be left out")
    if kind is RecordType.COMPANY:
        _take_own_id(given)
        given["company_id"] = given.get("id")
    read = DELETION.reader()(given)
    return Line(company_id=read["company_id"], change=Deletion(RecordRef(kind, read["id"])))


def _company(given: Read, _: Units) -> Line:
    _take_own_id(given)
    company = Company(**COMPANY.reader()(given))
    return Line(company_id=company.id, change=Upsert(fact=company))


def _take_own_id(given: Read) -> None:
    """Take away the company that a company's record names: it can only be itself."""
    stated = given.pop("company_id", None)
    if stated is not None and stated != given.get("id"):
        _refuse("/company_id", "a company's company_id is its id")


def _client(given: Read, _: Units) -> Line:
    client = Client(**CLIENT.reader()(given))
    return Line(company_id=client.company_id, change=Upsert(fact=client))


def _quote(given: Read, _: Units) -> Line:
    read = read_document(given, QUOTE)
    quote = Quote(recorded_state=read.pop("state"), **read)
    return Line(company_id=quote.company_id, change=Upsert(fact=quote, revision_stated="revision" in read))


def _order(given: Read, _: Units) -> Line:
    order = Order(**read_document(given, ORDER))
    return Line(company_id=order.company_id, change=Upsert(fact=order))


def _delivery(given: Read, _: Units) -> Line:
    delivery = Delivery(**DELIVERY.reader()(given))
    return Line(company_id=delivery.company_id, change=Upsert(fact=delivery))


def _invoice(given: Read, _: Units) -> Line:
    read = read_document(given, INVOICE)
    due: Money | None = read.pop("amount_due", None)
    stated: PaymentState | None = read.pop("payment_state", None)
    parts: Sequence[tuple[Instalment, Money | None]] = read.pop("instalments", ())
    keeps_stated = stated in _STATED and read["state"] is InvoiceState.POSTED
    invoice = Invoice(
        instalments=tuple([part for part, _ in parts]), stated_payment_state=stated if keeps_stated else None, **read
    )
    if problems := list(_problems_of_invoice(invoice)):
        raise InvalidInput(problems)
    lefts = tuple([left for _, left in parts])
    if due is None and stated is None and lefts.count(None) == len(lefts):
        return Line(company_id=invoice.company_id, change=Upsert(fact=invoice))
    claim = Claim(amount_due=due, payment_state=stated, instalments_due=lefts)
    return Line(company_id=invoice.company_id, change=Upsert(fact=invoice, claim=claim))


def _problems_of_invoice(invoice: Invoice) -> Iterator[Problem]:
    if invoice.instalments:
        if invoice.is_credit_note:
            yield Problem("a credit note has none", pointer="/instalments")
        whole = total_of((part.amount for part in invoice.instalments), invoice.total.currency)
        if whole != invoice.total:
            yield Problem(f"add up to {whole}; the total is {invoice.total}", pointer="/instalments")
    if invoice.allocations and not invoice.is_credit_note:
        yield Problem("an invoice has none: what settles it names it", pointer="/allocations")


def _payment(given: Read, units: Units) -> Line:
    read = read_document(given, PAYMENT)
    parts: Sequence[Read] = read.pop("allocations")
    waits_for = [
        (index, part["invoice_id"])
        for index, part in enumerate(parts)
        if "payment_amount" in part and part["invoice_id"] not in units
    ]
    payment = Payment(allocations=_allocations(parts, units), **read)
    return Line(company_id=payment.company_id, change=Upsert(fact=payment), waits_for=waits_for)


def _allocations(parts: Sequence[Read], units: Units) -> tuple[PaymentAllocation, ...]:
    """Return the allocations whose currencies are known."""
    allocations: list[PaymentAllocation] = []
    problems: list[Problem] = []
    for index, part in enumerate(parts):
        if "payment_amount" in part:
            unit = units.get(part["invoice_id"])
            if unit is None:
                continue
            try:
                part["amount"] = Money(unit.parse(part["amount"]), unit)
            except ValueError as wrong:
                problems.append(Problem(str(wrong), pointer=f"/allocations/{index}/amount"))
                continue
            if part["payment_amount"] == part["amount"]:
                del part["payment_amount"]
        allocations.append(PaymentAllocation(**part))
    if problems:
        raise InvalidInput(problems)
    return tuple(allocations)


_MAY_LACK_LINES = frozenset({RecordType.ORDER, RecordType.DELIVERY, RecordType.INVOICE})

_READERS: dict[RecordType, Callable[[Read, Units], Line]] = {
    RecordType.COMPANY: _company,
    RecordType.CLIENT: _client,
    RecordType.QUOTE: _quote,
    RecordType.ORDER: _order,
    RecordType.DELIVERY: _delivery,
    RecordType.INVOICE: _invoice,
    RecordType.PAYMENT: _payment,
}
