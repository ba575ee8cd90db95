"""Sections of an answer: the rows of a whole question as one value of a statement that asks for more than them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias, final

from attrs import field, frozen
from sqlalchemy import Boolean, Date, Label, ScalarSelect, Select, select
from sqlalchemy.types import TypeEngine

from portal_adapters.sqlalchemy.columns import Moment, moment_of
from portal_adapters.sqlalchemy.dialects import json_rows
from portal_adapters.sqlalchemy.direct import named
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.values import load

Convert: TypeAlias = Callable[[Any], Any]


@final
@frozen(eq=False)
class Section:
    """Some rows, sent as a JSON array of arrays that the database builds; none of their columns holds bytes.

    The rows may be about the row that they are a value of: then they say so by `correlate`.
    """

    name: str
    rows: Select[*tuple[Any, ...]]
    _row: Callable[[Sequence[Any]], AnyRow] = field(init=False)
    _conversions: Sequence[tuple[int, Convert]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        columns = self.rows.selected_columns
        conversions = [(place, _conversion(column.type)) for place, column in enumerate(columns)]
        object.__setattr__(self, "_row", named([each.name for each in columns]))
        object.__setattr__(self, "_conversions", [(place, each) for place, each in conversions if each is not None])

    @property
    def value(self) -> ScalarSelect[str]:
        """The rows as one value."""
        rows = self.rows.subquery()
        return select(json_rows(*rows.c)).scalar_subquery()

    @property
    def column(self) -> Label[str]:
        """The rows as a column, under the section's name."""
        return self.value.label(self.name)

    def read(self, text: str) -> Sequence[AnyRow]:
        """Return the rows that the column's value holds, in their order."""
        return [self._row(row) for row in self.values(text)]

    def values(self, text: str) -> Sequence[Sequence[Any]]:
        """Return the values of each row, in the order of its columns."""
        rows: list[list[Any]] = load(text)
        for place, convert in self._conversions:
            for row in rows:
                if row[place] is not None:
                    row[place] = convert(row[place])
        return rows


def _conversion(kind: TypeEngine[Any]) -> Convert | None:
    for known, convert in _CONVERSIONS.items():
        if isinstance(kind, known):
            return convert
    return None


# SQLite knows no truth values but 0 and 1.
_CONVERSIONS: Mapping[type[TypeEngine[Any]], Convert] = {
    Date: date.fromisoformat,
    Moment: moment_of,
    Boolean: bool,
}
