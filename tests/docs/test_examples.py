"""The examples that need no other framework run as they are."""

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def test_the_library_accepts_a_quote_once(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own example
        [sys.executable, str(EXAMPLES / "library.py")],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.stdout.splitlines() == [
        "Q-2026-001 over 947.10 EUR is accepted.",
        "This quote was accepted before; that cannot be changed here.",
    ]
