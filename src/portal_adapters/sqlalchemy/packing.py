"""Facts packed ahead of the transaction that keeps them: their rows, as a few bytes that any process can make."""

import marshal
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from portal_adapters.sqlalchemy.bulk import Row
from portal_adapters.sqlalchemy.facts import TABLES
from portal_adapters.sqlalchemy.schema import allocations
from portal_adapters.sqlalchemy.values import microseconds_of
from portal_adapters.sqlalchemy.written import allocation_rows_of, row_of
from portal_core.domain.invoices import Invoice
from portal_core.domain.payments import Payment
from portal_core.domain.records import Fact, RecordType, ref_of

Rows: TypeAlias = tuple[Row, tuple[Row, ...]]
"""A fact's own row but for its checksum, and those of its allocations."""

_DERIVED = {
    RecordType.INVOICE: {"amount_due", "payment_state", "oldest_due_on"},
    RecordType.PAYMENT: {"unallocated"},
}


COLUMNS: Mapping[RecordType, tuple[str, ...]] = {
    kind: tuple(sorted({each.name for each in table.c} - {"checksum"} - _DERIVED.get(kind, set())))
    for kind, table in TABLES.items()
}
"""The columns of a fact's row, in their order."""

ALLOCATION_COLUMNS = tuple(sorted(each.name for each in allocations.c))


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
    own = _row(row_of(fact), COLUMNS[ref_of(fact).type])
    return own, tuple(_row(each, ALLOCATION_COLUMNS) for each in given)


def _row(values: Mapping[str, Any], names: tuple[str, ...]) -> Row:
    return tuple([_plain(values[name]) for name in names])


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if not isinstance(value, date):
        return value
    return microseconds_of(value) if isinstance(value, datetime) else value.isoformat()
