"""A database that a portal cannot be served from is refused with a sentence that says why."""

import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from portal_http.settings import Settings
from portal_http.wiring import WiringRefused, databases
from portal_http.wiring.databases import SchemaOutdated, served_from
from tests.postgres import fresh_database
from tests.servers import POSTGRES_URL


def elsewhere(**parts: str) -> str:
    """Return the address of a database on the tests' server, but for some parts."""
    return urlunsplit(urlsplit(POSTGRES_URL)._replace(**parts))


@pytest.mark.parametrize(
    "url, reason",
    [
        (lambda folder: f"sqlite:///{folder}", "unable to open database file"),
        (lambda folder: f"sqlite:///{folder}/none/portal.sqlite3", "there is no such folder"),
        (lambda _: "postgresql://nobody@127.0.0.1:1/nothing", "Connect call failed"),
        pytest.param(lambda _: elsewhere(path="/none"), '"none" does not exist', marks=pytest.mark.postgres),
    ],
)
def test_the_reason_is_the_drivers_own(url: Callable[[Path], str], reason: str, tmp_path: Path) -> None:
    settings = Settings(database_url=url(tmp_path))

    with pytest.raises(WiringRefused, match=f"PORTAL_DATABASE_URL names .*{reason}"):
        served_from(settings)


def test_a_server_that_says_nothing_is_not_waited_for_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "PATIENCE_SECONDS", 0.1)
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        settings = Settings(database_url=f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/nothing")

        with pytest.raises(WiringRefused, match="it does not answer"):
            served_from(settings)


@pytest.mark.postgres
def test_one_that_was_never_set_up_is_refused_with_what_to_run() -> None:
    with fresh_database() as url:
        settings = Settings(database_url=url)

        with pytest.raises(SchemaOutdated, match="run `portal migrate` first"):
            served_from(settings)
