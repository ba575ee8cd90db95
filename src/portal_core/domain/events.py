"""What happened, written with the fact itself, for systems that want to hear of it."""

from datetime import datetime
from enum import StrEnum
from typing import Final, Self

from attrs import evolve, frozen

from portal_core.domain.documents import JSON
from portal_core.domain.ids import ClientId, CompanyId, EventId


class EventType(StrEnum):
    """The kinds of event; the names are part of the contract."""

    QUOTE_ACCEPTED = "quote.accepted"
    QUOTE_DECLINED = "quote.declined"
    FEEDBACK_SUBMITTED = "feedback.submitted"
    FEEDBACK_REPLIED = "feedback.replied"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - an event's name
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - an event's name


@frozen(kw_only=True)
class Event:
    """One thing that happened to a client's records. `data` names ids and answers, never a secret."""

    id: EventId
    company_id: CompanyId
    client_id: ClientId
    type: EventType
    occurred_at: datetime
    data: dict[str, JSON]

    def without_texts(self) -> Self:
        """Return the event without what people wrote: of that, a ticket's subject and a link's label are in events."""
        return evolve(self, data=without_texts(self.data))


_BLANK: Final[dict[str, JSON]] = {"subject": "", "label": None}


def without_texts(data: dict[str, JSON]) -> dict[str, JSON]:
    """Return the data of an event without what people wrote."""
    return {name: _BLANK.get(name, value) for name, value in data.items()}
