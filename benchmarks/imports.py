"""How long an import takes: medians of interleaved rounds, each in a fresh interpreter.

`make bench ONLY=start` puts them into the report; alone, this prints the table of docs/explanation/performance.md.
"""

import statistics
import subprocess
import sys
import time

ROUNDS = 15

SUBJECTS = {
    "nothing (the interpreter)": "pass",
    "attrs": "import attrs",
    "portal_core": "import portal_core",
    "portal_core, one use case": "from portal_core import accept_quote",
    "portal_core, every name": "from portal_core import *",
    "portal_http.app": "import portal_http.app",
}


def measure() -> dict[str, float]:
    """Return the median milliseconds of each subject."""
    taken: dict[str, list[float]] = {name: [] for name in SUBJECTS}
    for _ in range(ROUNDS):
        for name, program in SUBJECTS.items():
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            taken[name].append((time.perf_counter() - started) * 1000)
    return {name: statistics.median(times) for name, times in taken.items()}


def main() -> None:
    """Print a Markdown table."""
    medians = measure()
    base = medians["nothing (the interpreter)"]
    print("| import | ms | of that its own |\n|---|---|---|")
    for name, median in medians.items():
        print(f"| {name} | {median:.0f} | {median - base:.0f} |")


if __name__ == "__main__":
    main()
