"""Query parameters: what a list can be asked, read strictly."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any, Generic, TypeAlias, TypeVar, cast
from urllib.parse import parse_qsl

from attrs import field, frozen

from portal_core.domain.errors import InvalidInput, Problem
from portal_core.domain.ids import ID_RULE, is_id
from portal_core.domain.money import CURRENCIES, Currency, currency
from portal_core.domain.paging import DEFAULT_LIMIT, LARGEST_LIMIT
from portal_core.domain.text import required_text

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

Schema: TypeAlias = Mapping[str, object]

DAY_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
ID_PATTERN = r"^(?!\.{1,2}$)[A-Za-z0-9._:~-]{1,128}$"
LONGEST_NUMBER = 2_000
LONGEST_CURSOR = 16_384
LONGEST_NAME = 255

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(rf"[^\u0000-\u001f\u007f-\u009f]{{1,{LONGEST_NAME}}}")
_WHOLE = re.compile(r"[1-9][0-9]{0,2}")


@frozen(eq=False)
class Parameter(Generic[T]):
    """One query parameter: how to read it, and what the documentation says of it.

    `read` raises ValueError with what is allowed. A `many` parameter takes values separated by commas.
    """

    name: str
    description: str
    schema: Schema
    read: Callable[[str], T]
    required: bool = False
    many: bool = False


@frozen
class Query:
    """The parameters that came, read; and, for a cursor to recognise its list by, their values in one spelling."""

    values: Mapping[str, object] = field(factory=dict[str, object])
    spelling: tuple[tuple[str, str], ...] = ()

    def get(self, parameter: Parameter[T]) -> T | None:
        """Return what a parameter was given, or nothing."""
        return cast("T | None", self.values.get(parameter.name))

    def must(self, parameter: Parameter[T]) -> T:
        """Return what a required parameter was given."""
        return cast("T", self.values[parameter.name])


NO_QUERY = Query()


def read_query(query_string: bytes, known: Mapping[str, Parameter[Any]]) -> Query:
    """Return the parameters of a request; refuse with InvalidInput at those that are unknown, empty or repeated."""
    if not query_string and not any(parameter.required for parameter in known.values()):
        return NO_QUERY
    given = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, encoding="utf-8")
    values: dict[str, object] = {}
    faults: dict[str, str] = {}
    for name, text in given:
        parameter = known.get(name)
        try:
            values[name] = _value(parameter, text, known, again=name in values)
        except ValueError as problem:
            faults[name] = str(problem)
    for parameter in known.values():
        if parameter.required and parameter.name not in values:
            faults.setdefault(parameter.name, "is required")
    if faults:
        raise InvalidInput([Problem(detail, parameter=name) for name, detail in faults.items()])
    return Query(values, tuple(sorted(_spelling(name, text, known[name]) for name, text in given)))


def _value(parameter: Parameter[Any] | None, text: str, known: Collection[str], *, again: bool) -> object:
    if parameter is None:
        raise ValueError(f"is unknown here; allowed: {', '.join(known) or 'none'}")
    if again:
        raise ValueError("was given more than once; several values are separated by commas, where several are taken")
    if not text:
        raise ValueError("must not be empty; leave it out instead")
    return parameter.read(text)


def _spelling(name: str, text: str, parameter: Parameter[Any]) -> tuple[str, str]:
    return name, ",".join(sorted(set(text.split(",")))) if parameter.many else text


def by_name(*parameters: Parameter[Any]) -> dict[str, Parameter[Any]]:
    """Return parameters in the order in which they are documented."""
    return {parameter.name: parameter for parameter in parameters}


def choices(name: str, allowed: Iterable[E], description: str) -> Parameter[frozenset[E]]:
    """Return a filter that takes some of the values of an enumeration, in its order."""
    kept = frozenset(allowed)
    ordered = {each.value: each for each in type(next(iter(kept))) if each in kept}

    def read(text: str) -> frozenset[E]:
        parts = text.split(",")
        if not all(part in ordered for part in parts):
            raise ValueError(f"takes {', '.join(ordered)}, several separated by commas")
        return frozenset(ordered[part] for part in parts)

    items = {"type": "string", "enum": list(ordered)}
    return Parameter(name, description, {"type": "array", "minItems": 1, "items": items}, read, many=True)


def one_of(name: str, allowed: Sequence[str], description: str) -> Parameter[str]:
    """Return a parameter that takes one of some words; the first is the default."""

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"takes one of {', '.join(allowed)}")
        return text

    return Parameter(name, description, {"type": "string", "enum": list(allowed), "default": allowed[0]}, read)


def an_id(name: str, description: str, *, required: bool = False) -> Parameter[str]:
    """Return a parameter that takes an id."""

    def read(text: str) -> str:
        if not is_id(text):
            raise ValueError(ID_RULE)
        return text

    return Parameter(name, description, {"type": "string", "pattern": ID_PATTERN}, read, required=required)


def a_name(name: str, description: str) -> Parameter[str]:
    """Return a parameter that takes somebody's name, exactly as it is kept."""

    def read(text: str) -> str:
        if _NAME.fullmatch(text) is None:
            raise ValueError(f"must be 1-{LONGEST_NAME} characters, none of them a control character")
        return text

    return Parameter(name, description, {"type": "string", "pattern": f"^{_NAME.pattern}$"}, read)


