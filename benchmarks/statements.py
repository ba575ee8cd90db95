"""The floor of the database: the statements of a request as they are, sent by pgbench without any of our code."""

import asyncio
import os
import re
import subprocess
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from sqlalchemy import Select, event

from benchmarks.databases import Databases
from benchmarks.machine import backends, keep_to
from portal_adapters.clock import now
from portal_adapters.sqlalchemy import SqlGlances
from portal_adapters.sqlalchemy.postgres import open_postgres
from portal_core.domain.paging import DEFAULT_LIMIT
from portal_core.domain.tokens import digest_of
from portal_core.ports import Glances

Read = Callable[[Glances, bytes, datetime], Coroutine[Any, Any, object]]

CLIENTS = 2
"""For how many clients statements are written: each connection plans each of them once, which is not the question."""

_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


def dashboard(glances: Glances, digest: bytes, at: datetime) -> Coroutine[Any, Any, object]:
    """Read what the dashboard shows."""
    return glances.dashboard(digest, at=at)


def page(glances: Glances, digest: bytes, at: datetime) -> Coroutine[Any, Any, object]:
    """Read the first page of invoices."""
    return glances.invoices(digest, at=at, limit=DEFAULT_LIMIT)


READS: dict[str, Read] = {"dashboard": dashboard, "page": page}


def statements_of(databases: Databases, token: str, read: Read) -> Sequence[str]:
    """Return the statements of a request, with their values written in."""
    engine = open_postgres(databases.postgres_url)
    sent: list[tuple[str, Any]] = []
    with engine.connect() as connection:
        event.listen(engine, "before_cursor_execute", lambda _c, _k, text, values, _x, _m: sent.append((text, values)))

        async def fetch(statement: Select[Any], parameters: Mapping[str, Any]) -> Sequence[Any]:
            return connection.execute(statement, parameters).all()

        asyncio.run(read(SqlGlances(fetch), digest_of(token), now()))
    engine.dispose()
    with psycopg.connect(databases.postgres_url) as connection:
        written = psycopg.ClientCursor(connection)
        return [written.mogrify(text, values) for text, values in sent]


def rate(databases: Databases, read: Read, *, seconds: float, connections: int = 16) -> float:
    """Return how many times a second PostgreSQL answers the statements of a request, prepared, for some clients."""
    with TemporaryDirectory() as folder:
        scripts: list[str] = []
        for place, token in enumerate(databases.usual_tokens()[:CLIENTS]):
            script = Path(folder) / f"{place}.sql"
            script.write_text("".join(f"{text};\n" for text in statements_of(databases, token, read)))
            scripts += ["--file", str(script)]
        how = ["--no-vacuum", "--protocol", "prepared", "--client", str(connections), "--jobs", "1"]
        command = ["pgbench", *how, "--time", str(max(1, round(seconds))), *scripts, databases.postgres_url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
            time.sleep(0.3)
            keep_to([running.pid], min(os.sched_getaffinity(0)))
            keep_to(backends(databases.postgres_url), 1)
            told = running.communicate()[0]
    found = _RATE.search(told)
    if found is None:
        raise RuntimeError(told)
    return float(found[1])
