"""A server that is killed while clients write has lost nothing that it acknowledged, and done nothing twice."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from attrs import evolve

from portal_adapters.contract.builders import NOW, SCOPE, TODAY, a_visit, evidence
from portal_adapters.memory import MemoryTransactions
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import SqlTransactions, migrate, open_sqlite
from portal_core.domain.ids import QuoteId, TicketId
from portal_core.domain.quotes import Answer
from portal_core.use_cases.feedback import NewTicket, submit_feedback
from portal_core.use_cases.quotes import accept_quote
from portal_http.present import quote_detail
from tests.prove.keeping import Kept, all_kept, faults_of
from tests.prove.scale import size, tell
from tests.prove.serving import Server, served
from tests.prove.writers import Asked, Memory, Told, Writing, ask_again, furnished, send_quotes

KILLS = size(short=1, full=200)
KILLS_EACH = 20
"""How many kills one database goes through; reading all that was ever written takes longer each time."""

REPLAYS = 20


def test_a_killed_server_has_kept_what_it_acknowledged_and_repeats_nothing(tmp_path: Path) -> None:
    started, chance, sums = time.perf_counter(), Random(), Counter[str]()  # noqa: S311 - moments, not secrets

    for first in range(0, KILLS, KILLS_EACH):
        folder = tmp_path / str(first)
        folder.mkdir()
        sums += _life_of_a_database(folder, min(KILLS_EACH, KILLS - first), chance)

    assert sums["writes"] > KILLS
    tell("kills", "SQLite", kills=KILLS, **sums, lost=0, twice=0, seconds=round(time.perf_counter() - started, 1))


def _life_of_a_database(folder: Path, kills: int, chance: Random) -> Counter[str]:
    file = folder / "portal.sqlite3"
    engine = open_sqlite(file)
    migrate(engine)
    transactions = SqlTransactions(engine, RandomMint())
    memory = furnished(transactions)
    sums: Counter[str] = Counter()
    for number in range(kills + 1):
        send_quotes(transactions, number)
        with served(folder, f"sqlite:///{file}") as server:
            sums["cut_off"] += len(memory.unacknowledged())
            require_kept(server, transactions, memory)
            _require_sound(file)
            if number < kills:
                with Writing(server.port, memory, number) as writing:
                    writing.wait_for(1)
                    time.sleep(chance.uniform(0, 0.3))
                    server.kill()
    engine.dispose()
    return sums + Counter(writes=len(memory.told), asked_twice=memory.asked_twice)


def require_kept(server: Server, transactions: SqlTransactions, memory: Memory) -> None:
    """Fail unless all that was told is kept; ask again for the rest, and for some that was told, and look again."""
    with transactions.read() as store:
        assert faults_of(all_kept(store), memory) == []
    ask_again(server.port, memory, [*memory.unacknowledged(), *list(memory.told)[-REPLAYS:]])
    with transactions.read() as store:
        kept = all_kept(store)
    assert faults_of(kept, memory) == []
    assert {each.subject for each in kept.tickets} == {each.key for each in memory.told if each.quote_id is None}


def _require_sound(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _decided_and_written() -> tuple[Kept, Memory]:
    """Return what a store keeps of an acceptance, a refusal that lost against it, and feedback; and what was told."""
    transactions = MemoryTransactions(RandomMint())
    memory = furnished(transactions)
    send_quotes(transactions, 0)
    quote_id, token = QuoteId(f"Q0-0-{SCOPE.client_id}"), memory.tokens[SCOPE]
    with transactions.begin() as store:
        quote = accept_quote(store, a_visit(), quote_id, evidence(name="1"), seen=1, now=NOW)
        ticket = submit_feedback(store, a_visit(), NewTicket(subject="3", message="Where is it?"), now=NOW)
        kept = all_kept(store)
    memory.told |= {
        Asked("1", token, f"/quotes/{quote_id}/accept", "{}"): Told(200, {"data": quote_detail(quote, TODAY)}),
        Asked("2", token, f"/quotes/{quote_id}/decline", "{}"): Told(409, {"code": "already_decided"}),
        Asked("3", token, "/feedback", "{}"): Told(201, {"data": {"id": ticket.id}}),
    }
    return kept, memory


BROKEN: dict[str, Callable[[Kept], Kept]] = {
    "a decision is lost": lambda kept: evolve(kept, decisions=()),
    "another decision is kept": lambda kept: evolve(
        kept, decisions=[evolve(each, answer=Answer.DECLINED) for each in kept.decisions]
    ),
    "a decision is kept twice": lambda kept: evolve(kept, decisions=[*kept.decisions] * 2),
    "a ticket is lost": lambda kept: evolve(kept, tickets=()),
    "a ticket is kept twice": lambda kept: evolve(
        kept, tickets=[*kept.tickets, *(evolve(each, id=TicketId("T2")) for each in kept.tickets)]
    ),
    "an event is lost": lambda kept: evolve(kept, events=kept.events[:-1]),
    "an event comes twice": lambda kept: evolve(kept, events=[*kept.events, kept.events[-1]]),
}


@pytest.mark.parametrize("breaking", BROKEN.values(), ids=BROKEN)
def test_what_is_lost_or_done_twice_is_found_out(breaking: Callable[[Kept], Kept]) -> None:
    kept, memory = _decided_and_written()
    assert faults_of(kept, memory) == []

    broken = breaking(kept)

    assert faults_of(broken, memory)
