"""The portal in a process of its own, as it is run in earnest."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, TypeAlias

from attrs import define, field

from portal_adapters.records.importing import import_records
from portal_http.endpoints import BASE
from portal_http.settings import Settings
from portal_http.wiring.databases import database as opened
from portal_http.wiring.keys import development_token

DATA = Path(__file__).parent.parent / "data"
KEY = "a key for tests that has thirty-two bytes or more"
COMPANY, CLIENT = "acme", "C-7"
UNLIMITED = dict.fromkeys(("PORTAL_READS_PER_MINUTE", "PORTAL_WRITES_PER_MINUTE", "PORTAL_GUESSES_PER_MINUTE"), "0")

Answered: TypeAlias = Any


@define
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Answered:
        return json.loads(self.body)

    @property
    def everything(self) -> bytes:
        """The answer as it is, with its header fields."""
        return repr(sorted(self.headers.items())).encode() + self.body


@define
class Served:
    folder: Path
    port: int
    environment: Mapping[str, str]
    database_url: str
    python: Path
    process: subprocess.Popen[str] = field(init=False)
    staff: str = field(init=False)
    http: HTTPConnection = field(init=False)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def database(self) -> Path:
        return self.folder / "portal.sqlite3"

    def __attrs_post_init__(self) -> None:
        self.http = self.connection()
        settings = Settings(database_url=self.database_url, admin_jwt_key=KEY)
        with opened(settings) as transactions, (DATA / "small.jsonl").open("rb") as records:
            import_records(transactions, [("small", records)])
        now = datetime.now(UTC)
        self.staff = development_token(settings, [COMPANY], scope="portal:admin", subject="tests", at=now)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [self.python, "-c", _PORTAL, "serve", "--port", str(self.port)],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                text=True,
            )

    def wait(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + 30
        while not self._lives():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def ask(self, method: str, path: str, body: Answered = None, **headers: str) -> Reply:
        """Ask for a path, below the API's base unless it starts with `//`."""
        return self.ask_by(self.http, method, path, body, **headers)

    def connection(self) -> HTTPConnection:
        """Return another connection than the one that requests come by one after the other."""
        return HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask_by(
        self, connection: HTTPConnection, method: str, path: str, body: Answered = None, **headers: str
    ) -> Reply:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        fields = headers if data is None else {"Content-Type": "application/json", **headers}
        connection.request(method, path[1:] if path.startswith("//") else BASE + path, data, fields)
        answer = connection.getresponse()
        return Reply(answer.status, answer.read(), dict(answer.headers))

    def as_staff(self, method: str, path: str, body: Answered = None, **headers: str) -> Reply:
        return self.ask(method, path, body, Authorization=f"Bearer {self.staff}", **headers)

    def tell_to_stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def _lives(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return self.ask("GET", "//healthz").status == 200
        except OSError:
            self.http.close()
            return False


@contextmanager
def served(
    folder: Path, *, database: str | None = None, python: Path = Path(sys.executable), **environment: str
) -> Iterator[Served]:
    """Serve until the block ends; then it must end in order. The database is a file in the folder, or at an address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    url = database or f"sqlite:///{folder / 'portal.sqlite3'}"
    own = {"PORTAL_ADMIN_JWT_KEY": KEY, "PORTAL_DATABASE_URL": url}
    portal = Served(folder, port, {**clean, **own, **UNLIMITED, **environment}, url, python)
    try:
        portal.wait()
        with closing(portal.http):
            yield portal
    finally:
        portal.tell_to_stop()
        try:
            status = portal.process.wait(20)
        except subprocess.TimeoutExpired:
            portal.process.kill()
            portal.process.wait()
            raise
    assert status == 0, portal.log.read_text()


_PORTAL = "from portal_http.cli import main; main()"
