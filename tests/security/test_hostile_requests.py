"""Hostile requests by the thousand: none makes the server fail, and none makes it grow."""

import asyncio
import gc
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve
from starlette.applications import Starlette

from portal_adapters.records.sample import COMPANY
from portal_http.main import build
from portal_http.wiring.keys import development_token
from portal_http.wiring.samples import demo_settings, furnish
from tests.http.world import World, bearer
from tests.security.asking import ask
from tests.security.hostile import Hostile

SEED = 20_260_131
GROWTH = 20 * 1024 * 1024


def resident() -> int:
    """Return how many bytes of memory this process has."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4_096


async def attack(app: Starlette, source: Hostile, count: int) -> dict[int, int]:
    statuses: dict[int, int] = {}
    for _ in range(count):
        method, path, query, headers, body = source.request()
        answer = await ask(app, method, path, query=query, headers=headers, body=body)
        statuses[answer.status] = statuses.get(answer.status, 0) + 1
        assert answer.status < 500, (method, path, query, headers, body[:300])
    return statuses


def test_no_hostile_request_makes_the_server_fail(world: World) -> None:
    source = Hostile(random.Random(SEED), world.token(), bearer())  # noqa: S311 - to be repeated, not to be secret

    statuses = asyncio.run(attack(world.app, source, 2_000))

    assert {200, 400, 401, 404, 405, 413, 415, 422, 431} <= set(statuses)


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_a_hundred_thousand_of_them_neither_fail_it_nor_make_it_grow(tmp_path: Path) -> None:
    settings = evolve(
        demo_settings(tmp_path, "http://portal.example"),
        reads_per_minute=0,
        writes_per_minute=0,
        guesses_per_minute=0,
        metrics=True,
    )
    token = furnish(settings, at=datetime.now(UTC)).token
    app = build(settings)
    staff = development_token(settings, [COMPANY], scope="portal:admin", subject="x", at=datetime.now(UTC))
    source = Hostile(random.Random(SEED + 1), token, staff)  # noqa: S311 - as above

    async def run() -> int:
        async with app.router.lifespan_context(app):
            await attack(app, source, 10_000)
            gc.collect()
            before = resident()
            await attack(app, source, 90_000)
            gc.collect()
            return resident() - before

    growth = asyncio.run(run())
    print(f"{growth / 2**20:.1f} MiB")  # noqa: T201 - the figure of the documentation
    assert growth < GROWTH
