"""The audit log: who did what, when and from where. Entries are added, and never changed or removed."""

from datetime import datetime
from enum import StrEnum

from attrs import field, frozen

from portal_core.domain.documents import JSON
from portal_core.domain.ids import AuditEntryId, ClientId, CompanyId


class AuditAction(StrEnum):
    """What is audited: every administrative act, and every decision of a client's."""

    TOKEN_ISSUED = "token.issued"  # noqa: S105 - an action's name
    TOKEN_CHANGED = "token.changed"  # noqa: S105 - an action's name
    TOKEN_ROTATED = "token.rotated"  # noqa: S105 - an action's name
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - an action's name
    ALL_TOKENS_REVOKED = "token.all_revoked"
    TOKEN_SENT = "token.sent"  # noqa: S105 - an action's name
    FEEDBACK_REPLIED = "feedback.replied"
    FEEDBACK_CLOSED = "feedback.closed"
    FILE_ATTACHED = "file.attached"
    FILE_REMOVED = "file.removed"
    WEBHOOK_CREATED = "webhook.created"
    WEBHOOK_CHANGED = "webhook.changed"
    WEBHOOK_ROTATED = "webhook.rotated"
    WEBHOOK_REMOVED = "webhook.removed"
    WEBHOOK_TESTED = "webhook.tested"
    WEBHOOK_REPLAYED = "webhook.replayed"
    RECORDS_IMPORTED = "records.imported"
    CLIENT_ERASED = "client.erased"
    QUOTE_ACCEPTED = "quote.accepted"
    QUOTE_DECLINED = "quote.declined"


class ActorType(StrEnum):
    """What acts: staff and clients by HTTP, somebody at the command line, or a program that uses this library."""

    STAFF = "staff"
    CLIENT = "client"
    COMMAND_LINE = "command_line"
    PROGRAM = "program"


@frozen(kw_only=True)
class Actor:
    """Who acts, and from where, as far as that is known.

    `id` is the subject of staff's token, or the id of a client's grant; then `token_hint` tells its tokens apart.
    """

    type: ActorType
    id: str
    token_hint: str | None = None
    ip: str | None = None
    user_agent: str | None = None


COMMAND_LINE = Actor(type=ActorType.COMMAND_LINE, id="command line")

PROGRAM = Actor(type=ActorType.PROGRAM, id="program")
"""A program that calls a use case and does not say for whom."""


class TargetType(StrEnum):
    """The kinds of thing that are acted upon."""

    TOKEN = "token"  # noqa: S105 - a grant, as the API calls it
    CLIENT = "client"
    COMPANY = "company"
    QUOTE = "quote"
    INVOICE = "invoice"
    FEEDBACK = "feedback"
    WEBHOOK = "webhook"


@frozen
class Target:
    """What is acted upon."""

    type: TargetType
    id: str


@frozen(kw_only=True)
class Act:
    """What was done, to what, and whose client it is about, if any.

    `details` say what the other fields do not: never a secret, and nothing that somebody wrote.
    """

    action: AuditAction
    company_id: CompanyId
    client_id: ClientId | None = None
    target: Target
    details: dict[str, JSON] = field(factory=dict[str, JSON])


@frozen(kw_only=True)
class AuditEntry:
    """An act, who did it, and when."""

    id: AuditEntryId
    act: Act
    actor: Actor
    created_at: datetime
