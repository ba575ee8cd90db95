"""Webhooks: addresses of a company's systems that are told of events, signed by the rules of Standard Webhooks."""

import base64
import hashlib
import hmac
import re
from datetime import datetime
from typing import Self, TypedDict, Unpack

from attrs import evolve, field, frozen

from portal_core.domain.errors import NotOpen
from portal_core.domain.events import Event, EventType
from portal_core.domain.ids import CompanyId, WebhookId
from portal_core.domain.text import URL_LENGTH, required_text

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
SIGNATURE_VERSION = "v1"

_PORT = r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
URL_PATTERN = rf"[Hh][Tt][Tt][Pp][Ss]?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:({_PORT}))?([/?][!-~]*)?"
"""An address that can be asked as it stands (RFC 9110): a name in ASCII, a port that there is, no user information."""


def clean_url_of_webhook(text: str) -> str:
    """Return an http or https address of at most 2,000 characters; raise ValueError for any other text."""
    cleaned = required_text(text, longest=URL_LENGTH)
    if re.fullmatch(URL_PATTERN, cleaned) is None:
        raise ValueError("must be an http or https address in ASCII, without a user name or spaces")
    return cleaned


class WebhookChanges(TypedDict, total=False):
    """What staff may change about a webhook; what is left out stays."""

    url: str
    events: frozenset[EventType] | None
    description: str | None
    enabled: bool


@frozen(kw_only=True)
class SigningSecret:
    """A key that messages to one webhook are signed with, until it dies (None: for good)."""

    key: bytes = field(repr=False)
    created_at: datetime
    dies_at: datetime | None = None

    def is_alive(self, at: datetime) -> bool:
        """Tell whether messages are still signed with it at a moment."""
        return self.dies_at is None or at < self.dies_at

    @property
    def text(self) -> str:
        """The secret as the receiver is told it: `whsec_` and base64."""
        return SECRET_PREFIX + base64.b64encode(self.key).decode()

    def signature(self, message_id: str, at: datetime, body: bytes) -> str:
        """Return the signature of a message: HMAC-SHA256 over its id, the second it is sent at, and its body."""
        signed = f"{message_id}.{int(at.timestamp())}.".encode() + body
        digest = hmac.new(self.key, signed, hashlib.sha256).digest()
        return f"{SIGNATURE_VERSION},{base64.b64encode(digest).decode()}"


@frozen(kw_only=True)
class Webhook:
    """An address that hears of events: of those types, None for every type, from when it was made.

    `version` is the store's, for compare-and-set: it grows by one with every change.
    """

    id: WebhookId
    company_id: CompanyId
    url: str
    events: frozenset[EventType] | None = None
    description: str | None = None
    created_at: datetime
    disabled_at: datetime | None = None
    disabled_because: str | None = None
    secrets: tuple[SigningSecret, ...] = ()
    version: int = 1

    @property
    def enabled(self) -> bool:
        """Whether it is told of anything."""
        return self.disabled_at is None

    def wants(self, event: Event) -> bool:
        """Tell whether it is to be told of an event."""
        heard = self.events is None or event.type in self.events
        return self.enabled and heard and event.occurred_at >= self.created_at

    def require_enabled(self) -> None:
        """Refuse with NotOpen when it is disabled."""
        if not self.enabled:
            raise NotOpen("This webhook is disabled. Enable it first.")

    def amend(self, *, at: datetime, **changes: Unpack[WebhookChanges]) -> Self:
        """Return the webhook with what is given replaced."""
        amended = evolve(
            self,
            url=changes.get("url", self.url),
            events=changes.get("events", self.events),
            description=changes.get("description", self.description),
        )
        if "enabled" not in changes or changes["enabled"] is self.enabled:
            return amended
        return amended.reopened() if changes["enabled"] else amended.disabled("It was disabled by staff.", at=at)

    def disabled(self, because: str, *, at: datetime) -> Self:
        """Return the webhook disabled; what happens meanwhile is not told later."""
        return evolve(self, disabled_at=at, disabled_because=because)

    def reopened(self) -> Self:
        """Return the webhook enabled again."""
        return evolve(self, disabled_at=None, disabled_because=None)

    def rotate(self, fresh: SigningSecret, *, others_die_at: datetime) -> Self:
        """Return the webhook with a fresh secret; the others sign beside it until that moment, or their own end."""
        alive = [kept for kept in self.secrets if kept.is_alive(fresh.created_at)]
        dying = [evolve(kept, dies_at=min(kept.dies_at or others_die_at, others_die_at)) for kept in alive]
        return evolve(self, secrets=(*dying, fresh))

    def signatures(self, message_id: str, at: datetime, body: bytes) -> str:
        """Return the signatures of a message by every living secret, the newest first, with spaces between them."""
        alive = [secret for secret in reversed(self.secrets) if secret.is_alive(at)]
        return " ".join(secret.signature(message_id, at, body) for secret in alive)
