"""A portal that is served, and browsers to open it with."""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from attrs import define, field
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from tests.browser.world import World, everything, the_client
from tests.servers import CHROMIUM

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(name="chromium", scope="session")
def a_browser() -> Generator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@define
class Portal:
    """A world, and where it is served."""

    world: World
    address: str

    def link(self, **asked: Any) -> str:
        return self.address + self.world.link(**asked)

    def speak(self, locale: str) -> None:
        self.world.feed(the_client(locale=locale))


@pytest.fixture(name="portal")
def a_portal() -> Generator[Portal]:
    world = World()
    world.feed(*everything())
    with served(world) as address:
        yield Portal(world, address)


@contextmanager
def served(world: World) -> Iterator[str]:
    """Serve a world on a free port for a while."""
    config = uvicorn.Config(world.app(), host="127.0.0.1", port=0, log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@define
class Visitor:
    """A browser's window, what went wrong in it, and whom it asked."""

    page: Page
    complaints: list[str] = field(factory=list[str])
    hosts: set[str] = field(factory=set[str])


def _watched(page: Page) -> Visitor:
    visitor = Visitor(page)

    def hear(message: ConsoleMessage) -> None:
        # A page that is refused is a message of the browser's too; everything else is not to be.
        if "Failed to load resource: the server responded with a status of 4" not in message.text:
            visitor.complaints.append(message.text)

    def see(request: Request) -> None:
        visitor.hosts.add(urlsplit(request.url).netloc)

    page.on("console", hear)
    page.on("pageerror", lambda problem: visitor.complaints.append(str(problem)))
    page.on("request", see)
    return visitor


Visit = Callable[..., Visitor]


@pytest.fixture(name="visit")
def a_visit(chromium: Browser) -> Generator[Visit]:
    """Open windows; in none of them may a policy be violated or another host be asked."""
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def visit(*, width: int = 1280, scripts: bool = True, dark: bool = False, **more: Any) -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": 800},
            java_script_enabled=scripts,
            color_scheme="dark" if dark else "light",
            **more,
        )
        contexts.append(context)
        visitors.append(_watched(context.new_page()))
        return visitors[-1]

    yield visit
    for context in contexts:
        context.close()
    assert [each for visitor in visitors for each in visitor.complaints] == []
    assert all(len(visitor.hosts) <= 1 for visitor in visitors)
