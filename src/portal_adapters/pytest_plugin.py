"""What pytest is told about the contract, before any of it is imported.

An installed `customer-portal` brings this along (entry point `pytest11`). It costs nothing in projects that have
no use for it: neither the contract nor Hypothesis is imported until a test file asks for them.
"""

from argparse import ArgumentTypeError
from typing import Final

import pytest

RACE: Final = "portal_race"
"""The fixture of every race, and the marker that races are chosen by."""

# So that a broken promise shows the values it was about, as a failed test of one's own does.
pytest.register_assert_rewrite("portal_adapters.contract")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run try races harder than usual."""
    group = parser.getgroup("customer-portal", "customer-portal: the contract that adapters keep")
    group.addoption(
        "--portal-races",
        type=_at_least_one,
        default=1,
        metavar="N",
        help="run each race N times, each time in a fresh store (default: 1)",
    )
    group.addoption(
        "--portal-workers",
        type=_at_least_two,
        metavar="N",
        help="let N threads race (default: 20)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", f"{RACE}: many threads at one record, by the contract of customer-portal")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make as many tests of each race as were asked for."""
    races: int = metafunc.config.getoption("portal_races") or 1
    if RACE in metafunc.fixturenames and races > 1:
        metafunc.parametrize(RACE, range(1, races + 1), indirect=True)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark races, for `-m portal_race` and `-m "not portal_race"`."""
    if RACE in getattr(item, "fixturenames", ()):
        item.add_marker(RACE)


def _at_least_one(text: str) -> int:
    return _at_least(1, text)


def _at_least_two(text: str) -> int:
    return _at_least(2, text)


def _at_least(fewest: int, text: str) -> int:
    if not text.isdecimal() or int(text) < fewest:
        raise ArgumentTypeError(f"must be a whole number from {fewest}")
    return int(text)
