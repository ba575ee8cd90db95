"""The fields of every record, in the order in which they are written, and how they are read."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, TypeVar, cast

from attrs import field, frozen

from portal_adapters.records.values import (
    Parse,
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

Read: TypeAlias = dict[str, Any]
"""The values of the fields that were given, by the names of the attributes that they become."""

T = TypeVar("T")

_AMOUNT_ELSEWHERE = re.compile(r"(?:0|[1-9][0-9]{0,18})(?:\.[0-9]{1,30})?")
_UNUSED = CURRENCIES["EUR"]


@frozen
class Field:
    """One field: what reads it, and whether a record may leave it out."""

    name: str
    parse: Parse
    required: bool = True
    needs_currency: bool = False


@frozen
class Table:
    """The fields of one type of record, or of one kind of part of it."""

    fields: tuple[Field, ...]
    names: frozenset[str] = field(init=False)
    rows: tuple[tuple[str, Parse, bool], ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        names = frozenset(each.name for each in self.fields)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "rows", tuple((each.name, each.parse, each.required) for each in self.fields))


def read_fields(given: object, table: Table, unit: Currency = _UNUSED) -> Read:
    """Return the values of an object's fields, those left out or null absent; refuse with every fault there is."""
    if not isinstance(given, dict):
        raise InvalidInput.at("", "must be a JSON object")
    return _read(cast("Read", given), table.rows, table.names, unit)


def read_document(given: Read, table: Table) -> Read:
    """Return the values of a document whose amounts are all in its one currency."""
    stated = given.get("currency")
    try:
        unit = currency(stated) if isinstance(stated, str) else None
        wrong = "is required" if stated is None else "must be a string"
    except ValueError as problem:
        unit, wrong = None, str(problem)
    if unit is not None:
        read = _read(given, table.rows, table.names, unit)
        del read["currency"]
        return read
    # Its amounts cannot be judged; everything else can.
    rows = [(each.name, each.parse, each.required) for each in table.fields if not each.needs_currency]
    problems = [Problem(wrong, pointer="/currency")]
    try:
        _read(given, [row for row in rows if row[0] != "currency"], table.names, _UNUSED)
    except InvalidInput as others:
        problems += others.problems
    raise InvalidInput(problems)


def _read(given: Read, rows: Iterable[tuple[str, Parse, bool]], names: frozenset[str], unit: Currency) -> Read:
    read: Read = {}
    problems: list[Problem] = []
    for name, parse, required in rows:
        value = given.get(name)
        if value is None:
            if required:
                problems.append(Problem("is required", pointer=f"/{name}"))
            continue
        try:
            read[name] = parse(value, unit)
        except ValueError as wrong:
            problems.append(Problem(str(wrong), pointer=f"/{name}"))
        except InvalidInput as nested:
            problems += (Problem(each.detail, pointer=f"/{name}{each.pointer}") for each in nested.problems)
    if not names.issuperset(given):
        for name in sorted(given.keys() - names):
            detail = f"is unknown; known are {', '.join(sorted(names))}"
            problems.append(Problem(detail, pointer=f"/{name.replace('~', '~0').replace('/', '~1')}"))
    if problems:
        raise InvalidInput(problems)
    return read


def parts_of(make: Callable[[object, Currency], T]) -> Parse:
    """Return what reads a list of objects."""

    def parts(given: object, unit: Currency) -> tuple[T, ...]:
        if not isinstance(given, list):
            raise ValueError("must be a list of objects")  # noqa: TRY004 - what is wrong is the file, not the program
        items = cast("list[object]", given)
        made: list[T] = []
        problems: list[Problem] = []
        for index, each in enumerate(items):
            try:
                made.append(make(each, unit))
            except InvalidInput as nested:
                problems += (Problem(every.detail, pointer=f"/{index}{every.pointer}") for every in nested.problems)
        if problems:
            raise InvalidInput(problems)
        return tuple(made)

    return parts


def _lines_of(table: Table, kind: type[Line]) -> Parse:
    def make(given: object, unit: Currency) -> Line:
        read = read_fields(given, table, unit)
        if read["kind"] is not LineKind.ITEM and len(read) > _BARE:
            name = next(each for each in read if each not in {"id", "kind", "description"})
            raise InvalidInput.at(f"/{name}", f"a {read['kind'].value} has a description alone")
        return kind(**read)

    read_all = parts_of(make)

    def lines(given: object, unit: Currency) -> object:
        made: Any = read_all(given, unit)
        ids = [each.id for each in made]
        if len(set(ids)) < len(ids):
            index = next(index for index, each in enumerate(ids) if each in ids[:index])
            raise InvalidInput.at(f"/{index}/id", f"{ids[index]!r} is the id of an earlier line too")
        return made

    return lines


