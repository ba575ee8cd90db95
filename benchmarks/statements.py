"""The floor of the database: the statements of a request as they are, sent by pgbench without any of our code."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
from sqlalchemy import event

from benchmarks.databases import Databases
from benchmarks.machine import backends, keep_to
from portal_adapters.clock import now
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions
from portal_adapters.sqlalchemy.postgres import open_postgres
from portal_core.domain.access import Visit
from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.paging import INVOICE_SORTS, Listing
from portal_core.ports import Store
from portal_core.use_cases.access import open_link
from portal_core.use_cases.dashboard import read_dashboard
from portal_core.use_cases.invoices import list_invoices

Read = Callable[[Store, Visit, datetime], Any]

CLIENTS = 50
_RATE = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)


def dashboard(store: Store, visit: Visit, at: datetime) -> object:
    """Read what the dashboard shows."""
    return read_dashboard(store, visit, now=at)


def page(store: Store, visit: Visit, at: datetime) -> object:
    """Read the first page of invoices."""
    return list_invoices(store, visit, Listing(sort=INVOICE_SORTS[0]), InvoiceFilter(), now=at)


READS: dict[str, Read] = {"dashboard": dashboard, "page": page}


def statements_of(databases: Databases, token: str, read: Read) -> Sequence[str]:
    """Return the statements of a request, with their values written in."""
    engine = open_postgres(databases.postgres_url)
    sent: list[tuple[str, Any]] = []
    at = now()
    with SqlTransactions(engine, RandomMint()).read() as store:
        event.listen(engine, "before_cursor_execute", lambda _c, _k, text, values, _x, _m: sent.append((text, values)))
        read(store, open_link(store, token, now=at), at)
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
