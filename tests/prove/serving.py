"""A portal in a process of its own, as `portal serve` runs it."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import final

from attrs import frozen

HOST = "127.0.0.1"
PATIENCE_SECONDS = 60.0
"""How long a server may take to be ready, on a machine that is busy with other things."""

_COMMAND = [sys.executable, "-c", "from portal_http.cli import main; main()", "serve", "--host", HOST]
_KEY = "a key for tests that has thirty-two bytes or more"


@final
@frozen
class Server:
    """A running portal."""

    process: "subprocess.Popen[bytes]"
    port: int

    def kill(self) -> None:
        """End the process as a power cut would end it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def status(self, path: str) -> int:
        """Return the status with which the server answers a path."""
        try:
            with urllib.request.urlopen(f"http://{HOST}:{self.port}{path}", timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code


@contextmanager
def served(folder: Path, database_url: str) -> Generator[Server]:
    """Run a portal until it is killed or no longer needed; its log is `serve.log` in the folder."""
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    settings = {
        "PORTAL_DATABASE_URL": database_url,
        "PORTAL_ADMIN_JWT_KEY": _KEY,
        "PORTAL_READS_PER_MINUTE": "0",
        "PORTAL_WRITES_PER_MINUTE": "0",
    }
    with (folder / "serve.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [*_COMMAND, "--port", str(port)], cwd=folder, env={**clean, **settings}, stdout=log, stderr=log
        )
        try:
            _wait_for(process, port)
            yield Server(process, port)
        finally:
            process.kill()
            process.wait(PATIENCE_SECONDS)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended; see serve.log"
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the server does not listen")
