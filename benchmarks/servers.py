"""The servers that are compared, each as its own documentation would have it served, with one worker."""

import socket
import subprocess
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

from attrs import field, frozen

from benchmarks.databases import Databases
from benchmarks.machine import ADMIN_KEY, BIN, FOLDER, HERE, PEERS_BIN, environment, family

HOST = "127.0.0.1"
API = "/api/v1/customer-portal"
PATIENCE_SECONDS = 60.0

_UVICORN = ("--host", HOST, "--no-access-log", "--no-server-header", "--loop", "uvloop", "--http", "httptools")

Command = Callable[[Databases, int], Sequence[str]]


@frozen(kw_only=True)
class Subject:
    """A server: what starts it on a port, what its paths begin with, which database serves it."""

    name: str
    command: Command
    prefix: str = API
    on_postgres: bool = True
    settings: dict[str, str] = field(factory=dict)
    folder: Path = FOLDER


@frozen
class Server:
    """One that runs."""

    subject: Subject
    process: "subprocess.Popen[bytes]"
    port: int
    postgres_url: str | None

    @property
    def pids(self) -> Sequence[int]:
        """The processes that it consists of."""
        return list(family(self.process.pid))

    def url(self, path: str) -> str:
        """Return the address of a path."""
        return f"http://{HOST}:{self.port}{self.subject.prefix}{path}"

    def get(self, path: str) -> bytes:
        """Return the answer to a path."""
        with urlopen(self.url(path), timeout=60) as answer:
            body: bytes = answer.read()
        return body


def _portal(_: Databases, port: int) -> Sequence[str]:
    return [str(BIN / "portal"), "serve", "--host", HOST, "--port", str(port)]


def _uvicorn(application: str) -> Command:
    return lambda _, port: [str(PEERS_BIN / "uvicorn"), application, *_UVICORN, "--port", str(port)]


def _gunicorn(_: Databases, port: int) -> Sequence[str]:
    # One process with threads: persistent connections to clients and database, no more than one processor.
    how = ("--workers", "1", "--worker-class", "gthread", "--threads", "8", "--keep-alive", "60", "--no-control-socket")
    return [str(PEERS_BIN / "gunicorn"), *how, "--bind", f"{HOST}:{port}", "django_peers.wsgi:application"]


PEERS = HERE / "peers"

OURS_POSTGRES = Subject(name="portal, PostgreSQL", command=_portal)
OURS_SQLITE = Subject(name="portal, SQLite", command=_portal, on_postgres=False)
HELLO = Subject(name="Starlette hello", command=_uvicorn("hello:app"), prefix="", on_postgres=False, folder=PEERS)
ASYNCPG = Subject(name="FastAPI + asyncpg", command=_uvicorn("fastapi_asyncpg:app"), prefix="", folder=PEERS)
ORM = Subject(name="FastAPI + SQLAlchemy ORM", command=_uvicorn("fastapi_orm:app"), prefix="", folder=PEERS)
NINJA = Subject(name="django-ninja", command=_gunicorn, prefix="/ninja", folder=PEERS)
REST = Subject(name="Django REST framework", command=_gunicorn, prefix="/drf", folder=PEERS)

OURS = (OURS_POSTGRES, OURS_SQLITE)
OTHERS = (ASYNCPG, ORM, NINJA, REST)


@contextmanager
def served(subject: Subject, databases: Databases, *, workers: int = 1, **settings: str) -> Generator[Server]:
    """Run a server until it is no longer needed; its log is in the benchmark's folder."""
    port = _free_port()
    url = databases.postgres_url if subject.on_postgres else databases.sqlite_url
    ours = {
        "PORTAL_DATABASE_URL": url,
        "PORTAL_ADMIN_JWT_KEY": ADMIN_KEY,
        "PORTAL_READS_PER_MINUTE": "0",
        "PORTAL_WRITES_PER_MINUTE": "0",
        "BENCH_DSN": databases.postgres_url,
        "PYTHONDONTWRITEBYTECODE": "1",
        **subject.settings,
        **settings,
    }
    command = [*subject.command(databases, port), *(["--workers", str(workers)] if workers > 1 else [])]
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "servers.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=subject.folder, env=environment(**ours), stdout=log, stderr=log)
        try:
            _wait_for(process, port)
            yield Server(subject, process, port, databases.postgres_url if subject.on_postgres else None)
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            process.kill()
            process.wait(PATIENCE_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"a server ended; see {FOLDER / 'servers.log'}")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise RuntimeError("a server does not listen")
