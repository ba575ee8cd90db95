"""Run the benchmark: `python -m benchmarks [--small] [--only PART,PART]`; `make bench` does so."""

import argparse
import json
import sys
import time
from typing import Any

from benchmarks.databases import prepared
from benchmarks.history import FULL, SMALL
from benchmarks.machine import FOLDER
from benchmarks.parts import BRIEF, PARTS, USUAL
from benchmarks.report import write_report


def main() -> None:
    """Measure the parts that are asked for, keep their figures, and write the report of all that are kept."""
    asked = _arguments()
    databases, effort = prepared(SMALL if asked.small else FULL), BRIEF if asked.small else USUAL
    kept = FOLDER / f"{databases.size.name}-figures.json"
    results: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    for name in asked.only.split(",") if asked.only else PARTS:
        started = time.perf_counter()
        results[name] = PARTS[name](databases, effort)
        kept.write_text(json.dumps(results))
        print(f"{name}: measured in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    if not asked.small:
        write_report(results, databases)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--small", action="store_true", help="little data and short runs: to see that all works")
    parser.add_argument("--only", metavar="PARTS", help=f"some of {','.join(PARTS)}")
    asked = parser.parse_args()
    unknown = set((asked.only or "").split(",")) - {"", *PARTS}
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return asked


if __name__ == "__main__":
    main()
