"""A receiver of webhooks on loopback, which checks signatures by the reference library, and fails as it is told."""

import random
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from attrs import define, field
from standardwebhooks.webhooks import Webhook as Reference
from standardwebhooks.webhooks import WebhookVerificationError


@define(eq=False)
class Receiver:
    """What came in, and how it is answered: `answers` are statuses for the next requests, then 204.

    Of all requests, a share that `fails` is answered with 500, or not at all although it was taken.
    """

    fails: float = 0
    answers: list[int] = field(factory=list[int])
    fields: dict[str, str] = field(factory=dict[str, str])
    secret: str | None = None
    address: str = ""
    taken: list[tuple[dict[str, str], bytes]] = field(factory=list[tuple[dict[str, str], bytes]])
    forged: int = 0
    connections: int = 0
    chance: random.Random = field(factory=lambda: random.Random(7))  # noqa: S311 - a test that can be repeated
    lock: threading.Lock = field(factory=threading.Lock)

    @property
    def ids(self) -> list[str]:
        """The ids of the messages that were taken, in their order."""
        return [headers["webhook-id"] for headers, _ in self.taken]

    def answer(self, headers: dict[str, str], body: bytes) -> int | None:
        """Return the status of the answer to a message, or nothing to close the connection without one."""
        with self.lock:
            if self.secret is not None:
                try:
                    Reference(self.secret).verify(body, headers)
                except WebhookVerificationError:
                    self.forged += 1
                    return 400
            status = self.answers.pop(0) if self.answers else 204
            luck = self.chance.random()
            if luck < self.fails / 2:
                return 500
            if status < 300:
                self.taken.append((headers, body))
            return None if luck < self.fails else status


@contextmanager
def receiving(**how: Any) -> Generator[Receiver]:
    """Receive on a free port of 127.0.0.1."""
    receiver = Receiver(**how)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = receiver.answer({name.lower(): value for name, value in self.headers.items()}, body)
            if status is None:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in receiver.fields.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128

        def get_request(self) -> tuple[socket.socket, Any]:
            receiver.connections += 1
            return super().get_request()

        def handle_error(self, request: object, client_address: object) -> None:
            """Senders may be killed in the middle of a request."""

    with Server(("127.0.0.1", 0), Handler) as server:
        receiver.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield receiver
        finally:
            server.shutdown()
