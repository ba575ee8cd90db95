"""The benchmark's data and its comparison of answers, at the smallest size; nothing is timed here."""

from pathlib import Path

import pytest

from benchmarks.answers import AnswersDiffer, compare, digest, require_same
from benchmarks.databases import Databases, fill_sqlite
from benchmarks.history import LARGE_CLIENT, SMALL_CLIENT, Size, write_history
from benchmarks.machine import ADMIN_KEY, portal
from benchmarks.servers import OURS_SQLITE, served

TINY = Size(name="tiny", clients=6, copies=2, each=45, small=50, large=60)


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    file: Path = tmp_path_factory.mktemp("benchmark") / "tiny.sqlite3"
    return Databases(size=TINY, sqlite=file, postgres_url="", tokens=fill_sqlite(TINY, file))


def test_the_history_is_the_same_each_time() -> None:
    assert list(write_history(TINY)) == list(write_history(TINY))


def test_copied_clients_add_up_as_imported_ones_do(databases: Databases) -> None:
    told = portal(databases.sqlite_url, "doctor", PORTAL_ADMIN_JWT_KEY=ADMIN_KEY)

    assert "totals: of 8 clients agree with their documents" in told
    assert {SMALL_CLIENT, LARGE_CLIENT, "C-0", "C1-0"} <= databases.tokens.keys()


def test_two_servers_on_one_database_answer_alike(databases: Databases) -> None:
    assert compare(databases, (OURS_SQLITE, OURS_SQLITE)) == 3 * TINY.clients


def test_an_answer_that_differs_is_named_without_its_token(databases: Databases) -> None:
    token = databases.tokens["C-0"]

    with served(OURS_SQLITE, databases) as server, pytest.raises(AnswersDiffer) as refused:
        require_same(server, {f"/view/{token}/dashboard": digest(b'{"data": {}}')})

    assert "dashboard" in str(refused.value)
    assert token not in str(refused.value)


def test_the_order_of_keys_makes_no_difference() -> None:
    assert digest(b'{"data": {"a": 1, "b": 2}}') == digest(b'{"meta": {}, "data": {"b": 2, "a": 1}}')
    assert digest(b'{"data": [1, 2]}') != digest(b'{"data": [2, 1]}')
