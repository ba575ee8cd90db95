"""Four couriers that are killed at random, and a receiver that fails: every event arrives, and is seen once."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest
from attrs import define, field

from portal_adapters import clock
from portal_adapters.contract.builders import COMPANY, NOW, an_event
from portal_adapters.contract.feeding import prepare
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, migrate, open_sqlite
from portal_core.domain.errors import Busy
from portal_core.domain.filters import DispatchFilter
from portal_core.domain.outbox import DispatchState
from portal_core.domain.paging import Listing
from portal_core.ports import Store, Transactions
from portal_core.use_cases.webhooks import NewWebhook, add_webhook
from tests.adapters.stores import postgres_database, postgres_engine
from tests.receiver import Receiver, receiving

COURIERS = 4
LEASE_SECONDS = 3
BATCH = 100
TURNS = 12
"""How often one tries to begin, for as long as the store is patient: a minute on SQLite."""

T = TypeVar("T")

PROGRAM = f"""
import asyncio
from datetime import timedelta
from portal_http.wiring.couriers import deliver
from portal_http.settings import load_settings
asyncio.run(deliver(load_settings(), once=False, lease=timedelta(seconds={LEASE_SECONDS})))
"""


@define
class Crew:
    """Couriers in processes of their own; who falls is replaced."""

    database: str
    folder: Path
    chance: random.Random = field(factory=lambda: random.Random(11))  # noqa: S311 - a test that can be repeated
    members: list[subprocess.Popen[bytes]] = field(factory=list[subprocess.Popen[bytes]])
    kills: int = 0

    def hire(self) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "PORTAL_DATABASE_URL": self.database,
            "PORTAL_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
            "PORTAL_DELIVERY_SCHEDULE": ",".join(["0.1"] * 30),
        }
        return subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment, cwd=self.folder)  # noqa: S603 - our own program

    def kill_one(self) -> None:
        member = self.chance.randrange(COURIERS)
        self.members[member].send_signal(signal.SIGKILL)
        self.members[member].wait()
        self.members[member] = self.hire()
        self.kills += 1


@contextmanager
def crew_of(database: str, folder: Path) -> Generator[Crew]:
    crew = Crew(database, folder)
    crew.members = [crew.hire() for _ in range(COURIERS)]
    try:
        yield crew
    finally:
        for member in crew.members:
            member.terminate()
        codes = [member.wait(timeout=30) for member in crew.members]
        # One that was hired a moment ago may end before it has learnt how to end well.
        assert set(codes) <= {0, -signal.SIGTERM}


def furnish(transactions: Transactions, receiver: Receiver) -> str:
    """Let the receiver listen, and return the webhook's id."""
    prepare(transactions)
    with transactions.begin() as store:
        webhook = add_webhook(store, COMPANY, NewWebhook(url=receiver.address), now=NOW)
    receiver.secret = webhook.secrets[0].text
    return webhook.id


def patiently(transactions: Transactions, work: Callable[[Store], T]) -> T:
    """Do it in a transaction, again and again while the couriers leave no turn to others."""
    for _ in range(TURNS):
        with suppress(Busy), transactions.begin() as store:
            return work(store)
    pytest.fail("nobody but the couriers had a turn")


def append(transactions: Transactions, start: int, most: int) -> None:
    def work(store: Store) -> None:
        for number in range(start, start + most):
            store.events.append(an_event(f"E{number}", occurred_at=clock.now()))

    patiently(transactions, work)


def wait_for_all(transactions: Transactions, webhook_id: str, *, until: float) -> None:
    listing = Listing(sort="created_at", limit=1)
    pending = DispatchFilter(target=webhook_id, states=frozenset({DispatchState.PENDING}))

    def has_work(store: Store) -> bool:
        page = store.dispatches.page(COMPANY, listing, pending)
        return bool(page.items) or store.outbox.has_work((), at=clock.now())

    while time.monotonic() < until:
        if not patiently(transactions, has_work):
            return
        time.sleep(0.5)
    pytest.fail("not everything was sent in time")


def kill_and_count(transactions: Transactions, database: str, folder: Path, *, events: int, seconds: int) -> None:
    with receiving(fails=0.3) as receiver:
        webhook_id = furnish(transactions, receiver)
        until = time.monotonic() + seconds
        with crew_of(database, folder) as crew:
            time.sleep(1)
            for start in range(0, events, BATCH):
                append(transactions, start, min(BATCH, events - start))
                time.sleep(crew.chance.uniform(0.2, 0.8))
                crew.kill_one()
            wait_for_all(transactions, webhook_id, until=until)

        listing = Listing(sort="created_at", limit=100)
        with transactions.begin() as store:
            delivered = store.dispatches.page(
                COMPANY, listing, DispatchFilter(target=webhook_id, states=frozenset({DispatchState.DELIVERED}))
            ).total
        seen = Counter(receiver.ids)
        assert set(seen) == {f"E{number}" for number in range(events)}
        assert delivered == events
        assert receiver.forged == 0
        assert crew.kills == -(-events // BATCH)


@contextmanager
def sqlite(folder: Path) -> Generator[tuple[Transactions, str]]:
    file = folder / "portal.sqlite3"
    engine = open_sqlite(file)
    migrate(engine)
    yield SqlTransactions(engine, RandomMint()), f"sqlite:///{file}"
    engine.dispose()


@contextmanager
def postgres(_: Path) -> Generator[tuple[Transactions, str]]:
    with postgres_database() as url, postgres_engine(url) as engine:
        yield SqlTransactions(engine, RandomMint()), url


STORES = [pytest.param(sqlite, id="sqlite"), pytest.param(postgres, id="postgres", marks=pytest.mark.postgres)]


@pytest.mark.parametrize("opened", STORES)
def test_every_event_of_hundreds_arrives_and_is_seen_once(opened: type, tmp_path: Path) -> None:
    with opened(tmp_path) as (transactions, database):
        kill_and_count(transactions, database, tmp_path, events=300, seconds=200)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("opened", STORES)
def test_every_event_of_ten_thousand_arrives_and_is_seen_once(opened: type, tmp_path: Path) -> None:
    with opened(tmp_path) as (transactions, database):
        kill_and_count(transactions, database, tmp_path, events=10_000, seconds=1_500)
