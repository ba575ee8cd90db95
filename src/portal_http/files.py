"""Answers that are files to be kept, and what they are called."""

import re
import unicodedata
from urllib.parse import quote

from portal_http.answers import Header

_LONGEST_NAME = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_UNSAFE_ANYWHERE = re.compile(r"[^\w.-]+")


def attachment(name: str) -> Header:
    """Return the field that has a file kept under a name (RFC 6266), of which what file systems dislike is left out.

    A name of other than ASCII letters is given a second time, for whoever reads RFC 8187.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    field = f'attachment; filename="{_safe(plain, _UNSAFE)}"'
    if not name.isascii():
        field += f"; filename*=UTF-8''{quote(_safe(name, _UNSAFE_ANYWHERE), safe='')}"
    return b"content-disposition", field.encode()


def _safe(name: str, unsafe: re.Pattern[str]) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{unsafe.sub('-', stem).strip('-.')[:_LONGEST_NAME] or 'file'}.{suffix}"
