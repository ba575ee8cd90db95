"""How one visitor is spoken to: in a language, with its formats, in the company's time zone."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from gettext import NullTranslations
from typing import Any
from zoneinfo import ZoneInfo

from attrs import field, frozen
from babel import Locale

from portal_core.domain.access import Visit
from portal_core.domain.money import Money
from portal_http.pages import formatting
from portal_http.pages.labels import label
from portal_http.pages.languages import Languages, translations_of


@frozen
class Said:
    """A message and what it speaks of, to be said in any language."""

    message: str
    about: tuple[tuple[str, int | timedelta], ...] = ()


@frozen(eq=False)
class Voice:
    """A language, its formats and a time zone."""

    locale: Locale
    messages: NullTranslations
    zone: ZoneInfo
    written: formatting.Remembered = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "written", formatting.remembered(self.locale))

    @property
    def tag(self) -> str:
        """The language tag (BCP 47)."""
        return str(self.locale).replace("_", "-")

    @property
    def direction(self) -> str:
        """The direction of the script: `ltr` or `rtl`."""
        return self.locale.text_direction

    @property
    def zone_name(self) -> str:
        """What the time zone is called."""
        return formatting.zone_name(self.zone, self.locale)

    def say(self, message: str, **about: object) -> str:
        """Return a message of ours, with what it speaks of."""
        return self.messages.gettext(message) % about

    def repeat(self, said: Said) -> str:
        """Return a message that was kept."""
        return self.say(said.message, **{name: self._spoken(value) for name, value in said.about})

    def label(self, value: StrEnum) -> str:
        """Return the words for what the domain names."""
        return self.messages.gettext(label(value))

    def money(self, amount: Money) -> str:
        """Return an amount with its currency."""
        return self.written.money(amount.minor, amount.currency.code, amount.currency.exponent)

    def day(self, on: date) -> str:
        """Return a day."""
        return self.written.day(on)

    def moment(self, at: datetime) -> str:
        """Return a moment in the company's time zone, which is named."""
        return self.written.moment(at, self.zone)

    def quantity(self, number: Decimal) -> str:
        """Return a number."""
        return self.written.quantity(number)

    def quantity_of(self, number: int) -> str:
        """Return a whole number."""
        return self.written.quantity(Decimal(number))

    def percent(self, number: Decimal) -> str:
        """Return a percentage."""
        return formatting.percent(number, self.locale)

    def unit_price(self, price: Decimal, total: Money) -> str:
        """Return a price in the currency of a total."""
        return formatting.unit_price(price, total, self.locale)

    def days_away(self, on: date, today: date) -> str:
        """Return how far away a day is: today, in 3 days, 12 days ago."""
        days = (on - today).days
        return self.written.in_days(days) if days else self.say("today")

    def _spoken(self, value: int | timedelta) -> str:
        if isinstance(value, timedelta):
            return formatting.duration(value, self.locale)
        return self.quantity_of(value)


def voice_of(
    languages: Languages, visit: Visit | None, accepted: str, zone: ZoneInfo, *, chosen: str | None = None
) -> Voice:
    """Return how to speak to a visitor or a stranger, who accepts some languages (`Accept-Language`) or chose one."""
    wishes = (None, None) if visit is None else (visit.client.locale, visit.company.locale)
    locale = languages.choose(*wishes, accepted=accepted, chosen=chosen)
    return Voice(locale, translations_of(languages, locale.language), zone)


FILTERS: tuple[Callable[..., Any], ...] = (
    Voice.money,
    Voice.day,
    Voice.moment,
    Voice.quantity,
    Voice.percent,
    Voice.label,
    Voice.repeat,
)
"""What templates may ask of a voice as a filter, by the method's name."""
