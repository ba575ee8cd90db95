"""Where two answers part, in one line: whole answers are too long to compare by eye."""

from collections.abc import Mapping
from typing import Any, cast

from attrs import fields, has


def difference_between(found: object, promised: object, path: str = "answer") -> str | None:
    """Return the first place in which two answers differ and what each has there, or nothing if they are equal."""
    if found == promised:
        return None
    if type(found) is type(promised):
        for place, ours, theirs in _parts(found, promised):
            if (inner := difference_between(ours, theirs, path + place)) is not None:
                return inner
    return f"{path}: found {found!r}, promised {promised!r}"


def _parts(found: Any, promised: Any) -> list[tuple[str, Any, Any]]:  # noqa: ANN401 - any answer
    kind = cast("type[object]", type(found))
    if has(kind):
        names = [each.name for each in fields(kind) if each.eq]
        return [(f".{name}", getattr(found, name), getattr(promised, name)) for name in names]
    if issubclass(kind, Mapping):
        return [(f"[{key!r}]", found[key], promised[key]) for key in found.keys() & promised.keys()]
    if issubclass(kind, list | tuple) and len(found) == len(promised):
        return [(f"[{place}]", found[place], promised[place]) for place in range(len(found))]
    return []
