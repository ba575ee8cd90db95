"""What is computed for the eye: colours that can be read, amounts by CLDR, drawings that add up."""

from decimal import Decimal

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from portal_adapters.contract.builders import EUR, JPY, KWD, TODAY, eur
from portal_core.domain.balance import OpenAmount, balances_of
from portal_core.domain.money import Money
from portal_http.pages import formatting, theme
from portal_http.pages.shown import charts


@given(st.integers(0, 0xFFFFFF))
def test_any_accent_can_be_read_in_light_and_dark(colour: int) -> None:
    accent = f"{colour:06x}"

    for ground in (theme.LIGHT, theme.DARK):
        shade = theme.shade(accent, ground)
        for other in (ground.page, ground.surface, shade.tint, shade.on_accent):
            assert theme.contrast(shade.accent, other) >= 4.5


def test_an_accent_that_can_be_read_stays_as_it_is() -> None:
    assert theme.shade("0f766e", theme.LIGHT).accent == "0f766e"


def test_the_stylesheet_and_its_address_differ_by_accent() -> None:
    assert theme.address("css", "0f766e") != theme.address("css", "aa0000")
    assert b"--accent:#0f766e" in theme.stylesheet("0f766e")


@pytest.mark.parametrize(
    "amount, tag, expected",
    [
        (Money(123_450, EUR), "en", "€1,234.50"),
        (Money(-123_450, EUR), "de", "-1.234,50\xa0€"),
        (Money(123_450, EUR), "fr", "1\u202f234,50\xa0€"),
        (Money(1_234, JPY), "en", "¥1,234"),
        (Money(1_234, KWD), "en", "KWD\xa01.234"),
        (Money.parse("10.00", "IDR"), "en", "IDR\xa010.00"),
    ],
)
def test_amounts_have_the_decimals_of_iso_4217(amount: Money, tag: str, expected: str) -> None:
    assert formatting.money(amount, Locale.parse(tag)) == expected


def test_prices_and_quantities_keep_the_decimals_that_they_need() -> None:
    english = Locale("en")

    assert formatting.unit_price(Decimal("40.0000"), eur("1.00"), english) == "€40.00"
    assert formatting.unit_price(Decimal("0.0125"), eur("1.00"), english) == "€0.0125"
    assert formatting.quantity(Decimal("2.500"), english) == "2.5"
    assert formatting.quantity(Decimal("1E+3"), english) == "1,000"
    assert formatting.percent(Decimal("12.5"), english) == "12.5%"


@given(st.lists(st.integers(0, 10**12), min_size=5, max_size=5))
def test_an_aging_bar_is_as_long_as_its_parts(minors: list[int]) -> None:
    days = (0, 15, 45, 75, 120)
    amounts = [
        OpenAmount(Money(minor, EUR), TODAY.fromordinal(TODAY.toordinal() - past))
        for minor, past in zip(minors, days, strict=True)
    ]
    (balance,) = balances_of(amounts, TODAY)

    bar = charts.aging_bar(balance.aging)

    assert len(bar) == sum(1 for minor in minors if minor)
    assert all(0 <= part.start < part.start + part.width <= charts.BAR_WIDTH for part in bar)