def a_day(name: str, description: str) -> Parameter[date]:
    """Return a parameter that takes a day."""
    return Parameter(name, description, {"type": "string", "format": "date", "pattern": DAY_PATTERN}, read_day)


def read_day(text: str) -> date:
    """Return the day of YYYY-MM-DD; raise ValueError for anything else."""
    if _DAY.fullmatch(text) is None:
        raise ValueError("must be a day, like 2026-01-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a day of the calendar, like 2026-01-31") from None


def _read_limit(text: str) -> int:
    if _WHOLE.fullmatch(text) is None or int(text) > LARGEST_LIMIT:
        raise ValueError(f"must be a whole number from 1 to {LARGEST_LIMIT}")
    return int(text)


def _read_number(text: str) -> str:
    return required_text(text, longest=LONGEST_NUMBER)


def _read_flag(text: str) -> bool:
    if text not in {"true", "false"}:
        raise ValueError("takes true or false")
    return text == "true"


def _read_cursor(text: str) -> str:
    if len(text) > LONGEST_CURSOR:
        raise ValueError("is no cursor of this list")
    return text


def _read_currency(text: str) -> Currency:
    return currency(text)


LIMIT = Parameter(
    "limit",
    "How many records a page has at most.",
    {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
    _read_limit,
)
CURSOR = Parameter(
    "cursor",
    "Where the next page starts: `meta.cursor` of the page before, with the same filters, sort and order.",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_CURSOR},
    _read_cursor,
)
ORDER = one_of("order", ("desc", "asc"), "Newest or greatest first, or the other way round; nulls come last in both.")
NUMBER = Parameter(
    "number",
    "The document's number, exactly.",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_NUMBER},
    _read_number,
)
FROM = a_day("from", "The first day, counted in, of the date that the list is sorted by unless asked otherwise.")
TO = a_day("to", "The last day, counted in, of the same date.")
OVERDUE = Parameter("overdue", "Whether something is past due; asks about invoices.", {"type": "boolean"}, _read_flag)
ATOMIC = Parameter(
    "atomic",
    "Whether all records are kept or none; else each by itself, in the order of the lines, but those that are refused.",
    {"type": "boolean", "default": True},
    _read_flag,
)
CURRENCY = Parameter(
    "currency",
    "One currency (ISO 4217); then the answer is one record.",
    {"type": "string", "enum": sorted(CURRENCIES)},
    _read_currency,
)


def sort_by(sorts: Sequence[str]) -> Parameter[str]:
    """Return the parameter that chooses what a list is sorted by."""
    return one_of("sort", sorts, "What the list is sorted by.")


def a_list(sorts: Sequence[str], *filters: Parameter[Any]) -> dict[str, Parameter[Any]]:
    """Return the parameters of a list."""
    return by_name(*filters, sort_by(sorts), ORDER, LIMIT, CURSOR)


def a_document_list(sorts: Sequence[str], *filters: Parameter[Any]) -> dict[str, Parameter[Any]]:
    """Return the parameters of a list of documents."""
    return a_list(sorts, *filters, NUMBER, FROM, TO)


def the_whole_of(sorts: Sequence[str], *filters: Parameter[Any], dated: bool) -> dict[str, Parameter[Any]]:
    """Return the parameters of a list that comes whole; a `dated` one is of documents."""
    return by_name(*filters, sort_by(sorts), ORDER, *((NUMBER, FROM, TO) if dated else ()))
