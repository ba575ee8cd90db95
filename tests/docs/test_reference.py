"""The reference says what the program says, and the documentation makes a site without a warning."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.reference import FOLDER, command_line_reference, http_reference

ROOT = Path(__file__).parents[2]


PAGES = {"http.md": http_reference, "command-line.md": command_line_reference}


@pytest.mark.parametrize("page", PAGES)
def test_the_reference_says_what_the_program_says(page: str) -> None:
    kept = (FOLDER / page).read_text(encoding="utf-8")

    assert kept == "\n".join(PAGES[page]()) + "\n", "make reference"


def test_the_documentation_makes_a_site_without_a_warning(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "docs", str(tmp_path)]

    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own command

    assert done.stderr == ""
    assert done.returncode == 0
    assert "accept_quote" in (tmp_path / "reference" / "use-cases.html").read_text(encoding="utf-8")
    assert "Quotes" in (tmp_path / "reference" / "ports.html").read_text(encoding="utf-8")
