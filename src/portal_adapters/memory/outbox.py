"""Webhooks, and what is on its way, in memory."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import islice
from typing import final

from attrs import evolve, frozen

from portal_adapters.memory.paging import page_of
from portal_adapters.memory.tables import Tables
from portal_core.domain.events import Event
from portal_core.domain.filters import DispatchFilter
from portal_core.domain.ids import CompanyId, DispatchId, WebhookId
from portal_core.domain.outbox import Channel, Dispatch, DispatchState, Receiver
from portal_core.domain.paging import Listing, Page, Position
from portal_core.domain.webhooks import Webhook
from portal_core.ports import Dispatches, Outbox, Webhooks


@final
@frozen
class MemoryWebhooks(Webhooks):
    tables: Tables

    def get(self, company_id: CompanyId, webhook_id: WebhookId) -> Webhook | None:
        return self.tables.webhooks.get((company_id, webhook_id))

    def page(self, company_id: CompanyId, listing: Listing) -> Page[Webhook]:
        shown = (webhook for (owner, _), webhook in self.tables.webhooks.items() if owner == company_id)
        return page_of(shown, listing, place=lambda webhook: Position(webhook.created_at, webhook.id))

    def add(self, webhook: Webhook) -> None:
        self.tables.put(self.tables.webhooks, (webhook.company_id, webhook.id), webhook)

    def update(self, webhook: Webhook) -> bool:
        kept = self.get(webhook.company_id, webhook.id)
        if kept is None or kept.version != webhook.version:
            return False
        self.add(evolve(webhook, version=webhook.version + 1))
        return True

    def remove(self, company_id: CompanyId, webhook_id: WebhookId) -> bool:
        if self.get(company_id, webhook_id) is None:
            return False
        narrowed = DispatchFilter(channel=Channel.WEBHOOK, target=webhook_id)
        for key, dispatch in list(self.tables.dispatches.items()):
            if key[0] == company_id and _is_among(dispatch, narrowed):
                self.tables.drop(self.tables.dispatches, key)
        self.tables.drop(self.tables.webhooks, (company_id, webhook_id))
        return True


@final
@frozen
class MemoryDispatches(Dispatches):
    tables: Tables

    def get(self, company_id: CompanyId, dispatch_id: DispatchId) -> Dispatch | None:
        return self.tables.dispatches.get((company_id, dispatch_id))

    def page(self, company_id: CompanyId, listing: Listing, narrowed: DispatchFilter) -> Page[Dispatch]:
        shown = (
            dispatch
            for (owner, _), dispatch in self.tables.dispatches.items()
            if owner == company_id and _is_among(dispatch, narrowed)
        )
        return page_of(shown, listing, place=lambda dispatch: Position(dispatch.created_at, dispatch.id))

    def add(self, dispatches: Iterable[Dispatch]) -> None:
        for dispatch in dispatches:
            self.tables.put(self.tables.dispatches, (dispatch.company_id, dispatch.id), dispatch)

    def update(self, dispatch: Dispatch) -> bool:
        kept = self.get(dispatch.company_id, dispatch.id)
        if kept is None or kept.version != dispatch.version:
            return False
        self.add([evolve(dispatch, version=dispatch.version + 1)])
        return True

    def remove(self, company_id: CompanyId, dispatch_ids: Collection[DispatchId]) -> int:
        there = [each for each in set(dispatch_ids) if (company_id, each) in self.tables.dispatches]
        for each in there:
            self.tables.drop(self.tables.dispatches, (company_id, each))
        return len(there)


@final
@frozen
class MemoryOutbox(Outbox):
    tables: Tables

    def has_work(self, channels: Collection[Channel], *, at: datetime) -> bool:
        return bool(self._due(channels, at)) or any(self._untaken(each) for each in self._companies())

    def take_events(self, *, most: int) -> tuple[Event, ...]:
        for company_id in self._companies():
            taken = tuple(islice(self._untaken(company_id), most))
            if taken:
                before = self.tables.taken.get(company_id, 0)
                self.tables.put(self.tables.taken, company_id, before + len(taken))
                return taken
        return ()

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
        due = (
            dispatch
            for dispatch in self._due(channels, at)
            if dispatch.receiver not in but and dispatch.company_id not in but_of
        )
        made = sorted(islice(due, most), key=lambda dispatch: dispatch.id)
        claimed = tuple(evolve(dispatch, due_at=until, version=dispatch.version + 1) for dispatch in made)
        for dispatch in claimed:
            self.tables.put(self.tables.dispatches, (dispatch.company_id, dispatch.id), dispatch)
        return claimed

    def prune(self, *, before: datetime) -> int:
        old = [
            key
            for key, dispatch in self.tables.dispatches.items()
            if dispatch.state is not DispatchState.PENDING and (dispatch.attempted_at or before) < before
        ]
        for key in old:
            self.tables.drop(self.tables.dispatches, key)
        return len(old)

    def _due(self, channels: Collection[Channel], at: datetime) -> list[Dispatch]:
        due = [
            dispatch
            for dispatch in self.tables.dispatches.values()
            if dispatch.state is DispatchState.PENDING and dispatch.due_at <= at and dispatch.channel in channels
        ]
        return sorted(due, key=lambda dispatch: (dispatch.due_at, dispatch.id))

    def _companies(self) -> list[CompanyId]:
        return sorted({company_id for company_id, _ in self.tables.events})

    def _untaken(self, company_id: CompanyId) -> list[Event]:
        events = [event for (owner, _), event in self.tables.events.items() if owner == company_id]
        return events[self.tables.taken.get(company_id, 0) :]


def _is_among(dispatch: Dispatch, narrowed: DispatchFilter) -> bool:
    return (
        narrowed.channel in {None, dispatch.channel}
        and narrowed.target in {None, dispatch.target}
        and (narrowed.states is None or dispatch.state in narrowed.states)
    )
