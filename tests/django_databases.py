"""Databases of Django's, each for one test alone, with the settings of the example, for a process has them once."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final
from urllib.parse import urlsplit

from attrs import frozen
from django.db import close_old_connections, connections

import examples.django_shop  # noqa: F401 - it sets Django up
from portal_adapters.sqlalchemy.django import DjangoTransactions
from portal_core.ports import Store, Transactions


@final
@frozen
class Requests(Transactions):
    """Transactions of threads that let go of their connection afterwards, as a request does."""

    transactions: DjangoTransactions

    @contextmanager
    def begin(self) -> Generator[Store]:
        try:
            with self.transactions.begin() as store:
                yield store
        finally:
            close_old_connections()


@contextmanager
def django_on_sqlite(file: Path) -> Generator[None]:
    """Let Django's database be a file."""
    with _django_on(NAME=file):
        yield


@contextmanager
def django_on_postgres(url: str) -> Generator[None]:
    """Let Django's database be one of PostgreSQL's."""
    parts = urlsplit(url)
    with _django_on(
        ENGINE="django.db.backends.postgresql",
        NAME=parts.path.removeprefix("/"),
        USER=parts.username,
        PASSWORD=parts.password,
        HOST=parts.hostname,
        PORT=parts.port,
        OPTIONS={"options": "-c lock_timeout=5s"},
    ):
        yield


@contextmanager
def _django_on(**database: Any) -> Generator[None]:
    before = connections.settings["default"]
    _use(before | database)
    try:
        yield
    finally:
        _use(before)


def _use(database: dict[str, Any]) -> None:
    connections["default"].close()
    del connections["default"]
    connections.settings["default"] = database
