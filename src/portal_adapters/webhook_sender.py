"""Webhooks over HTTP: one signed request, to an address that was looked up once and checked."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Final, TypeAlias, final
from urllib.parse import SplitResult, quote, urlsplit

import h11
import orjson
from attrs import frozen

from portal_adapters.public_addresses import Address, Network, permitted
from portal_core.domain.outbox import Attempt, Dispatch
from portal_core.domain.webhooks import Webhook
from portal_core.use_cases.outbox import Parcel

PATIENCE: Final = timedelta(seconds=20)
"""How long an attempt may take in all, from the look-up of the name to the answer's status."""

LEASE: Final = timedelta(seconds=30)
"""How long an attempt is nobody else's: longer than it may take."""

USER_AGENT: Final = "customer-portal-webhooks/1"

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]

_PORTS = {"http": 80, "https": 443}
_CHUNK = 64 * 1024
_SAFE_IN_PATHS = "/%:@!$&'()*+,;=-._~"
_SAFE_IN_QUERIES = _SAFE_IN_PATHS + "?"


class Forbidden(Exception):
    """The webhook's address leads to where the portal sends nothing; the message says where."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host, as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


@final
@frozen(kw_only=True)
class WebhookSender:
    """Sends by the rules of Standard Webhooks. Networks that are `allowed` may be sent to although they are not public.

    It follows no redirect, asks no proxy, and reads nothing of the answer beyond its head.
    """

    allowed: tuple[Network, ...] = ()
    patience: timedelta = PATIENCE
    lease: timedelta = LEASE
    resolve: Resolve = resolve

    async def carry(self, parcel: Parcel, *, now: datetime) -> Attempt:
        """Send a parcel to its webhook and return what came of it."""
        if parcel.webhook is None:
            return Attempt(arrived=False, problem="There is no webhook any more.", final=True)
        try:
            async with asyncio.timeout(self.patience.total_seconds()):
                return _judged(await self._post(parcel.webhook, parcel.dispatch, now))
        except (Forbidden, OSError, ValueError, h11.RemoteProtocolError) as problem:
            return Attempt(arrived=False, problem=_sentence(problem))

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """What is trusted: a long list to read, which waits for the first address that begins with https."""
        return ssl.create_default_context()

    async def _post(self, webhook: Webhook, dispatch: Dispatch, now: datetime) -> int:
        url = urlsplit(webhook.url)
        host = (url.hostname or "").encode("idna").decode() if not _is_literal(url) else url.hostname or ""
        port = url.port or _PORTS[url.scheme.lower()]
        addresses = permitted(await self.resolve(host, port), self.allowed)
        if not addresses:
            raise Forbidden(f"{host} leads to no address of the public Internet, where alone webhooks are sent.")
        reader, writer = await self._connect(addresses, port, host if url.scheme.lower() == "https" else None)
        try:
            writer.write(_request(url, host, webhook, dispatch, now))
            await writer.drain()
            return await _status(reader)
        finally:
            writer.transport.abort()

    async def _connect(
        self, addresses: Sequence[Address], port: int, server: str | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        tls = None if server is None else await asyncio.to_thread(lambda: self._tls)
        for place, address in enumerate(addresses):
            try:
                return await asyncio.open_connection(str(address), port, ssl=tls, server_hostname=server)
            except OSError:
                if place == len(addresses) - 1:
                    raise
        raise Forbidden("There is no address.")


def _request(url: SplitResult, host: str, webhook: Webhook, dispatch: Dispatch, now: datetime) -> bytes:
    body = orjson.dumps(dispatch.payload)
    target = quote(url.path or "/", safe=_SAFE_IN_PATHS) + (
        f"?{quote(url.query, safe=_SAFE_IN_QUERIES)}" if url.query else ""
    )
    place = f"[{host}]" if ":" in host else host
    fields = [
        ("host", place if url.port is None else f"{place}:{url.port}"),
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("user-agent", USER_AGENT),
        ("webhook-id", dispatch.message_id),
        ("webhook-timestamp", str(int(now.timestamp()))),
        ("webhook-signature", webhook.signatures(dispatch.message_id, now, body)),
        ("connection", "close"),
    ]
    http = h11.Connection(h11.CLIENT)
    parts = (
        http.send(h11.Request(method="POST", target=target, headers=fields)),
        http.send(h11.Data(data=body)),
        http.send(h11.EndOfMessage()),
    )
    return b"".join(part or b"" for part in parts)


async def _status(reader: asyncio.StreamReader) -> int:
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="POST", target="/", headers=[("host", "x"), ("content-length", "0")]))
    http.send(h11.EndOfMessage())
    while True:
        event = http.next_event()
        if isinstance(event, h11.Response):
            return event.status_code
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(_CHUNK))


def _judged(status: int) -> Attempt:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Attempt(arrived=True, status=status)
    gone = status == HTTPStatus.GONE
    return Attempt(arrived=False, status=status, problem=_words(status), final=gone, gone=gone)


def _words(status: int) -> str:
    redirected = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return f"The receiver answered {status}." + (" Redirects are not followed." if redirected else "")


def _sentence(problem: Exception) -> str:
    match problem:
        case Forbidden():
            return str(problem)
        case TimeoutError():
            return "There was no answer in time."
        case ssl.SSLError():
            return f"TLS failed: {problem.reason or problem}"
        case h11.RemoteProtocolError():
            return f"The answer is no HTTP: {problem}"
        case _:
            return f"There is no connection: {problem}"


def _is_literal(url: SplitResult) -> bool:
    return "[" in url.netloc
