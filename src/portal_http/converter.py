"""From a body's bytes to a request: strict, with a JSON pointer for every field that is wrong."""

import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Annotated, Any, TypeVar, cast, get_args, get_origin, is_typeddict

import orjson
from attrs import frozen, has
from cattrs import (
    AttributeValidationNote,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
    gen,
)
from cattrs.cols import is_sequence, list_structure_factory
from cattrs.gen import typeddicts

from portal_core.domain.errors import InvalidInput, Problem
from portal_http.errors import InvalidJson

T = TypeVar("T")


@frozen
class Reads:
    """In an annotation: the function that reads the value, and raises ValueError with what is wrong with it."""

    function: Callable[[Any], object]


class _Repeating(dict[str, object]):
    """An object in which names came more than once."""

    repeated: tuple[str, ...] = ()


def parse_object(body: bytes) -> dict[str, object]:
    """Return the JSON object of a body; nothing at all stands for an empty one.

    Refuses with InvalidJson what is no JSON or cannot be kept exactly (NaN, lone surrogates, more than about a thousand
    levels), with InvalidInput what is no object or repeats a name.
    """
    if not body:
        return {}
    try:
        orjson.loads(body)
        document: object = json.loads(body, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        raise InvalidJson("The body is not valid JSON.") from None
    if not isinstance(document, dict):
        raise InvalidInput.at("", "must be a JSON object")
    named = cast("dict[str, object]", document)
    repeated = [Problem("was given more than once", pointer=pointer) for pointer in _repeated(named, "")]
    if repeated:
        raise InvalidInput(repeated)
    return named


def structured(document: dict[str, object], kind: type[T]) -> T:
    """Return the request that a JSON object makes; refuse with InvalidInput at everything that is wrong with it."""
    try:
        return _converter.structure(document, kind)
    except (ClassValidationError, IterableValidationError) as problems:
        raise InvalidInput(list(_problems(problems, ""))) from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    names = [name for name, _ in pairs]
    repeating = _Repeating(plain)
    repeating.repeated = tuple(name for name in plain if names.count(name) > 1)
    return repeating


def _repeated(document: object, pointer: str) -> Iterator[str]:
    if isinstance(document, _Repeating):
        yield from (_below(pointer, name) for name in document.repeated)
    if isinstance(document, dict):
        for name, value in cast("dict[str, object]", document).items():
            yield from _repeated(value, _below(pointer, name))
    elif isinstance(document, list):
        for index, value in enumerate(cast("list[object]", document)):
            yield from _repeated(value, _below(pointer, index))


def _problems(group: BaseException, pointer: str) -> Iterator[Problem]:
    match group:
        case ClassValidationError() | IterableValidationError():
            for each in group.exceptions:
                yield from _problems(each, pointer + _step(each))
        case ForbiddenExtraKeysError():
            for name in sorted(group.extra_fields):
                yield Problem("is unknown here", pointer=_below(pointer, name))
        case KeyError():
            yield Problem("is required", pointer=pointer)
        case ValueError():
            yield Problem(str(group), pointer=pointer)
        case _:
            raise group


def _step(problem: BaseException) -> str:
    for note in getattr(problem, "__notes__", ()):
        match note:
            case AttributeValidationNote():
                return _below("", note.name)
            case IterableValidationNote():
                return _below("", note.index)
            case _:
                continue
    return ""


def _below(pointer: str, name: str | int) -> str:
    return f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"


def _is_ruled(kind: Any) -> bool:  # noqa: ANN401 - any annotation at all
    return get_origin(kind) is Annotated and any(isinstance(part, Reads) for part in get_args(kind))


def _ruled(kind: Any) -> Callable[[object, object], object]:  # noqa: ANN401 - any annotation at all
    rule = next(part for part in get_args(kind) if isinstance(part, Reads))
    return lambda value, _: rule.function(value)


def _word(value: object, kind: type[StrEnum]) -> StrEnum:
    found = next((each for each in kind if each.value == value), None)
    if found is None:
        raise ValueError(f"must be one of {', '.join(kind)}")
    return found


def _flag(value: object, _: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - the converter gathers these
    return value


def _is_record(kind: Any) -> bool:  # noqa: ANN401 - any annotation at all
    return has(kind) or is_typeddict(kind)


def _record(kind: Any, converter: Converter) -> Callable[[object, object], object]:  # noqa: ANN401 - any record at all
    make = cast("Any", gen if has(kind) else typeddicts).make_dict_structure_fn
    inner = make(kind, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True)
    return _only(dict, "must be a JSON object", inner)


def _list(kind: Any, converter: Converter) -> Callable[[object, object], object]:  # noqa: ANN401 - any list at all
    return _only(list, "must be a list", list_structure_factory(kind, converter))


def _only(wanted: type[object], detail: str, inner: Callable[[Any, Any], object]) -> Callable[[object, object], object]:
    def read(value: object, kind: object) -> object:
        if not isinstance(value, wanted):
            raise ValueError(detail)  # noqa: TRY004 - the converter gathers these
        return inner(value, kind)

    return read


def _make_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook(bool, _flag)
    converter.register_structure_hook(StrEnum, _word)
    converter.register_structure_hook_factory(_is_record, _record)
    converter.register_structure_hook_factory(is_sequence, _list)
    converter.register_structure_hook_factory(_is_ruled, _ruled)
    return converter


_converter = _make_converter()
