"""Events in SQL: numbered for each company in the order in which they are committed."""

from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, FromClause, Insert, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql

from portal_adapters.sqlalchemy.dialects import taking_turn, turn_of
from portal_adapters.sqlalchemy.documents import number
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import events
from portal_adapters.sqlalchemy.sections import Section
from portal_adapters.sqlalchemy.short_way import run
from portal_adapters.sqlalchemy.values import dump, load
from portal_core.domain.events import Event, EventType
from portal_core.domain.ids import ClientId, CompanyId, EventId
from portal_core.domain.paging import Page, Position
from portal_core.ports import Events

_OF_COMPANY = events.c.company_id == bindparam("company_id")

_LAST = (
    select(func.coalesce(func.max(events.c.position), number(0))).where(_OF_COMPANY).correlate(None).scalar_subquery()
)

_START = (
    select(events.c.position)
    .where(_OF_COMPANY, events.c.id == bindparam("after", type_=events.c.id.type))
    .correlate(None)
    .scalar_subquery()
)

_LATER = Section(
    "later",
    select(*events.c)
    .where(_OF_COMPANY, events.c.position > func.coalesce(_START, number(0)))
    .order_by(events.c.position)
    .limit(bindparam("wanted")),
)

_PAGE = select(_START.label("start"), _LAST.label("last"), _LATER.column)

_VALUES = {
    **{column.name: bindparam(f"event_{column.name}", type_=column.type) for column in events.c},
    "position": select(func.coalesce(func.max(events.c.position), number(0)) + number(1))
    .where(events.c.company_id == bindparam("event_company_id"))
    .correlate(None)
    .scalar_subquery(),
}

_ADD = insert(events).values(_VALUES)

_OF_CLIENT = select(*events.c).where(_OF_COMPANY, events.c.client_id == bindparam("client_id"))

_ERASE = (
    update(events)
    .where(events.c.company_id == bindparam("this_company_id"), events.c.position == bindparam("this_position"))
    .values(data=bindparam("data", type_=events.c.data.type))
)


@final
@frozen
class SqlEvents(Events):
    connection: Connection

    def append(self, event: Event) -> None:
        tell(self.connection, event)

    def page(self, company_id: CompanyId, *, after: EventId | None, limit: int) -> Page[Event] | None:
        asked = {"company_id": company_id, "after": after, "wanted": limit}
        row = self.connection.execute(_PAGE, asked).one()
        if after is not None and row.start is None:
            return None
        items = tuple(map(event_of, _LATER.read(row.later)))
        total = row.last - (row.start or 0)
        return Page(items=items, total=total, next=Position(None, items[-1].id) if total > len(items) else None)

    def erase(self, company_id: CompanyId, client_id: ClientId) -> int:
        rows = self.connection.execute(_OF_CLIENT, {"company_id": company_id, "client_id": client_id}).all()
        changed = [
            {"this_company_id": company_id, "this_position": row.position, "data": dump(erased.data)}
            for row, event in ((row, event_of(row)) for row in rows)
            if (erased := event.without_texts()) != event
        ]
        if changed:
            self.connection.execute(_ERASE, changed)
        return len(changed)


def tell(connection: Connection, event: Event) -> None:
    """Keep an event, with the next number of its company's."""
    parameters = event_parameters(event)
    if connection.dialect.name != "postgresql":
        run(connection, _ADD, parameters)
        return
    if not run(connection, _IN_TURN, parameters):
        # Others told of something while the turn was waited for; now it is ours, and what they told is seen.
        run(connection, _ADD, parameters)


def telling(turn: FromClause) -> Insert:
    """Return the insert of an event on PostgreSQL for each row of what takes the company's turn, returning its number.

    It cannot see what others told while their turn was waited for: then its number is taken, and it inserts nothing.
    """
    once = postgresql.insert(events).from_select(list(_VALUES), select(*_VALUES.values()).select_from(turn))
    return once.on_conflict_do_nothing(index_elements=events.primary_key.columns).returning(events.c.position)


_IN_TURN = telling(taking_turn().cte("turn"))


def event_parameters(event: Event) -> dict[str, Any]:
    """Return the parameters of `telling`, and of the turn that is taken for it."""
    return {
        "turn": turn_of(event.company_id),
        "event_company_id": event.company_id,
        "event_id": event.id,
        "event_client_id": event.client_id,
        "event_type": event.type.value,
        "event_occurred_at": event.occurred_at,
        "event_data": dump(event.data),
    }


def event_of(row: AnyRow) -> Event:
    """Return an event."""
    return Event(
        id=row.id,
        company_id=row.company_id,
        client_id=row.client_id,
        type=EventType(row.type),
        occurred_at=row.occurred_at,
        data=load(row.data),
    )
