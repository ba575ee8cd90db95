"""The portal in a host of Flask, which books its fitter in the transaction in which a quote is accepted."""

from collections.abc import Generator
from pathlib import Path

import pytest
from httpx2 import Client, WSGITransport
from sqlalchemy import Engine

from examples.flask_host import PREFIX, Base, Fitting, User, host
from portal_adapters.contract.builders import NOW, SCOPE, a_quote
from portal_adapters.contract.feeding import prepare
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqliteRunner, SqlTransactions, migrate, open_sqlite
from tests.hosts.story import KEY, PUBLIC_URL, book, book_nothing, tell

SESSIONS = {"hers": User("user-7", "Ada Lovelace", SCOPE)}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_sqlite(tmp_path / "shop.sqlite3")
    migrate(engine)
    Base.metadata.create_all(engine)
    prepare(SqlTransactions(engine, RandomMint()), a_quote("Q1"), a_quote("Q2"))
    return engine


@pytest.fixture
def shop(engine: Engine) -> Generator[Client]:
    runner = SqliteRunner(engine, RandomMint())
    shop = host(runner, SESSIONS, public_url=PUBLIC_URL, key=KEY, clock=lambda: NOW)
    with Client(transport=WSGITransport(shop.app), base_url=PUBLIC_URL, cookies={"session": "hers"}) as http:
        yield http
    shop.close()


def test_the_portal_tells_its_story_under_a_prefix(shop: Client) -> None:
    tell(shop, PREFIX)


def test_an_acceptance_and_a_row_of_the_hosts_are_committed_together_or_not_at_all(
    shop: Client, engine: Engine
) -> None:
    book(shop, engine, Base.metadata.tables[Fitting.__tablename__])


def test_what_the_portal_refuses_books_nothing(shop: Client, engine: Engine) -> None:
    book_nothing(shop, engine, Base.metadata.tables[Fitting.__tablename__])
