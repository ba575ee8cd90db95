"""Bringing up to date what is derived from allocations: only what differs between two ledgers of a client is written.

A ledger may hold documents that it is not right about, at its fringe. Those are left alone: what is looked at
are the documents that changed, and those that they settle or that settle them, before or after.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, islice
from typing import Self, TypeAlias

from attrs import frozen
from sqlalchemy import (
    Connection,
    Date,
    Table,
    Update,
    and_,
    bindparam,
    delete,
    insert,
    null,
    select,
    update,
)

from portal_adapters.sqlalchemy.bulk import execute_many
from portal_adapters.sqlalchemy.derived import (
    DERIVED,
    MOVEMENT,
    MOVEMENT_PLACE,
    Derived,
    Held,
    derived_of,
    due_of,
    held_by,
    place_of,
)
from portal_adapters.sqlalchemy.dialects import MOST_IN_ONE_QUESTION, add_up, in_chunks
from portal_adapters.sqlalchemy.documents import among, in_scope, number
from portal_adapters.sqlalchemy.schema import allocations, invoices, movements, open_amounts, payments
from portal_core.domain.ids import ClientId, CompanyId
from portal_core.domain.ledger import Ledger
from portal_core.domain.records import RecordRef, RecordType
from portal_core.domain.statement import Movement

_TABLES = {RecordType.INVOICE: invoices, RecordType.PAYMENT: payments}

# The first derived column of a row is empty until its document is settled for the first time.
_SETTLED = {
    kind: select(table.c.id).where(
        table.c.company_id == bindparam("company_id"),
        among(table.c.id, "ids"),
        table.c[DERIVED[kind][0]].is_not(None),
    )
    for kind, table in _TABLES.items()
}


def _update(kind: RecordType, table: Table) -> Update:
    this = and_(table.c.company_id == bindparam("of_company"), table.c.id == bindparam("of_id"))
    return update(table).where(this).values({name: bindparam(name) for name in DERIVED[kind]})


_UPDATES = {kind: _update(kind, table) for kind, table in _TABLES.items()}

# What was taken in earlier may have said otherwise.
_UPDATES_OF_OTHERS = {kind: statement.values(checksum=null()) for kind, statement in _UPDATES.items()}

_COUNTS = (
    update(allocations)
    .where(
        allocations.c.company_id == bindparam("of_company"),
        allocations.c.source_type == bindparam("of_type"),
        allocations.c.source_id == bindparam("of_id"),
        allocations.c.position == bindparam("at_position"),
    )
    .values(counts=bindparam("counts"))
)
_COUNTED = ("of_company", "of_type", "of_id", "at_position", "counts")

_NOTHING_COUNTS = delete(open_amounts).where(*in_scope(open_amounts), open_amounts.c.parts == number(0))
_ADDED_UP = ("company_id", "client_id", "currency", "due", "amount", "parts")

_ADD_MOVEMENT = insert(movements).values({column.name: bindparam(column.name) for column in movements.c})

_REMOVE_MOVEMENT = delete(movements).where(
    *in_scope(movements),
    movements.c.currency == bindparam("currency"),
    movements.c.moved_on == bindparam("moved_on", type_=Date),
    movements.c.type == bindparam("type"),
    movements.c.id == bindparam("id"),
    movements.c.sequence == bindparam("sequence"),
)


@frozen
class _View:
    """How a document that is touched looked before and looks now, whose it is, and whether it changed itself."""

    client_id: ClientId
    ref: RecordRef
    changed: bool
    before: Derived | None
    after: Derived | None


Views: TypeAlias = Sequence[_View]


@frozen
class _Account:
    """A client's ledgers before and after, and the documents that each of them holds."""

    client_id: ClientId
    before: Ledger
    after: Ledger
    was: Held
    now: Held

    @classmethod
    def of(cls, client_id: ClientId, before: Ledger, after: Ledger) -> Self:
        return cls(client_id, before, after, held_by(before), held_by(after))

    def completed(self, there: AbstractSet[RecordRef]) -> "_Account":
        """Return it, each ledger with what only the other holds although it was there before and is there now."""
        if there.isdisjoint(self.was.keys() ^ self.now.keys()):
            return self
        kept = {ref: document for held in (self.was, self.now) for ref, document in held.items() if ref in there}
        before, after = Ledger.of({**kept, **self.was}.values()), Ledger.of({**kept, **self.now}.values())
        return self.of(self.client_id, before, after)

    def views(self) -> Iterator[_View]:
        """Yield the documents that changed and those that they touch, each as it was and is."""
        was, now = self.was, self.now
        changed = {ref for ref in was.keys() | now.keys() if was.get(ref) != now.get(ref)}
        for ref in sorted(changed.union(*(_touched(changed, held) for held in (was, now))), key=_order):
            yield _View(
                self.client_id,
                ref,
                ref in changed,
                derived_of(self.before, was[ref]) if ref in was else None,
                derived_of(self.after, now[ref]) if ref in now else None,
            )


