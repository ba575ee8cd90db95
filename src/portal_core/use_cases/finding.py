"""From "there is none" to the refusal that says so."""

from typing import TypeVar

from portal_core.domain.errors import NotFound

T = TypeVar("T")


def require_found(found: T | None, kind: str, record_id: str) -> T:
    """Return what was found, or refuse with NotFound in the same words for what is not there and what is not theirs."""
    if found is None:
        raise NotFound(f"There is no {kind} {record_id!r} here.")
    return found
