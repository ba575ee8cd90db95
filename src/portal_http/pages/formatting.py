"""How amounts, days and moments are written, by CLDR."""

import copy
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from typing import final
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers

from portal_core.domain.money import Currency, Money

_REMEMBERED = 4_096
_LOCALES = 32
_NUMBERING = "default"

_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")
_LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"
_DIGITS = {"arab": str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")}


def money(amount: Money, locale: Locale) -> str:
    """Return an amount as the locale writes it, with the decimals of ISO 4217: CLDR's differ for some currencies."""
    pattern = _currency_pattern(locale, amount.currency.exponent)
    number = Decimal(amount.minor).scaleb(-amount.currency.exponent)
    return _priced(pattern, number, amount.currency.code, locale)


def _priced(pattern: numbers.NumberPattern, number: Decimal, code: str, locale: Locale) -> str:
    text = pattern.apply(number, locale, currency=code, currency_digits=False, numbering_system=_NUMBERING)
    if locale.text_direction == "rtl":
        text = _from_right_to_left(text, numbers.get_currency_symbol(code, locale))
    return _in_digits(_LETTER_BESIDE_DIGIT.sub("\N{NO-BREAK SPACE}", text), locale)


def _from_right_to_left(text: str, symbol: str) -> str:
    """Return an amount whose sign stays before its figures, and whose symbol in one piece (Unicode's UAX #9)."""
    return text.replace("-", f"{_LEFT_TO_RIGHT}-").replace(symbol, f"{_LEFT_TO_RIGHT}{symbol}{_LEFT_TO_RIGHT}")


@lru_cache
def _currency_pattern(locale: Locale, decimals: int) -> numbers.NumberPattern:
    pattern: numbers.NumberPattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (decimals, decimals)
    return pattern


def day(on: date, locale: Locale) -> str:
    """Return a day: Nov 24, 2026."""
    return _in_digits(dates.format_date(on, "medium", locale=locale), locale)


def moment(at: datetime, zone: ZoneInfo, locale: Locale) -> str:
    """Return a moment in a zone, which is named: Nov 24, 2026, 2:05 PM Central European Time."""
    time = dates.format_time(at, "short", tzinfo=zone, locale=locale)
    joined = str(dates.get_datetime_format("medium", locale=locale))
    on = day(at.astimezone(zone).date(), locale)
    text = joined.replace("{0}", time).replace("{1}", on).replace("'", "")
    return f"{_in_digits(text, locale)} {zone_name(zone, locale)}"


@lru_cache
def zone_name(zone: ZoneInfo, locale: Locale) -> str:
    """Return what a time zone is called: Central European Time."""
    return dates.get_timezone_name(zone, "long", locale=locale)


def quantity(number: Decimal, locale: Locale) -> str:
    """Return a number without zeros at its end."""
    text = numbers.format_decimal(number or 0, locale=locale, decimal_quantization=False, numbering_system=_NUMBERING)
    return _in_digits(text, locale)


def unit_price(price: Decimal, total: Money, locale: Locale) -> str:
    """Return a price in a currency, with more decimals than that has where the price needs them."""
    needed = -int(price.normalize().as_tuple().exponent)
    pattern = _currency_pattern(locale, max(needed, total.currency.exponent))
    return _priced(pattern, price, total.currency.code, locale)


def percent(number: Decimal, locale: Locale) -> str:
    """Return a percentage of which 100 is the whole."""
    return numbers.format_percent(number / 100, locale=locale, decimal_quantization=False, numbering_system=_NUMBERING)


def in_days(days: int, locale: Locale) -> str:
    """Return how far away a day is, in days: in 3 days, 12 days ago."""
    text = dates.format_timedelta(
        timedelta(days=days), granularity="day", threshold=10**6, add_direction=True, locale=locale
    )
    return _in_digits(text, locale)


def duration(time: timedelta, locale: Locale) -> str:
    """Return how long something takes, in seconds: 42 seconds."""
    return _in_digits(dates.format_timedelta(time, granularity="second", threshold=10**6, locale=locale), locale)


@final
class Remembered:
    """What a locale has written before: to look it up costs less than to write it again."""

    def __init__(self, locale: Locale) -> None:
        self.money = _remembering(partial(_amount, locale=locale))
        self.day = _remembering(partial(day, locale=locale))
        self.moment = _remembering(partial(moment, locale=locale))
        self.quantity = _remembering(partial(quantity, locale=locale))
        self.in_days = _remembering(partial(in_days, locale=locale))


_remembering = lru_cache(maxsize=_REMEMBERED)


def _amount(minor: int, code: str, decimals: int, *, locale: Locale) -> str:
    # Numbers and texts are found sooner than an amount, which must be asked for its hash.
    return money(Money(minor, Currency(code, decimals)), locale)


@lru_cache(maxsize=_LOCALES)
def remembered(locale: Locale) -> Remembered:
    """Return what a locale has written before."""
    return Remembered(locale)


def _in_digits(text: str, locale: Locale) -> str:
    """Return a text in the digits of its locale, which Babel does not write."""
    digits = _DIGITS.get(locale.default_numbering_system)
    return text if digits is None else text.translate(digits)
