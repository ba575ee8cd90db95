"""The bodies that are taken, with the rules for each of their fields."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, TypeAlias, TypedDict, cast

from attrs import frozen
from msgspec import Meta

from portal_core.domain.access import ALL_PERMISSIONS, DocumentRef, DocumentType, Grant, GrantChanges, Permission
from portal_core.domain.errors import InvalidInput
from portal_core.domain.events import EventType
from portal_core.domain.feedback import Category
from portal_core.domain.ids import ID_RULE, ClientId, is_id
from portal_core.domain.quotes import Evidence
from portal_core.domain.text import (
    COMMENT_LENGTH,
    EMAIL_LENGTH,
    EMAIL_PATTERN,
    MESSAGE_LENGTH,
    NAME_LENGTH,
    SUBJECT_LENGTH,
    URL_LENGTH,
    clean_email,
    clean_text,
    required_signed_text,
    required_text,
)
from portal_core.domain.webhooks import URL_PATTERN, WebhookChanges, clean_url_of_webhook
from portal_core.use_cases.access import LONGEST_OVERLAP, NewGrant
from portal_core.use_cases.feedback import NewTicket
from portal_core.use_cases.webhooks import USUAL_OVERLAP, NewWebhook
from portal_http.converter import Reads
from portal_http.queries import ID_PATTERN

_MOST_OVERLAP = LONGEST_OVERLAP // timedelta(seconds=1)

_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_BEYOND_MICROSECONDS = re.compile(r"(\.[0-9]{6})[0-9]+")

_CONTROL = r"\u0000-\u0009\u000b-\u001f\u007f-\u009f"
_SOME_TEXT = rf"^[^{_CONTROL}]*[^\s{_CONTROL}][^{_CONTROL}]*$"
_ANY_TEXT = rf"^[^{_CONTROL}]*$"
_HIDDEN = (
    rf"{_CONTROL}\u00ad\u0600-\u0605\u06dd\u070f\u0890-\u0891\u08e2\u180e\u200b\u2028-\u202e"
    r"\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
)
_SIGNED = rf"^\s*[^\s{_HIDDEN}][^{_HIDDEN}]*\s*$"
_WEB_ADDRESS = rf"^\s*{URL_PATTERN}\s*$"
_EMAIL = rf"^\s*{EMAIL_PATTERN}\s*$"


def _text(read: Callable[[str], object]) -> Reads:
    def function(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError("must be text")  # noqa: TRY004 - the converter gathers these
        return read(value)

    return Reads(function)


def _whole(least: int, most: int | None = None) -> Reads:
    def function(value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("must be a whole number")  # noqa: TRY004 - the converter gathers these
        if value < least or (most is not None and value > most):
            raise ValueError(f"must be at least {least}" if most is None else f"must be from {least} to {most}")
        return value

    return Reads(function)


def _an_id(text: str) -> str:
    if not is_id(text):
        raise ValueError(ID_RULE)
    return text


def _a_moment(text: str) -> datetime:
    if _MOMENT.fullmatch(text) is None:
        raise ValueError("must be a moment with its offset (RFC 3339), like 2026-01-31T12:00:00Z")
    try:
        return datetime.fromisoformat(_BEYOND_MICROSECONDS.sub(r"\1", text.upper())).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a moment of the calendar, like 2026-01-31T12:00:00Z") from None


def _blank_is_none(text: str, *, longest: int) -> str | None:
    return clean_text(text, longest=longest) or None


Id: TypeAlias = Annotated[str, Meta(pattern=ID_PATTERN), _text(_an_id)]
Name: TypeAlias = Annotated[
    str,
    Meta(min_length=1, max_length=NAME_LENGTH, pattern=_SOME_TEXT),
    _text(partial(required_text, longest=NAME_LENGTH)),
]
SignedText: TypeAlias = Annotated[
    str, Meta(min_length=1, max_length=NAME_LENGTH, pattern=_SIGNED), _text(required_signed_text)
]
Subject: TypeAlias = Annotated[
    str,
    Meta(min_length=1, max_length=SUBJECT_LENGTH, pattern=_SOME_TEXT),
    _text(partial(required_text, longest=SUBJECT_LENGTH)),
]
Message: TypeAlias = Annotated[
    str,
    Meta(min_length=1, max_length=MESSAGE_LENGTH, pattern=_SOME_TEXT),
    _text(partial(required_text, longest=MESSAGE_LENGTH)),
]
Comment: TypeAlias = Annotated[
    str, Meta(max_length=COMMENT_LENGTH, pattern=_ANY_TEXT), _text(partial(_blank_is_none, longest=COMMENT_LENGTH))
]
Email: TypeAlias = Annotated[str, Meta(max_length=EMAIL_LENGTH, pattern=_EMAIL), _text(clean_email)]
WebAddress: TypeAlias = Annotated[str, Meta(max_length=URL_LENGTH, pattern=_WEB_ADDRESS), _text(clean_url_of_webhook)]
Moment: TypeAlias = Annotated[datetime, Meta(tz=True), _text(_a_moment)]
Revision: TypeAlias = Annotated[int, Meta(ge=1), _whole(1)]
Rating: TypeAlias = Annotated[int, Meta(ge=1, le=5), _whole(1, 5)]
Overlap: TypeAlias = Annotated[int, Meta(ge=0, le=_MOST_OVERLAP), _whole(0, _MOST_OVERLAP)]


@frozen(kw_only=True)
class NamedDocument:
    """One document of the client's."""

    type: DocumentType
    id: Id

    def ref(self) -> DocumentRef:
        """Return it as the core names documents."""
        return DocumentRef(self.type, self.id)


