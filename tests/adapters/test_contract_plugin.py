"""An adapter's author proves a store with a few lines, and may ask for harder races."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

AN_AUTHORS_TESTS = """\
import pytest

from portal_adapters.contract import StoreContract
from portal_adapters.memory import MemoryTransactions
from portal_adapters.randomness import RandomMint


class TestMyStore(StoreContract):
    @pytest.fixture
    def transactions(self):
        return MemoryTransactions(RandomMint())
"""

A_BROKEN_STORE = (
    AN_AUTHORS_TESTS.replace("MemoryTransactions(RandomMint())", "Forgetful()")
    + '''

class Forgetful:
    """Takes writes for what they are worth."""

    def begin(self):
        return MemoryTransactions(RandomMint()).begin()
'''
)

RACES = 11


def run_pytest(folder: Path, tests: str, *arguments: str) -> str:
    """Return what pytest says to an author who has nothing but our plugin."""
    (folder / "test_my_store.py").write_text(tests)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "portal_adapters.pytest_plugin",
        "-p",
        "no:cacheprovider",
        *arguments,
    ]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr


def test_ten_lines_prove_a_store(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, AN_AUTHORS_TESTS, "-W", "error", "--strict-markers")

    lines = [line for line in AN_AUTHORS_TESTS.splitlines() if line]
    assert len(lines) <= 10
    assert " passed" in said
    assert "failed" not in said


def test_races_can_be_chosen_and_repeated(tmp_path: Path) -> None:
    options = ("-m", "portal_race", "--portal-races", "3", "--portal-workers", "4")

    said = run_pytest(tmp_path, AN_AUTHORS_TESTS, *options)

    assert f"{3 * RACES} passed" in said


def test_races_can_be_left_out(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, AN_AUTHORS_TESTS, "-m", "not portal_race", "--collect-only", "-q")

    assert f"({RACES} deselected)" in said
    assert "racing" not in said


@pytest.mark.parametrize("option, wrong", [("--portal-races", "0"), ("--portal-workers", "1"), ("--portal-races", "x")])
def test_a_number_that_makes_no_race_is_refused(tmp_path: Path, option: str, wrong: str) -> None:
    said = run_pytest(tmp_path, AN_AUTHORS_TESTS, option, wrong)

    assert f"{option}: must be a whole number from" in said


def test_a_broken_promise_shows_the_values_it_was_about(tmp_path: Path) -> None:
    said = run_pytest(tmp_path, A_BROKEN_STORE, "-k", "companies_and_clients_are_read_as_they_were_saved")

    assert "1 failed" in said
    assert "where None = get('acme')" in said


def test_the_plugin_imports_neither_the_contract_nor_hypothesis() -> None:
    program = (
        "import sys, portal_adapters.pytest_plugin\n"
        "heavy = ('hypothesis', 'portal_core', 'portal_adapters.contract')\n"
        "print([name for name in sys.modules if name.startswith(heavy)])"
    )

    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )

    assert done.stdout.strip() == "[]"
