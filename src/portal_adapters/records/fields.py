"""The fields of every record, in the order in which they are written, and how they are read."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import unwrap
from typing import Any, TypeAlias, TypeVar, cast

from attrs import field, frozen

from portal_adapters.records.values import (
    Parse,
    ParseIn,
    a_colour,
    a_currency,
    a_day,
    a_decimal,
    a_locale,
    a_logo,
    a_moment,
    a_name,
    a_revision,
    a_text,
    a_timezone,
    a_url,
    an_email,
    an_id,
    an_optional_text,
    money,
    money_not_negative,
    one_of,
)
from portal_core.domain.deliveries import DeliveryLine, DeliveryState
from portal_core.domain.errors import InvalidInput, Problem
from portal_core.domain.invoices import (
    Adjustment,
    CreditAllocation,
    Instalment,
    InvoiceKind,
    InvoiceState,
    PaymentState,
)
from portal_core.domain.lines import Line, LineKind, OrderLine
from portal_core.domain.money import CURRENCIES, Currency, Money, currency
from portal_core.domain.orders import DeliveryStatus, OrderState
from portal_core.domain.payments import PaymentKind, PaymentRecordState
from portal_core.domain.quotes import QuoteState
from portal_core.domain.records import RecordType

Read: TypeAlias = dict[str, Any]
"""The values of the fields that were given, by the names of the attributes that they become."""

T = TypeVar("T")
L = TypeVar("L", bound=Line)

_AMOUNT_ELSEWHERE = re.compile(r"(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,30})?")
_UNUSED = CURRENCIES["EUR"]

_MOST_UNKNOWN = 20
"""How many unknown fields of one object are named."""


Reader: TypeAlias = Callable[[object], Read]
"""Reads an object, or refuses it with every fault there is."""


@frozen
class Field:
    """One field: what reads it, and whether a record may leave it out."""

    name: str
    parse: Parse
    required: bool = True


@frozen
class AmountField:
    """A field that is read in the currency of its record."""

    name: str
    parse_in: ParseIn
    required: bool = True


@frozen
class Table:
    """The fields of one type of record, or of one kind of part of it."""

    fields: tuple[Field | AmountField, ...]
    _readers: dict[str, Reader] = field(factory=dict[str, Reader], init=False, eq=False, repr=False)

    def reader(self, unit: Currency = _UNUSED) -> Reader:
        """Return what reads such objects in records of a currency."""
        found = self._readers.get(unit.code)
        if found is None:
            found = self._readers[unit.code] = _reader(tuple(_bound(each, unit) for each in self.fields))
        return found


def read_document(given: Read, table: Table) -> Read:
    """Return the values of a document whose amounts are all in its one currency."""
    stated = given.get("currency")
    try:
        unit = currency(stated) if isinstance(stated, str) else None
        wrong = "is required" if stated is None else "must be a string"
    except ValueError as problem:
        unit, wrong = None, str(problem)
    if unit is not None:
        read = table.reader(unit)(given)
        del read["currency"]
        return read
    # Its amounts cannot be judged; everything else can.
    problems = [Problem(wrong, pointer="/currency")]
    kept = tuple(each for each in table.fields if isinstance(each, Field) and each.name != "currency")
    problems += _problems(given, kept, frozenset(each.name for each in table.fields))
    raise InvalidInput(problems)


def _bound(given: Field | AmountField, unit: Currency) -> Field:
    return given if isinstance(given, Field) else Field(given.name, given.parse_in(unit), given.required)


def _reader(fields: tuple[Field, ...]) -> Reader:
    """Return what reads objects at once, and looks field by field for what is wrong with those that it cannot read."""
    parsers = {each.name: each.parse for each in fields}
    required = frozenset(each.name for each in fields if each.required)

    def read(given: object) -> Read:
        if not isinstance(given, dict):
            raise InvalidInput.at("", "must be a JSON object")
        items = cast("Read", given)
        try:
            found = {name: parsers[name](value) for name, value in items.items() if value is not None}
        except (KeyError, TypeError, ValueError, InvalidInput):
            raise InvalidInput(list(_problems(items, fields, parsers.keys()))) from None
        if not found.keys() >= required:
            raise InvalidInput(list(_problems(items, fields, parsers.keys())))
        return found

    return read


def _problems(given: Read, fields: Iterable[Field], names: Iterable[str]) -> Iterator[Problem]:
    for each in fields:
        value = given.get(each.name)
        if value is None:
            if each.required:
                yield Problem("is required", pointer=f"/{each.name}")
            continue
        try:
            # Around its memory, which takes no lists and objects.
            unwrap(each.parse)(value)
        except ValueError as wrong:
            yield Problem(str(wrong), pointer=f"/{each.name}")
        except InvalidInput as nested:
            yield from (Problem(every.detail, pointer=f"/{each.name}{every.pointer}") for every in nested.problems)
    for name in sorted(given.keys() - set(names))[:_MOST_UNKNOWN]:
        detail = f"is unknown; known are {', '.join(sorted(names))}"
        yield Problem(detail, pointer=f"/{name.replace('~', '~0').replace('/', '~1')}")


def parts_of(make: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """Return what reads a list of objects."""

    def parts(given: object) -> tuple[T, ...]:
        if not isinstance(given, list):
            raise ValueError("must be a list of objects")  # noqa: TRY004 - what is wrong is the file, not the program
        items = cast("list[object]", given)
        try:
            return tuple([make(each) for each in items])
        except InvalidInput:
            raise InvalidInput(list(_problems_of_parts(make, items))) from None

    return parts


def _problems_of_parts(make: Callable[[object], object], items: Iterable[object]) -> Iterator[Problem]:
    for index, each in enumerate(items):
        try:
            make(each)
        except InvalidInput as nested:
            yield from (Problem(every.detail, pointer=f"/{index}{every.pointer}") for every in nested.problems)


def _lines_of(table: Table, kind: type[L]) -> ParseIn:
    def lines_in(unit: Currency) -> Parse:
        read_line = table.reader(unit)

        def make(given: object) -> L:
            read = read_line(given)
            if read["kind"] is not LineKind.ITEM and len(read) > _BARE:
                name = next(each for each in read if each not in {"id", "kind", "description"})
                raise InvalidInput.at(f"/{name}", f"a {read['kind'].value} has a description alone")
            return kind(**read)

        read_all = parts_of(make)

        def lines(given: object) -> tuple[L, ...]:
            made = read_all(given)
            ids = [each.id for each in made]
            if len(set(ids)) < len(ids):
                index = next(index for index, each in enumerate(ids) if each in ids[:index])
                raise InvalidInput.at(f"/{index}/id", f"{ids[index]!r} is the id of an earlier line too")
            return made

        return lines

    return lines_in


_BARE = 3
"""The fields of a section or a note: id, kind, description."""


def _is_stated(given: object, name: str) -> bool:
    return isinstance(given, dict) and cast("Read", given).get(name) is not None


def _text_of_amount(given: object) -> str:
    if isinstance(given, str) and _AMOUNT_ELSEWHERE.fullmatch(given):
        return given
    raise ValueError('must be a decimal number in a string, like "1234.50", and not negative')


def _optional(*fields: Field) -> tuple[Field | AmountField, ...]:
    return tuple(Field(each.name, each.parse, required=False) for each in fields)


def _amount(name: str, parse_in: ParseIn = money, *, required: bool = True) -> AmountField:
    return AmountField(name, parse_in, required)


def _parts(
    name: str, make_in: Callable[[Currency], Callable[[object], object]], *, required: bool = True
) -> AmountField:
    return AmountField(name, lambda unit: parts_of(make_in(unit)), required)


_AMOUNTS: tuple[Field | AmountField, ...] = (_amount("subtotal"), _amount("tax"), _amount("total"))
_OWNED: tuple[Field | AmountField, ...] = (
    Field("company_id", an_id),
    Field("id", an_id),
    Field("client_id", an_id),
    Field("number", a_name),
)

_LINE: tuple[Field | AmountField, ...] = (
    Field("id", an_id),
    Field("kind", one_of(LineKind)),
    Field("description", a_text),
    *_optional(
        Field("quantity", a_decimal),
        Field("unit", an_optional_text),
        Field("unit_price", a_decimal),
        Field("discount_percent", a_decimal),
    ),
    _amount("subtotal", required=False),
    _amount("total", required=False),
)
_ORDER_LINE: tuple[Field | AmountField, ...] = (
    *_LINE,
    *_optional(Field("delivered_quantity", a_decimal), Field("invoiced_quantity", a_decimal)),
)
_DELIVERY_LINE = Table(
    (
        *_optional(Field("order_line_id", an_id)),
        Field("description", a_text),
        Field("quantity", a_decimal),
        Field("delivered_quantity", a_decimal),
        *_optional(Field("unit", an_optional_text)),
    )
)
_INSTALMENT = Table(
    (Field("due_on", a_day), _amount("amount", money_not_negative), _amount("amount_due", required=False))
)
_ADJUSTMENT = Table((_amount("amount", money_not_negative), Field("reason", a_text), Field("adjusted_on", a_day)))
_CREDIT = Table(
    (Field("invoice_id", an_id), _amount("amount", money_not_negative), *_optional(Field("allocated_on", a_day)))
)
_ALLOCATION = Table(
    (
        Field("invoice_id", an_id),
        _amount("amount", money_not_negative),
        _amount("payment_amount", money_not_negative, required=False),
        *_optional(Field("allocated_on", a_day)),
    )
)
_CROSSING_ALLOCATION = Table((Field("invoice_id", an_id), Field("amount", _text_of_amount), *_ALLOCATION.fields[2:]))


def _instalment(unit: Currency) -> Callable[[object], tuple[Instalment, Money | None]]:
    read_instalment = _INSTALMENT.reader(unit)

    def instalment(given: object) -> tuple[Instalment, Money | None]:
        read = read_instalment(given)
        due = read.pop("amount_due", None)
        return Instalment(**read), due

    return instalment


def _adjustment(unit: Currency) -> Callable[[object], Adjustment]:
    read = _ADJUSTMENT.reader(unit)
    return lambda given: Adjustment(**read(given))


def _credit_allocation(unit: Currency) -> Callable[[object], CreditAllocation]:
    read = _CREDIT.reader(unit)
    return lambda given: CreditAllocation(**read(given))


def _amount_or_text(unit: Currency) -> Reader:
    """Return what reads a payment's allocations; amounts in another currency than the payment's stay text."""
    plain, crossing = _ALLOCATION.reader(unit), _CROSSING_ALLOCATION.reader(unit)
    return lambda given: (crossing if _is_stated(given, "payment_amount") else plain)(given)


def _delivery_line(_: Currency) -> Callable[[object], DeliveryLine]:
    read = _DELIVERY_LINE.reader()
    return lambda given: DeliveryLine(**read(given))


COMPANY = Table(
    (
        Field("id", an_id),
        Field("name", a_name),
        Field("timezone", a_timezone),
        Field("currency", a_currency),
        *_optional(
            Field("locale", a_locale),
            Field("email", an_email),
            Field("phone", an_optional_text),
            Field("website", a_url),
            Field("address", an_optional_text),
            Field("payment_instructions", an_optional_text),
            Field("accent_colour", a_colour),
            Field("logo", a_logo),
            Field("footer", an_optional_text),
        ),
    )
)
CLIENT = Table(
    (
        Field("company_id", an_id),
        Field("id", an_id),
        Field("name", a_name),
        *_optional(Field("email", an_email), Field("locale", a_locale)),
    )
)
QUOTE = Table(
    (
        *_OWNED,
        Field("state", one_of(QuoteState, but=(QuoteState.EXPIRED,))),
        *_optional(Field("revision", a_revision)),
        Field("issued_on", a_day),
        *_optional(Field("valid_until", a_day)),
        Field("currency", a_currency),
        *_AMOUNTS,
        AmountField("lines", _lines_of(Table(_LINE), Line)),
        *_optional(Field("notes", an_optional_text), Field("terms", an_optional_text), Field("order_id", an_id)),
    )
)
ORDER = Table(
    (
        *_OWNED,
        Field("state", one_of(OrderState)),
        Field("ordered_on", a_day),
        Field("currency", a_currency),
        *_AMOUNTS,
        Field("delivery_status", one_of(DeliveryStatus)),
        AmountField("lines", _lines_of(Table(_ORDER_LINE), OrderLine)),
        *_optional(Field("client_reference", an_optional_text), Field("quote_id", an_id)),
    )
)
DELIVERY = Table(
    (
        *_OWNED,
        Field("state", one_of(DeliveryState)),
        _parts("lines", _delivery_line),
        *_optional(
            Field("order_id", an_id),
            Field("carrier_name", a_name),
            Field("tracking_number", an_optional_text),
            Field("tracking_url", a_url),
            Field("scheduled_on", a_day),
            Field("shipped_at", a_moment),
            Field("delivered_at", a_moment),
            Field("backorder_of", an_id),
        ),
    )
)
INVOICE = Table(
    (
        *_OWNED,
        Field("kind", one_of(InvoiceKind)),
        Field("state", one_of(InvoiceState)),
        Field("issued_on", a_day),
        Field("currency", a_currency),
        _amount("subtotal"),
        _amount("tax"),
        _amount("total", money_not_negative),
        AmountField("lines", _lines_of(Table(_LINE), Line)),
        *_optional(
            Field("due_on", a_day),
            Field("payment_state", one_of(PaymentState)),
        ),
        _amount("amount_due", required=False),
        _parts("instalments", _instalment, required=False),
        _parts("adjustments", _adjustment, required=False),
        _parts("allocations", _credit_allocation, required=False),
        *_optional(
            Field("reference", an_optional_text),
            Field("order_id", an_id),
            Field("payment_url", a_url),
            Field("payment_instructions", an_optional_text),
        ),
    )
)
PAYMENT = Table(
    (
        *_OWNED,
        Field("state", one_of(PaymentRecordState)),
        Field("received_on", a_day),
        Field("currency", a_currency),
        _amount("amount", money_not_negative),
        *_optional(
            Field("kind", one_of(PaymentKind)),
            Field("method", an_optional_text),
            Field("reference", an_optional_text),
        ),
        _parts("allocations", _amount_or_text),
    )
)
DELETION = Table((Field("company_id", an_id), Field("id", an_id)))

TABLES: Mapping[RecordType, Table] = {
    RecordType.COMPANY: COMPANY,
    RecordType.CLIENT: CLIENT,
    RecordType.QUOTE: QUOTE,
    RecordType.ORDER: ORDER,
    RecordType.DELIVERY: DELIVERY,
    RecordType.INVOICE: INVOICE,
    RecordType.PAYMENT: PAYMENT,
}

PARTS: Mapping[RecordType, Mapping[str, Table]] = {
    RecordType.COMPANY: {},
    RecordType.CLIENT: {},
    RecordType.QUOTE: {"lines": Table(_LINE)},
    RecordType.ORDER: {"lines": Table(_ORDER_LINE)},
    RecordType.DELIVERY: {"lines": _DELIVERY_LINE},
    RecordType.INVOICE: {
        "lines": Table(_LINE),
        "instalments": _INSTALMENT,
        "adjustments": _ADJUSTMENT,
        "allocations": _CREDIT,
    },
    RecordType.PAYMENT: {"allocations": _ALLOCATION},
}
"""The fields that are lists, and what the parts of each are made of."""
