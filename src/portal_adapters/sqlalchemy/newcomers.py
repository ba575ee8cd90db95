"""Clients of whom nothing is kept: what follows from their ledgers as bytes, and all of their rows inserted at once."""

import marshal
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache

from attrs import field, frozen
from sqlalchemy import Connection, Insert, Table, bindparam, insert
from sqlalchemy.exc import IntegrityError

from portal_adapters.sqlalchemy.bulk import Row, execute_many
from portal_adapters.sqlalchemy.counting import HIDDEN, count_shown
from portal_adapters.sqlalchemy.derived import DERIVED, MOVEMENT, Derived, derived_of, due_of, held_by, place_of
from portal_adapters.sqlalchemy.engine import busy
from portal_adapters.sqlalchemy.facts import TABLES
from portal_adapters.sqlalchemy.packing import ALLOCATION_COLUMNS, COLUMNS, unpack
from portal_adapters.sqlalchemy.schema import allocations, movements, open_amounts
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.ledger import Ledger
from portal_core.domain.records import RecordRef, RecordType
from portal_core.ports import Newcomer

_OPENED = ("company_id", "client_id", "currency", "due", "amount", "parts")
_COUNTS = ALLOCATION_COLUMNS.index("counts")
_SOURCE = tuple(map(ALLOCATION_COLUMNS.index, ("source_type", "source_id", "position")))


def settled_form(company_id: CompanyId, client_id: ClientId, ledger: Ledger) -> bytes:
    """Return what follows from a client's whole ledger as bytes, for this very version of the program to read."""
    derived = {ref: derived_of(ledger, document) for ref, document in held_by(ledger).items()}
    columns: dict[str, dict[str, Row]] = {kind.value: {} for kind in DERIVED}
    for ref, each in derived.items():
        columns[ref.type.value][ref.id] = each.columns
    owner = company_id, client_id
    opened = [(*owner, *row) for row in _opened_by(derived.values())]
    moved = [(*owner, *row) for row in _moved_by(derived.values())]
    return marshal.dumps((columns, list(_void(derived)), opened, moved))


def let_in(connection: Connection, company_id: CompanyId, newcomers: Collection[Newcomer]) -> None:
    """Insert all rows of some clients, those of each table at once."""
    rows = _Rows()
    for each in newcomers:
        rows.add(each)
    try:
        rows.insert(connection)
    except IntegrityError as error:
        raise busy() from error
    for kind in HIDDEN:
        places = COLUMNS[kind].index("client_id"), COLUMNS[kind].index("state")
        now = ((row[places[0]], row[places[1]]) for row in rows.of_facts[kind])
        count_shown(connection, company_id, kind, before=(), now=now)


@frozen
class _Rows:
    """The rows of some clients by their tables."""

    of_facts: dict[RecordType, list[Row]] = field(factory=lambda: defaultdict[RecordType, list[Row]](list))
    allocated: list[Row] = field(factory=list[Row])
    opened: list[Row] = field(factory=list[Row])
    moved: list[Row] = field(factory=list[Row])

    def add(self, newcomer: Newcomer) -> None:
        columns, void, opened, moved = marshal.loads(newcomer.settled)  # noqa: S302 - what this program wrote
        for fact in newcomer.facts:
            kind, own_id = fact.ref.type, fact.ref.id
            own, given = unpack(fact.form)
            derived = columns[kind.value][own_id] if kind in DERIVED else ()
            self.of_facts[kind].append((*own, fact.checksum, *derived))
            self.allocated.extend(_without(void, given) if void else given)
        self.opened.extend(opened)
        self.moved.extend(moved)

    def insert(self, connection: Connection) -> None:
        for kind, rows in self.of_facts.items():
            _insert(connection, TABLES[kind], (*COLUMNS[kind], "checksum", *DERIVED.get(kind, ())), rows)
        _insert(connection, allocations, ALLOCATION_COLUMNS, self.allocated)
        _insert(connection, open_amounts, _OPENED, self.opened)
        _insert(connection, movements, MOVEMENT, self.moved)


def _insert(connection: Connection, table: Table, columns: tuple[str, ...], rows: Iterable[Row]) -> None:
    execute_many(connection, _insertion(table, columns), columns, rows)


@cache
def _insertion(table: Table, columns: tuple[str, ...]) -> Insert:
    return insert(table).values({name: bindparam(name, type_=table.c[name].type) for name in columns})


def _void(derived: Mapping[RecordRef, Derived]) -> Iterator[tuple[str, str, int]]:
    """Yield the allocations that do not count, each by the type and the id of its source and by its position."""
    for ref, each in derived.items():
        yield from ((ref.type.value, ref.id, place) for place, counts in enumerate(each.counts) if not counts)


def _without(void: Collection[tuple[str, str, int]], given: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows of allocations, those that are void with a note of it."""
    for row in given:
        is_void = tuple(row[place] for place in _SOURCE) in void
        yield (*row[:_COUNTS], False, *row[_COUNTS + 1 :]) if is_void else row


def _opened_by(derived: Iterable[Derived]) -> Iterator[tuple[str, str, int, int]]:
    """Yield what is open by currency and day, added up, and of how many parts."""
    amounts, parts = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for each in (part for some in derived for part in some.open_amounts):
        place = due_of(each)
        amounts[place] += each.amount.minor
        parts[place] += 1
    return ((*place, amounts[place], parts[place]) for place in sorted(parts))


def _moved_by(derived: Iterable[Derived]) -> Iterator[tuple[str, str, str, str, int, str, int]]:
    moved = sorted((each for some in derived for each in some.movements), key=lambda each: each.order)
    return ((*place_of(each), each.number, each.amount.minor) for each in moved)
