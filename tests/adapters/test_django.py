"""The store on Django's own connection keeps every promise, and is one transaction with whatever Django does."""

import asyncio
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, close_old_connections, connection, connections, transaction
from django.db.transaction import TransactionManagementError
from sqlalchemy.exc import DBAPIError

from portal_adapters.contract import StoreContract
from portal_adapters.contract.builders import NOW, SCOPE, a_quote, a_visit, evidence
from portal_adapters.contract.feeding import prepare
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy.django import DjangoRunner, DjangoTransactions, django_engine, migrate_with_django
from portal_core.domain.errors import AlreadyDecided, Busy
from portal_core.ports import Store, Transactions
from portal_core.use_cases.quotes import accept_quote, decline_quote
from tests.adapters.stores import emptied_database, sqlite_store
from tests.django_databases import Requests, django_on_postgres, django_on_sqlite

PLAIN = DjangoTransactions(RandomMint())
QUOTE = a_quote("Q1")


def _on_sqlite(folder: Path) -> Generator[Transactions]:
    with sqlite_store(RandomMint(), folder) as store, django_on_sqlite(Path(store.engine.url.database or "")):
        yield Requests(PLAIN)


def _on_postgres() -> Generator[Transactions]:
    with emptied_database() as url, django_on_postgres(url):
        yield Requests(PLAIN)


class TestOnDjangosSqlite(StoreContract):
    @pytest.fixture
    def transactions(self, tmp_path: Path) -> Generator[Transactions]:
        yield from _on_sqlite(tmp_path)


@pytest.mark.postgres
class TestOnDjangosPostgresql(StoreContract):
    @pytest.fixture
    def transactions(self) -> Generator[Transactions]:
        yield from _on_postgres()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def transactions(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Transactions]:
    for each in _on_sqlite(tmp_path) if request.param == "sqlite" else _on_postgres():
        prepare(each, QUOTE)
        yield each


class NoStock(Exception):
    """What stops a host's own work."""


def accept() -> None:
    with PLAIN.begin() as store:
        accept_quote(store, a_visit(), QUOTE.id, evidence(), seen=1, now=NOW)


def is_decided() -> bool:
    with PLAIN.read() as store:
        quote = store.quotes.get(SCOPE, QUOTE.id)
    return quote is not None and quote.decision is not None


@pytest.mark.usefixtures("transactions")
def test_an_acceptance_within_a_block_of_djangos_is_committed_and_rolled_back_with_it() -> None:
    seen: list[bool] = []

    with suppress(NoStock), transaction.atomic():
        accept()
        seen.append(is_decided())
        raise NoStock
    seen.append(is_decided())
    with transaction.atomic():
        accept()
    seen.append(is_decided())

    assert seen == [True, False, True]


@pytest.mark.usefixtures("transactions")
def test_a_refusal_within_a_block_of_djangos_leaves_the_rest_of_it() -> None:
    with transaction.atomic():
        accept()
        with pytest.raises(AlreadyDecided), PLAIN.begin() as store:
            decline_quote(store, a_visit(), QUOTE.id, evidence(), seen=1, now=NOW)

    assert is_decided()


@pytest.mark.usefixtures("transactions")
def test_what_django_does_once_a_block_is_committed_is_done_after_the_acceptance() -> None:
    told: list[bool] = []

    with PLAIN.begin() as store:
        transaction.on_commit(lambda: told.append(is_decided()))
        accept_quote(store, a_visit(), QUOTE.id, evidence(), seen=1, now=NOW)
        told.append(connection.in_atomic_block)

    assert told == [True, True]


@pytest.mark.usefixtures("transactions")
def test_within_a_block_of_djangos_that_is_broken_nothing_is_asked_or_accepted() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        for refused in (accept, is_decided):
            with pytest.raises(TransactionManagementError):
                refused()

    assert not is_decided()


@pytest.mark.usefixtures("transactions")
def test_a_block_of_djangos_ends_with_an_error_once_a_statement_of_the_portals_failed_in_it() -> None:
    def go_on() -> None:
        with PLAIN.begin(), suppress(DBAPIError), django_engine().connect() as lent:
            lent.exec_driver_sql("SELECT * FROM nowhere")

    with pytest.raises(TransactionManagementError):
        go_on()
    with transaction.atomic():
        with suppress(DBAPIError), PLAIN.begin(), django_engine().connect() as lent:
            lent.exec_driver_sql("SELECT * FROM nowhere")
        accept()

    assert is_decided()


