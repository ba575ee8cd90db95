"""Events in SQL: numbered for each company in the order in which they are committed."""

from typing import final

from attrs import frozen
from sqlalchemy import Connection, bindparam, func, insert, select

from portal_adapters.sqlalchemy.dialects import take_turns
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import events
from portal_adapters.sqlalchemy.values import dump, load
from portal_core.domain.events import Event, EventType
from portal_core.domain.ids import CompanyId, EventId
from portal_core.domain.paging import Page, Position
from portal_core.ports import Events

_OF_COMPANY = events.c.company_id == bindparam("company_id")

_LAST_POSITION = select(func.coalesce(func.max(events.c.position), 0)).where(_OF_COMPANY)

_POSITION = select(events.c.position).where(_OF_COMPANY, events.c.id == bindparam("event_id"))

_AFTER = (
    select(*events.c)
    .where(_OF_COMPANY, events.c.position > bindparam("position"))
    .order_by(events.c.position)
    .limit(bindparam("wanted"))
)

_ADD = insert(events)


@final
@frozen
class SqlEvents(Events):
    connection: Connection

    def append(self, event: Event) -> None:
        take_turns(self.connection, event.company_id)
        self.connection.execute(
            _ADD,
            {
                "company_id": event.company_id,
                "position": self._last_position(event.company_id) + 1,
                "id": event.id,
                "client_id": event.client_id,
                "type": event.type.value,
                "occurred_at": event.occurred_at,
                "data": dump(event.data),
            },
        )

    def page(self, company_id: CompanyId, *, after: EventId | None, limit: int) -> Page[Event] | None:
        position = 0 if after is None else self._position(company_id, after)
        if position is None:
            return None
        total = self._last_position(company_id) - position
        parameters = {"company_id": company_id, "position": position, "wanted": min(limit, total)}
        items = tuple(_event(row) for row in self.connection.execute(_AFTER, parameters))
        more = total > len(items)
        return Page(items=items, total=total, next=Position(None, items[-1].id) if more else None)

    def _last_position(self, company_id: CompanyId) -> int:
        last: int = self.connection.execute(_LAST_POSITION, {"company_id": company_id}).scalar_one()
        return last

    def _position(self, company_id: CompanyId, event_id: EventId) -> int | None:
        parameters = {"company_id": company_id, "event_id": event_id}
        return self.connection.execute(_POSITION, parameters).scalar_one_or_none()


def _event(row: AnyRow) -> Event:
    return Event(
        id=row.id,
        company_id=row.company_id,
        client_id=row.client_id,
        type=EventType(row.type),
        occurred_at=row.occurred_at,
        data=load(row.data),
    )
