"""What goes back: a status, a body that is encoded already, and header fields."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import orjson
from attrs import define, field
from starlette.types import Send

from portal_http.shapes import PageMeta

Header: TypeAlias = tuple[bytes, bytes]

JSON_TYPE: Header = (b"content-type", b"application/json")

JOSE_TYPE: Header = (b"content-type", b"application/jose")

NOSNIFF: Header = (b"x-content-type-options", b"nosniff")

TOKEN_FIELDS: tuple[Header, ...] = (
    (b"cache-control", b"private, no-store"),
    (b"referrer-policy", b"same-origin"),
    (b"x-robots-tag", b"noindex"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    NOSNIFF,
)
"""The fields of every answer under a token."""

STAFF_FIELDS: tuple[Header, ...] = ((b"cache-control", b"no-store"), NOSNIFF)
"""The fields of every answer to staff."""

PLAIN_FIELDS: tuple[Header, ...] = (NOSNIFF,)
"""The fields of every other answer."""


@define
class Answer:
    """An answer.

    `kept` is what is kept of it under an idempotency key, where that is not the body itself; `afterwards` is done when
    it is sent, and returns whose it was.
    """

    status: int
    body: bytes = b""
    headers: list[Header] = field(factory=list[Header])
    kept: bytes | None = None
    afterwards: Callable[[], str] | None = None


def encoded(content: object) -> bytes:
    """Return JSON: days as YYYY-MM-DD, moments in RFC 3339 with a Z."""
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)


def answered(data: object, *, status: int = 200) -> Answer:
    """Return one record in its envelope."""
    return Answer(status, encoded({"data": data}), [JSON_TYPE])


def listed(rows: Sequence[object], *, total: int, limit: int, cursor: str | None) -> Answer:
    """Return a page of records in its envelope; a cursor says that there are more."""
    meta: PageMeta = {"total": total, "limit": limit, "cursor": cursor, "hasMore": cursor is not None}
    return Answer(200, encoded({"data": rows, "meta": meta}), [JSON_TYPE])


def tagged(answer: Answer, revision: int) -> Answer:
    """Return the answer with a revision as its entity tag."""
    answer.headers.append((b"etag", b'"%d"' % revision))
    return answer


def bare(content: object) -> Answer:
    """Return JSON without an envelope."""
    return Answer(200, encoded(content), [JSON_TYPE])


def signed(receipt: str) -> Answer:
    """Return a compact JWS (RFC 7515)."""
    return Answer(200, receipt.encode(), [JOSE_TYPE])


def nothing() -> Answer:
    """Return the answer to what leaves nothing to say."""
    return Answer(204)


async def send_answer(send: Send, answer: Answer, *, with_body: bool) -> None:
    """Send an answer, without its body to a HEAD."""
    headers = answer.headers
    if answer.status != 204:  # noqa: PLR2004 - "No Content"
        headers = [*headers, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body if with_body else b""})
