"""How a connection is served: a head of a request has an end, and an answer leaves as one packet."""

import asyncio
from typing import Any, cast, final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 512 * 1024
"""After so many bytes before a body a connection is closed; the application refuses far fewer, but politely."""

MOST_GATHERED = 64 * 1024
"""Bytes beyond which nothing is gathered: where transports begin to say that a client does not read."""


@final
class Gathering:
    """A transport that sends together, in the next turn of the loop, what it is given in one.

    uvicorn writes the head of an answer and its body each by itself. Either would be a packet of its own, and a call of
    the system that costs as much as reading a document. A large body is sent as it comes, so that whoever writes on is
    told when the client does not read.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._gathered: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send some bytes soon."""
        if not self._gathered:
            self._loop.call_soon(self._send)
        self._gathered.append(data)
        self._size += len(data)
        if self._size > MOST_GATHERED:
            self._send()

    def close(self) -> None:
        """Send what was given, and close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        gathered, self._gathered, self._size = self._gathered, [], 0
        # A client may have hung up meanwhile, and uvloop raises an error then.
        if gathered and not self._transport.is_closing():
            self._transport.writelines(gathered)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever else a transport has
        return getattr(self._transport, name)


class Connection(HttpToolsProtocol):
    """Gathers what it sends, and ends when a request line and header fields have no end: the parser would read on."""

    _in_head = False
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin."""
        super().connection_made(cast("asyncio.Transport", Gathering(transport, self.loop)))

    def on_message_begin(self) -> None:
        """Note that a head begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Note that it ends."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, within bounds."""
        super().data_received(data)
        self._head = self._head + len(data) if self._in_head else 0
        if self._head > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The request has no end.")
