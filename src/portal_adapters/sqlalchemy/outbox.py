"""The outbox in SQL: the events' own table is what it is read from, and claims are rows whose due moment is put off."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, final

from attrs import frozen
from sqlalchemy import Connection, and_, bindparam, delete, func, or_, select, tuple_, update

from portal_adapters.sqlalchemy.columns import Moment
from portal_adapters.sqlalchemy.dialects import try_turn, upsert
from portal_adapters.sqlalchemy.dispatches import dispatch_of
from portal_adapters.sqlalchemy.documents import among, constant, number
from portal_adapters.sqlalchemy.events import event_of
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import dispatches, events, taken_events
from portal_core.domain.events import Event
from portal_core.domain.ids import CompanyId
from portal_core.domain.outbox import Channel, Dispatch, Receiver
from portal_core.ports import Outbox

# The companies that have events, by one look into the index for each: DISTINCT would read all events there are.
_FIRST = select(func.min(events.c.company_id).label("company_id")).cte("companies", recursive=True)
_NEXT = (
    select(func.min(events.c.company_id))
    .where(events.c.company_id > _FIRST.c.company_id)
    .correlate(_FIRST)
    .scalar_subquery()
)
_COMPANIES = _FIRST.union_all(select(_NEXT).where(_FIRST.c.company_id.is_not(None)))

_LAST = select(func.max(events.c.position)).where(events.c.company_id == _COMPANIES.c.company_id).scalar_subquery()
_TAKEN = func.coalesce(
    select(taken_events.c.position).where(taken_events.c.company_id == _COMPANIES.c.company_id).scalar_subquery(),
    number(0),
)

_BEHIND = (
    select(_COMPANIES.c.company_id, _TAKEN.label("position"))
    .where(_COMPANIES.c.company_id.is_not(None), _LAST > _TAKEN)
    .order_by(_COMPANIES.c.company_id)
    .limit(1)
)

_LATER = (
    select(*events.c)
    .where(events.c.company_id == bindparam("company_id"), events.c.position > bindparam("position"))
    .order_by(events.c.position)
    .limit(bindparam("most"))
)

_DUE = and_(
    dispatches.c.state == constant("pending"),
    dispatches.c.due_at <= bindparam("at", type_=Moment),
    among(dispatches.c.channel, "channels"),
)

_ANY_DUE = select(select(dispatches.c.id).where(_DUE).exists())

_NEXT_DUE = (
    select(dispatches.c.company_id, dispatches.c.id)
    .where(
        _DUE,
        tuple_(dispatches.c.company_id, dispatches.c.target).not_in(bindparam("but", expanding=True)),
        dispatches.c.company_id.not_in(bindparam("but_of", expanding=True)),
    )
    .order_by(dispatches.c.due_at, dispatches.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    # A subquery might be run again for each row, and then lock more than its limit; this is run once.
    .cte("next_due")
)

_CLAIM = (
    update(dispatches)
    .where(tuple_(dispatches.c.company_id, dispatches.c.id).in_(select(_NEXT_DUE)))
    .values(due_at=bindparam("until", type_=Moment), version=dispatches.c.version + 1)
    .returning(*dispatches.c)
)

_PRUNE = delete(dispatches).where(
    or_(dispatches.c.state == constant("delivered"), dispatches.c.state == constant("failed")),
    dispatches.c.attempted_at < bindparam("before", type_=Moment),
)

_TURN: Final = "portal:outbox"


@final
@frozen
class SqlOutbox(Outbox):
    connection: Connection

    def has_work(self, channels: Collection[Channel], *, at: datetime) -> bool:
        asked = {"channels": _words(channels), "at": at}
        return bool(self.connection.scalar(_ANY_DUE, asked)) or self.connection.execute(_BEHIND).first() is not None

    def take_events(self, *, most: int) -> tuple[Event, ...]:
        if not try_turn(self.connection, _TURN):
            return ()
        behind = self.connection.execute(_BEHIND).one_or_none()
        if behind is None:
            return ()
        place = {"company_id": behind.company_id, "position": behind.position}
        rows = self.connection.execute(_LATER, {**place, "most": most}).all()
        taken = upsert(taken_events, self.connection.dialect.name, frozenset(place))
        self.connection.execute(taken, {**place, "position": rows[-1].position})
        return tuple(map(event_of, rows))

    def claim(
        self,
        channels: Collection[Channel],
        *,
        at: datetime,
        until: datetime,
        most: int,
        but: Collection[Receiver] = (),
        but_of: Collection[CompanyId] = (),
    ) -> tuple[Dispatch, ...]:
        left_alone = {"but": sorted(but), "but_of": sorted(but_of)}
        asked = {"channels": _words(channels), "at": at, "until": until, "most": most, **left_alone}
        rows: Sequence[AnyRow] = self.connection.execute(_CLAIM, asked).all()
        return tuple(sorted(map(dispatch_of, rows), key=lambda each: each.id))

    def prune(self, *, before: datetime) -> int:
        return self.connection.execute(_PRUNE, {"before": before}).rowcount


def _words(channels: Collection[Channel]) -> list[str]:
    return sorted(channel.value for channel in channels)
