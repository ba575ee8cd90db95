"""The portal in a host of Litestar."""

import logging
from typing import cast

import pytest
from starlette.testclient import TestClient
from starlette.types import ASGIApp

from examples.litestar_host import PREFIX, host
from portal_adapters.contract.builders import NOW, a_quote
from portal_adapters.contract.feeding import prepare
from portal_adapters.memory import MemoryTransactions
from portal_adapters.randomness import RandomMint
from portal_http.runners import InlineRunner
from tests.hosts.story import KEY, PUBLIC_URL, tell


def shop(*, root_path: str = "") -> TestClient:
    """Return the host as its users meet it; the portal's lifespan is never run."""
    transactions = MemoryTransactions(RandomMint())
    prepare(transactions, a_quote("Q1"), a_quote("Q2"))
    app = host(InlineRunner(transactions), public_url=f"{PUBLIC_URL}{root_path}", key=KEY, clock=lambda: NOW)
    return TestClient(cast("ASGIApp", app), root_path=root_path)


@pytest.mark.parametrize("root_path", ["", "/shop"])
def test_the_portal_tells_its_story_under_a_prefix_behind_a_proxy_or_not(root_path: str) -> None:
    tell(shop(root_path=root_path), f"{root_path}{PREFIX}")


def test_the_host_has_no_library_tell_the_addresses_that_it_asks_for() -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers))

    with shop() as http:
        http.get("/")

    assert (root.level, list(root.handlers)) == before


def test_the_hosts_own_pages_are_where_they_were() -> None:
    assert shop().get("/").text == "Tables and chairs."
