"""What a request costs, counted and not timed: functions of Python that are called, and memory that stays."""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable, Generator, MutableMapping
from types import FrameType
from typing import Any, TypeAlias

import pytest
from starlette.applications import Starlette

from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.contract.builders import NOW, a_token
from portal_adapters.randomness import RandomMint
from portal_adapters.rate_limits import rate_limits
from portal_adapters.sqlalchemy import SqlGlances, SqliteRunner
from portal_http.app import create_app
from tests.adapters.plenty import fill
from tests.adapters.stores import sqlite_store
from tests.http.world import AUDIENCE, BASE, KEY, UNLIMITED

Ask: TypeAlias = Callable[[str], Awaitable[None]]

VIEW = f"{BASE}/view/{a_token()}"

CALLS = {f"{VIEW}/dashboard": 315, f"{VIEW}/invoices": 264, f"{VIEW}/invoices/2": 221, f"/p/{a_token()}": 940}
"""The most that a path may call: a tenth more than it did when it was last made to call less."""

REQUESTS = 300


@pytest.fixture(scope="module")
def app() -> Generator[Starlette]:
    with sqlite_store(RandomMint()) as transactions:
        fill(transactions, 30)
        runner = SqliteRunner(transactions.engine, RandomMint())
        yield create_app(
            runner,
            clock=lambda: NOW,
            admins=admin_tokens(key=KEY, audience=AUDIENCE, issuer="tests"),
            limits=rate_limits("memory://"),
            options=UNLIMITED,
            glances=SqlGlances(runner.fetch),
        )
        runner.close()


async def _ask(app: Starlette, path: str) -> None:
    """Ask as a server does, without one."""
    scope: MutableMapping[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"portal.example")],
        "client": ("127.0.0.1", 1),
    }
    said = list[MutableMapping[str, Any]]()

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    assert said[0]["status"] == 200, said


@pytest.mark.parametrize("path", CALLS, ids=["dashboard", "invoices", "invoice", "page"])
def test_a_request_calls_no_more_functions_than_it_did(app: Starlette, path: str) -> None:
    called = 0

    def count(_: FrameType, what: str, __: object) -> None:
        nonlocal called
        called += what == "call"

    async def ask() -> None:
        for _ in range(3):
            await _ask(app, path)
        sys.setprofile(count)
        await _ask(app, path)
        sys.setprofile(None)

    asyncio.run(ask())

    assert 0 < called <= CALLS[path]


@pytest.mark.parametrize("path", CALLS, ids=["dashboard", "invoices", "invoice", "page"])
def test_nothing_stays_in_memory_of_a_request_that_is_answered(app: Starlette, path: str) -> None:
    async def ask() -> int:
        for _ in range(REQUESTS):
            await _ask(app, path)
        gc.collect()
        return sys.getallocatedblocks()

    async def held() -> tuple[int, int]:
        return await ask(), await ask()

    before, after = asyncio.run(held())

    assert after - before < REQUESTS / 10
