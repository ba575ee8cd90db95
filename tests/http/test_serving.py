"""How connections are taken."""

import asyncio
import socket
from contextlib import ExitStack, closing

import pytest
import uvloop

from portal_http.serving import listen, shares_of
from portal_http.wiring import WiringRefused

CROWD = 64


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_port_that_is_taken_is_refused_with_what_to_do(host: str) -> None:
    with closing(listen(host, 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(WiringRefused, match=f"Port {port} of {host} cannot be used: .* Try another --port"):
            listen(host, port)


def test_a_host_that_is_none_of_this_machine_is_refused_with_what_to_do() -> None:
    with pytest.raises(WiringRefused, match="Try another --port or --host"):
        listen("192.0.2.1", 0)


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
