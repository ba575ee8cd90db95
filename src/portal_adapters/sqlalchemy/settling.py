"""Bringing up to date what is derived from allocations: only what differs between two ledgers is written.

A ledger may hold documents that it is not right about, at its fringe. Those are left alone: what is looked at
are the documents that changed, and those that they settle or that settle them, before or after.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

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

from portal_adapters.sqlalchemy.bulk import Row, execute_many
from portal_adapters.sqlalchemy.derived import Derived, Held, derived_of, held_by
from portal_adapters.sqlalchemy.dialects import MOST_IN_ONE_QUESTION, add_up, in_chunks
from portal_adapters.sqlalchemy.documents import among, in_scope
from portal_adapters.sqlalchemy.ledgers import Owner
from portal_adapters.sqlalchemy.schema import allocations, invoices, movements, open_amounts, payments
from portal_core.domain.ledger import Ledger
from portal_core.domain.records import RecordRef, RecordType
from portal_core.domain.statement import Movement

_TABLES = {RecordType.INVOICE: invoices, RecordType.PAYMENT: payments}

_DERIVED = {
    RecordType.INVOICE: ("amount_due", "payment_state", "oldest_due_on"),
    RecordType.PAYMENT: ("unallocated",),
}

# The first derived column of a row is empty until its document is settled for the first time.
_SETTLED = {
    kind: select(table.c.id).where(*in_scope(table), among(table.c.id, "ids"), table.c[_DERIVED[kind][0]].is_not(None))
    for kind, table in _TABLES.items()
}


def _update(kind: RecordType, table: Table) -> Update:
    this = and_(table.c.company_id == bindparam("of_company"), table.c.id == bindparam("of_id"))
    return update(table).where(this).values({name: bindparam(name) for name in _DERIVED[kind]})


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

_NOTHING_COUNTS = delete(open_amounts).where(*in_scope(open_amounts), open_amounts.c.parts == 0)
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

_PLACED = ("company_id", "client_id", "currency", "moved_on", "type", "id", "sequence")
_MOVED = (*_PLACED, "number", "amount")


@frozen
class _View:
    """How a document that is touched looked before and looks now, and whether it changed itself."""

    ref: RecordRef
    changed: bool
    before: Derived | None
    after: Derived | None


Views: TypeAlias = Sequence[_View]


def settle(connection: Connection, owner: Owner, *, before: Ledger, after: Ledger) -> None:
    """Write what follows from the ledger after, where it differs from what follows from the one before."""
    open_now = _OpenAmounts(Counter(), Counter())
    views = _views(*_completed(connection, owner, before, after))
    while some := list(islice(views, MOST_IN_ONE_QUESTION)):
        _write_columns(connection, owner, some)
        _write_counts(connection, owner, some)
        _write_movements(connection, owner, some)
        open_now.add(some)
    open_now.write(connection, owner)


def _completed(connection: Connection, owner: Owner, before: Ledger, after: Ledger) -> tuple[Ledger, Ledger]:
    """Return both, each with what only the other holds although it was there before and is there now."""
    was, now = held_by(before), held_by(after)
    there = _settled(connection, owner, was.keys() ^ now.keys())
    if not there:
        return before, after
    kept = {ref: document for held in (was, now) for ref, document in held.items() if ref in there}
    return Ledger.of({**kept, **was}.values()), Ledger.of({**kept, **now}.values())


def _settled(connection: Connection, owner: Owner, refs: Collection[RecordRef]) -> set[RecordRef]:
    company_id, client_id = owner
    found: set[RecordRef] = set()
    for kind, statement in _SETTLED.items():
        for chunk in in_chunks(ref.id for ref in refs if ref.type is kind):
            parameters = {"company_id": company_id, "client_id": client_id, "ids": chunk}
            found.update(RecordRef(kind, each) for each in connection.scalars(statement, parameters))
    return found


def _views(before: Ledger, after: Ledger) -> Iterator[_View]:
    """Yield the documents that changed and those that they touch, each as it was and is."""
    was, now = held_by(before), held_by(after)
    changed = {ref for ref in was.keys() | now.keys() if was.get(ref) != now.get(ref)}
    for ref in sorted(changed.union(*(_touched(changed, held) for held in (was, now))), key=_order):
        yield _View(
            ref,
            ref in changed,
            derived_of(before, was[ref]) if ref in was else None,
            derived_of(after, now[ref]) if ref in now else None,
        )


def _touched(changed: Collection[RecordRef], held: Held) -> Iterator[RecordRef]:
    for ref, document in held.items():
        targets = {RecordRef(RecordType.INVOICE, part.invoice_id) for part in document.allocations}
        if ref in changed:
            yield from targets
        elif not targets.isdisjoint(changed):
            yield ref


def _order(ref: RecordRef) -> tuple[str, str]:
    return (ref.type.value, ref.id)


def _write_columns(connection: Connection, owner: Owner, views: Views) -> None:
    for kind in _TABLES:
        names = (*_DERIVED[kind], "of_company", "of_id")
        for statement, of_others in ((_UPDATES[kind], False), (_UPDATES_OF_OTHERS[kind], True)):
            rows = (
                (*view.after.columns, owner[0], view.ref.id)
                for view in views
                if view.ref.type is kind and view.after is not None and _is_of_others(view) is of_others
                if view.before is None or view.before.columns != view.after.columns
            )
            execute_many(connection, statement, names, rows)


def _is_of_others(view: _View) -> bool:
    """Tell whether a document's figures change by the doing of others."""
    return not view.changed and view.before is not None


def _write_counts(connection: Connection, owner: Owner, views: Views) -> None:
    rows = (
        (owner[0], view.ref.type.value, view.ref.id, position, counts)
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
    """What is added to a client's open amounts, by currency and due day."""

    amounts: Counter[tuple[str, str]]
    parts: Counter[tuple[str, str]]

    def add(self, views: Views) -> None:
        for view in views:
            for sign, derived in ((-1, view.before), (1, view.after)):
                for each in () if derived is None else derived.open_amounts:
                    place = (each.amount.currency.code, each.due_on.isoformat() if each.due_on else "")
                    self.amounts[place] += sign * each.amount.minor
                    self.parts[place] += sign

    def write(self, connection: Connection, owner: Owner) -> None:
        rows = [
            (*owner, code, due, self.amounts[code, due], self.parts[code, due])
            for code, due in sorted(self.parts)
            if self.amounts[code, due] or self.parts[code, due]
        ]
        if rows:
            adding = add_up(open_amounts, connection.dialect.name, "amount", "parts")
            execute_many(connection, adding, _ADDED_UP, rows)
            connection.execute(_NOTHING_COUNTS, {"company_id": owner[0], "client_id": owner[1]})


def _write_movements(connection: Connection, owner: Owner, views: Views) -> None:
    before = {each for view in views if view.before is not None for each in view.before.movements}
    after = {each for view in views if view.after is not None for each in view.after.movements}
    stale = ((*owner, *_place(each)) for each in _in_order(before - after))
    execute_many(connection, _REMOVE_MOVEMENT, _PLACED, stale)
    fresh = ((*owner, *_place(each), each.number, each.amount.minor) for each in _in_order(after - before))
    execute_many(connection, _ADD_MOVEMENT, _MOVED, fresh)


def _in_order(moved: Iterable[Movement]) -> Iterable[Movement]:
    return sorted(moved, key=lambda each: each.order)


def _place(movement: Movement) -> Row:
    return (
        movement.amount.currency.code,
        movement.on.isoformat(),
        movement.type.value,
        movement.id,
        movement.sequence,
    )
