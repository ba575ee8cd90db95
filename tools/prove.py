"""Write the figures of a run of `tests/prove` into the report, docs/reference/proof.md: the last step of `make prove`.

Run with the file of figures. What is between the two marks of the report is replaced; the rest is kept by hand.
"""

import json
import os
import platform
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from portal_adapters.clock import now

ROOT = Path(__file__).parents[1]
REPORT = ROOT / "docs" / "reference" / "proof.md"
MARKS = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)
LIBRARIES = ("SQLAlchemy", "asyncpg", "psycopg", "starlette", "uvicorn", "hypothesis")

Row = Mapping[str, Any]

HEADS = {
    "races": "Races: {callers} callers at one quote, again and again",
    "naive": "The same races, with a store that checks and then acts",
    "kills": "`kill -9` of a server under writes",
    "stops": "Immediate stops of PostgreSQL under a server under writes",
    "imports": "Imports killed, then run again",
    "machine": "The state machine, beside the memory store",
    "answers": "A real trading history, asked for by HTTP, compared with the memory store byte by byte",
}
ORDER = tuple(HEADS)


def main(figures: Path) -> None:
    """Write the report."""
    rows = [json.loads(line) for line in _read(figures).splitlines()]
    report = "\n".join([*_circumstances(), *_tables(rows)])
    REPORT.write_text(MARKS.sub(lambda _: f"\n{report}\n\n", _read(REPORT)), encoding="utf-8")


def _circumstances() -> Iterator[str]:
    processor = re.search(r"^model name\s*: (.*)$", _read(Path("/proc/cpuinfo")), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", _read(Path("/proc/meminfo")), re.MULTILINE)
    yield f"Run on {now():%d %B %Y}."
    yield ""
    yield "| | |"
    yield "|---|---|"
    gigabytes = f", {int(memory[1]) / 2**20:.0f} GiB of memory" if memory else ""
    yield f"| machine | {os.cpu_count()} processors ({processor[1] if processor else platform.machine()}){gigabytes} |"
    yield f"| system | {platform.system()} {platform.release()}, Python {platform.python_version()} |"
    yield f"| databases | SQLite {sqlite3.sqlite_version}, {_postgres()} |"
    yield f"| libraries | {', '.join(f'{name} {version(name)}' for name in LIBRARIES)} |"


def _postgres() -> str:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda each: int(each.parts[-3]))
    command = [str(programs[-1]) if programs else "postgres", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - PostgreSQL's own program
    return told.stdout.strip().replace("postgres (PostgreSQL)", "PostgreSQL")


def _tables(rows: Sequence[Row]) -> Iterator[str]:
    for proof in ORDER:
        own = [row for row in rows if row["proof"] == proof]
        if own:
            yield from ("", f"## {HEADS[proof].format(**own[0])}", "")
            yield from _table([{name: row[name] for name in row if name not in {"proof", "callers"}} for row in own])
    steps = sum(row["steps"] for row in rows if row["proof"] == "machine")
    yield from ("", f"The state machine took {steps:,} steps in all.")


def _table(rows: Sequence[Row]) -> Iterator[str]:
    told = sorted({word for row in rows for word in row.get("told", {})})
    names = [name for name in rows[0] if name != "told"]
    heads = ["" if name == "of" else name.replace("_", " ") for name in names]
    yield f"| {' | '.join([*heads, *told])} |"
    yield f"|---|{'---:|' * (len(heads) + len(told) - 1)}"
    for row in rows:
        cells = [*(row.get(name, "") for name in names), *(row["told"].get(word, 0) for word in told)]
        yield f"| {' | '.join(f'{cell:,}' if isinstance(cell, int | float) else str(cell) for cell in cells)} |"


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
