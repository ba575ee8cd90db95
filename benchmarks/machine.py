"""Where things are on this machine, and what can be read of its processes."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import psycopg
from attrs import frozen

HERE = Path(__file__).parent
FOLDER = HERE.parent / ".bench"
BIN = Path(sys.executable).parent
PEERS_BIN = FOLDER / "peers" / "bin"
POSTGRES_URL = os.environ.get("PORTAL_TEST_POSTGRES_URL", "postgresql://127.0.0.1:5432/postgres")
ADMIN_KEY = "a key for benchmarks that has thirty-two bytes or more"

_TICKS = os.sysconf("SC_CLK_TCK")


def portal(url: str, *arguments: str, **settings: str) -> str:
    """Run a command of the portal on a database, and return what it prints."""
    done = subprocess.run(
        [str(BIN / "portal"), *arguments],
        env=environment(PORTAL_DATABASE_URL=url, **settings),
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"portal {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


@frozen
class Run:
    """How long a command took, its start counted, and the memory of the largest of its processes."""

    seconds: float
    peak_mebibytes: float


def timed(url: str, *arguments: str) -> Run:
    """Run a command of the portal on a database, and measure it."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [str(BIN / "portal"), *arguments],
        env=environment(PORTAL_DATABASE_URL=url),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"portal {' '.join(arguments)} ended with {process.returncode}")
    return Run(seconds, used.ru_maxrss / 1024)


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with other settings of the portal's."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")} | settings


def family(pid: int) -> Iterator[int]:
    """Yield a process and those that it has started, and they."""
    yield pid
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from family(int(child))


def processor_seconds(pids: Iterable[int]) -> float:
    """Return how many seconds processes have had on a processor; those that have ended do not count."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def resident_mebibytes(pid: int, field: str = "VmRSS") -> float:
    """Return the memory of a process: resident now, or (`VmHWM`) at most so far."""
    found = re.search(rf"^{field}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def backends(url: str) -> Sequence[int]:
    """Return the processes that serve a database's connections, but the one that asks."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    return [int(pid) for (pid,) in rows]


def keep_to(pids: Iterable[int], processor: int) -> None:
    """Keep processes on one processor, where that is allowed."""
    for pid in pids:
        with suppress(OSError):
            os.sched_setaffinity(pid, {processor})
