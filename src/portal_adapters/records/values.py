"""The values that a record's fields hold. Each function takes what JSON gave and raises ValueError with a sentence.

Those that meet the same few values again and again remember what they made of them.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from portal_core.domain.ids import ID_RULE, is_id
from portal_core.domain.money import Currency, Money, currency, parse_decimal
from portal_core.domain.text import COMMENT_LENGTH, NAME_LENGTH, clean_email, clean_text, clean_url, required_text

Parse: TypeAlias = Callable[[Any], object]
"""Makes a value of what JSON gave."""

ParseIn: TypeAlias = Callable[[Currency], Parse]
"""Returns what makes a value of what JSON gave in a record of that currency."""

_REMEMBERED = 4_096

LARGEST_REVISION = 2**31 - 1
LARGEST_LOGO = 100 * 1024

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8}){0,3}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")

E = TypeVar("E", bound=StrEnum)


@lru_cache(maxsize=_REMEMBERED)
def an_id(given: object) -> str:
    """Return an identifier."""
    if isinstance(given, str) and is_id(given):
        return given
    raise ValueError(f"{ID_RULE}, in a string")


@lru_cache(maxsize=_REMEMBERED)
def a_name(given: object) -> str:
    """Return a text of 1 to 200 characters."""
    return required_text(_string(given), longest=NAME_LENGTH)


@lru_cache(maxsize=_REMEMBERED)
def a_text(given: object) -> str:
    """Return a text of at most 2,000 characters, which may be empty."""
    return clean_text(_string(given), longest=COMMENT_LENGTH)


@lru_cache(maxsize=_REMEMBERED)
def an_optional_text(given: object) -> str | None:
    """Return a text of at most 2,000 characters, or nothing where it is empty."""
    return clean_text(_string(given), longest=COMMENT_LENGTH) or None


def an_email(given: object) -> str:
    """Return an e-mail address."""
    return clean_email(_string(given))


def a_url(given: object) -> str:
    """Return an http or https address."""
    return clean_url(_string(given))


def a_currency(given: object) -> Currency:
    """Return a currency of ISO 4217."""
    return currency(_string(given))


@cache
def money(unit: Currency) -> Callable[[object], Money]:
    """Return what reads an amount in a currency."""
    usual = re.compile(r"(?:0|[1-9][0-9]{0,14})" + (rf"\.[0-9]{{{unit.exponent}}}" if unit.exponent else "")).fullmatch

    def amount(given: object) -> Money:
        if not isinstance(given, str):
            raise ValueError('must be a decimal number in a string, like "1234.50"')  # noqa: TRY004 - as in `parts_of`
        return Money(int(given.replace(".", "")) if usual(given) else unit.parse(given), unit)

    return amount


@cache
def money_not_negative(unit: Currency) -> Parse:
    """Return what reads an amount of zero or more in a currency."""
    read = money(unit)

    def amount(given: object) -> Money:
        found = read(given)
        if found.minor < 0:
            raise ValueError(f"must not be negative; it is {found}")
        return found

    return amount


@lru_cache(maxsize=_REMEMBERED)
def a_decimal(given: object) -> Decimal:
    """Return a quantity, a rate or a unit price."""
    if isinstance(given, str):
        return parse_decimal(given)
    raise ValueError('must be a decimal number in a string, like "2.25"')


def a_revision(given: object) -> int:
    """Return a quote's revision, counted from 1."""
    if type(given) is int and 1 <= given <= LARGEST_REVISION:
        return given
    raise ValueError(f"must be a whole number from 1 to {LARGEST_REVISION}")


@lru_cache(maxsize=_REMEMBERED)
def a_day(given: object) -> date:
    """Return a date written YYYY-MM-DD."""
    if not isinstance(given, str) or _DAY.fullmatch(given) is None:
        raise ValueError('must be a date, like "2026-11-23"')
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise ValueError(f"{given} is no day of the calendar") from None


def a_moment(given: object) -> datetime:
    """Return a moment of RFC 3339 in UTC."""
    return parse_moment(_string(given))


def parse_moment(text: str) -> datetime:
    """Return a moment of RFC 3339 in UTC; raise ValueError for any other text."""
    if _MOMENT.fullmatch(text) is None:
        raise ValueError('must be a moment with its offset, like "2026-11-23T09:00:00Z"')
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text} is no moment of the calendar") from None


def a_timezone(given: object) -> ZoneInfo:
    """Return a time zone of the IANA database."""
    try:
        return ZoneInfo(_string(given))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'{given!r} is no time zone of the IANA database, like "Europe/Brussels"') from None


def a_locale(given: object) -> str:
    """Return a language, perhaps with a territory."""
    if isinstance(given, str) and _LOCALE.fullmatch(given):
        return given
    raise ValueError('must be a locale, like "en_US" or "pt-BR"')


def a_colour(given: object) -> str:
    """Return a colour written #rrggbb."""
    if isinstance(given, str) and _COLOUR.fullmatch(given):
        return given
    raise ValueError('must be a colour, like "#1a5fb4"')


def a_logo(given: object) -> bytes:
    """Return the bytes of a PNG or JPEG from base64."""
    try:
        picture = base64.b64decode(_string(given), validate=True)
    except binascii.Error:
        raise ValueError("must be base64") from None
    if not picture.startswith(_PICTURES):
        raise ValueError("must be a PNG or a JPEG")
    if len(picture) > LARGEST_LOGO:
        raise ValueError(f"must have at most {LARGEST_LOGO:,} bytes; it has {len(picture):,}")
    return picture


def one_of(kind: type[E], *, but: tuple[E, ...] = ()) -> Parse:
    """Return what reads a member of an enumeration by its value."""
    members = {each.value: each for each in kind if each not in but}
    allowed = ", ".join(members)

    @cache
    def member(given: object) -> E:
        found = members.get(given) if isinstance(given, str) else None
        if found is None:
            raise ValueError(f"{given!r} is none of {allowed}")
        return found

    return member


def _string(given: object) -> str:
    if isinstance(given, str):
        return given
    raise ValueError("must be a string")
