"""Fresh PostgreSQL databases, each for one test or module alone."""

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from typing import LiteralString
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.servers import POSTGRES_URL


@contextmanager
def fresh_database() -> Generator[str]:
    """Create an empty database and give its address; drop it afterwards, whoever is still connected."""
    name = f"portal_test_{uuid.uuid4().hex}"
    _run("CREATE DATABASE {} TEMPLATE template0", name)
    try:
        yield urlunsplit(urlsplit(POSTGRES_URL)._replace(path=f"/{name}"))
    finally:
        _run("DROP DATABASE {} WITH (FORCE)", name)


def _run(statement: LiteralString, name: str) -> None:
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