def settle(connection: Connection, company_id: CompanyId, ledgers: Mapping[ClientId, tuple[Ledger, Ledger]]) -> None:
    """Write what follows from each client's ledger after, where it differs from what follows from the one before."""
    accounts = [_Account.of(client_id, before, after) for client_id, (before, after) in ledgers.items()]
    there = _settled(
        connection, company_id, chain.from_iterable(each.was.keys() ^ each.now.keys() for each in accounts)
    )
    views = chain.from_iterable(each.completed(there).views() for each in accounts)
    open_now = _OpenAmounts(Counter(), Counter())
    while some := list(islice(views, MOST_IN_ONE_QUESTION)):
        _write_columns(connection, company_id, some)
        _write_counts(connection, company_id, some)
        _write_movements(connection, company_id, some)
        open_now.add(some)
    open_now.write(connection, company_id)


def _settled(connection: Connection, company_id: CompanyId, refs: Iterable[RecordRef]) -> set[RecordRef]:
    """Return those of some documents that were settled before."""
    asked, found = list(refs), set[RecordRef]()
    for kind, statement in _SETTLED.items():
        for chunk in in_chunks(ref.id for ref in asked if ref.type is kind):
            rows = connection.scalars(statement, {"company_id": company_id, "ids": chunk})
            found.update(RecordRef(kind, each) for each in rows)
    return found


def _touched(changed: Collection[RecordRef], held: Held) -> Iterator[RecordRef]:
    for ref, document in held.items():
        targets = {RecordRef(RecordType.INVOICE, part.invoice_id) for part in document.allocations}
        if ref in changed:
            yield from targets
        elif not targets.isdisjoint(changed):
            yield ref


def _order(ref: RecordRef) -> tuple[str, str]:
    return (ref.type.value, ref.id)


def _write_columns(connection: Connection, company_id: CompanyId, views: Views) -> None:
    for kind in _TABLES:
        names = (*DERIVED[kind], "of_company", "of_id")
        for statement, of_others in ((_UPDATES[kind], False), (_UPDATES_OF_OTHERS[kind], True)):
            rows = (
                (*view.after.columns, company_id, view.ref.id)
                for view in views
                if view.ref.type is kind and view.after is not None and _is_of_others(view) is of_others
                if view.before is None or view.before.columns != view.after.columns
            )
            execute_many(connection, statement, names, rows)


def _is_of_others(view: _View) -> bool:
    """Tell whether a document's figures change by the doing of others."""
    return not view.changed and view.before is not None


def _write_counts(connection: Connection, company_id: CompanyId, views: Views) -> None:
    rows = (
        (company_id, view.ref.type.value, view.ref.id, position, counts)
        for view in views
        if view.after is not None
        for position, counts in enumerate(view.after.counts)
        if _written(view, position) is not counts
    )
    execute_many(connection, _COUNTS, _COUNTED, rows)


def _written(view: _View, position: int) -> bool | None:
    """Return what an allocation's row says of whether it counts; None where the row was overwritten."""
    if view.before is None:
        return True
    return None if view.changed else view.before.counts[position]


@frozen
class _OpenAmounts:
    """What is added to clients' open amounts, by client, currency and due day."""

    amounts: Counter[tuple[str, str, str]]
    parts: Counter[tuple[str, str, str]]

    def add(self, views: Views) -> None:
        for view in views:
            for sign, derived in ((-1, view.before), (1, view.after)):
                for each in () if derived is None else derived.open_amounts:
                    place = (view.client_id, *due_of(each))
                    self.amounts[place] += sign * each.amount.minor
                    self.parts[place] += sign

    def write(self, connection: Connection, company_id: CompanyId) -> None:
        places = [place for place in sorted(self.parts) if self.amounts[place] or self.parts[place]]
        rows = [(company_id, *place, self.amounts[place], self.parts[place]) for place in places]
        adding = add_up(open_amounts, connection.dialect.name, "amount", "parts")
        execute_many(connection, adding, _ADDED_UP, rows)
        clients = dict.fromkeys((company_id, client_id) for client_id, *_ in places)
        execute_many(connection, _NOTHING_COUNTS, ("company_id", "client_id"), clients)


def _write_movements(connection: Connection, company_id: CompanyId, views: Views) -> None:
    before = {(view.client_id, each) for view in views if view.before is not None for each in view.before.movements}
    after = {(view.client_id, each) for view in views if view.after is not None for each in view.after.movements}
    stale = ((company_id, client_id, *place_of(each)) for client_id, each in _in_order(before - after))
    execute_many(connection, _REMOVE_MOVEMENT, MOVEMENT_PLACE, stale)
    fresh = (
        (company_id, client_id, *place_of(each), each.number, each.amount.minor)
        for client_id, each in _in_order(after - before)
    )
    execute_many(connection, _ADD_MOVEMENT, MOVEMENT, fresh)


def _in_order(moved: Iterable[tuple[ClientId, Movement]]) -> Iterable[tuple[ClientId, Movement]]:
    return sorted(moved, key=lambda each: (each[0], each[1].order))
