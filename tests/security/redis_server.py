"""A Redis of a test's own, to be killed, stopped and started again."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from attrs import define, field

PROGRAM = shutil.which("redis-server")

needs_redis_server = pytest.mark.skipif(
    PROGRAM is None and os.environ.get("CI") != "true", reason="no redis-server on the path"
)


@define
class RedisServer:
    folder: Path
    port: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    def __attrs_post_init__(self) -> None:
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        assert PROGRAM is not None
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        self.process = subprocess.Popen([PROGRAM, *options], stdout=subprocess.DEVNULL)  # noqa: S603 - our own server
        deadline = time.monotonic() + 20
        with redis.Redis(port=self.port, socket_timeout=1) as client:
            while True:
                try:
                    client.ping()
                except redis.RedisError:
                    assert time.monotonic() < deadline, "redis-server did not start"
                    time.sleep(0.02)
                else:
                    return

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def hang(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.resume()
        self.process.terminate()
        self.process.wait(10)


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.resume()
            server.kill()
