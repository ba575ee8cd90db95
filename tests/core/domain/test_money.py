from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.money import (
    CURRENCIES,
    LARGEST_MINOR,
    Currency,
    Money,
    currency,
    format_decimal,
    parse_decimal,
    total_of,
)
from tests.core.samples import EUR, JPY, KWD, USD, euros, money

currencies = st.sampled_from(sorted(CURRENCIES.values(), key=lambda unit: unit.code))
minors = st.integers(-LARGEST_MINOR, LARGEST_MINOR)


@given(currencies, minors)
def test_what_is_written_is_read_back_to_the_minor_unit(unit: Currency, minor: int) -> None:
    written = unit.format(minor)

    read = unit.parse(written)

    assert read == minor


@given(currencies, minors)
def test_an_amount_is_written_with_the_decimals_of_its_currency_and_no_needless_digit(
    unit: Currency, minor: int
) -> None:
    amount = Money(minor, unit)

    whole, _, decimals = amount.amount.removeprefix("-").partition(".")

    assert len(decimals) == unit.exponent
    assert whole == str(int(whole))
    assert Decimal(amount.amount) == Decimal(minor).scaleb(-unit.exponent)
    assert amount.amount.startswith("-") == (minor < 0)


@given(currencies, minors, st.integers(0, 5))
def test_zeros_after_the_last_decimal_are_forgiven(unit: Currency, minor: int, zeros: int) -> None:
    point = "" if unit.exponent or not zeros else "."
    written = unit.format(minor) + point + "0" * zeros

    read = unit.parse(written)

    assert read == minor


@given(currencies, minors, st.sampled_from("123456789"))
def test_any_other_digit_after_the_last_decimal_is_refused(unit: Currency, minor: int, digit: str) -> None:
    point = "" if unit.exponent else "."
    written = unit.format(minor) + point + digit

    with pytest.raises(ValueError, match="more decimals than"):
        unit.parse(written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1,50",
        "1e3",
        "+1",
        " 1",
        "1 ",
        "1\n",
        "01",
        "00.10",
        "1.",
        ".5",
        "-",
        "--1",
        "1_000",
        "NaN",
        "Infinity",
        "0x10",
        "\u0661",
        "1.5.0",
        "\u22121",
        "1" * 100,
    ],
)
def test_what_is_no_plain_decimal_number_is_refused(text: str) -> None:
    unit = EUR

    with pytest.raises(ValueError, match="must be a decimal number"):
        unit.parse(text)


def test_eighteen_digits_are_kept_and_one_more_is_refused() -> None:
    largest = "9999999999999999.99"

    kept = EUR.parse(largest), EUR.parse(f"-{largest}"), JPY.parse("9" * 18)

    assert kept == (LARGEST_MINOR, -LARGEST_MINOR, LARGEST_MINOR)
    for unit, text in ((EUR, "10000000000000000.00"), (EUR, "-10000000000000000.00"), (JPY, "1" + "0" * 18)):
        with pytest.raises(ValueError, match="too large"):
            unit.parse(text)


def test_there_is_no_negative_zero() -> None:
    written = "-0.00"

    amount = Money.parse(written, "EUR")

    assert amount == euros("0.00")
    assert amount.amount == "0.00"
    assert not amount


def test_the_minor_units_are_those_of_iso_4217_and_not_of_display() -> None:
    without_hundredths = {code: unit.exponent for code, unit in CURRENCIES.items() if unit.exponent != 2}

    none, thousandths, finer = (
        sorted(code for code, exponent in without_hundredths.items() if exponent == wanted) for wanted in (0, 3, 4)
    )

    assert none == "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()  # noqa: SIM905 - easier to read
    assert thousandths == "BHD IQD JOD KWD LYD OMR TND".split()  # noqa: SIM905 - easier to read
    assert finer == ["CLF", "UYW"]


def test_the_list_is_complete_and_holds_nothing_but_currencies_with_a_minor_unit() -> None:
    withdrawn = {"ANG", "BGN", "CUC", "HRK", "SLL", "ZWL"}

    active = set(CURRENCIES) - withdrawn

    assert len(active) == 165
    assert {"CHE", "CLF", "MXV", "USN", "UYW", "VED", "XAD", "XCG", "ZWG"} <= active
    assert not active & {"XAU", "XDR", "XTS", "XXX", "EURO", "eur"}
    assert all(code == unit.code for code, unit in CURRENCIES.items())


@pytest.mark.parametrize("code", ["", "eur", "EURO", "XXX", "XAU", "BTC", "€"])
def test_what_is_no_currency_is_refused(code: str) -> None:
    amount = "1.00"

    with pytest.raises(ValueError, match="not a currency of ISO 4217"):
        Money.parse(amount, code)


def test_dinars_have_three_decimals_and_yen_none() -> None:
    texts = ("1.5", "KWD"), ("359.0", "JPY")

    dinars, yen = (Money.parse(*text) for text in texts)

    assert (dinars, str(dinars)) == (money(1500, KWD), "1.500 KWD")
    assert (yen, str(yen)) == (money(359, JPY), "359 JPY")


@given(st.lists(minors), st.lists(minors))
def test_sums_and_differences_are_exact(gained: list[int], lost: list[int]) -> None:
    gains, losses = (total_of(map(money, minor), EUR) for minor in (gained, lost))

    both, rest = gains + losses, gains - losses

    assert (both.minor, rest.minor) == (sum(gained) + sum(lost), sum(gained) - sum(lost))


def test_currencies_are_never_mixed() -> None:
    cents, yen = money(1, EUR), money(1, JPY)

    uses: list[Callable[[], object]] = [
        lambda: cents + yen,
        lambda: cents - yen,
        lambda: total_of([cents, yen], EUR),
    ]
    for mix in uses:
        with pytest.raises(ValueError, match="never mixed"):
            mix()


def test_equal_amounts_of_two_currencies_differ() -> None:
    euro, dollar = money(100, EUR), money(100, USD)

    same = euro == dollar

    assert not same
    assert currency("EUR") is EUR


@given(st.decimals(min_value=-(10**17), max_value=10**17, places=18, allow_nan=False))
def test_quantities_and_prices_are_exact_and_keep_their_decimals(number: Decimal) -> None:
    written = format_decimal(number)

    read = parse_decimal(written)

    assert read == number
    assert format_decimal(read) == written


@pytest.mark.parametrize("text", ["", "1e3", "1.", ".5", "1" * 19, "0." + "1" * 19, "NaN", "1,5", "\u0661"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    reader = parse_decimal

    with pytest.raises(ValueError, match="must be a decimal number"):
        reader(text)


def test_a_number_is_written_without_an_exponent() -> None:
    number = Decimal("1E+3")

    written = format_decimal(number)

    assert written == "1000"
