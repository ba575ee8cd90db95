"""Ports for what a company's systems and people are told: webhooks, and what is on its way."""

from abc import abstractmethod
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from portal_core.domain.events import Event
from portal_core.domain.filters import DispatchFilter
from portal_core.domain.ids import CompanyId, DispatchId, WebhookId
from portal_core.domain.outbox import Channel, Dispatch, Receiver
from portal_core.domain.paging import Listing, Page
from portal_core.domain.webhooks import Webhook


class Webhooks(Protocol):
    """The addresses that a company's events are sent to."""

    __slots__ = ()

    @abstractmethod
    def get(self, company_id: CompanyId, webhook_id: WebhookId) -> Webhook | None:
        """Return the webhook with its secrets, oldest first, or nothing if that company has none of that id."""

    @abstractmethod
    def page(self, company_id: CompanyId, listing: Listing) -> Page[Webhook]:
        """Return a page of webhooks by `created_at`."""

    @abstractmethod
    def add(self, webhook: Webhook) -> None:
        """Keep a new webhook."""

    @abstractmethod
    def update(self, webhook: Webhook) -> bool:
        """Replace the webhook if its version is still the kept one, and raise that by one."""

    @abstractmethod
    def remove(self, company_id: CompanyId, webhook_id: WebhookId) -> bool:
        """Remove the webhook, with all that was or is to be sent to it; False if there is none of that id."""


class Dispatches(Protocol):
    """What was sent and is to be sent, one company's at a time."""

    __slots__ = ()

    @abstractmethod
    def get(self, company_id: CompanyId, dispatch_id: DispatchId) -> Dispatch | None:
        """Return the dispatch, or nothing if that company has none of that id."""

    @abstractmethod
    def page(self, company_id: CompanyId, listing: Listing, narrowed: DispatchFilter) -> Page[Dispatch]:
        """Return a page of dispatches by `created_at`."""

    @abstractmethod
    def add(self, dispatches: Iterable[Dispatch]) -> None:
        """Keep new dispatches."""

    @abstractmethod
    def update(self, dispatch: Dispatch) -> bool:
        """Replace the dispatch if its version is still the kept one, and raise that by one."""

    @abstractmethod
    def remove(self, company_id: CompanyId, dispatch_ids: Collection[DispatchId]) -> int:
        """Remove dispatches, sent or not; unknown ones are passed over. Return how many there were."""


class Outbox(Protocol):
    """The work of those who send, for all companies at once. Several may do it at a time, and share it."""

    __slots__ = ()

    @abstractmethod
    def has_work(self, channels: Collection[Channel], *, at: datetime) -> bool:
        """Tell whether there are events that were not taken yet, or dispatches by these ways that are due."""

    @abstractmethod
    def take_events(self, *, most: int) -> tuple[Event, ...]:
        """Return the next events of some company, oldest first; no event is ever returned twice, or left out.

        Nothing says that there are none, or that somebody else is taking them just now.
        """

    @abstractmethod
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
        """Return the dispatches that are due the longest, by id, and put off each one's due moment to `until`.

        Nobody else gets them before then; who has not settled them by then has lost them. Those to the receivers in
        `but`, and all of the companies in `but_of`, are left alone.
        """

    @abstractmethod
    def prune(self, *, before: datetime) -> int:
        """Forget the dispatches that arrived or were given up before a moment; return how many those were."""
