"""Ports for what is ours and append-only: decisions, events, the audit log, and the answers to repeated requests."""

from abc import abstractmethod
from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from attrs import frozen

from portal_core.domain.audit import AuditEntry
from portal_core.domain.events import Event
from portal_core.domain.filters import AuditFilter, DecisionFilter
from portal_core.domain.ids import ClientId, CompanyId, DecisionId, EventId
from portal_core.domain.paging import Listing, Page
from portal_core.domain.quotes import Decision, Quote


class Decisions(Protocol):
    """Clients' answers to quotes: at most one for each revision, whatever races."""

    __slots__ = ()

    @abstractmethod
    def record(self, quote: Quote, decision: Decision, event: Event, entry: AuditEntry) -> bool:
        """Keep the decision, and the event and the entry of the audit log that tell of it, if the quote is as judged.

        That is: recorded as sent, at the same revision, with the same content, and not decided. Otherwise
        nothing is kept and the answer is False: read the quote again and judge anew.
        """

    @abstractmethod
    def get(self, company_id: CompanyId, decision_id: DecisionId) -> Decision | None:
        """Return the decision with its evidence, or nothing if that company has none of that id."""

    @abstractmethod
    def page(self, company_id: CompanyId, listing: Listing, narrowed: DecisionFilter) -> Page[Decision]:
        """Return a page by `created_at`, which is the moment of the decision."""


class Events(Protocol):
    """What happened, in the order in which it became visible: who reads on misses nothing."""

    __slots__ = ()

    @abstractmethod
    def append(self, event: Event) -> None:
        """Keep an event in the transaction of its fact."""

    @abstractmethod
    def page(self, company_id: CompanyId, *, after: EventId | None, limit: int) -> Page[Event] | None:
        """Return the events after one, oldest first, and how many there are; nothing if that one is unknown."""

    @abstractmethod
    def erase(self, company_id: CompanyId, client_id: ClientId) -> int:
        """Empty what people wrote, as `Event.without_texts` does; return how many of a client's events that changed.

        They stay what they are otherwise, and in their places.
        """


class AuditLog(Protocol):
    """Who did what, when and from where. There is no way to change or remove an entry."""

    __slots__ = ()

    @abstractmethod
    def append(self, entry: AuditEntry) -> None:
        """Keep an entry in the transaction of its act."""

    @abstractmethod
    def page(self, company_id: CompanyId, listing: Listing, narrowed: AuditFilter) -> Page[AuditEntry]:
        """Return a page by `created_at`; `since` and `until` are days in UTC."""


@frozen(kw_only=True)
class KeyOfAnswer:
    """What an idempotency key belongs to: who asked (a grant's id or a JWT's subject) and which route."""

    company_id: CompanyId
    asker: str
    route: str
    key: str


@frozen(kw_only=True)
class KeptAnswer:
    """The answer to a write, to be given again: the SHA-256 of the request's body, the status and the answer's body."""

    fingerprint: bytes
    status: int
    body: bytes
    answered_at: datetime


class Answers(Protocol):
    """Answers kept with the write that they acknowledge, for requests that come twice."""

    __slots__ = ()

    @abstractmethod
    def find(self, key: KeyOfAnswer, *, since: datetime) -> KeptAnswer | None:
        """Return the answer kept under the key, unless it is older than `since`."""

    @abstractmethod
    def keep(self, key: KeyOfAnswer, answer: KeptAnswer, *, since: datetime) -> bool:
        """Keep an answer, replacing one older than `since`; False if there is one that is not."""

    @abstractmethod
    def prune(self, *, before: datetime) -> int:
        """Forget what was answered before a moment; return how many answers that was."""

    @abstractmethod
    def forget(self, company_id: CompanyId, askers: Collection[str]) -> int:
        """Forget what some askers of a company's were answered; return how many answers that was."""