@frozen(kw_only=True)
class AcceptQuote:
    """Who accepts, and the revision that they saw; without one, the current revision is meant."""

    name: SignedText | None = None
    title: SignedText | None = None
    email: Email | None = None
    purchase_order: SignedText | None = None
    comment: Comment | None = None
    revision: Revision | None = None

    def evidence(self, *, ip: str | None, user_agent: str | None) -> Evidence:
        """Return what is known of who accepts."""
        return Evidence(
            name=self.name,
            title=self.title,
            email=self.email,
            purchase_order=self.purchase_order,
            comment=self.comment,
            ip=ip,
            user_agent=user_agent,
        )


@frozen(kw_only=True)
class DeclineQuote:
    """Who declines and why, and the revision that they saw; without one, the current revision is meant."""

    reason: Comment | None = None
    name: SignedText | None = None
    revision: Revision | None = None

    def evidence(self, *, ip: str | None, user_agent: str | None) -> Evidence:
        """Return what is known of who declines."""
        return Evidence(name=self.name, reason=self.reason, ip=ip, user_agent=user_agent)


@frozen(kw_only=True)
class SubmitFeedback:
    """What a client wants to say, perhaps about a document that they can see."""

    subject: Subject
    message: Message
    category: Category | None = None
    rating: Rating | None = None
    document: NamedDocument | None = None

    def said(self) -> NewTicket:
        """Return it as the core takes it."""
        return NewTicket(
            subject=self.subject,
            message=self.message,
            category=self.category or Category.OTHER,
            rating=self.rating,
            document=None if self.document is None else self.document.ref(),
        )


@frozen(kw_only=True)
class ReplyAsClient:
    """A client's reply."""

    message: Message


@frozen(kw_only=True)
class ReplyAsStaff:
    """A reply of staff, after which the conversation may be closed."""

    message: Message
    close: bool = False


@frozen(kw_only=True)
class AskedPermissions:
    """What a link may do; what is left out it may."""

    view_quotes: bool = True
    accept_quotes: bool = True
    view_orders: bool = True
    view_invoices: bool = True
    view_payments: bool = True
    view_deliveries: bool = True
    submit_feedback: bool = True

    def granted(self) -> frozenset[Permission]:
        """Return those that are true."""
        return frozenset(each for each in Permission if getattr(self, each.value))


