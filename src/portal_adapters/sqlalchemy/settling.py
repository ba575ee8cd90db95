"""Bringing up to date what is derived from allocations: only what differs between two ledgers is written.

A ledger may hold documents that it is not right about, at its fringe. Those are left alone: what is looked at
are the documents that changed, and those that they settle or that settle them, before or after.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from attrs import frozen
from sqlalchemy import Connection, Date, Table, Update, and_, bindparam, delete, insert, select, update

from portal_adapters.sqlalchemy.derived import Derived, Held, derived_of, held_by
from portal_adapters.sqlalchemy.dialects import add_up, in_chunks
from portal_adapters.sqlalchemy.documents import among, in_scope
from portal_adapters.sqlalchemy.ledgers import Owner
from portal_adapters.sqlalchemy.schema import allocations, invoices, movements, open_amounts, payments
from portal_core.domain.ledger import Ledger
from portal_core.domain.records import RecordRef, RecordType
from portal_core.domain.statement import Movement

Views: TypeAlias = Mapping[RecordRef, Derived]

_TABLES = {RecordType.INVOICE: invoices, RecordType.PAYMENT: payments}

_DERIVED = {
    RecordType.INVOICE: (invoices.c.amount_due, invoices.c.payment_state, invoices.c.oldest_due_on),
    RecordType.PAYMENT: (payments.c.unallocated,),
}

# The first derived column of a row is empty until its document is settled for the first time.
_SETTLED = {
    kind: select(table.c.id).where(*in_scope(table), among(table.c.id, "ids"), _DERIVED[kind][0].is_not(None))
    for kind, table in _TABLES.items()
}


def _update(kind: RecordType, table: Table) -> Update:
    this = and_(table.c.company_id == bindparam("of_company"), table.c.id == bindparam("of_id"))
    return update(table).where(this).values({each.name: bindparam(each.name) for each in _DERIVED[kind]})


_UPDATES = {kind: _update(kind, table) for kind, table in _TABLES.items()}

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

_NOTHING_COUNTS = delete(open_amounts).where(*in_scope(open_amounts), open_amounts.c.parts == 0)

_ADD_MOVEMENT = insert(movements)

_REMOVE_MOVEMENT = delete(movements).where(
    *in_scope(movements),
    movements.c.currency == bindparam("currency"),
    movements.c.moved_on == bindparam("moved_on", type_=Date),
    movements.c.type == bindparam("type"),
    movements.c.id == bindparam("id"),
    movements.c.sequence == bindparam("sequence"),
)


@frozen
class _Change:
    """The documents that changed, and how everything that this touches looked before and looks now."""

    documents: frozenset[RecordRef]
    before: Views
    after: Views


def settle(connection: Connection, owner: Owner, *, before: Ledger, after: Ledger) -> None:
    """Write what follows from the ledger after, where it differs from what follows from the one before."""
    change = _change(*_completed(connection, owner, held_by(before), held_by(after)))
    _write_columns(connection, owner, change)
    _write_counts(connection, owner, change)
    _write_open_amounts(connection, owner, change)
    _write_movements(connection, owner, change)


def _completed(connection: Connection, owner: Owner, before: Held, after: Held) -> tuple[Held, Held]:
    """Return both, each with what only the other holds although it was there before and is there now."""
    there = _settled(connection, owner, before.keys() ^ after.keys())
    kept = {ref: document for held in (before, after) for ref, document in held.items() if ref in there}
    return {**kept, **before}, {**kept, **after}


def _settled(connection: Connection, owner: Owner, refs: Collection[RecordRef]) -> set[RecordRef]:
    company_id, client_id = owner
    found: set[RecordRef] = set()
    for kind, statement in _SETTLED.items():
        for chunk in in_chunks(ref.id for ref in refs if ref.type is kind):
            parameters = {"company_id": company_id, "client_id": client_id, "ids": chunk}
            found.update(RecordRef(kind, each) for each in connection.scalars(statement, parameters))
    return found


def _change(before: Held, after: Held) -> _Change:
    changed = frozenset(ref for ref in before.keys() | after.keys() if before.get(ref) != after.get(ref))
    touched = changed.union(*(_touched(changed, held) for held in (before, after)))
    return _Change(changed, _views(before, touched), _views(after, touched))


def _touched(changed: frozenset[RecordRef], held: Held) -> Iterator[RecordRef]:
    for ref, document in held.items():
        targets = {RecordRef(RecordType.INVOICE, part.invoice_id) for part in document.allocations}
        if ref in changed:
            yield from targets
        elif targets & changed:
            yield ref


def _views(held: Held, touched: Iterable[RecordRef]) -> Views:
    ledger = Ledger.of(held.values())
    return {ref: derived_of(ledger, held[ref]) for ref in sorted(touched, key=_order) if ref in held}


def _order(ref: RecordRef) -> tuple[str, str]:
    return (ref.type.value, ref.id)


def _write_columns(connection: Connection, owner: Owner, change: _Change) -> None:
    for kind, statement in _UPDATES.items():
        rows = [
            {"of_company": owner[0], "of_id": ref.id, **now.columns}
            for ref, now in change.after.items()
            if ref.type is kind and (ref not in change.before or change.before[ref].columns != now.columns)
        ]
        if rows:
            connection.execute(statement, rows)


def _write_counts(connection: Connection, owner: Owner, change: _Change) -> None:
    rows = [
        {
            "of_company": owner[0],
            "of_type": ref.type.value,
            "of_id": ref.id,
            "at_position": position,
            "counts": counts,
        }
        for ref, now in change.after.items()
        for position, counts in enumerate(now.counts)
        if _written(ref, position, change) is not counts
    ]
    if rows:
        connection.execute(_COUNTS, rows)


def _written(ref: RecordRef, position: int, change: _Change) -> bool | None:
    """Return what an allocation's row says of whether it counts; None where the row was overwritten."""
    if ref not in change.before:
        return True
    return None if ref in change.documents else change.before[ref].counts[position]