_BARE = 3
"""The fields of a section or a note: id, kind, description."""


def _amount_or_text(given: object, unit: Currency) -> Read:
    """Return an allocation of a payment, its amount as text where it is in another currency than the payment."""
    table = _CROSSING_ALLOCATION if _is_stated(given, "payment_amount") else _ALLOCATION
    return read_fields(given, table, unit)


def _is_stated(given: object, name: str) -> bool:
    return isinstance(given, dict) and cast("Read", given).get(name) is not None


def _text_of_amount(given: object, _: Currency) -> str:
    if isinstance(given, str) and _AMOUNT_ELSEWHERE.fullmatch(given):
        return given
    raise ValueError('must be a decimal number in a string, like "1234.50", and not negative')


def _instalment(given: object, unit: Currency) -> tuple[Instalment, Money | None]:
    read = read_fields(given, _INSTALMENT, unit)
    due = read.pop("amount_due", None)
    return Instalment(**read), due


def _optional(*fields: Field) -> tuple[Field, ...]:
    return tuple(Field(each.name, each.parse, required=False, needs_currency=each.needs_currency) for each in fields)


def _amount(name: str, parse: Parse = money) -> Field:
    return Field(name, parse, needs_currency=True)


_AMOUNTS = (_amount("subtotal"), _amount("tax"), _amount("total"))
_OWNED = (Field("company_id", an_id), Field("id", an_id), Field("client_id", an_id), Field("number", a_name))

_LINE = (
    Field("id", an_id),
    Field("kind", one_of(LineKind)),
    Field("description", a_text),
    *_optional(
        Field("quantity", a_decimal),
        Field("unit", an_optional_text),
        Field("unit_price", a_decimal),
        Field("discount_percent", a_decimal),
        _amount("subtotal"),
        _amount("total"),
    ),
)
_ORDER_LINE = (*_LINE, *_optional(Field("delivered_quantity", a_decimal), Field("invoiced_quantity", a_decimal)))
_DELIVERY_LINE = Table(
    (
        *_optional(Field("order_line_id", an_id)),
        Field("description", a_text),
        Field("quantity", a_decimal),
        Field("delivered_quantity", a_decimal),
        *_optional(Field("unit", an_optional_text)),
    )
)
_INSTALMENT = Table((Field("due_on", a_day), _amount("amount", money_not_negative), *_optional(_amount("amount_due"))))
_ADJUSTMENT = Table((_amount("amount", money_not_negative), Field("reason", a_text), Field("adjusted_on", a_day)))
_CREDIT = Table(
    (Field("invoice_id", an_id), _amount("amount", money_not_negative), *_optional(Field("allocated_on", a_day)))
)
_ALLOCATION = Table(
    (
        Field("invoice_id", an_id),
        _amount("amount", money_not_negative),
        *_optional(_amount("payment_amount", money_not_negative), Field("allocated_on", a_day)),
    )
)
_CROSSING_ALLOCATION = Table((Field("invoice_id", an_id), Field("amount", _text_of_amount), *_ALLOCATION.fields[2:]))


def _parts(name: str, make: Callable[[object, Currency], object]) -> Field:
    return Field(name, parts_of(make), needs_currency=True)


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
        Field("lines", _lines_of(Table(_LINE), Line), needs_currency=True),
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
        Field("lines", _lines_of(Table(_ORDER_LINE), OrderLine), needs_currency=True),
        *_optional(Field("client_reference", an_optional_text), Field("quote_id", an_id)),
    )
)
DELIVERY = Table(
    (
        *_OWNED,
        Field("state", one_of(DeliveryState)),
        _parts("lines", lambda given, _: DeliveryLine(**read_fields(given, _DELIVERY_LINE))),
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
        Field("lines", _lines_of(Table(_LINE), Line), needs_currency=True),
        *_optional(
            Field("due_on", a_day),
            Field("payment_state", one_of(PaymentState)),
            _amount("amount_due"),
            _parts("instalments", _instalment),
            _parts("adjustments", lambda given, unit: Adjustment(**read_fields(given, _ADJUSTMENT, unit))),
            _parts("allocations", lambda given, unit: CreditAllocation(**read_fields(given, _CREDIT, unit))),
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
