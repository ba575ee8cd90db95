"""An import that is killed at any moment leaves whole clients, and running it again ends as if nothing had happened."""

import json
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import NamedTemporaryFile, TemporaryDirectory

import pytest

from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory import MemoryTransactions
from portal_adapters.randomness import RandomMint
from portal_adapters.records.importing import import_records
from portal_adapters.records.writing import export_records
from portal_adapters.sqlalchemy import SqlTransactions, migrate, open_sqlite
from portal_core.ports import Transactions
from tests.prove.racecourses import postgres_store
from tests.prove.scale import size, tell

KILLS = size(short=1, full=100)

FILE = Path(__file__).parent.parent / "data" / "trading-history.jsonl"
COMPANIES = 2
ENOUGH = 5
"""So many kills hit the middle of an import at least once."""

IMPORT = """
import sys
from pathlib import Path

from portal_adapters.randomness import RandomMint
from portal_adapters.records import importing
from portal_adapters.sqlalchemy import SqlTransactions, open_sqlite

importing.TRANSACTION = 20
_, url, name = sys.argv
if url.startswith("postgresql"):
    from portal_adapters.sqlalchemy.postgres import open_postgres

    engine = open_postgres(url)
else:
    engine = open_sqlite(url)
with Path(name).open("rb") as file:
    importing.import_records(
        SqlTransactions(engine, RandomMint()), [("history", file)], progress=lambda what, _: print(what, flush=True)
    )
"""


@contextmanager
def on_sqlite() -> Generator[tuple[Transactions, str]]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "portal.sqlite3"
        engine = open_sqlite(file)
        migrate(engine)
        try:
            yield SqlTransactions(engine, RandomMint()), str(file)
        finally:
            engine.dispose()


STORES = (
    pytest.param("SQLite", on_sqlite, id="sqlite"),
    pytest.param("PostgreSQL", postgres_store, id="postgres", marks=pytest.mark.postgres),
)


@pytest.mark.parametrize("name, opened", STORES)
def test_a_killed_import_is_finished_by_running_it_again(
    name: str, opened: Callable[[], AbstractContextManager[tuple[Transactions, str]]]
) -> None:
    started, chance = time.perf_counter(), Random()  # noqa: S311 - moments, not secrets
    complete = MemoryTransactions(CountingMint())
    history = b"".join(_history_of(f"c{number}") for number in range(COMPANIES))
    _take_in(complete, history)
    whole = _by_client(_exported(complete))
    in_the_middle = 0

    for _ in range(KILLS):
        with opened() as (transactions, url):
            _kill_after(chance.randrange(len(whole)), chance.uniform(0, 0.05), url, history)
            partly = _by_client(_exported(transactions))
            in_the_middle += 0 < len(partly) < len(whole)
            assert {client: lines for client, lines in whole.items() if client in partly} == partly

            _take_in(transactions, history)

            assert _exported(transactions) == _exported(complete)

    assert in_the_middle or KILLS < ENOUGH
    seconds = round(time.perf_counter() - started, 1)
    tell("imports", name, kills=KILLS, in_the_middle=in_the_middle, differing=0, seconds=seconds)


def _kill_after(steps: int, seconds: float, url: str, history: bytes) -> None:
    """Import in a process of its own, and kill it some steps and some moments after it began to write."""
    with NamedTemporaryFile() as file:
        file.write(history)
        file.flush()
        command = [sys.executable, "-c", IMPORT, url, file.name]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own program
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    steps -= line.startswith("keeping")
                    if steps < 0:
                        break
                time.sleep(seconds)
            finally:
                process.send_signal(signal.SIGKILL)


def _take_in(transactions: Transactions, history: bytes) -> None:
    import_records(transactions, [("history", BytesIO(history))])


def _history_of(company_id: str) -> bytes:
    """Return the history as another company's."""
    lines = []
    for line in FILE.read_bytes().splitlines():
        record = json.loads(line)
        record["id" if record["type"] == "company" else "company_id"] = company_id
        lines.append(json.dumps(record).encode() + b"\n")
    return b"".join(lines)


def _exported(transactions: Transactions) -> list[bytes]:
    with transactions.begin() as store:
        return list(export_records(store))


def _by_client(lines: Iterable[bytes]) -> dict[tuple[str, str], list[bytes]]:
    """Return the records of each client, without the companies'."""
    clients: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for line in lines:
        record = json.loads(line)
        if record["type"] != "company":
            client_id = record["id"] if record["type"] == "client" else record["client_id"]
            clients[record["company_id"], client_id].append(line)
    return dict(clients)
