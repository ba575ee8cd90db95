"""Load by wrk, and what it costs on both sides: processor time of the server and of the database beside every rate."""

import re
import subprocess
import time
from collections.abc import Mapping, Sequence
from statistics import median

from attrs import frozen

from benchmarks.machine import FOLDER, backends, keep_to, processor_seconds
from benchmarks.servers import HOST, Server

# Each connection asks for the next path of the file; wrk's own threads would each begin at its first.
_SCRIPT = """
local paths = {}
for line in io.lines("PATHS") do paths[#paths + 1] = line end
local place = 0
request = function()
    place = place % #paths + 1
    return wrk.format("GET", paths[place])
end
done = function(summary, latency, requests)
    local errors = summary.errors
    print(string.format("MEASURED %d %f %f %f %d", summary.requests, summary.duration / 1e6,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""

_MEASURED = re.compile(r"MEASURED (\d+) ([\d.]+) ([\d.]+) ([\d.]+) (\d+)")


@frozen(kw_only=True)
class Measured:
    """One run. Times of the processor are microseconds a request, latencies milliseconds."""

    rate: float
    server_us: float
    database_us: float
    p50: float
    p99: float
    errors: int


def load(server: Server, paths: Sequence[str], *, seconds: float, connections: int = 16) -> Measured:
    """Ask a server for paths, over and over, and return what came of it."""
    listed, script = FOLDER / "paths.txt", FOLDER / "load.lua"
    listed.write_text("\n".join(server.subject.prefix + path for path in paths))
    script.write_text(_SCRIPT.replace("PATHS", str(listed)))
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{max(1, round(seconds))}s"]
    address = f"http://{HOST}:{server.port}"
    before = _spent(server)
    told = subprocess.run(
        [*command, "--script", str(script), address], check=True, capture_output=True, text=True, start_new_session=True
    ).stdout
    after = _spent(server)
    found = _MEASURED.search(told)
    if found is None:
        raise RuntimeError(told)
    requests, duration, p50, p99, errors = (float(each) for each in found.groups())
    requests = max(requests, 1.0)
    return Measured(
        rate=requests / duration,
        server_us=(after[0] - before[0]) / requests * 1e6,
        database_us=(after[1] - before[1]) / requests * 1e6,
        p50=p50,
        p99=p99,
        errors=int(errors),
    )


def warm(server: Server, paths: Sequence[str], *, apart: bool = True) -> None:
    """Let a server open its connections and compile its statements; keep it and its database on a processor each."""
    load(server, paths, seconds=1)
    if apart:
        keep_to(server.pids, 0)
        keep_to(backends_of(server), 1)


def interleaved(
    servers: Sequence[Server], paths: Mapping[str, Sequence[str]], *, rounds: int, seconds: float, connections: int = 16
) -> dict[str, Measured]:
    """Return the median run of each server, by name; they take turns, so that all have the same weather."""
    runs: dict[str, list[Measured]] = {server.subject.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            name = server.subject.name
            runs[name].append(load(server, paths[name], seconds=seconds, connections=connections))
            time.sleep(0.1)
    return {name: middle(each) for name, each in runs.items()}


def middle(runs: Sequence[Measured]) -> Measured:
    """Return the median of each figure, and all errors."""
    return Measured(
        rate=median(run.rate for run in runs),
        server_us=median(run.server_us for run in runs),
        database_us=median(run.database_us for run in runs),
        p50=median(run.p50 for run in runs),
        p99=median(run.p99 for run in runs),
        errors=sum(run.errors for run in runs),
    )


def backends_of(server: Server) -> Sequence[int]:
    """Return the processes by which PostgreSQL serves a server; those of other servers are idle meanwhile."""
    return [] if server.postgres_url is None else backends(server.postgres_url)


def _spent(server: Server) -> tuple[float, float]:
    return processor_seconds(server.pids), processor_seconds(backends_of(server))
