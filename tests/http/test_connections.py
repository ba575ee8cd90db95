"""What a connection is sent, and when."""

import asyncio
from collections.abc import Iterable

import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from portal_http.connections import LONGEST_HEAD, Connection

ASKED = b"GET / HTTP/1.1\r\nHost: portal.example\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: portal.example\r\nConnection: close\r\n\r\n"


class Wire(asyncio.Transport):
    """Keeps what is sent, each time by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent.append(bytes(data))

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


def sent_to(received: bytes, app: ASGIApp = hello) -> Wire:
    """Return what a connection was sent after it said something."""

    async def run() -> Wire:
        config = uvicorn.Config(app, http=Connection, log_config=None)
        config.load()
        connection, wire = Connection(config=config, server_state=ServerState(), app_state={}), Wire()
        connection.connection_made(wire)
        connection.data_received(received)
        await asyncio.sleep(0.05)
        connection.connection_lost(None)
        return wire

    return asyncio.run(run())


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


@pytest.mark.parametrize("start", [b"GET /", b"GET / HTTP/1.1\r\nX: "])
def test_a_head_that_has_no_end_is_refused_and_its_connection_closed(start: bytes) -> None:
    wire = sent_to(start + b"a" * LONGEST_HEAD)

    assert wire.closed
    assert b"".join(wire.sent).startswith(b"HTTP/1.1 400 ")
