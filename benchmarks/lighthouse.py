"""Lighthouse on the pages of a client: a phone of the middle, on a slow mobile network, as it imagines them."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.machine import FOLDER
from benchmarks.servers import Server

PROGRAM = FOLDER / "lighthouse" / "node_modules" / ".bin" / "lighthouse"
BROWSER_FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-quic --disable-background-networking"


def look_at(server: Server, path: str, *, rounds: int) -> dict[str, float]:
    """Return the scores (of 100), the milliseconds to the first paint and the KiB of a page: medians of some rounds."""
    reports = [_report(server.url(path)) for _ in range(rounds)]
    return {
        "accessibility": 100 * _middle(reports, "categories", "accessibility", "score"),
        "performance": 100 * _middle(reports, "categories", "performance", "score"),
        "best_practices": 100 * _middle(reports, "categories", "best-practices", "score"),
        "first_paint": _middle(reports, "audits", "first-contentful-paint", "numericValue"),
        "kibibytes": _middle(reports, "audits", "total-byte-weight", "numericValue") / 1024,
    }


def _report(url: str) -> dict[str, Any]:
    command = [PROGRAM, url, "--quiet", "--output=json", f"--chrome-flags={BROWSER_FLAGS}"]
    environment = os.environ | {"CHROME_PATH": shutil.which("chromium") or ""}
    told: dict[str, Any] = json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)
    return told


def _middle(reports: Sequence[dict[str, Any]], *keys: str) -> float:
    def value(report: Any) -> float:  # noqa: ANN401 - what JSON holds
        for key in keys:
            report = report[key]
        return float(report)

    return median(value(each) for each in reports)
