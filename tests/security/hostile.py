"""Requests that nobody sends in good faith, drawn by chance from what has broken servers before."""

import json
import random
from collections.abc import Sequence
from typing import Any, TypeAlias

from attrs import define

from portal_http.app import ENDPOINTS
from tests.security.asking import Fields

Value: TypeAlias = Any
Asked: TypeAlias = tuple[str, str, bytes, Fields, bytes]

PIECES: Sequence[str] = (
    "",
    "\0",
    "%00",
    "\ud800",
    "\udcff",
    "é",
    "ﷺ" * 50,
    "\u202e\u200b\ufeff",
    "a\u0301" * 100,
    "..",
    "../" * 20,
    "..%2f",
    "%2e%2e",
    "\\",
    "'\"`;--",
    "' OR 1=1 --",
    "<script>alert(1)</script>",
    "{{7*7}}${7*7}",
    "\r\nSet-Cookie: a=b",
    "%0d%0aLocation:%20//evil.example",
    "A" * 300,
    "9" * 5_000,
    "-1",
    "0",
    "1e999",
    "NaN",
    "Infinity",
    "0x10",
    "٣",
    "2026-02-30",
    "9999-99-99",
    "null",
    "true",
    "[]",
    "Q1",
    "T1",
    "I1",
    "sent,accepted",
    "desc",
    "EUR",
)
NUMBERS: Sequence[Value] = (0, -1, 1, 2**31, 2**63, 10**400, -(10**400), 1.5, 1e308, float("inf"), float("nan"))
NAMES = ("subject", "message", "category", "rating", "document", "name", "title", "email", "purchase_order", "comment")
MORE_NAMES = ("revision", "reason", "client_id", "permissions", "expires_at", "label", "documents", "overlap_seconds")
RAW: Sequence[bytes] = (
    b"",
    b"{",
    b"\xff\xfe\x00\x00",
    b"\xef\xbb\xbf{}",
    b"[" * 40_000,
    b'{"a":' * 8_000,
    b"[" * 1_000 + b"]" * 1_000,
    b'{"message": "\\ud800", "subject": "\\udc00\\ud800"}',
    b'{"subject": "\xed\xa0\x80"}',
    b'{"rating": 1e999}',
    b'{"rating": ' + b"9" * 5_000 + b"}",
    b'{"rating": -0.0e-999}',
    b'{"subject": 1, "subject": 2}',
    b"{" + b",".join(b'"%d": 0' % each for each in range(3_000)) + b"}",
    '{"subject": "x"}'.encode("utf-16"),
    '{"subject": "x"}'.encode("utf-32"),
    b'{"subject": "\x00"}',
    b"subject=x&message=%00&message=%ff",
    b"&".join(b"f%d=1" % each for each in range(300)),
    b"subject=" + b"%f0%9f%92%a9" * 2_000,
    b"\0" * 65_537,
)
JSON, FORM = b"application/json", b"application/x-www-form-urlencoded"
TYPES = (
    b"application/json",
    b"application/x-www-form-urlencoded",
    b"text/xml",
    b"application/json; charset=utf-16",
    b"",
)
FIELDS = (
    b"authorization",
    b"content-type",
    b"content-length",
    b"content-encoding",
    b"transfer-encoding",
    b"idempotency-key",
    b"if-match",
    b"x-company-id",
    b"x-forwarded-for",
    b"x-forwarded-host",
    b"x-http-method-override",
    b"accept",
    b"accept-language",
    b"cookie",
    b"origin",
    b"sec-fetch-site",
    b"referer",
    b"user-agent",
    b"host",
    b"range",
    b"expect",
    b"upgrade",
    b"\xff\x00",
    b"",
)
SAID = (
    b"",
    b"\0",
    b"\xff\xfe",
    b'"',
    b'"3"',
    b'W/"3"',
    b"http://[",
    b"https://evil.example",
    b"null",
    b"http://portal.example:99999",
    b"http://portal.example:x",
    b"same-origin",
    b"cross-site",
    b"de-DE;q=x,*;q=9e999",
    b"x" * 9_000,
    b",".join([b"203.0.113.9"] * 400),
    b"[::1",
    b"::ffff:1.2.3.4%eth0",
    b"gzip, deflate, br",
    b"99999999999999999999",
    b"-5",
    b"theme=light; scheme=dark; scheme=<x>",
    b"Bearer eyJ.a.b",
    b"Bearer " + b"." * 3_000,
    b"100-continue",
    b"bytes=0-,1-,2-",
    b"(a+)+$" * 20,
    "é".encode(),
)
METHODS = (
    "GET",
    "GET",
    "HEAD",
    "POST",
    "POST",
    "POST",
    "PATCH",
    "DELETE",
    "PUT",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "é",
    "",
)
PAGES = ("", "/quotes", "/quotes/Q1", "/orders", "/orders/O1", "/deliveries", "/invoices", "/invoices/I1", "/payments")
MORE_PAGES = ("/statement", "/feedback", "/feedback/T1", "/display", "/logo", "/nothing")


