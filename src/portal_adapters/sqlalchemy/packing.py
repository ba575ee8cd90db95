"""Facts packed ahead of the transaction that keeps them: their rows, as a few bytes that any process can make."""

import marshal
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Self, TypeAlias

from attrs import frozen
from sqlalchemy import Date, Table

from portal_adapters.sqlalchemy.bulk import Row, values_at
from portal_adapters.sqlalchemy.columns import Moment
from portal_adapters.sqlalchemy.derived import DERIVED
from portal_adapters.sqlalchemy.facts import TABLES
from portal_adapters.sqlalchemy.schema import allocations
from portal_adapters.sqlalchemy.values import microseconds_of
from portal_adapters.sqlalchemy.written import Values, allocation_rows_of, row_of
from portal_core.domain.invoices import Invoice
from portal_core.domain.payments import Payment
from portal_core.domain.records import Fact, RecordType, ref_of

Rows: TypeAlias = tuple[Row, tuple[Row, ...]]
"""A fact's own row but for its checksum, and those of its allocations."""

COLUMNS: Mapping[RecordType, tuple[str, ...]] = {
    kind: tuple(sorted({each.name for each in table.c} - {"checksum"} - set(DERIVED.get(kind, ()))))
    for kind, table in TABLES.items()
}
"""The columns of a fact's row, in their order."""

ALLOCATION_COLUMNS = tuple(sorted(each.name for each in allocations.c))


@frozen
class _Form:
    """The columns that make a row, and what becomes of those that hold days and moments."""

    values_in_order: Callable[[Values], Row]
    plain: Sequence[tuple[str, Callable[[Any], Any]]]

    @classmethod
    def of(cls, table: Table, names: tuple[str, ...]) -> Self:
        makes = ((name, _MAKES_PLAIN.get(type(table.c[name].type))) for name in names)
        return cls(values_at(names), [(name, make) for name, make in makes if make is not None])

    def row(self, values: Values) -> Row:
        for name, make in self.plain:
            if values[name] is not None:
                values[name] = make(values[name])
        return self.values_in_order(values)


_MAKES_PLAIN: Mapping[type, Callable[[Any], Any]] = {Date: date.isoformat, Moment: microseconds_of}

_FORMS = {kind: _Form.of(table, COLUMNS[kind]) for kind, table in TABLES.items()}
_ALLOCATION_FORM = _Form.of(allocations, ALLOCATION_COLUMNS)


def pack(fact: Fact) -> bytes:
    """Return a fact's rows as bytes, for this very version of the program to read."""
    return marshal.dumps(rows_of(fact))


def unpack(form: bytes) -> Rows:
    """Return the rows that were packed."""
    rows: Rows = marshal.loads(form)  # noqa: S302 - what this program wrote a moment ago, and nobody else
    return rows


def rows_of(fact: Fact) -> Rows:
    """Return a fact's rows in the driver's terms."""
    given = allocation_rows_of(fact) if isinstance(fact, Invoice | Payment) else ()
    return _FORMS[ref_of(fact).type].row(row_of(fact)), tuple(map(_ALLOCATION_FORM.row, given))
