"""What came in: the parts of an ASGI request that the portal looks at, read with suspicion."""

import re
from collections.abc import Collection, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias, cast

from attrs import define
from starlette.types import Receive, Scope

from portal_core.domain.errors import InvalidInput
from portal_http.errors import FieldsTooLarge, InvalidHost, PayloadTooLarge, UnsupportedMediaType
from portal_http.redact import redacted

LARGEST_BODY = 64 * 1024
LARGEST_HEAD = 32 * 1024
MOST_FIELDS = 100
LONGEST_USER_AGENT = 500

NOWHERE = "-"
"""The route of a path that there is not."""

NOBODY = "-"
"""Who asks, while nobody is known."""

Network: TypeAlias = IPv4Network | IPv6Network

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}[A-Za-z0-9_.])?)(?::[0-9]{1,5})?")
_JSON = re.compile(r"application/json\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?;?", re.IGNORECASE)
_KEY = re.compile(r'"([!#-\[\]-~]{1,255})"|([!#-~]{1,255})')
_TAG = re.compile(r'"([1-9][0-9]{0,8})"')


class Gone(Exception):
    """The client hung up before it had said everything."""


@define
class Incoming:
    """One HTTP request. `path` is what follows the prefix under which the portal is mounted.

    `route` and `who` are for the log: the path as it is declared, and the link's id or staff's subject, once known.
    """

    method: str
    path: str
    query_string: bytes
    headers: Collection[tuple[bytes, bytes]]
    peer: str | None
    version: str
    receive: Receive
    route: str = NOWHERE
    who: str = NOBODY

    def fields(self, name: bytes) -> list[str]:
        """Return the values of a header field, each time that it came."""
        return [value.decode("latin-1").strip() for each, value in self.headers if each == name]

    def field(self, name: bytes) -> str | None:
        """Return the value of a header field; refuse with InvalidInput when it came more than once."""
        values = self.fields(name)
        if len(values) > 1:
            raise InvalidInput.in_parameter(_spelled(name), "was given more than once")
        return values[0] if values else None

    def user_agent(self) -> str | None:
        """Return what the client says that it is, without tokens and anything unprintable, at most 500 characters."""
        said = " ".join(self.fields(b"user-agent"))
        return redacted("".join(each for each in said if each.isprintable()))[:LONGEST_USER_AGENT] or None

    def address(self, trusted: Collection[Network]) -> str | None:
        """Return the client's address: the socket's, or what the trusted proxies before it were told."""
        address = _address(self.peer)
        hops = [hop for value in self.fields(b"x-forwarded-for") for hop in value.split(",")] if trusted else []
        while hops and address is not None and _is_trusted(address, trusted):
            told = _address(hops.pop())
            if told is None:
                break
            address = told
        return address

    def idempotency_key(self) -> str | None:
        """Return the idempotency key, without its quotes; refuse with InvalidInput when it is malformed."""
        said = self.field(b"idempotency-key")
        if said is None:
            return None
        found = _KEY.fullmatch(said)
        if found is None:
            detail = "must be 1-255 visible ASCII characters, bare or in double quotes"
            raise InvalidInput.in_parameter("Idempotency-Key", detail)
        return found[1] or found[2]

    def revision_seen(self, stated: int | None) -> int | None:
        """Return the revision that was seen, by If-Match or the body; refuse with InvalidInput when they disagree."""
        said = self.field(b"if-match")
        if said is None:
            return stated
        found = _TAG.fullmatch(said)
        if found is None:
            raise InvalidInput.in_parameter("If-Match", 'must be one revision in double quotes, like "3"')
        revision = int(found[1])
        if stated is not None and stated != revision:
            raise InvalidInput.at("/revision", f"is {stated}, and If-Match says {revision}")
        return revision

    async def body(self) -> bytes:
        """Return a body of JSON; refuse with PayloadTooLarge or UnsupportedMediaType. No body at all is allowed."""
        body = await self.read()
        if body:
            self._require_json()
        return body

    async def upload(self, media_types: Sequence[str], *, most: int) -> bytes:
        """Return a body that is a file; refuse with PayloadTooLarge or UnsupportedMediaType."""
        content = await self.read(most)
        said = self.fields(b"content-type")
        if len(said) != 1 or said[0].partition(";")[0].strip().lower() not in media_types or self._is_coded():
            raise UnsupportedMediaType(f"The body must be sent as {' or '.join(media_types)}, and not compressed.")
        return content

    async def read(self, most: int = LARGEST_BODY) -> bytes:
        """Return the body, whatever it is; refuse with PayloadTooLarge beyond `most` bytes."""
        if any(int(value) > most for value in self.fields(b"content-length") if value.isdecimal()):
            raise _too_large(most)
        body = bytearray()
        more = True
        while more:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Gone
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > most:
                raise _too_large(most)
        return bytes(body)

    def require_bounds(self) -> None:
        """Refuse with FieldsTooLarge more header fields, or longer ones, than are read."""
        size = 0
        for name, value in self.headers:
            size += len(name) + len(value)
        if len(self.headers) > MOST_FIELDS or size > LARGEST_HEAD:
            most = f"{MOST_FIELDS} header fields, and {LARGEST_HEAD // 1024} KiB in them"
            raise FieldsTooLarge(f"A request may have at most {most}.")

    def require_host(self, allowed: Collection[str]) -> None:
        """Refuse with InvalidHost when Host is malformed or none of those allowed; no allowed ones mean any."""
        said = self.fields(b"host")
        if not said and self.version != "1.1" and not allowed:
            return
        found = _HOST.fullmatch(said[0]) if len(said) == 1 else None
        if found is None:
            raise InvalidHost("The Host field is missing or malformed.")
        if allowed and not any(_matches(found[1].lower(), each.lower()) for each in allowed):
            raise InvalidHost("The Host field names nobody whom this server answers for.")

    def _require_json(self) -> None:
        said = self.fields(b"content-type")
        if len(said) != 1 or _JSON.fullmatch(said[0]) is None or self._is_coded():
            raise UnsupportedMediaType("The body must be sent as application/json, in UTF-8 and not compressed.")

    def _is_coded(self) -> bool:
        return any(value.lower() != "identity" for value in self.fields(b"content-encoding"))