@define
class Hostile:
    """A source of such requests, the same for the same seed."""

    chance: random.Random
    token: str
    bearer: str

    def request(self) -> Asked:
        """Return method, path, query, header fields and body."""
        chance = self.chance
        headers = [(chance.choice(FIELDS), chance.choice(SAID)) for _ in range(chance.choice((0, 0, 1, 2, 5)))]
        if chance.random() < 0.02:
            headers += [(b"x-%d" % each, b"y" * 10) for each in range(chance.choice((90, 500)))]
        if chance.random() < 0.6:
            headers.append((b"authorization", b"Bearer " + self.bearer.encode()))
        method, path, fitting = self.place()
        if chance.random() < 0.9:
            kind = fitting if chance.random() < 0.8 else chance.choice(TYPES)
            headers.append((b"content-type", kind))
        if chance.random() < 0.2:
            method = chance.choice(METHODS)
        return method, path, self.query(), headers, self.body()

    def place(self) -> tuple[str, str, bytes]:
        """Return a method, a path that takes it but for what fills it in, and the type of a body there."""
        chance = self.chance
        if chance.random() < 0.4:
            token = self.token if chance.random() < 0.9 else self.piece()
            path = f"/p/{token}{chance.choice(PAGES + MORE_PAGES)}{self.tail()}"
            return chance.choice(("GET", "POST")), path, FORM
        endpoint = chance.choice(ENDPOINTS)
        filled = [self._filled(segment) for segment in endpoint.path.split("/")]
        return endpoint.method, "/".join(filled) + self.tail(), JSON

    def _filled(self, segment: str) -> str:
        if not segment.startswith("{"):
            return segment
        if segment == "{token}":
            return self.token if self.chance.random() < 0.9 else self.piece()
        return self.chance.choice(("Q1", "T1")) if self.chance.random() < 0.3 else self.piece()

    def tail(self) -> str:
        return f"/{self.piece()}" if self.chance.random() < 0.1 else ""

    def query(self) -> bytes:
        names = ("limit", "cursor", "sort", "order", "state", "from", "to", "number", "client_id", "currency", "x")
        count = self.chance.choice((0, 0, 1, 2, 6))
        parts = [f"{self.chance.choice((*names, self.piece()))}={self.piece()}" for _ in range(count)]
        return "&".join(parts).encode("utf-8", "surrogatepass")

    def body(self) -> bytes:
        if self.chance.random() < 0.5:
            return self.chance.choice(RAW)
        document = {self.chance.choice(NAMES + MORE_NAMES): self.value(3) for _ in range(self.chance.randrange(6))}
        return json.dumps(document, ensure_ascii=self.chance.random() < 0.5).encode("utf-8", "surrogatepass")

    def value(self, depth: int) -> Value:
        match self.chance.randrange(6 if depth else 4):
            case 0:
                return self.chance.choice(NUMBERS)
            case 1:
                return self.chance.choice((None, True, False))
            case 4:
                return [self.value(depth - 1) for _ in range(self.chance.randrange(4))]
            case 5:
                return {self.piece(): self.value(depth - 1) for _ in range(self.chance.randrange(4))}
            case _:
                return self.piece()

    def piece(self) -> str:
        return self.chance.choice(PIECES)
