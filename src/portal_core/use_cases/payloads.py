"""What a message says, by the rules of Standard Webhooks: a type, a timestamp, and data."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from portal_core.domain.documents import JSON
from portal_core.domain.events import Event, EventType
from portal_core.domain.ids import ClientId, EventId
from portal_core.domain.outbox import Dispatch


def message_of(kind: str, at: datetime, data: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return a message."""
    return {"type": kind, "timestamp": at.astimezone(UTC).isoformat().replace("+00:00", "Z"), "data": dict(data)}


def told(event: Event) -> dict[str, JSON]:
    """Return the message that tells of an event: its data, and whose records it is about."""
    return message_of(event.type.value, event.occurred_at, {"client_id": event.client_id, **event.data})


def event_of(dispatch: Dispatch) -> Event:
    """Return the event that a dispatch tells of."""
    data = dict(cast("dict[str, JSON]", dispatch.payload["data"]))
    return Event(
        id=EventId(dispatch.message_id),
        company_id=dispatch.company_id,
        client_id=ClientId(cast("str", data.pop("client_id"))),
        type=EventType(dispatch.type),
        occurred_at=datetime.fromisoformat(cast("str", dispatch.payload["timestamp"])),
        data=data,
    )
