"""A task of a host's that issues links and queues their e-mails, with no server anywhere."""

from collections.abc import Generator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from examples.send_links import LABEL, main, send_link
from portal_adapters import clock
from portal_adapters.contract.builders import CLIENT, COMPANY, NEIGHBOUR, SCOPE, a_client
from portal_adapters.contract.feeding import prepare
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, migrate, open_sqlite
from portal_core import (
    MOMENT_SORTS,
    Dispatch,
    DispatchFilter,
    Grant,
    GrantFilter,
    InvalidInput,
    LinkLetter,
    Listing,
    open_link,
    write_letter,
)

HER_ADDRESS = "ada@northwind.example"


@pytest.fixture
def engine(tmp_path: Path) -> Generator[Engine]:
    engine = open_sqlite(tmp_path / "portal.sqlite3")
    migrate(engine)
    prepare(SqlTransactions(engine, RandomMint()), a_client(email=HER_ADDRESS))
    yield engine
    engine.dispose()


def kept(engine: Engine) -> tuple[list[Grant], list[Dispatch]]:
    """Return the links and the messages that the task has left behind."""
    listing = Listing(sort=MOMENT_SORTS[0])
    with SqlTransactions(engine, RandomMint()).read() as store:
        links = store.grants.page(COMPANY, listing, GrantFilter(), at=clock.now())
        return list(links.items), list(store.dispatches.page(COMPANY, listing, DispatchFilter()).items)


def test_the_letter_that_a_task_has_queued_holds_a_link_that_opens(engine: Engine, tmp_path: Path) -> None:
    address = send_link(str(tmp_path / "portal.sqlite3"), COMPANY, CLIENT)

    assert address == HER_ADDRESS
    [dispatch] = kept(engine)[1]
    with SqlTransactions(engine, RandomMint()).begin() as store:
        letter = write_letter(store, dispatch, now=clock.now())
        assert isinstance(letter, LinkLetter)
        assert open_link(store, letter.link.token, now=clock.now()).scope == SCOPE


def test_a_task_that_is_run_twice_issues_one_link(engine: Engine, tmp_path: Path) -> None:
    for _ in range(2):
        send_link(str(tmp_path / "portal.sqlite3"), COMPANY, CLIENT)

    links, messages = kept(engine)
    assert ([each.label for each in links], len(messages)) == ([LABEL], 2)


def test_where_there_is_no_address_there_is_no_link_either(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no e-mail address"):
        send_link(str(tmp_path / "portal.sqlite3"), COMPANY, NEIGHBOUR.client_id)

    assert kept(engine) == ([], [])


def test_the_script_tells_of_each_client_what_came_of_it(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(str(tmp_path / "portal.sqlite3"), COMPANY, CLIENT, NEIGHBOUR.client_id)

    hers, the_neighbours = capsys.readouterr().out.splitlines()
    assert hers == f"{CLIENT}: to {HER_ADDRESS}"
    assert "no e-mail address" in the_neighbours
    assert len(kept(engine)[1]) == 1
