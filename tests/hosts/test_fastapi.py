"""The portal in a host of FastAPI, which books its fitter in the transaction in which a quote is accepted."""

from collections.abc import Generator

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from examples.fastapi_host import PREFIX, Base, Fitting, User, host
from portal_adapters.contract.builders import NOW, SCOPE, a_quote
from portal_adapters.contract.feeding import prepare
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, migrate
from portal_adapters.sqlalchemy.postgres import open_postgres, open_postgres_async
from tests.hosts.story import KEY, PUBLIC_URL, book, book_nothing, tell
from tests.postgres import fresh_database

SESSIONS = {"hers": User("user-7", "Ada Lovelace", SCOPE)}

pytestmark = pytest.mark.postgres


@pytest.fixture
def database() -> Generator[str]:
    with fresh_database() as url:
        yield url


@pytest.fixture
def engine(database: str) -> Generator[Engine]:
    engine = open_postgres(database)
    migrate(engine)
    Base.metadata.create_all(engine)
    prepare(SqlTransactions(engine, RandomMint()), a_quote("Q1"), a_quote("Q2"))
    yield engine
    engine.dispose()


@pytest.fixture
def shop(database: str, engine: Engine) -> Generator[TestClient]:
    del engine  # It has made the tables.
    app = host(open_postgres_async(database, pool_size=2), SESSIONS, public_url=PUBLIC_URL, key=KEY, clock=lambda: NOW)
    with TestClient(app, cookies={"session": "hers"}) as http:
        yield http


def test_the_portal_tells_its_story_under_a_prefix(shop: TestClient) -> None:
    tell(shop, PREFIX)


def test_an_acceptance_and_a_row_of_the_hosts_are_committed_together_or_not_at_all(
    shop: TestClient, engine: Engine
) -> None:
    book(shop, engine, Base.metadata.tables[Fitting.__tablename__])


def test_what_the_portal_refuses_books_nothing(shop: TestClient, engine: Engine) -> None:
    book_nothing(shop, engine, Base.metadata.tables[Fitting.__tablename__])
