"""A served process: it finishes what it has begun when it is told to stop, and keeps nothing that has no end."""

import json
import socket
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.security.served import CLIENT, Served, served


def decide(portal: Served, token: str) -> dict[str, Any]:
    """Start to accept a quote in a thread; what came of it is put into what is returned."""
    came: dict[str, Any] = {}
    other = portal.connection()

    def run() -> None:
        with closing(other):
            came["answer"] = portal.ask_by(other, "POST", f"/view/{token}/quotes/Q1/accept", {"name": "Ada"})

    came["thread"] = threading.Thread(target=run)
    came["thread"].start()
    return came


def test_a_write_under_way_is_finished_and_answered_and_then_the_server_ends(tmp_path: Path) -> None:
    with served(tmp_path, PORTAL_LOG_FORMAT="json") as portal:
        token = portal.as_staff("POST", "/tokens", {"client_id": CLIENT}).json()["data"]["token"]
        portal.ask("GET", f"/view/{token}")
        time.sleep(0.3)
        blocking = sqlite3.connect(portal.database, isolation_level=None)
        blocking.execute("BEGIN IMMEDIATE")
        came = decide(portal, token)
        time.sleep(0.4)
        portal.tell_to_stop()
        time.sleep(0.6)
        assert portal.process.poll() is None, "it must wait for what is under way"
        assert "answer" not in came
        blocking.execute("ROLLBACK")
        blocking.close()
        came["thread"].join(10)
        assert portal.process.wait(10) == 0
        with pytest.raises(ConnectionRefusedError):
            portal.ask_by(portal.connection(), "GET", "//healthz")

    decided = sqlite3.connect(portal.database)
    count = decided.execute("SELECT count(*) FROM portal_decisions").fetchone()
    decided.close()
    told = [json.loads(line) for line in portal.log.read_text().splitlines()]
    assert came["answer"].status == 200
    assert came["answer"].json()["data"]["state"] == "accepted"
    assert count == (1,)
    assert [each["status"] for each in told if each.get("route", "").endswith("/accept")] == [200]


def test_a_head_that_has_no_end_is_not_kept(tmp_path: Path) -> None:
    with served(tmp_path) as portal, socket.create_connection(("127.0.0.1", portal.port)) as endless:
        endless.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ")
        with pytest.raises(OSError, match=r"reset|[Bb]roken pipe"):  # noqa: PT012 - it may be any of them
            for _ in range(1_000):
                endless.sendall(b"y" * 65_536)

        assert portal.ask("GET", "//healthz").status == 200
        assert portal.ask("GET", "//healthz", X="y" * 40_000).status == 431
