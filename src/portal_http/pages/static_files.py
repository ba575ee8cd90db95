"""The stylesheet and the icon: the same for everybody, kept by browsers for good, and compressed for who can read that.

Nothing secret is in them, so that compressing them tells nobody anything; pages are another matter (BREACH).
"""

import gzip
import re
from collections.abc import Sequence
from functools import lru_cache

from portal_core.domain.errors import DeadLink
from portal_http.answers import NOSNIFF, Answer, Header
from portal_http.errors import MethodNotAllowed
from portal_http.incoming import Incoming
from portal_http.pages import theme

STATIC = "static"

STATIC_FIELDS: tuple[Header, ...] = (
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"content-security-policy", b"default-src 'none'"),
    (b"vary", b"Accept-Encoding"),
    NOSNIFF,
)
"""The fields of what is the same for everybody and has its content's digest in its address."""

_NAME = re.compile(r"[0-9a-f]{16}-([0-9a-f]{6})\.(css|svg)")
_MEDIA_TYPES = {"css": b"text/css; charset=utf-8", "svg": b"image/svg+xml"}
_TAKES_GZIP = re.compile(r"(?:^|,)\s*gzip\s*(?:;\s*q=(?!0(?:\.0{0,3})?\s*(?:,|$))[^,]*)?(?:,|$)", re.IGNORECASE)


def static_file(request: Incoming, parts: Sequence[str]) -> Answer:
    """Return the file of a name that a page gave; refuse with DeadLink any other, so that it tells nothing either."""
    if request.method not in ("GET", "HEAD"):
        raise MethodNotAllowed("GET, HEAD")
    found = _NAME.fullmatch("/".join(parts))
    if found is None or theme.address(found[2], found[1]) != parts[0]:
        raise DeadLink
    accent, kind = found.groups()
    fields = [(b"content-type", _MEDIA_TYPES[kind]), *STATIC_FIELDS]
    if _TAKES_GZIP.search(",".join(request.fields(b"accept-encoding"))):
        return Answer(200, _compressed(kind, accent), [*fields, (b"content-encoding", b"gzip")])
    return Answer(200, _content(kind, accent), fields)


def _content(kind: str, accent: str) -> bytes:
    return theme.stylesheet(accent) if kind == "css" else theme.icon(accent)


@lru_cache
def _compressed(kind: str, accent: str) -> bytes:
    return gzip.compress(_content(kind, accent), mtime=0)