@pytest.mark.usefixtures("transactions")
def test_a_host_that_catches_what_failed_in_a_read_of_the_portals_is_told_that_its_own_rows_are_lost() -> None:
    def go_on() -> None:
        with transaction.atomic():
            with suppress(DBAPIError), PLAIN.read(), django_engine().connect() as lent:
                lent.exec_driver_sql("SELECT * FROM nowhere")
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")

    with pytest.raises(TransactionManagementError):
        go_on()


@pytest.mark.usefixtures("transactions")
def test_a_use_case_of_the_runner_is_a_transaction() -> None:
    def answer(store: Store) -> None:
        accept_quote(store, a_visit(), QUOTE.id, evidence(), seen=1, now=NOW)

    def fail(store: Store) -> None:
        answer(store)
        raise NoStock

    runner = DjangoRunner(PLAIN)
    with pytest.raises(NoStock):
        asyncio.run(runner.write(fail))
    undone = is_decided()
    asyncio.run(runner.write(answer))
    runner.close()

    assert (undone, is_decided()) == (False, True)


@pytest.mark.usefixtures("transactions")
def test_a_statement_that_the_database_refuses_is_no_busy_store() -> None:
    with pytest.raises(DatabaseError, match="nowhere"), PLAIN.begin(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM nowhere")


def test_who_waits_too_long_for_the_lock_of_sqlite_is_told_that_the_store_is_busy(tmp_path: Path) -> None:
    for _ in _on_sqlite(tmp_path):
        with _impatient(timeout=0.1) as database, closing(sqlite3.connect(database["NAME"])) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Busy):
                accept()


@pytest.mark.postgres
def test_who_waits_too_long_for_a_lock_of_postgresql_is_told_that_the_store_is_busy() -> None:
    with emptied_database() as url, django_on_postgres(url), _impatient(options="-c lock_timeout=100"):
        prepare(PLAIN, QUOTE)
        with psycopg.connect(url) as other:
            other.execute("LOCK TABLE portal_decisions")
            with pytest.raises(Busy):
                accept()
        connection.close()


def test_a_server_that_is_out_of_reach_is_busy() -> None:
    with django_on_postgres("postgresql://nobody:nothing@127.0.0.1:1/nowhere"):
        for refused in (accept, is_decided):
            with pytest.raises(Busy):
                refused()


@pytest.mark.postgres
def test_a_connection_that_was_cut_off_is_made_anew_after_the_one_call_that_found_it_so() -> None:
    with emptied_database() as url, django_on_postgres(url):
        connection.settings_dict |= {"CONN_MAX_AGE": 60}
        prepare(PLAIN, QUOTE)
        _cut_off(url)

        with pytest.raises(Busy):
            is_decided()
        close_old_connections()

        assert not is_decided()


@pytest.mark.postgres
def test_a_connection_that_was_cut_off_is_made_anew_where_django_checks_its_connections() -> None:
    with emptied_database() as url, django_on_postgres(url):
        connection.settings_dict |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
        prepare(PLAIN, QUOTE)
        _cut_off(url)
        close_old_connections()

        assert not is_decided()


def test_a_database_of_another_kind_is_refused_by_name_and_left_alone_by_migrations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    another = connections.settings["default"] | {"ENGINE": "django.db.backends.dummy"}
    monkeypatch.setitem(connections.settings, "legacy", another)

    with pytest.raises(ImproperlyConfigured, match="'legacy' is neither"):
        django_engine("legacy")
    migrate_with_django(apps.get_app_config("django_shop"), using="legacy")

    del connections["legacy"]


def _cut_off(url: str) -> None:
    with psycopg.connect(url) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid()"
        )


@contextmanager
def _impatient(**options: object) -> Generator[dict[str, Any]]:
    """Open Django's connection anew with options of the database's."""
    database = connection.settings_dict
    before = database["OPTIONS"]
    connection.close()
    database["OPTIONS"] = before | options
    yield database
    connection.close()
    database["OPTIONS"] = before
