"""A PostgreSQL of one's own, to be stopped as a power cut stops it: no other test is in its way."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

from attrs import frozen

from tests.prove.serving import HOST, free_port

ROLE = "portal"
SECONDS = 60

_OPTIONS = (
    f"-c listen_addresses={HOST}",
    "-c max_connections=40",
    "-c shared_buffers=16MB",
)


def what_is_missing() -> str | None:
    """Return why there can be no PostgreSQL of one's own, or nothing if there can."""
    return None if _programs() else "no initdb and pg_ctl of PostgreSQL on the path nor under /usr/lib/postgresql"


@final
@frozen
class OwnPostgres:
    """A server that is started and stopped at will, on this machine's own address alone."""

    folder: Path
    port: int

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}@{HOST}:{self.port}/postgres"

    def start(self) -> None:
        """Start, after a crash by recovering, and return when connections are welcome."""
        options = " ".join((f"-p {self.port}", f"-c unix_socket_directories={self.folder}", *_OPTIONS))
        self._control("--wait", "--log", str(self.folder / "log"), "--options", options, "start")

    def stop_at_once(self) -> None:
        """Stop without a checkpoint and without a word to clients; what comes next is recovery."""
        self._control("--mode", "immediate", "--wait", "stop")

    def _control(self, *arguments: str) -> None:
        _run(self.folder, "pg_ctl", "--pgdata", str(self.folder / "data"), "--timeout", str(SECONDS), *arguments)


@contextmanager
def own_postgres() -> Generator[OwnPostgres]:
    """Set up a fresh server in a temporary folder, start it, and remove all of it in the end."""
    with TemporaryDirectory(prefix="portal-postgres-") as name:
        folder = Path(name)
        if (user := _unprivileged()) is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        server = OwnPostgres(folder, free_port())
        # Asking for a durable first state would be waiting for nothing: the temporary folder is made for this test.
        _run(folder, "initdb", "--pgdata", str(folder / "data"), "--auth", "trust", "--username", ROLE, "--no-sync")
        try:
            server.start()
            yield server
        finally:
            if (folder / "data" / "postmaster.pid").exists():
                server.stop_at_once()


def _run(folder: Path, program: str, *arguments: str) -> None:
    as_user: dict[str, Any] = {}
    if (user := _unprivileged()) is not None:
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    with (folder.parent / f"{folder.name}.out").open("w+b") as output:
        try:
            done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs
                [str(Path(_programs() or "") / program), *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=2 * SECONDS,
                check=False,
                **as_user,
            )
            output.seek(0)
            assert done.returncode == 0, output.read().decode()
        finally:
            Path(output.name).unlink()


def _programs() -> Path | None:
    """Return the folder of PostgreSQL's newest programs."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda each: int(each.parts[-3]))
    found: Sequence[Path] = installed or [Path(each) for each in [shutil.which("pg_ctl")] if each]
    return found[-1].parent if found else None


def _unprivileged() -> "pwd.struct_passwd | None":
    """Return whom to run as: PostgreSQL refuses to be run by root. Nothing stands for whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    known = {each.pw_name: each for each in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]
