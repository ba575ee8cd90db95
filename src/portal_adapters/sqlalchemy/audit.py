"""The audit log in SQL. The database itself refuses to change or remove an entry."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, FromClause, Insert, bindparam, insert, select

from portal_adapters.sqlalchemy.columns import Moment
from portal_adapters.sqlalchemy.documents import among, words
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import audit
from portal_adapters.sqlalchemy.short_way import run
from portal_adapters.sqlalchemy.values import dump, load
from portal_core.domain.audit import Act, Actor, ActorType, AuditAction, AuditEntry, Target, TargetType
from portal_core.domain.filters import AuditFilter
from portal_core.domain.ids import CompanyId
from portal_core.domain.paging import Listing, Page
from portal_core.ports import AuditLog

_LIST = ListSource(
    rows=select(*audit.c).where(audit.c.company_id == bindparam("company_id")),
    id=audit.c.id,
    sorts={"created_at": audit.c.created_at},
    conditions={
        "client_id": audit.c.client_id == bindparam("client_id"),
        "actor": audit.c.actor == bindparam("actor"),
        "actions": among(audit.c.action, "actions"),
        "target_id": audit.c.target_id == bindparam("target_id"),
        "since": audit.c.created_at >= bindparam("since", type_=Moment),
        "until": audit.c.created_at <= bindparam("until", type_=Moment),
    },
)

_VALUES = {column.name: bindparam(f"entry_{column.name}", type_=column.type) for column in audit.c}

_ADD = insert(audit).values(_VALUES)


@final
@frozen
class SqlAuditLog(AuditLog):
    connection: Connection

    def append(self, entry: AuditEntry) -> None:
        note(self.connection, entry)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: AuditFilter) -> Page[AuditEntry]:
        asked = {
            "client_id": narrowed.client_id,
            "actor": narrowed.actor,
            "actions": words(narrowed.actions),
            "target_id": narrowed.target_id,
            "since": _at(listing.since, time.min),
            "until": _at(listing.until, time.max),
        }
        return read_page(
            self.connection,
            _LIST,
            listing,
            scope={"company_id": company_id},
            narrowed={name: value for name, value in asked.items() if value is not None},
            read=_entries,
        )


def note(connection: Connection, entry: AuditEntry) -> None:
    """Add an entry to the audit log."""
    run(connection, _ADD, entry_parameters(entry))


def noting(source: FromClause) -> Insert:
    """Return the insert of an entry for each row of something, as a part of a larger statement."""
    return insert(audit).from_select(list(_VALUES), select(*_VALUES.values()).select_from(source))


def entry_parameters(entry: AuditEntry) -> dict[str, Any]:
    """Return the parameters of `note` and `noting`."""
    act, actor = entry.act, entry.actor
    return {
        "entry_company_id": act.company_id,
        "entry_id": entry.id,
        "entry_client_id": act.client_id,
        "entry_action": act.action.value,
        "entry_actor_type": actor.type.value,
        "entry_actor": actor.id,
        "entry_token_hint": actor.token_hint,
        "entry_ip": actor.ip,
        "entry_user_agent": actor.user_agent,
        "entry_target_type": act.target.type.value,
        "entry_target_id": act.target.id,
        "entry_created_at": entry.created_at,
        "entry_details": dump(act.details),
    }


def _at(day: date | None, hour: time) -> datetime | None:
    return None if day is None else datetime.combine(day, hour, tzinfo=UTC)


def _entries(rows: Sequence[AnyRow]) -> Sequence[AuditEntry]:
    return [_entry(row) for row in rows]


def _entry(row: AnyRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        act=Act(
            action=AuditAction(row.action),
            company_id=row.company_id,
            client_id=row.client_id,
            target=Target(TargetType(row.target_type), row.target_id),
            details=load(row.details),
        ),
        actor=Actor(
            type=ActorType(row.actor_type),
            id=row.actor,
            token_hint=row.token_hint,
            ip=row.ip,
            user_agent=row.user_agent,
        ),
        created_at=row.created_at,
    )
