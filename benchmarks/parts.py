"""What is measured, part by part; each returns figures that can be kept as JSON."""

import http.client
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

import psycopg
from attrs import asdict, evolve, frozen

from benchmarks import imports, lighthouse, statements
from benchmarks.answers import compare
from benchmarks.databases import Databases, forget_decisions, make_empty, write_records
from benchmarks.history import LARGE_CLIENT, SMALL_CLIENT
from benchmarks.load import Measured, interleaved, load, middle, warm
from benchmarks.machine import resident_mebibytes, timed
from benchmarks.servers import API, HELLO, HOST, OTHERS, OURS, OURS_SQLITE, Server, Subject, served

REDIS_URL = os.environ.get("PORTAL_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")

Figures = dict[str, Any]


@frozen(kw_only=True)
class Effort:
    """How long is measured: rounds of some seconds each."""

    rounds: int
    seconds: float

    def times(self, factor: int) -> "Effort":
        """Return as many rounds that are longer."""
        return Effort(rounds=self.rounds, seconds=self.seconds * factor)


USUAL = Effort(rounds=3, seconds=4)
BRIEF = Effort(rounds=1, seconds=1)


def dashboard(databases: Databases, effort: Effort) -> Figures:
    """Ask all servers for dashboards."""
    return _reads(databases, effort, [f"/view/{token}/dashboard" for token in databases.usual_tokens()], "dashboard")


def page(databases: Databases, effort: Effort) -> Figures:
    """Ask all servers for pages of 25 invoices."""
    return _reads(databases, effort, [f"/view/{token}/invoices" for token in databases.usual_tokens()], "page")


def record(databases: Databases, effort: Effort) -> Figures:
    """Ask all servers for single invoices."""
    clients = list(databases.tokens.items())[2:]
    paths = [f"/view/{token}/invoices/{quote(f'I-{client}-7')}" for client, token in clients]
    return _reads(databases, effort, paths, None)


def _reads(databases: Databases, effort: Effort, paths: Sequence[str], read: str | None) -> Figures:
    told: Figures = {"compared": compare(databases)}
    with ExitStack() as running:
        servers = [running.enter_context(served(each, databases)) for each in (HELLO, *OURS, *OTHERS)]
        asked = {each.subject.name: ["/"] if each.subject is HELLO else paths for each in servers}
        for server in servers:
            warm(server, asked[server.subject.name])
        found = interleaved(servers, asked, rounds=effort.rounds, seconds=effort.seconds)
        told["servers"] = {name: asdict(each) for name, each in found.items()}
        told["peak_mebibytes"] = {
            each.subject.name: sum(resident_mebibytes(pid, "VmHWM") for pid in each.pids) for each in servers
        }
    if read is not None:
        rates = [
            statements.rate(databases, statements.READS[read], seconds=effort.seconds) for _ in range(effort.rounds)
        ]
        told["pgbench"] = median(rates)
    return told


def growth(databases: Databases, effort: Effort) -> Figures:
    """Ask the same for a client with few invoices and for one with many, one at a time."""
    few, many = databases.tokens[SMALL_CLIENT], databases.tokens[LARGE_CLIENT]
    told: Figures = {"few": databases.size.small, "many": databases.size.large}
    for subject in OURS:
        with served(subject, databases) as server:
            warm(server, [f"/view/{few}/dashboard", f"/view/{many}/dashboard"])
            deep = _deep_page(server, many)
            pairs = {
                "dashboard": (f"/view/{few}/dashboard", f"/view/{many}/dashboard"),
                "page": (f"/view/{few}/invoices", f"/view/{many}/invoices"),
                "overdue": (f"/view/{few}/invoices?overdue=true", f"/view/{many}/invoices?overdue=true"),
                "record": (
                    f"/view/{few}/invoices/I-{SMALL_CLIENT}-7",
                    f"/view/{many}/invoices/I-{LARGE_CLIENT}-{databases.size.large // 2}",
                ),
                "deep page": (f"/view/{many}/invoices?cursor={_second_page(server, many)}", deep),
            }
            told[subject.name] = {name: _beside(server, effort, *paths) for name, paths in pairs.items()}
    return told


def _beside(server: Server, effort: Effort, one: str, other: str) -> tuple[float, float]:
    runs: dict[str, list[Measured]] = {one: [], other: []}
    for _ in range(effort.rounds):
        for path in (one, other):
            runs[path].append(load(server, [path], seconds=effort.seconds / 2, connections=1))
    return middle(runs[one]).p50, middle(runs[other]).p50


