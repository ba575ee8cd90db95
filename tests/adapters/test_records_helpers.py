"""Helpers: how they start, and that none outlives the work or its parent."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from portal_adapters.records import helpers
from portal_adapters.records.helpers import Helpers

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere helpers are never forks")

told = "as it was loaded"

ORPHANS = """
import os, signal

from portal_adapters.records import helpers
from portal_adapters.records.helpers import Helpers

if __name__ == "__main__":
    helpers.WORTH_HELP = 1
    with Helpers(2) as some:
        for _ in some.done(abs, range(4), lambda number: number):
            pass
        print("started", flush=True)
        signal.pause()
"""


def tell(_: int) -> str:
    return told


@contextmanager
def another_thread() -> Iterator[None]:
    over = threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def what_helpers_tell(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Change a word of this module, and return which one each of two helpers has."""
    monkeypatch.setattr(helpers, "WORTH_HELP", 1)
    monkeypatch.setattr(sys.modules[__name__], "told", "as it is now")
    with Helpers(2) as some:
        return {word for number, word in some.done(tell, range(5), lambda number: number) if number}


@on_linux
def test_a_helper_is_a_fork_that_has_all_modules_and_ends_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)

    assert what_helpers_tell(monkeypatch) == {"as it is now"}


def test_beside_another_thread_whose_locks_a_fork_would_keep_a_helper_starts_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with another_thread():
        assert what_helpers_tell(monkeypatch) == {"as it was loaded"}


def test_helpers_end_when_their_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANS], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(signal.SIGKILL)

        # It ends when nobody is left who could write.
        assert process.stdout.read() == ""
