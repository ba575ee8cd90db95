"""What a connection is sent, and when."""

import asyncio
from collections.abc import Iterable

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from portal_http.connections import LONGEST_HEAD, MOST_GATHERED, Connection

ASKED = b"GET / HTTP/1.1\r\nHost: portal.example\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: portal.example\r\nConnection: close\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what is sent, each time by itself, until it breaks."""

    def __init__(self, breaks_after: int = 100) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False
        self.breaks_after = breaks_after

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent.append(bytes(data))
        self.closed = len(self.sent) == self.breaks_after

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        self.write(b"".join(list_of_data))

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"Hello"})


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": b"Hel", "more_body": True})
    await send({"type": "http.response.body", "body": b"lo"})


def sent_to(received: bytes, app: ASGIApp = hello, *, breaks_after: int = 100) -> Wire:
    """Return what a connection was sent after it said something; no callback of the loop's may fail."""
    failed = list[object]()

    async def run() -> Wire:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
        config = uvicorn.Config(app, http=Connection, log_config=None)
        config.load()
        connection = Connection(config=config, server_state=ServerState(), app_state={})
        wire = Wire(breaks_after)
        connection.connection_made(wire)
        connection.data_received(received)
        await asyncio.sleep(0.05)
        connection.connection_lost(None)
        return wire

    wire = asyncio.run(run())
    assert failed == []
    return wire


def test_the_head_of_an_answer_and_its_body_are_one_packet() -> None:
    (packet,) = sent_to(ASKED).sent

    assert packet.startswith(b"HTTP/1.1 200 OK\r\n")
    assert packet.endswith(b"\r\n\r\nHello")


def test_what_is_not_there_yet_is_not_waited_for() -> None:
    head, body = sent_to(ASKED, slow).sent

    assert head.endswith(b"\r\n\r\n")
    assert body == b"Hello"


def test_an_answer_is_sent_before_its_connection_is_closed() -> None:
    wire = sent_to(LAST)

    assert wire.closed
    assert b"".join(wire.sent).endswith(b"\r\nconnection: close\r\n\r\nHello")


def test_requests_that_come_together_are_answered_in_their_order() -> None:
    wire = sent_to(ASKED * 3 + LAST)

    assert wire.closed
    assert b"".join(wire.sent).count(b"Hello") == 4


def test_who_hangs_up_between_two_answers_is_sent_no_more() -> None:
    assert len(sent_to(ASKED * 3, breaks_after=1).sent) == 1


def test_a_large_body_is_sent_as_it_comes() -> None:
    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for place in range(5):
            await send({"type": "http.response.body", "body": b"a" * MOST_GATHERED, "more_body": place < 4})

    assert len(sent_to(ASKED, large).sent) >= 5


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX: "])
def test_a_head_that_has_no_end_is_refused_and_its_connection_closed(start: bytes) -> None:
    wire = sent_to(start + b"a" * LONGEST_HEAD)

    assert wire.closed
    assert b"".join(wire.sent).startswith(b"HTTP/1.1 400 ")