@frozen(kw_only=True)
class IssueLink:
    """What a new link is to allow, for how long, and to whom it may be sent.

    Without `expires_at` it lives as long as usual; with `documents` it opens those alone.
    """

    client_id: Id
    permissions: AskedPermissions | None = None
    expires_at: Moment | None = None
    label: Name | None = None
    documents: Annotated[list[NamedDocument], Meta(min_length=1)] | None = None
    send_to: Email | None = None

    def grant(self) -> NewGrant:
        """Return it as the core takes it; refuse with InvalidInput what cannot be done."""
        return NewGrant(
            client_id=ClientId(self.client_id),
            permissions=ALL_PERMISSIONS if self.permissions is None else self.permissions.granted(),
            documents=_refs(self.documents),
            expires_at=self.expires_at,
            label=self.label,
        )


@frozen(kw_only=True)
class RotateLink:
    """For how many seconds the tokens so far stay alive beside the new one."""

    overlap_seconds: Overlap = 0


@frozen(kw_only=True)
class SendLink:
    """The e-mail address that a link is sent to; without one, the client's own."""

    send_to: Email | None = None


class PermissionChanges(TypedDict, total=False):
    """The permissions to change; the others stay."""

    view_quotes: bool
    accept_quotes: bool
    view_orders: bool
    view_invoices: bool
    view_payments: bool
    view_deliveries: bool
    submit_feedback: bool


class AmendLink(TypedDict, total=False):
    """What to change about a link; what is left out stays. `documents` null opens all documents again."""

    permissions: PermissionChanges
    label: Name | None
    expires_at: Moment
    documents: Annotated[list[NamedDocument], Meta(min_length=1)] | None


@frozen(kw_only=True)
class AddWebhook:
    """Where events are to be sent, which (all, unless some are named), and what for."""

    url: WebAddress
    events: Annotated[list[EventType], Meta(min_length=1)] | None = None
    description: Comment | None = None

    def webhook(self) -> NewWebhook:
        """Return it as the core takes it."""
        events = None if self.events is None else frozenset(self.events)
        return NewWebhook(url=self.url, events=events, description=self.description)


class AmendWebhook(TypedDict, total=False):
    """What to change about a webhook; what is left out stays. `events` null stands for all of them."""

    url: WebAddress
    events: Annotated[list[EventType], Meta(min_length=1)] | None
    description: Comment | None
    enabled: bool


def webhook_changes_of(asked: AmendWebhook) -> WebhookChanges:
    """Return the changes as the core takes them."""
    changes = cast("WebhookChanges", {name: value for name, value in asked.items() if name != "events"})
    if "events" in asked:
        changes["events"] = None if asked["events"] is None else frozenset(asked["events"])
    return changes


@frozen(kw_only=True)
class RotateWebhook:
    """For how many seconds the secrets so far sign beside the new one."""

    overlap_seconds: Overlap = USUAL_OVERLAP // timedelta(seconds=1)


@frozen(kw_only=True)
class Nothing:
    """Nothing needs to be said."""


def changes_of(asked: AmendLink, grant: Grant) -> GrantChanges:
    """Return the changes as the core takes them: permissions are merged with those that the link has."""
    changes: GrantChanges = {}
    if "permissions" in asked:
        said = cast("dict[str, bool]", asked["permissions"])
        changes["permissions"] = frozenset(
            each for each in Permission if said.get(each.value, each in grant.permissions)
        )
    if "label" in asked:
        changes["label"] = asked["label"]
    if "expires_at" in asked:
        changes["expires_at"] = asked["expires_at"]
    if "documents" in asked:
        changes["documents"] = _refs(asked["documents"])
    return changes


def _refs(documents: list[NamedDocument] | None) -> frozenset[DocumentRef] | None:
    if documents is None:
        return None
    if not documents:
        raise InvalidInput.at("/documents", "must name at least one document; null opens all of them")
    return frozenset(each.ref() for each in documents)
