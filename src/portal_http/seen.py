"""What may be told of an answered request to whoever keeps a log or counts: no token, no id of a document."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeAlias

from attrs import define

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

OTHER = "OTHER"
"""What any other method is called, because a client may write what it likes there."""


@define
class Seen:
    """One request and how it was answered.

    `route` is the path as it is declared, or `-` where there is no such path; `who` is the link's id or staff's
    subject, or `-` for nobody.
    """

    at: datetime
    method: str
    route: str
    status: int
    who: str
    seconds: float


Watcher: TypeAlias = Callable[[Seen], None]
"""Is told of every request when it is answered, on the event loop: it must not wait, and not raise."""


def known_method(method: str) -> str:
    """Return a method that there is, or what all others are called."""
    return method if method in METHODS else OTHER
