"""Eight processes on one Redis: no window of a second holds more than the quota."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from tests.security.hitting import WINDOW
from tests.security.redis_server import needs_redis_server, redis_server

PROCESSES = 8
QUOTA = 10
TOLERANCE = 0.002
"""Seconds by which the clock of Redis and the monotonic one may differ over a window."""

pytestmark = needs_redis_server


Admitted = dict[str, list[tuple[float, float]]]


def attack(url: str, name: str, kind: str, *, keys: int, seconds: float) -> tuple[Admitted, Counter[str]]:
    """Return for each key when each admitted request was sent and answered, and how many were sent in all."""
    asked = [url, name, str(keys), str(seconds), str(QUOTA), kind]
    crowd = [
        subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "tests.security.hitting", *asked],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(PROCESSES)
    ]
    admitted: Admitted = defaultdict(list)
    sent_in_all: Counter[str] = Counter()
    for process in crowd:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in crowd:
        out, _ = process.communicate(timeout=seconds + 60)
        assert process.returncode == 0
        allowed, asked_for = json.loads(out)
        sent_in_all.update(asked_for)
        for key, sent, answered in allowed:
            admitted[key].append((sent, answered))
    return admitted, sent_in_all


def fullest_window(admitted: list[tuple[float, float]]) -> int:
    """Return the most requests that were certainly admitted within one window."""
    return max(
        sum(sent > end - WINDOW + TOLERANCE and answered <= end for sent, answered in admitted) for _, end in admitted
    )


def check(folder: Path, *, rounds: int, keys: int, seconds: float) -> int:
    runs = 0
    with redis_server(folder) as server:
        for each in range(rounds):
            admitted, sent = attack(server.url, f"round-{each}", "own", keys=keys, seconds=seconds)
            assert len(admitted) == keys
            for key, when in admitted.items():
                assert fullest_window(when) <= QUOTA, key
                assert len(when) >= min(QUOTA, sent[key]), "it should be the quota, not less"
            runs += len(admitted)
    return runs


def test_eight_processes_are_never_admitted_more_than_the_quota(tmp_path: Path) -> None:
    assert check(tmp_path, rounds=1, keys=10, seconds=2.2) == 10


def test_a_limiter_that_looks_first_and_counts_then_would_be_noticed(tmp_path: Path) -> None:
    with redis_server(tmp_path) as server:
        # A crowd may happen to come one after the other where the machine has other things to do.
        rounds = (attack(server.url, f"naive-{each}", "naive", keys=10, seconds=1.2)[0] for each in range(10))

        noticed = any(max(map(fullest_window, admitted.values())) > QUOTA for admitted in rounds)

    assert noticed


@pytest.mark.long
@pytest.mark.timeout(600)
def test_eight_processes_a_thousand_times(tmp_path: Path) -> None:
    assert check(tmp_path, rounds=20, keys=50, seconds=2.2) == 1_000