def _write_open_amounts(connection: Connection, owner: Owner, change: _Change) -> None:
    amounts: Counter[tuple[str, str]] = Counter()
    parts: Counter[tuple[str, str]] = Counter()
    for sign, views in ((-1, change.before), (1, change.after)):
        for view in views.values():
            for each in view.open_amounts:
                place = (each.amount.currency.code, each.due_on.isoformat() if each.due_on else "")
                amounts[place] += sign * each.amount.minor
                parts[place] += sign
    rows = [
        {**_client(owner), "currency": code, "due": due, "amount": amounts[code, due], "parts": parts[code, due]}
        for code, due in sorted(parts)
        if amounts[code, due] or parts[code, due]
    ]
    if rows:
        connection.execute(add_up(open_amounts, connection.dialect.name, "amount", "parts"), rows)
        connection.execute(_NOTHING_COUNTS, _client(owner))


def _write_movements(connection: Connection, owner: Owner, change: _Change) -> None:
    before = {each for view in change.before.values() for each in view.movements}
    after = {each for view in change.after.values() for each in view.movements}
    if stale := sorted(before - after, key=lambda each: each.order):
        connection.execute(_REMOVE_MOVEMENT, [{**_client(owner), **_place(each)} for each in stale])
    if fresh := sorted(after - before, key=lambda each: each.order):
        connection.execute(_ADD_MOVEMENT, [{**_client(owner), **_place(each), **_content(each)} for each in fresh])


def _client(owner: Owner) -> dict[str, Any]:
    return {"company_id": owner[0], "client_id": owner[1]}


def _place(movement: Movement) -> dict[str, Any]:
    return {
        "currency": movement.amount.currency.code,
        "moved_on": movement.on,
        "type": movement.type.value,
        "id": movement.id,
        "sequence": movement.sequence,
    }


def _content(movement: Movement) -> dict[str, Any]:
    return {"number": movement.number, "amount": movement.amount.minor}
