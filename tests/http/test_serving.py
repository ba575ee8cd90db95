"""How connections are taken."""

import asyncio
import socket
from contextlib import ExitStack, closing

import uvloop

from portal_http.serving import shares_of

CROWD = 64


def test_a_crowd_of_new_connections_is_taken_in_a_few_turns_of_the_loop() -> None:
    with ExitStack() as stack:
        listening = stack.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=CROWD)))
        address = listening.getsockname()
        for _ in range(CROWD):
            stack.enter_context(closing(socket.create_connection(address)))

        turns = uvloop.run(_turns_of_taking(listening))

    assert len(turns) == CROWD
    assert len(set(turns)) <= 10


async def _turns_of_taking(listening: socket.socket) -> list[int]:
    """Return in which turn of the loop each connection was taken."""
    loop, everybody = asyncio.get_running_loop(), asyncio.Event()
    turn, turns = 0, list[int]()

    def count() -> None:
        nonlocal turn
        turn += 1
        loop.call_soon(count)

    class Taken(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            turns.append(turn)
            transport.close()
            if len(turns) == CROWD:
                everybody.set()

    count()
    servers = [await loop.create_server(Taken, sock=each) for each in shares_of(listening)]
    await everybody.wait()
    for server in servers:
        server.close()
    return turns
