"""Clients who write to a portal over HTTP and remember what they were told; and whether that is what was kept."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any, final

from attrs import define, field, frozen

from portal_adapters.contract.builders import COMPANY, NEIGHBOUR, SCOPE, a_quote
from portal_adapters.contract.feeding import feed, prepare
from portal_core.domain.access import Scope
from portal_core.ports import Transactions
from portal_core.use_cases.access import LinkLife, NewGrant, issue_link
from tests.prove.serving import HOST

BASE = "/api/v1/customer-portal/view"
WRITERS = 6
QUOTES = 24
"""How many quotes each client is sent for a round; several writers answer the same ones."""

_CLIENTS = (SCOPE, NEIGHBOUR)
_AWAY = 503
_UNTIL = (200, 201, 409)


@final
@frozen
class Asked:
    """A write: what was asked for, by whose link, under which key."""

    key: str
    token: str
    path: str
    body: str

    @property
    def quote_id(self) -> str | None:
        """The quote that is answered; nothing where feedback is given."""
        return self.path.split("/")[2] if self.path.startswith("/quotes/") else None

    @property
    def answer(self) -> str:
        """What is answered to the quote."""
        return "accepted" if self.path.endswith("/accept") else "declined"


@final
@frozen
class Told:
    """An answer: its status and its body."""

    status: int
    body: Any


@final
@define
class Memory:
    """What was asked and what was told, for as long as one database lives."""

    tokens: Mapping[Scope, str]
    told: dict[Asked, Told | None] = field(factory=dict["Asked", "Told | None"])
    statuses: Counter[int] = field(factory=Counter[int])
    asked_twice: int = 0

    def unacknowledged(self) -> list[Asked]:
        """Return what nobody was told to be done."""
        return [asked for asked, told in self.told.items() if told is None]


def furnished(transactions: Transactions) -> Memory:
    """Prepare a store, and return the memory of clients with a link each."""
    prepare(transactions)
    with transactions.begin() as store:
        return Memory(
            {
                scope: issue_link(
                    store, COMPANY, NewGrant(client_id=scope.client_id), LinkLife(), now=datetime.now(UTC)
                ).token
                for scope in _CLIENTS
            }
        )


def send_quotes(transactions: Transactions, number: int) -> None:
    """Send the quotes of a round to each client."""
    with transactions.begin() as store:
        feed(store, *(a_quote(each, scope=scope) for scope in _CLIENTS for each in _quotes(scope, number)))


def _quotes(scope: Scope, number: int) -> list[str]:
    return [f"Q{number}-{place}-{scope.client_id}" for place in range(QUOTES)]


@final
@define
class Writing:
    """A round of writing: threads that ask for one thing after the other until they are stopped or the server dies."""

    port: int
    memory: Memory
    number: int
    acknowledged: int = 0
    _stopped: threading.Event = field(factory=threading.Event)
    _threads: list[threading.Thread] = field(factory=list[threading.Thread])

    def __enter__(self) -> "Writing":
        for place in range(WRITERS):
            thread = threading.Thread(target=self._write, args=(place,))
            self._threads.append(thread)
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join(timeout=60)
            assert not thread.is_alive()

    def wait_for(self, more: int, *, seconds: float = 60.0) -> None:
        """Wait until that many more writes were acknowledged."""
        wanted, deadline = self.acknowledged + more, time.monotonic() + seconds
        while self.acknowledged < wanted:
            assert time.monotonic() < deadline, f"nothing was acknowledged for {seconds} seconds"
            time.sleep(0.005)

    def _write(self, place: int) -> None:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=30)
        chance = Random(f"{self.number} {place}")  # noqa: S311 - choices that can be repeated
        scope = _CLIENTS[place % len(_CLIENTS)]
        count = 0
        with suppress(OSError, http.client.HTTPException):
            while not self._stopped.is_set():
                count += 1
                asked = self._next(chance, scope, f"{self.number}-{place}-{count}")
                self.memory.told[asked] = None
                told = send(connection, asked)
                self.memory.statuses[told.status] += 1
                if told.status == _AWAY:
                    self._stopped.wait(0.02)
                else:
                    self.memory.told[asked] = told
                    self.acknowledged += 1
        connection.close()

    def _next(self, chance: Random, scope: Scope, key: str) -> Asked:
        token = self.memory.tokens[scope]
        if chance.random() < 1 / 3:
            return Asked(key, token, "/feedback", json.dumps({"subject": key, "message": "Where is it?"}))
        quote_id = chance.choice(_quotes(scope, self.number))
        act = chance.choice(("accept", "decline"))
        return Asked(key, token, f"/quotes/{quote_id}/{act}", json.dumps({"name": key, "revision": 1}))


def send(connection: http.client.HTTPConnection, asked: Asked) -> Told:
    """Ask once, and return the answer."""
    headers = {"Content-Type": "application/json", "Idempotency-Key": asked.key}
    connection.request("POST", f"{BASE}/{asked.token}{asked.path}", asked.body, headers)
    answer = connection.getresponse()
    return Told(answer.status, json.loads(answer.read()))


def ask_again(port: int, memory: Memory, asked: Collection[Asked]) -> None:
    """Ask again under the same keys, and remember the answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=30)
    for each in asked:
        told = send(connection, each)
        assert told.status in _UNTIL, told
        was = memory.told[each]
        memory.asked_twice += was is not None
        assert was is None or told == was, (each, was, told)
        memory.told[each] = told
    connection.close()
