"""A portal whose PostgreSQL stops at once stays up, says so meanwhile, recovers by itself, and has lost nothing."""

import time
from collections.abc import Generator
from pathlib import Path
from random import Random

import pytest

from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, migrate
from portal_adapters.sqlalchemy.postgres import open_postgres
from tests.conftest import IN_CI
from tests.prove.own_postgres import OwnPostgres, own_postgres, what_is_missing
from tests.prove.scale import size, tell
from tests.prove.serving import served
from tests.prove.test_kills import require_kept
from tests.prove.writers import Writing, furnished, send_quotes

STOPS = size(short=1, full=20)

ALLOWED = {200, 201, 409, 503}
"""What a client may be told while the database comes and goes: never that something went wrong here."""


@pytest.fixture
def postgres() -> Generator[OwnPostgres]:
    if (reason := what_is_missing()) is not None:
        if IN_CI:
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with own_postgres() as server:
        yield server


def test_a_portal_survives_its_database(postgres: OwnPostgres, tmp_path: Path) -> None:
    started, chance = time.perf_counter(), Random()  # noqa: S311 - moments, not secrets
    engine = open_postgres(postgres.url)
    migrate(engine)
    transactions = SqlTransactions(engine, RandomMint())
    memory = furnished(transactions)
    cut_off, longest = 0, 0.0

    with served(tmp_path, postgres.url) as server:
        for number in range(STOPS):
            send_quotes(transactions, number)
            with Writing(server.port, memory, number) as writing:
                writing.wait_for(1)
                time.sleep(chance.uniform(0.05, 0.5))
                postgres.stop_at_once()
                assert server.status("/readyz") == 503
                time.sleep(chance.uniform(0, 0.2))
                postgres.start()
                back = time.perf_counter()
                writing.wait_for(5)
                longest = max(longest, time.perf_counter() - back)
            cut_off += len(memory.unacknowledged())
            engine.dispose()
            assert server.status("/readyz") == 200
            require_kept(server, transactions, memory)
            assert server.process.poll() is None
    engine.dispose()

    assert set(memory.statuses) <= ALLOWED
    assert memory.statuses[503]
    tell(
        "stops",
        "PostgreSQL",
        stops=STOPS,
        writes=len(memory.told),
        cut_off=cut_off,
        asked_twice=memory.asked_twice,
        busy=memory.statuses[503],
        failed=memory.statuses[500],
        lost=0,
        twice=0,
        longest_return=round(longest, 2),
        seconds=round(time.perf_counter() - started, 1),
    )
