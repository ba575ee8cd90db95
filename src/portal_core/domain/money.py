"""Money: whole minor units of an ISO 4217 currency, never a float."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Self

from attrs import field, frozen

LARGEST_MINOR = 10**18 - 1
"""The largest amount either side of zero, in minor units: eighteen digits fit every store's 64-bit integer."""

_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,39})(?:\.[0-9]{1,30})?")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,18})?")


@frozen
class Currency:
    """A currency of ISO 4217: its alphabetic code and how many decimals its minor unit has."""

    code: str
    exponent: int
    scale: int = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "scale", 10**self.exponent)

    def format(self, minor: int) -> str:
        """Return minor units as a decimal string with the currency's own decimals: 123450 -> "1234.50"."""
        text = str(minor)
        if not self.exponent:
            return text
        if minor >= self.scale:
            return f"{text[: -self.exponent]}.{text[-self.exponent :]}"
        whole, part = divmod(abs(minor), self.scale)
        return f"{'-' if minor < 0 else ''}{whole}.{part:0{self.exponent}d}"

    def parse(self, text: str) -> int:
        """Return the minor units of a decimal string.

        Zeros after the currency's last decimal are forgiven ("359.0" yen is 359 yen). Raises
        ValueError with a sentence for people when the text is no amount of this currency.
        """
        if _AMOUNT.fullmatch(text) is None:
            raise ValueError('must be a decimal number in a string, like "1234.50"')
        whole, _, part = text.partition(".")
        kept, rest = part[: self.exponent], part[self.exponent :]
        if rest.strip("0"):
            raise ValueError(f"{text} has more decimals than {self.code} allows ({self.exponent})")
        minor = int(whole + kept.ljust(self.exponent, "0"))
        if abs(minor) > LARGEST_MINOR:
            raise ValueError(f"{text} is too large: at most 18 digits can be kept")
        return minor


def _currencies() -> dict[str, Currency]:
    exponents = {
        2: (
            "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
            "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL "
            "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU "
            "MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR "
            "SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED "
            "VES WST XAD XCD XCG YER ZAR ZMW ZWG "
            "ANG BGN CUC HRK SLL ZWL"  # withdrawn since 2021, and still found in trading histories
        ),
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }
    return {code: Currency(code, exponent) for exponent, codes in exponents.items() for code in codes.split()}


CURRENCIES = _currencies()
"""The currencies of ISO 4217 that have a minor unit, by code (list one of 2026, and six of its last withdrawals)."""


def currency(code: str) -> Currency:
    """Return the currency of an ISO 4217 code; raise ValueError for any other text."""
    found = CURRENCIES.get(code)
    if found is None:
        raise ValueError(f"{code!r} is not a currency of ISO 4217, like EUR or JPY")
    return found


@frozen
class Money:
    """An amount in minor units of one currency."""

    minor: int
    currency: Currency

    @classmethod
    def parse(cls, text: str, code: str) -> Self:
        """Return the money of a decimal string and a currency code; raise ValueError if it is none."""
        unit = currency(code)
        return cls(unit.parse(text), unit)

    @property
    def amount(self) -> str:
        """The decimal string with the currency's own decimals."""
        return self.currency.format(self.minor)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency.code}"

    def __add__(self, other: "Money") -> "Money":
        self.require_same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self.require_same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def require_same_currency(self, other: "Money") -> None:
        """Refuse with ValueError an amount of another currency."""
        if self.currency is not other.currency and self.currency != other.currency:
            raise ValueError(f"{self} and {other} are of different currencies and are never mixed")


def total_of(amounts: Iterable[Money], unit: Currency) -> Money:
    """Return the sum of amounts that are all in one currency."""
    minor = 0
    for each in amounts:
        if each.currency is not unit:
            Money(0, unit).require_same_currency(each)
        minor += each.minor
    return Money(minor, unit)


def parse_decimal(text: str) -> Decimal:
    """Return a quantity, rate or unit price, exact: at most 18 digits before and 18 after the point."""
    if _DECIMAL.fullmatch(text) is None:
        raise ValueError('must be a decimal number in a string, like "2.25"')
    return Decimal(text)


def format_decimal(number: Decimal) -> str:
    """Return a number in plain notation, with the decimals that it was given: 2.50 -> "2.50"."""
    return f"{number:f}"
