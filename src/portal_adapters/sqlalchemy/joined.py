"""A statement about one link as one about several, so that PostgreSQL begins and ends it once for all of them."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, cast

from sqlalchemy import BindParameter, ColumnElement, Integer, Values, bindparam, column, literal_column, values
from sqlalchemy.sql.visitors import iterate, replacement_traverse
from sqlalchemy.types import TypeEngine

from portal_adapters.sqlalchemy.direct import Reading
from portal_core.domain.access import DocumentType

SIZES: Final = (4, 16)
"""For how many a statement may ask: a connection prepares it for each of these, and its plans take memory."""

_ASKED: Final = "asked"
_MOST_STATEMENTS = 100


def id_parameter(kind: DocumentType) -> str:
    """Return the name of the parameter that says which document is asked for."""
    return f"{kind}_id"


OWN: Final = ("digest", "at", *map(id_parameter, DocumentType))
"""The parameters that are of one link's question; all others must be the same where several are asked together."""


def parameters_for(several: Sequence[Mapping[str, Any]], size: int) -> Mapping[str, Any]:
    """Return the parameters of several questions as those of one that has room for so many."""
    parameters = dict(several[0])
    for name in OWN:
        if name in parameters:
            own = [each[name] for each in several]
            # Nobody has no digest: what is left over finds nothing.
            own += [None if name == "digest" else own[0]] * (size - len(own))
            parameters |= {f"{name}_{place}": value for place, value in enumerate(own)}
    return parameters


@lru_cache(maxsize=_MOST_STATEMENTS)
def joined(statement: Reading, size: int) -> Reading:
    """Return the statement that asks for so many, each row with the `place` of whom it is for."""
    own = {name: kind for name, kind in _kinds(statement).items() if name in OWN}

    def of_whom(element: Any, **_: Any) -> ColumnElement[Any] | None:  # noqa: ANN401 - any part of a statement
        if isinstance(element, BindParameter) and element.key in own:
            # Written as text, so that a question within the statement does not ask for all of them by itself.
            return literal_column(f"{_ASKED}.{element.key}", own[element.key])
        return None

    for_several = cast("Reading", replacement_traverse(statement, {}, of_whom))
    place = literal_column(f"{_ASKED}.place", Integer).label("place")
    return for_several.add_columns(place).select_from(_asked(own, size))


def _kinds(statement: Reading) -> Mapping[str, TypeEngine[Any]]:
    return {each.key: cast("Any", each).type for each in iterate(statement) if isinstance(each, BindParameter)}


def _asked(own: Mapping[str, TypeEngine[Any]], size: int) -> Values:
    def row(place: int) -> tuple[ColumnElement[Any], ...]:
        asked = (bindparam(f"{name}_{place}", type_=kind) for name, kind in own.items())
        return literal_column(str(place), Integer), *asked

    columns = (column(name, kind) for name, kind in own.items())
    return values(column("place", Integer), *columns, name=_ASKED).data([row(place) for place in range(size)])
