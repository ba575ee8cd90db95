"""The report, docs/reference/benchmark.md: what is between its two marks is replaced, the rest is kept by hand."""

import operator
import os
import platform
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from attrs import frozen

from benchmarks.databases import Databases
from benchmarks.machine import HERE
from benchmarks.servers import ASYNCPG, HELLO, ORM, OURS_POSTGRES, OURS_SQLITE, REST
from portal_adapters.clock import now

REPORT = HERE.parent / "docs" / "reference" / "benchmark.md"
MARKS = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)
LIBRARIES = ("SQLAlchemy", "asyncpg", "starlette", "uvicorn", "uvloop", "httptools", "orjson")
PEERS = ("fastapi", "pydantic", "sqlalchemy", "asyncpg", "django", "djangorestframework", "django-ninja", "psycopg")

POSTGRES, SQLITE = OURS_POSTGRES.name, OURS_SQLITE.name

Results = Mapping[str, Any]


@frozen
class Goal:
    """Something to reach, and how to read from the results how far it is reached."""

    what: str
    wanted: float
    reached: Callable[[float, float], bool]
    found: Callable[[Results], float]
    form: str

    def row(self, results: Results) -> str | None:
        """Return a row of the table of goals, or nothing while it is not measured."""
        try:
            found = self.found(results)
        except KeyError:
            return None
        word = "reached" if self.reached(found, self.wanted) else "**missed**"
        sign = "≥" if self.reached is operator.ge else "≤"
        told = (self.form.format(each) for each in (self.wanted, found))
        return f"| {self.what} | {sign} {next(told)} | {next(told)} | {word} |"


def _at_least(what: str, wanted: float, found: Callable[[Results], float], form: str = "{:.2f}") -> Goal:
    return Goal(what, wanted, operator.ge, found, form)


def _at_most(what: str, wanted: float, found: Callable[[Results], float], form: str = "{:.2f}") -> Goal:
    return Goal(what, wanted, operator.le, found, form)


def _over(part: str, ours: str, theirs: str) -> Callable[[Results], float]:
    return lambda results: results[part]["servers"][ours]["rate"] / results[part]["servers"][theirs]["rate"]


def _of_pgbench(part: str) -> Callable[[Results], float]:
    return lambda results: results[part]["servers"][POSTGRES]["rate"] / results[part]["pgbench"]


def _growth(store: str, what: str) -> Callable[[Results], float]:
    return lambda results: results["growth"][store][what][1] / results["growth"][store][what][0]


def _ratio(part: str, store: str, upper: str, lower: str, figure: str = "") -> Callable[[Results], float]:
    def found(results: Results) -> float:
        one, other = results[part][store][upper], results[part][store][lower]
        return float(one[figure] / other[figure] if figure else one / other)

    return found


def _goals() -> Iterator[Goal]:
    for store, wanted in ((POSTGRES, 14), (SQLITE, 12)):
        yield _at_least(f"dashboard, {store}, over {ORM.name}", wanted, _over("dashboard", store, ORM.name), "{:.1f}")
    for store in (POSTGRES, SQLITE):
        yield _at_least(f"page of 25, {store}, over {ORM.name}", 8, _over("page", store, ORM.name), "{:.1f}")
    yield _at_least(
        f"dashboard, {POSTGRES}, over {ASYNCPG.name}", 3.5, _over("dashboard", POSTGRES, ASYNCPG.name), "{:.1f}"
    )
    for part, wanted in (("dashboard", 25), ("page", 14)):
        yield _at_least(f"{part}, {POSTGRES}, over {REST.name}", wanted, _over(part, POSTGRES, REST.name), "{:.1f}")
    for store, share in ((POSTGRES, 0.20), (SQLITE, 0.16)):
        yield _at_least(f"dashboard, {store}, of {HELLO.name}", share, _over("dashboard", store, HELLO.name))
    yield _at_least("dashboard, PostgreSQL, of the same SQL by pgbench", 0.75, _of_pgbench("dashboard"))
    for store in (POSTGRES, SQLITE):
        for what in ("dashboard", "page", "record", "deep page"):
            name = "deep page over the second" if what == "deep page" else f"{what}, many invoices over few"
            yield _at_most(f"p50, {name}, {store}", 1.3, _growth(store, what))
    for store in (POSTGRES, SQLITE):
        yield _at_most(f"accept over a bare commit, {store}", 2, _ratio("accept", store, "accept", "commit"))
        yield _at_least(f"HTML dashboard of the JSON one, {store}", 0.4, _ratio("html", store, "html", "json", "rate"))
        yield _at_most(f"p99 over p50 at 128 connections, {store}", 4, _tail(store))
        yield _at_least(f"two workers over one, {store}", 1.6, _ratio("workers", store, "2", "1", "rate"))
        yield _at_most(f"start to the first answer, {store}, ms", 1000, _of("start", store), "{:.0f}")
        yield _at_most(f"memory of a worker in the end, {store}, MiB", 120, _held(store), "{:.0f}")
    yield _at_least("accessibility of the dashboard", 100, _of_page("accessibility"), "{:.0f}")
    yield _at_least("performance of the dashboard on a phone", 99, _of_page("performance"), "{:.0f}")
    yield _at_most("import portal_http.main, ms", 400, _of("start", "import portal_http.main"), "{:.0f}")
    yield _at_least("import, records a second, SQLite", 20_000, _of("import", "rate"), "{:,.0f}")


