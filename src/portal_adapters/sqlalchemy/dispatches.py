"""Dispatches in SQL."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from portal_adapters.sqlalchemy.dialects import in_chunks
from portal_adapters.sqlalchemy.direct import one
from portal_adapters.sqlalchemy.documents import among, words
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import dispatches
from portal_adapters.sqlalchemy.values import dump, load
from portal_core.domain.filters import DispatchFilter
from portal_core.domain.ids import CompanyId, DispatchId
from portal_core.domain.outbox import Channel, Dispatch, DispatchState
from portal_core.domain.paging import Listing, Page
from portal_core.ports import Dispatches

_OF_COMPANY = select(*dispatches.c).where(dispatches.c.company_id == bindparam("company_id"))

_ONE = _OF_COMPANY.where(dispatches.c.id == bindparam("dispatch_id"))

_LIST = ListSource(
    rows=_OF_COMPANY,
    id=dispatches.c.id,
    sorts={"created_at": dispatches.c.created_at},
    conditions={
        "channel": dispatches.c.channel == bindparam("channel"),
        "target": dispatches.c.target == bindparam("target"),
        "states": among(dispatches.c.state, "states"),
    },
)

_ADD = insert(dispatches)

_CHANGING = ("state", "attempts", "due_at", "attempted_at", "status", "problem")

_UPDATE = (
    update(dispatches)
    .where(
        dispatches.c.company_id == bindparam("this_company_id"),
        dispatches.c.id == bindparam("this_id"),
        dispatches.c.version == bindparam("this_version"),
    )
    .values(
        {name: bindparam(name, type_=dispatches.c[name].type) for name in _CHANGING}
        | {"version": dispatches.c.version + 1}
    )
)

_REMOVE = delete(dispatches).where(
    dispatches.c.company_id == bindparam("company_id"), among(dispatches.c.id, "dispatch_ids")
)


@final
@frozen
class SqlDispatches(Dispatches):
    connection: Connection

    def get(self, company_id: CompanyId, dispatch_id: DispatchId) -> Dispatch | None:
        row = one(self.connection, _ONE, {"company_id": company_id, "dispatch_id": dispatch_id})
        return None if row is None else dispatch_of(row)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: DispatchFilter) -> Page[Dispatch]:
        asked = {
            "channel": None if narrowed.channel is None else narrowed.channel.value,
            "target": narrowed.target,
            "states": words(narrowed.states),
        }
        return read_page(
            self.connection,
            _LIST,
            listing,
            scope={"company_id": company_id},
            narrowed={name: value for name, value in asked.items() if value is not None},
            read=_dispatches,
        )

    def add(self, dispatches: Iterable[Dispatch]) -> None:
        rows = [_values(dispatch) for dispatch in dispatches]
        if rows:
            self.connection.execute(_ADD, rows)

    def update(self, dispatch: Dispatch) -> bool:
        this = {"this_company_id": dispatch.company_id, "this_id": dispatch.id, "this_version": dispatch.version}
        values = _values(dispatch)
        return self.connection.execute(_UPDATE, {**{name: values[name] for name in _CHANGING}, **this}).rowcount == 1

    def remove(self, company_id: CompanyId, dispatch_ids: Collection[DispatchId]) -> int:
        chunks = ({"company_id": company_id, "dispatch_ids": chunk} for chunk in in_chunks(dispatch_ids))
        return sum(self.connection.execute(_REMOVE, chunk).rowcount for chunk in chunks)


def dispatch_of(row: AnyRow) -> Dispatch:
    """Return a dispatch."""
    return Dispatch(
        id=row.id,
        company_id=row.company_id,
        channel=Channel(row.channel),
        target=row.target,
        message_id=row.message_id,
        type=row.type,
        payload=load(row.payload),
        state=DispatchState(row.state),
        attempts=row.attempts,
        created_at=row.created_at,
        due_at=row.due_at,
        attempted_at=row.attempted_at,
        status=row.status,
        problem=row.problem,
        version=row.version,
    )


def _dispatches(rows: Sequence[AnyRow]) -> Sequence[Dispatch]:
    return [dispatch_of(row) for row in rows]


def _values(dispatch: Dispatch) -> dict[str, Any]:
    return {
        "company_id": dispatch.company_id,
        "id": dispatch.id,
        "channel": dispatch.channel.value,
        "target": dispatch.target,
        "message_id": dispatch.message_id,
        "type": dispatch.type,
        "payload": dump(dispatch.payload),
        "state": dispatch.state.value,
        "attempts": dispatch.attempts,
        "created_at": dispatch.created_at,
        "due_at": dispatch.due_at,
        "attempted_at": dispatch.attempted_at,
        "status": dispatch.status,
        "problem": dispatch.problem,
        "version": dispatch.version,
    }
