"""The portal in a host of Django, whose sync view accepts quotes too."""

from collections.abc import Generator
from pathlib import Path

import pytest
from django.db import connection
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from examples.django_host import PREFIX, Job, User, host
from portal_adapters.contract.builders import NOW, SCOPE, STRANGER, a_quote
from portal_adapters.contract.feeding import prepare
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqliteRunner, SqlTransactions, migrate, open_sqlite
from tests.hosts.story import KEY, PUBLIC_URL, state_of, tell

SESSIONS = {"hers": User("user-7", "Ada Lovelace", SCOPE), "a-stranger's": User("user-8", "Nobody", STRANGER)}


@pytest.fixture
def runner(tmp_path: Path) -> Generator[SqliteRunner]:
    runner = SqliteRunner(open_sqlite(tmp_path / "shop.sqlite3"), RandomMint())
    migrate(runner.engine)
    prepare(SqlTransactions(runner.engine, runner.mint), a_quote("Q1"), a_quote("Q2"))
    connection.settings_dict["NAME"] = tmp_path / "shop.sqlite3"
    with connection.schema_editor() as editor:
        editor.create_model(Job)
    connection.close()
    yield runner
    runner.close()


@pytest.fixture
def shop(runner: SqliteRunner) -> TestClient:
    """Return the host as its users meet it; the portal's lifespan is never run."""
    return TestClient(host(runner, SESSIONS, public_url=PUBLIC_URL, key=KEY, clock=lambda: NOW))


def jobs(engine: Engine) -> list[str]:
    """Return what the host has noted, from outside."""
    with engine.connect() as looking:
        return list(looking.scalars(text("SELECT quote_id FROM shop_job")))


def test_the_portal_tells_its_story_under_a_prefix(shop: TestClient) -> None:
    tell(shop, PREFIX)


def test_a_sync_view_accepts_by_the_same_rules_and_may_be_called_again(shop: TestClient, runner: SqliteRunner) -> None:
    first, again = (shop.post("/my/quotes/Q1/accept?revision=1", headers={"Cookie": "session=hers"}) for _ in range(2))

    assert (first.status_code, first.json(), again.json()) == (200, {"state": "accepted"}, {"state": "accepted"})
    assert state_of(runner.engine, "Q1") == "accepted"
    assert jobs(runner.engine) == ["Q1"]


def test_what_the_portal_refuses_is_no_job(shop: TestClient, runner: SqliteRunner) -> None:
    nobody = shop.post("/my/quotes/Q1/accept?revision=1")
    strangers = shop.post("/my/quotes/Q1/accept?revision=1", headers={"Cookie": "session=a-stranger's"})
    outdated = shop.post("/my/quotes/Q1/accept?revision=7", headers={"Cookie": "session=hers"})

    assert (nobody.status_code, strangers.status_code, outdated.status_code) == (401, 404, 409)
    assert jobs(runner.engine) == []
