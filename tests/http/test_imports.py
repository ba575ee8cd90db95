"""What is loaded, and when: nobody waits for a library before it is of use."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from portal_adapters.sqlalchemy import migrate, open_sqlite
from portal_adapters.sqlalchemy.postgres import open_postgres
from portal_http.late import loading
from tests import postgres

# What pages, staff, receipts, papers, mail, webhooks, migrations and shared limits bring with them.
FOR_LATER = frozenset({"alembic", "babel", "cryptography", "jinja2", "jwt", "redis", "smtplib", "typst"})
NOT_YET = frozenset({"portal_adapters.receipt_keys", "portal_adapters.records.pushing", "portal_http.pages.dispatch"})
ADAPTERS = frozenset({"asyncpg", "psycopg", "sqlalchemy", "portal_adapters"})

# A module that nothing here needs.
SELDOM_LOADED = "colorsys"

LOADED = "\nimport json, sys; print(json.dumps(sorted(sys.modules)))"

BUILT = """
import sys
from portal_http.main import build
from portal_http.settings import Settings
build(Settings(database_url=sys.argv[1], admin_jwt_key="a" * 32))
"""

SERVED = """
import asyncio, sys
from portal_http.main import build
from portal_http.settings import Settings

async def serve(names):
    app = build(Settings(database_url=sys.argv[1], admin_jwt_key="a" * 32))
    async with app.router.lifespan_context(app):
        while not names <= set(sys.modules):
            await asyncio.sleep(0.01)

asyncio.run(serve(set(sys.argv[2:])))
"""


def loaded_by(program: str, *arguments: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded when a program is done."""
    done = subprocess.run(  # noqa: S603 - this interpreter, with a program of ours
        [sys.executable, "-c", program + LOADED, *arguments], check=True, capture_output=True, text=True, timeout=60
    )
    return set(json.loads(done.stdout))


@pytest.fixture
def on_sqlite(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'portal.sqlite3'}"
    engine = open_sqlite(url)
    migrate(engine)
    engine.dispose()
    return url


def test_the_composition_root_loads_nothing_that_it_may_come_to_wire() -> None:
    loaded = loaded_by("import portal_http.main")

    assert loaded.isdisjoint({*FOR_LATER, *ADAPTERS, "cattrs", "limits", "portal_http.app", "uvicorn"})


def test_the_application_loads_no_page_and_no_adapter() -> None:
    loaded = loaded_by("import portal_http.app")

    assert loaded.isdisjoint({*FOR_LATER, *ADAPTERS, "portal_http.pages.dispatch", "uvicorn"})


def test_serving_loads_no_database() -> None:
    loaded = loaded_by("import portal_http.serving")

    assert loaded.isdisjoint({*FOR_LATER, *ADAPTERS - {"portal_adapters"}, "portal_http.app"})


def test_a_start_on_sqlite_loads_nothing_of_postgresql_nor_what_the_first_answer_does_without(on_sqlite: str) -> None:
    loaded = loaded_by(BUILT, on_sqlite)

    assert loaded.isdisjoint(
        {*FOR_LATER, "asyncpg", "psycopg", "portal_adapters.records", "portal_http.pages.dispatch"}
    )


@pytest.mark.postgres
def test_a_start_on_postgresql_loads_one_driver_and_not_what_the_first_answer_does_without() -> None:
    with postgres.fresh_database() as url:
        engine = open_postgres(url)
        migrate(engine)
        engine.dispose()

        loaded = loaded_by(BUILT, url)

    assert loaded.isdisjoint({*FOR_LATER, *NOT_YET, "psycopg"})
    assert "asyncpg" in loaded


def test_what_is_needed_soon_is_loaded_before_anybody_asks_for_it(on_sqlite: str) -> None:
    needed = {"jwt", *NOT_YET}

    loaded = loaded_by(SERVED, on_sqlite, *needed)

    assert needed <= loaded


def test_what_cannot_be_loaded_is_told_and_keeps_nothing_else_from_being_loaded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def serve() -> None:
        async with asyncio.timeout(30), loading("no_such_module", SELDOM_LOADED):
            while SELDOM_LOADED not in sys.modules:  # noqa: ASYNC110 - an import tells nobody
                await asyncio.sleep(0.01)

    sys.modules.pop(SELDOM_LOADED, None)
    asyncio.run(serve())

    assert "no_such_module cannot be loaded" in caplog.text


def test_who_ends_at_once_does_not_wait_for_what_was_to_be_loaded() -> None:
    async def serve() -> None:
        async with loading(SELDOM_LOADED):
            pass

    sys.modules.pop(SELDOM_LOADED, None)
    asyncio.run(serve())

    assert SELDOM_LOADED not in sys.modules
