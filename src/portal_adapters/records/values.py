"""The values that a record's fields hold. Each function takes what JSON gave and raises ValueError with a sentence."""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from portal_core.domain.ids import ID_RULE, is_id
from portal_core.domain.money import Currency, Money, currency, parse_decimal
from portal_core.domain.text import COMMENT_LENGTH, NAME_LENGTH, clean_email, clean_text, clean_url, required_text

Parse: TypeAlias = Callable[[object, Currency], object]
"""Makes a value of what JSON gave; the currency is the record's own, for amounts."""

LARGEST_REVISION = 2**31 - 1
LARGEST_LOGO = 100 * 1024

_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(?:[_-][A-Za-z0-9]{2,8}){0,3}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(_DAY.pattern + r"[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")

E = TypeVar("E", bound=StrEnum)


def an_id(given: object, _: Currency) -> str:
    """Return an identifier."""
    if isinstance(given, str) and is_id(given):
        return given
    raise ValueError(f"{ID_RULE}, in a string")


def a_name(given: object, _: Currency) -> str:
    """Return a text of 1 to 200 characters."""
    return required_text(_string(given), longest=NAME_LENGTH)


def a_text(given: object, _: Currency) -> str:
    """Return a text of at most 2,000 characters, which may be empty."""
    return clean_text(_string(given), longest=COMMENT_LENGTH)


def an_optional_text(given: object, _: Currency) -> str | None:
    """Return a text of at most 2,000 characters, or nothing where it is empty."""
    return clean_text(_string(given), longest=COMMENT_LENGTH) or None


def an_email(given: object, _: Currency) -> str:
    """Return an e-mail address."""
    return clean_email(_string(given))


def a_url(given: object, _: Currency) -> str:
    """Return an http or https address."""
    return clean_url(_string(given))


def a_currency(given: object, _: Currency) -> Currency:
    """Return a currency of ISO 4217."""
    return currency(_string(given))


def money(given: object, unit: Currency) -> Money:
    """Return an amount in the record's currency."""
    if isinstance(given, str):
        return Money(unit.parse(given), unit)
    raise ValueError('must be a decimal number in a string, like "1234.50"')


def money_not_negative(given: object, unit: Currency) -> Money:
    """Return an amount of zero or more."""
    amount = money(given, unit)
    if amount.minor < 0:
        raise ValueError(f"must not be negative; it is {amount}")
    return amount


def a_decimal(given: object, _: Currency) -> Decimal:
    """Return a quantity, a rate or a unit price."""
    if isinstance(given, str):
        return _decimal(given)
    raise ValueError('must be a decimal number in a string, like "2.25"')


def a_revision(given: object, _: Currency) -> int:
    """Return a quote's revision, counted from 1."""
    if type(given) is int and 1 <= given <= LARGEST_REVISION:
        return given
    raise ValueError(f"must be a whole number from 1 to {LARGEST_REVISION}")


def a_day(given: object, _: Currency) -> date:
    """Return a date written YYYY-MM-DD."""
    if isinstance(given, str):
        return _day(given)
    raise ValueError('must be a date, like "2026-11-23"')


def a_moment(given: object, _: Currency) -> datetime:
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


def a_timezone(given: object, _: Currency) -> ZoneInfo:
    """Return a time zone of the IANA database."""
    try:
        return ZoneInfo(_string(given))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'{given!r} is no time zone of the IANA database, like "Europe/Brussels"') from None


def a_locale(given: object, _: Currency) -> str:
    """Return a language, perhaps with a territory."""
    if isinstance(given, str) and _LOCALE.fullmatch(given):
        return given
    raise ValueError('must be a locale, like "en_US" or "pt-BR"')


def a_colour(given: object, _: Currency) -> str:
    """Return a colour written #rrggbb."""
    if isinstance(given, str) and _COLOUR.fullmatch(given):
        return given
    raise ValueError('must be a colour, like "#1a5fb4"')


def a_logo(given: object, _: Currency) -> bytes:
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

    def member(given: object, _: Currency) -> E:
        found = members.get(given) if isinstance(given, str) else None
        if found is None:
            raise ValueError(f"{given!r} is none of {allowed}")
        return found

    return member


def _string(given: object) -> str:
    if isinstance(given, str):
        return given
    raise ValueError("must be a string")


# The same few days and quantities come again and again.
@lru_cache(maxsize=8_192)
def _day(text: str) -> date:
    if _DAY.fullmatch(text) is None:
        raise ValueError('must be a date, like "2026-11-23"')
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text} is no day of the calendar") from None


@lru_cache(maxsize=8_192)
def _decimal(text: str) -> Decimal:
    return parse_decimal(text)