def _second_page(server: Server, token: str) -> str:
    return str(json.loads(server.get(f"/view/{token}/invoices"))["meta"]["cursor"])


def _deep_page(server: Server, token: str) -> str:
    """Return the path of one of the last pages, found by walking there."""
    cursor = ""
    while True:
        meta = json.loads(server.get(f"/view/{token}/invoices?limit=100{cursor}"))["meta"]
        if not meta["hasMore"]:
            return f"/view/{token}/invoices?{cursor.removeprefix('&')}"
        cursor = f"&cursor={meta['cursor']}"


def accept(databases: Databases, effort: Effort) -> Figures:
    """Accept quotes, each safe on the disk when it is answered, beside the smallest such commit there is."""
    forget_decisions(databases)
    told: Figures = {}
    clients = list(databases.tokens.items())[2:]
    share = len(clients) // effort.rounds
    for subject in OURS:
        times: dict[str, list[float]] = {"accept": [], "commit": []}
        with served(subject, databases) as server, ExitStack() as stack:
            commit = stack.enter_context(closing(_Commits(databases, on_postgres=subject.on_postgres)))
            for start in range(0, share * effort.rounds, share):
                some = clients[start : start + share][:100]
                times["accept"] += [_milliseconds(ask) for ask in _accepts(server, some)]
                times["commit"] += [_milliseconds(commit) for _ in some]
        told[subject.name] = {name: median(each) for name, each in times.items()}
    forget_decisions(databases)
    return told


def _accepts(server: Server, clients: Sequence[tuple[str, str]]) -> Generator[Callable[[], None]]:
    connection = http.client.HTTPConnection(HOST, server.port)
    head, body = {"Content-Type": "application/json"}, json.dumps({"name": "Grace Hopper"})
    for client, token in clients:

        def ask(path: str = f"{API}/view/{token}/quotes/Q-{client}-0/accept") -> None:
            connection.request("POST", path, body, head)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise RuntimeError(answer.read().decode())
            answer.read()

        yield ask
    connection.close()


class _Commits:
    """Commits of one row each, as durable as the portal's."""

    def __init__(self, databases: Databases, *, on_postgres: bool) -> None:
        self._folder = TemporaryDirectory(dir=databases.sqlite.parent)
        self._create = "CREATE TABLE IF NOT EXISTS bench_commits (id integer)"
        if on_postgres:
            self._server = psycopg.connect(databases.postgres_url, autocommit=True)
            self._run: Callable[[str], object] = self._server.execute
        else:
            self._file = sqlite3.connect(Path(self._folder.name) / "commits.sqlite3", isolation_level=None)
            self._file.execute("PRAGMA synchronous=FULL")
            self._run = self._file.execute
        self._run(self._create)

    def __call__(self) -> None:
        self._run("INSERT INTO bench_commits VALUES (1)")

    def close(self) -> None:
        self._run("DROP TABLE bench_commits")
        self._folder.cleanup()


def _milliseconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def html(databases: Databases, effort: Effort) -> Figures:
    """Ask for dashboards as pages for people, and as JSON."""
    told: Figures = {}
    tokens = databases.usual_tokens()
    for subject in OURS:
        with served(subject, databases) as server:
            pages = Server(_without_prefix(subject), server.process, server.port, server.postgres_url)
            asked = {
                subject.name: [f"/view/{token}/dashboard" for token in tokens],
                pages.subject.name: [f"/p/{token}" for token in tokens],
            }
            for each in (server, pages):
                warm(each, asked[each.subject.name])
            found = interleaved([server, pages], asked, rounds=effort.rounds, seconds=effort.seconds)
            told[subject.name] = {"json": asdict(found[subject.name]), "html": asdict(found[pages.subject.name])}
    return told


def _without_prefix(subject: Subject) -> Subject:
    return Subject(name=f"{subject.name}, HTML", command=subject.command, prefix="", on_postgres=subject.on_postgres)


