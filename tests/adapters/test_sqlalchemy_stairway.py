"""Up and down the migrations, step by step and with data in place, on both databases."""

import io
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from attrs import evolve
from sqlalchemy import Engine, inspect, select

from portal_adapters.contract.builders import COMPANY, NOW, a_decision, a_quote
from portal_adapters.contract.feeding import feed, keep_decision, prepare
from portal_adapters.contract.mint import CountingMint
from portal_adapters.records.importing import import_records
from portal_adapters.records.writing import export_records
from portal_adapters.sqlalchemy import SqlTransactions, migrate, open_sqlite
from portal_adapters.sqlalchemy.migrating import migrations_config
from portal_adapters.sqlalchemy.schema import metadata, quotes
from portal_core.domain.access import Grant
from portal_core.domain.events import Event
from portal_core.domain.filters import GrantFilter
from portal_core.domain.paging import Listing, Page
from portal_core.domain.quotes import QuoteState
from tests.adapters.plenty import fill
from tests.adapters.stores import postgres_engine
from tests.postgres import fresh_database

SMALL = (Path(__file__).parent.parent / "data" / "small.jsonl").read_bytes()
STEPS = [each.revision for each in ScriptDirectory.from_config(migrations_config()).walk_revisions()]
"""The revisions, newest first."""

Opened: TypeAlias = Callable[[], AbstractContextManager[Engine]]


@contextmanager
def sqlite() -> Generator[Engine]:
    with TemporaryDirectory() as folder:
        engine = open_sqlite(Path(folder) / "portal.sqlite3")
        yield engine
        engine.dispose()


@contextmanager
def postgres() -> Generator[Engine]:
    with fresh_database() as url, postgres_engine(url) as engine:
        yield engine


def links_and_events(engine: Engine) -> tuple[Page[Grant], Page[Event] | None]:
    with SqlTransactions(engine, CountingMint()).read() as store:
        grants = store.grants.page(COMPANY, Listing(sort="created_at"), GrantFilter(), at=NOW)
        return grants, store.events.page(COMPANY, after=None, limit=100)


on_both = pytest.mark.parametrize("opened", [sqlite, postgres])


def step(engine: Engine, revision: str) -> None:
    """Go up or down to a revision, each in a transaction of its own as `portal migrate` does it."""
    config = migrations_config()
    below = revision == "base" or STEPS.index(revision) > 0
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if below else command.upgrade)(config, revision)


def everything(engine: Engine) -> bytes:
    with SqlTransactions(engine, CountingMint()).read() as store:
        return b"".join(export_records(store, decisions=True))


@on_both
def test_data_survives_every_step_down_and_up_again(opened: Opened) -> None:
    with opened() as engine:
        migrate(engine)
        transactions, quote = SqlTransactions(engine, CountingMint()), a_quote("Q9")
        import_records(transactions, [("small.jsonl", io.BytesIO(SMALL))])
        fill(transactions, 3)
        with transactions.begin() as store:
            feed(store, quote)
            keep_decision(store, quote, a_decision(quote))
        before = everything(engine), links_and_events(engine)

        for revision in STEPS[1:]:
            step(engine, revision)
            migrate(engine)

            assert (everything(engine), links_and_events(engine)) == before


@on_both
def test_the_last_step_down_leaves_nothing_and_the_way_up_is_free_again(opened: Opened) -> None:
    with opened() as engine:
        migrate(engine)
        step(engine, "base")
        left = inspect(engine).get_table_names()
        migrate(engine)

        assert set(left) & set(metadata.tables) == set()
        assert everything(engine) == b""


@on_both
def test_a_draft_whose_revision_was_decided_before_is_bound_by_it(opened: Opened) -> None:
    with opened() as engine:
        migrate(engine)
        transactions, decided = SqlTransactions(engine, CountingMint()), a_quote("Q1")
        prepare(transactions, decided, a_quote("Q2", recorded_state=QuoteState.DRAFT))
        with transactions.begin() as store:
            keep_decision(store, decided, a_decision(decided))
            feed(store, evolve(decided, recorded_state=QuoteState.DRAFT))
        step(engine, "0001")
        migrate(engine)

        with engine.begin() as connection:
            marked = {row.id: row.withdrawn for row in connection.execute(select(quotes.c.id, quotes.c.withdrawn))}

        assert marked == {"Q1": True, "Q2": False}
