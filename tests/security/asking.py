"""Asks an ASGI application within this process and loop, also what no HTTP client would send."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import orjson
from attrs import frozen

Fields: TypeAlias = Sequence[tuple[bytes, bytes]]

Anything: TypeAlias = Any
"""JSON, an application, a message: what has no type here."""

JSON: Fields = ((b"content-type", b"application/json"),)


@frozen
class Reply:
    """What came back."""

    status: int
    headers: Fields
    body: bytes

    def json(self) -> Anything:
        return orjson.loads(self.body)


async def ask(
    app: Anything,
    method: str,
    path: str,
    *,
    query: bytes = b"",
    headers: Fields = (),
    body: bytes = b"",
    client: tuple[str, int] | None = ("192.0.2.7", 4000),
) -> Reply:
    """Return the answer to one request."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "root_path": "",
        "query_string": query,
        "headers": [(b"host", b"portal.example"), *headers],
        "client": client,
    }
    sent: list[Anything] = []

    async def receive() -> Anything:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Anything) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return Reply(sent[0]["status"], sent[0]["headers"], b"".join(each.get("body", b"") for each in sent[1:]))
