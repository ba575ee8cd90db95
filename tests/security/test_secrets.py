"""A link's secret is in the one answer that hands it out, and nowhere else."""

import json
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from portal_core.domain.tokens import PATTERN
from tests.adapters.stores import postgres_database
from tests.security.served import CLIENT, Reply, Served, served

ANY_TOKEN = re.compile(PATTERN.strip("^$").encode())


def issue_and_use(portal: Served, number: int) -> tuple[str, list[Reply]]:
    """Return a fresh token, and every answer but the one that handed it out."""
    body, key = {"client_id": CLIENT, "label": f"link {number}"}, {"Idempotency-Key": f"issue-{number}"}
    issued = portal.as_staff("POST", "/tokens", body, **key)
    assert issued.status == 201, issued.body
    link = issued.json()["data"]
    token = str(link["token"])
    again = portal.as_staff("POST", "/tokens", body, **key)
    assert (again.status, again.json()["data"]["token"], again.json()["data"]["url"]) == (201, None, None)
    view, said = f"/view/{token}", {"subject": "x", "message": f"My link is the {number}th."}
    others = [
        again,
        portal.ask("GET", view),
        portal.ask("GET", f"{view}/quotes?limit=0"),
        portal.ask("GET", f"{view[:-1]}/quotes"),
        portal.ask("POST", f"{view}/feedback", said, **{"Idempotency-Key": "once"}),
        portal.ask("POST", f"{view}/feedback", said, **{"Idempotency-Key": "once"}),
        portal.ask("POST", f"{view}/quotes/Q1/accept", b"{"),
        portal.ask("PUT", view),
        portal.as_staff("GET", f"/tokens/{link['id']}"),
    ]
    assert [each.status for each in others] == [201, 200, 422, 404, 201, 201, 400, 405, 200]
    return token, others


def rotate(portal: Served, grant_id: str) -> str:
    answer = portal.as_staff("POST", f"/tokens/{grant_id}/rotate", {}, **{"Idempotency-Key": "rotate"})
    again = portal.as_staff("POST", f"/tokens/{grant_id}/rotate", {}, **{"Idempotency-Key": "rotate"})
    assert again.json()["data"]["token"] is None
    return str(answer.json()["data"]["token"])


def files_of(portal: Served) -> Iterator[tuple[str, bytes]]:
    """Yield every file that the portal has written: the database, its journal or WAL, and the log."""
    for path in sorted(portal.folder.rglob("*")):
        if path.is_file():
            try:
                yield path.name, path.read_bytes()
            except FileNotFoundError:
                continue


def rows_of(database: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every table, with its texts and its bytes, both as they are and in hexadecimal."""
    connection = sqlite3.connect(database)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a name out of the schema
        cells = [cell for row in rows for cell in row]
        yield table, b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for cell in cells)
    connection.close()


def look_for_secrets(folder: Path, *, count: int) -> None:
    tokens: set[str] = set()
    token = ""
    places: list[tuple[str, bytes]] = []
    with served(folder, PORTAL_LOG_FORMAT="json", PORTAL_METRICS="on") as portal:
        for number in range(count):
            token, others = issue_and_use(portal, number)
            tokens.add(token)
            places += [(f"answer {each.status}", each.everything) for each in others]
            if number % 20 == 0:
                places += files_of(portal)
        for link in portal.as_staff("GET", "/tokens?limit=5").json()["data"]:
            token = rotate(portal, link["id"])
            tokens.add(token)
        places += [
            (path, portal.as_staff("GET", path).everything)
            for path in (*(f"/{each}?limit=100" for each in ("tokens", "events", "feedback", "audit")), "/decisions")
        ]
        break_it(portal)
        failed = portal.ask("GET", f"/view/{token}/payments")
        page = portal.ask("GET", f"//p/{token}/payments")
        assert (failed.status, page.status) == (500, 500)
        places += [("failure", failed.everything), ("page", page.everything)]
        places.append(("metrics", portal.ask("GET", "//metrics").everything))
        places += files_of(portal)
    places += [*files_of(portal), *rows_of(portal.database)]
    log = portal.log.read_text()

    assert len(tokens) == count + 5
    for name, content in places:
        assert not ANY_TOKEN.search(content), name
        for token in tokens:
            assert token[4:-6].encode() not in content, name
    assert "Traceback" in log
    assert "/view/[token]/payments" in log
    assert_well_told(log)
    assert {"log", "portal.sqlite3"} <= {name for name, _ in places}


def dump_of(url: str) -> Iterator[tuple[str, bytes]]:
    """Yield every table of a PostgreSQL database, as `COPY` writes it: bytes are in hexadecimal."""
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            with cursor.copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as rows:
                yield table, b"".join(map(bytes, rows))


def break_it(portal: Served) -> None:
    """Take a table away, so that the server fails and writes a traceback."""
    connection = sqlite3.connect(portal.database)
    with connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("DROP TABLE portal_payments")
    connection.close()


def assert_well_told(log: str) -> None:
    """The log says what was asked, by whom, with which answer, and how long it took."""
    lines = [json.loads(line) for line in log.splitlines()]
    told = [line for line in lines if line["logger"] == "portal_http.access"]
    opened = next(line for line in told if line["route"].endswith("/view/{token}") and line["status"] == 200)
    assert opened["method"] == "GET"
    assert re.fullmatch(r"[0-9a-f-]{36}", opened["who"])
    assert opened["ms"] >= 0
    assert {line["status"] for line in told} >= {200, 201, 400, 404, 405, 422, 500}


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder in memory, where there is one: hundreds of commits need not wait for a disk here."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder made in it is private
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


def test_two_hundred_secrets_are_nowhere_but_in_the_answers_that_handed_them_out(folder: Path) -> None:
    look_for_secrets(folder, count=200)


@pytest.mark.postgres
def test_a_hundred_secrets_are_nowhere_in_postgresql(folder: Path) -> None:
    tokens: set[str] = set()
    with postgres_database() as url:
        with served(folder, database=url) as portal:
            for number in range(100):
                tokens.add(issue_and_use(portal, number)[0])
            for link in portal.as_staff("GET", "/tokens?limit=5").json()["data"]:
                tokens.add(rotate(portal, link["id"]))
        tables = dict(dump_of(url))

    assert len(tokens) == 105
    assert tables["portal_audit"].count(b"\n") > 105
    for name, content in (*tables.items(), *files_of(portal)):
        assert not ANY_TOKEN.search(content), name
        for token in tokens:
            assert token[4:-6].encode() not in content, name
            assert token.encode().hex().encode() not in content, name


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_thousand_secrets_are_nowhere_but_in_the_answers_that_handed_them_out(folder: Path) -> None:
    look_for_secrets(folder, count=1_000)