def incoming(scope: Scope, receive: Receive) -> Incoming:
    """Return the request of an ASGI scope."""
    path, root = cast("str", scope["path"]), cast("str", scope.get("root_path", ""))
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in {"", "/"}:
        path = path[len(root) :]
    if not path.isascii():
        path = path.encode(errors="replace").decode()  # Some servers let surrogates through, which cannot be sent back.
    if b"%2f" in (scope.get("raw_path") or b"").lower():
        path += "/"  # A slash in disguise separates nothing, no id holds one, and no path ends with one.
    client = cast("tuple[str, int] | None", scope.get("client"))
    return Incoming(
        method=scope["method"],
        path=path,
        query_string=scope["query_string"],
        headers=scope["headers"],
        peer=None if client is None else client[0],
        version=scope.get("http_version", "1.1"),
        receive=receive,
    )


def networks(texts: Collection[str]) -> tuple[Network, ...]:
    """Return the networks of addresses and networks in text; raise ValueError for anything else."""
    return tuple(ip_network(text, strict=False) for text in texts)


def neighbourhood(address: str | None) -> str:
    """Return what guesses are counted by: an IPv4 address, or the /64 that an IPv6 address is in."""
    if address is None or ":" not in address:
        return address or "unknown"
    return str(ip_network((address, 64), strict=False).network_address)


def _too_large(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The body may have at most {most // 1024} KiB.")


def _address(text: str | None) -> str | None:
    bare = (text or "").strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _is_trusted(address: str, trusted: Collection[Network]) -> bool:
    known = ip_address(address)
    return any(known in network for network in trusted)


def _matches(host: str, allowed: str) -> bool:
    return host == allowed or (allowed.startswith("*.") and host.endswith(allowed[1:]))


def _spelled(name: bytes) -> str:
    return "-".join(part.capitalize() for part in name.decode().split("-"))