def pages(databases: Databases, effort: Effort) -> Figures:
    """Let Lighthouse look at the dashboard, and at lists of one of many clients."""
    token = databases.usual_tokens()[0]
    looked_at = {"dashboard": f"/p/{token}", "invoices": f"/p/{token}/invoices", "statement": f"/p/{token}/statement"}
    with served(OURS_SQLITE, databases) as server:
        told = Server(_without_prefix(OURS_SQLITE), server.process, server.port, server.postgres_url)
        return {name: lighthouse.look_at(told, path, rounds=effort.rounds) for name, path in looked_at.items()}


def workers(databases: Databases, effort: Effort) -> Figures:
    """Ask one worker and two, both counting in Redis as two must; nothing is kept to a processor."""
    told: Figures = {}
    paths = [f"/view/{token}/dashboard" for token in databases.usual_tokens()]
    for subject in OURS:
        runs: dict[int, list[Measured]] = {1: [], 2: []}
        for _ in range(effort.rounds):
            for many, measured in runs.items():
                with served(subject, databases, workers=many, PORTAL_RATE_LIMIT_URL=REDIS_URL) as server:
                    time.sleep(1)
                    warm(server, paths, apart=False)
                    measured.append(load(server, paths, seconds=effort.seconds, connections=32))
        told[subject.name] = {str(many): asdict(middle(measured)) for many, measured in runs.items()}
    return told


def latency(databases: Databases, effort: Effort) -> Figures:
    """See how long the slowest of a hundred waits when 128 ask at once."""
    paths = [f"/view/{token}/dashboard" for token in databases.usual_tokens()]
    with ExitStack() as running:
        servers = [running.enter_context(served(each, databases)) for each in OURS]
        asked = {each.subject.name: paths for each in servers}
        for server in servers:
            warm(server, paths)
        found = interleaved(servers, asked, rounds=effort.rounds, seconds=effort.seconds, connections=128)
    return {name: asdict(each) for name, each in found.items()}


def memory(databases: Databases, effort: Effort) -> Figures:
    """See what a worker holds after more and more requests."""
    told: Figures = {}
    paths = [f"/view/{token}/{what}" for token in databases.usual_tokens() for what in ("dashboard", "invoices")]
    for subject in OURS:
        with served(subject, databases) as server:
            requests, held = 0.0, []
            for _ in range(4):
                seconds = effort.times(3).seconds
                requests += load(server, paths, seconds=seconds).rate * seconds
                held.append((round(requests), sum(resident_mebibytes(pid) for pid in server.pids)))
        told[subject.name] = held
    return told


def start(databases: Databases, effort: Effort) -> Figures:
    """Take the time from the command to the first answer, and how long the imports take of that."""
    told: Figures = {}
    for subject in OURS:
        times = []
        for _ in range(3 * effort.rounds):
            started = time.perf_counter()
            with served(subject, databases) as server:
                _await_answer(server)
                times.append((time.perf_counter() - started) * 1000)
        told[subject.name] = median(times)
    program = [sys.executable, "-c", "import portal_http.main"]
    told["import portal_http.main"] = median(_milliseconds(lambda: _run(program)) for _ in range(3 * effort.rounds))
    told["imports"] = imports.measure()
    return told


def _run(program: Sequence[str]) -> None:
    subprocess.run(program, check=True)


def _await_answer(server: Server) -> None:
    connection = http.client.HTTPConnection(HOST, server.port)
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    connection.close()


def records(databases: Databases, effort: Effort) -> Figures:
    """Time the command that imports a file of records into a SQLite file with empty tables, both made beforehand."""
    size = evolve(databases.size, clients=databases.size.clients // 20, copies=1, each=100, small=100, large=100)
    with TemporaryDirectory(dir=databases.sqlite.parent) as folder:
        given, file = Path(folder) / "records.jsonl", Path(folder) / "import.sqlite3"
        count = write_records(size, given)
        runs = []
        for _ in range(effort.rounds):
            make_empty(file)
            runs.append(timed(f"sqlite:///{file}", "import", str(given)))
    seconds = median(each.seconds for each in runs)
    peak = max(each.peak_mebibytes for each in runs)
    return {"records": count, "seconds": seconds, "rate": count / seconds, "peak_mebibytes": peak}


PARTS: Mapping[str, Callable[[Databases, Effort], Figures]] = {
    "dashboard": dashboard,
    "page": page,
    "record": record,
    "growth": growth,
    "accept": accept,
    "html": html,
    "pages": pages,
    "workers": workers,
    "latency": latency,
    "memory": memory,
    "start": start,
    "import": records,
}