def _of(part: str, figure: str) -> Callable[[Results], float]:
    return lambda results: results[part][figure]


def _of_page(figure: str) -> Callable[[Results], float]:
    return lambda results: results["pages"]["dashboard"][figure]


def _tail(store: str) -> Callable[[Results], float]:
    return lambda results: results["latency"][store]["p99"] / results["latency"][store]["p50"]


def _held(store: str) -> Callable[[Results], float]:
    return lambda results: results["memory"][store][-1][1]


def write_report(results: Results, databases: Databases) -> None:
    """Put the figures into the report."""
    told = "\n".join([*_circumstances(databases), *_goals_table(results), *_tables(results)])
    kept = REPORT.read_text(encoding="utf-8")
    REPORT.write_text(MARKS.sub(lambda _: f"\n{told}\n\n", kept), encoding="utf-8")


def _circumstances(databases: Databases) -> Iterator[str]:
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    memory = re.search(r"^MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)
    gigabytes = f", {int(memory[1]) / 2**20:.0f} GiB of memory" if memory else ""
    with psycopg.connect(databases.postgres_url) as connection:
        server = connection.info.server_version // 10_000
    lock = (HERE / "peers" / "requirements.lock").read_text()
    peers = [
        f"{name} {found[1]}"
        for name in PEERS
        if (found := re.search(rf"^{name}(?:\[\w+\])?==(\S+)", lock, re.MULTILINE))
    ]
    size = databases.size
    yield f"Run on {now():%d %B %Y}."
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield f"| machine | {os.cpu_count()} processors ({processor[1] if processor else platform.machine()}){gigabytes} |"
    yield f"| system | {platform.system()} {platform.release()}, Python {platform.python_version()} |"
    yield f"| databases | SQLite {sqlite3.sqlite_version}, PostgreSQL {server} |"
    yield f"| libraries | {', '.join(f'{name} {version(name)}' for name in LIBRARIES)} |"
    yield f"| peers | {', '.join(peers)} |"
    invoices = size.clients * size.each + size.small + size.large
    yield f"| data | {size.clients + 2:,} clients, {invoices:,} invoices, one client with {size.large:,} of them |"


def _goals_table(results: Results) -> Iterator[str]:
    yield from ("", "## Goals", "", "| | goal | measured | |", "|---|---:|---:|---|")
    yield from (row for goal in _goals() if (row := goal.row(results)) is not None)


def _tables(results: Results) -> Iterator[str]:
    for part, head in (("dashboard", "The dashboard"), ("page", "A page of 25 invoices"), ("record", "One invoice")):
        if part in results:
            yield from _reads_table(head, results[part])
    for part, table in (
        ("growth", _growth_table),
        ("accept", _accept_table),
        ("html", _html_table),
        ("pages", _pages_table),
        ("latency", _latency_table),
        ("workers", _workers_table),
        ("memory", _memory_table),
        ("start", _start_table),
        ("import", _import_table),
    ):
        if part in results:
            yield from table(results[part])


def _reads_table(head: str, told: Results) -> Iterator[str]:
    yield from ("", f"## {head}", "")
    yield f"{told['compared']} documents were answered alike by all servers before any was timed."
    yield ""
    yield (
        f"| | requests/s | of {HELLO.name} | {POSTGRES} is | processor µs, server + database "
        "| p50 ms | p99 ms | peak MiB |"
    )
    yield "|---|---:|---:|---:|---:|---:|---:|---:|"
    ours, floor = told["servers"][POSTGRES]["rate"], told["servers"][HELLO.name]["rate"]
    for name, each in told["servers"].items():
        cells = (
            f"{each['rate']:,.0f}",
            f"{each['rate'] / floor:.3f}",
            f"{ours / each['rate']:.2f} x",
            f"{each['server_us']:,.0f} + {each['database_us']:,.0f}",
            f"{each['p50']:.2f}",
            f"{each['p99']:.2f}",
            f"{told['peak_mebibytes'][name]:.0f}",
        )
        yield f"| {name} | {' | '.join(cells)} |"
    if "pgbench" in told:
        yield f"| the same SQL by pgbench | {told['pgbench']:,.0f} | | {ours / told['pgbench']:.2f} x | | | | |"


def _growth_table(told: Results) -> Iterator[str]:
    yield from (
        "",
        "## Growth",
        "",
        f"p50 in ms, one request at a time: {told['few']:,} and {told['many']:,} invoices.",
    )
    yield from ("", "| | few, or second page | many, or deep page | ratio |", "|---|---:|---:|---:|")
    for store in (POSTGRES, SQLITE):
        for what, (few, many) in told[store].items():
            yield f"| {what}, {store} | {few:.3f} | {many:.3f} | {many / few:.2f} |"


def _accept_table(told: Results) -> Iterator[str]:
    yield from ("", "## Accepting a quote", "", "p50 in ms, durable on both sides.", "")
    yield from ("| | accept | bare commit of one row | ratio |", "|---|---:|---:|---:|")
    for store, each in told.items():
        yield f"| {store} | {each['accept']:.2f} | {each['commit']:.2f} | {each['accept'] / each['commit']:.2f} |"


def _html_table(told: Results) -> Iterator[str]:
    yield from ("", "## The dashboard for people", "")
    yield from ("| | JSON requests/s | HTML requests/s | ratio | HTML processor µs |", "|---|---:|---:|---:|---:|")
    for store, each in told.items():
        json, html = each["json"], each["html"]
        spent = f"{html['server_us']:,.0f} + {html['database_us']:,.0f}"
        yield f"| {store} | {json['rate']:,.0f} | {html['rate']:,.0f} | {html['rate'] / json['rate']:.2f} | {spent} |"


def _pages_table(told: Results) -> Iterator[str]:
    yield from ("", "## Pages, as Lighthouse sees them", "", "On a slow phone, simulated; scores of 100.", "")
    yield "| | accessibility | performance | best practices | first paint, ms | KiB with the stylesheet |"
    yield "|---|---:|---:|---:|---:|---:|"
    for page, each in told.items():
        scores = " | ".join(f"{each[name]:.0f}" for name in ("accessibility", "performance", "best_practices"))
        yield f"| {page} | {scores} | {each['first_paint']:,.0f} | {each['kibibytes']:.0f} |"


def _latency_table(told: Results) -> Iterator[str]:
    yield from ("", "## 128 connections at once", "", "| | requests/s | p50 ms | p99 ms | ratio | errors |")
    yield "|---|---:|---:|---:|---:|---:|"
    for store, each in told.items():
        cells = f"{each['rate']:,.0f} | {each['p50']:.1f} | {each['p99']:.1f} | {each['p99'] / each['p50']:.1f}"
        yield f"| {store} | {cells} | {each['errors']} |"


def _workers_table(told: Results) -> Iterator[str]:
    yield from ("", "## Two workers", "", "The load, Redis and PostgreSQL share the processors with both workers.", "")
    yield from ("| | one, requests/s | two, requests/s | ratio |", "|---|---:|---:|---:|")
    for store, each in told.items():
        one, two = each["1"]["rate"], each["2"]["rate"]
        yield f"| {store} | {one:,.0f} | {two:,.0f} | {two / one:.2f} |"


def _memory_table(told: Results) -> Iterator[str]:
    yield from ("", "## Memory of a worker", "", "MiB after so many requests.", "")
    yield f"| | {' | '.join(['requests', 'MiB'] * 4)} |"
    yield f"|---|{'---:|' * 8}"
    for store, held in told.items():
        yield f"| {store} | {' | '.join(f'{requests:,} | {mebibytes:.0f}' for requests, mebibytes in held)} |"


def _start_table(told: Results) -> Iterator[str]:
    yield from ("", "## Start and imports", "", "| | ms |", "|---|---:|")
    for store in (POSTGRES, SQLITE):
        yield f"| `portal serve`, {store}, to its first answer | {told[store]:.0f} |"
    for name, milliseconds in told["imports"].items():
        yield f"| import of {name} | {milliseconds:.0f} |"


def _import_table(told: Results) -> Iterator[str]:
    yield from ("", "## Import", "")
    yield f"{told['records']:,} records into empty tables on SQLite in {told['seconds']:.0f} s: "
    yield f"{told['rate']:,.0f} a second. Timed is the command, its start counted; "
    yield f"no process of it held more than {told['peak_mebibytes']:.0f} MiB."
