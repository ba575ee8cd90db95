"""The courier: turns events into dispatches, carries them out, and keeps what came of each attempt.

Any number of couriers may share one store, in one process or in several: each claims what it carries for a while, so
that nobody else carries it meanwhile, and what a killed courier had claimed is claimed again by others. No transaction
is open while anything is sent.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from inspect import isawaitable
from itertools import chain
from typing import final

from attrs import define, evolve, field, frozen

from portal_core.domain.errors import Busy
from portal_core.domain.events import Event
from portal_core.domain.outbox import STANDARD_SCHEDULE, Attempt, Channel, Dispatch, Schedule
from portal_core.ports import Runner, Store
from portal_core.use_cases.outbox import Parcel, address_events, claim_parcels, put_off_parcel, settle_parcel
from portal_core.use_cases.payloads import event_of
from portal_http.load import MOST_AT_ONCE, Load
from portal_http.outside import Carrier
from portal_http.redact import TokenFilter, redacted

PUT_OFF_FOR = timedelta(seconds=2)
"""How long a message waits whose attempt the store was too busy for; that says nothing of the receiver."""

_ROUNDS = 10
_SETTLING_ATTEMPTS = 5

_log = logging.getLogger(__name__)
_log.addFilter(TokenFilter())


@final
@frozen
class HostCarrier:
    """Hands each event to a callable of the host's, which may be a coroutine; what it raises is tried again later."""

    listener: Callable[[Event], Awaitable[None] | None]
    lease: timedelta = timedelta(minutes=5)

    async def carry(self, parcel: Parcel, *, now: datetime) -> Attempt:
        """Call the host."""
        del now
        answer = self.listener(event_of(parcel.dispatch))
        if isawaitable(answer):
            await answer
        return Attempt(arrived=True)


@final
@define(eq=False, kw_only=True)
class Courier:
    """Carries what is due by the ways that it has carriers for."""

    runner: Runner
    clock: Callable[[], datetime]
    carriers: Mapping[Channel, Carrier]
    jitter: Callable[[], float]
    schedule: Schedule = STANDARD_SCHEDULE
    pause: timedelta = timedelta(seconds=1)
    _stopping: asyncio.Event = field(factory=asyncio.Event, init=False)
    _under_way: dict[asyncio.Task[None], Dispatch] = field(factory=dict[asyncio.Task[None], Dispatch], init=False)

    async def run(self) -> None:
        """Work until told to stop, and then finish what is under way."""
        while not self._stopping.is_set():
            if not await self._try_a_turn():
                await self._rest()
        await self._finish()

    async def run_once(self) -> None:
        """Carry what is due now, and return when nothing is."""
        while await self._turn() or self._under_way:
            if self._under_way:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)

    def stop(self) -> None:
        """Take on nothing more."""
        self._stopping.set()

    async def _try_a_turn(self) -> bool:
        try:
            return await self._turn()
        except Exception as problem:  # noqa: BLE001 - whatever it is, the next turn may do better
            _log.warning("Nothing could be sent just now: %s: %s", type(problem).__name__, problem)
            return False

    async def _turn(self) -> bool:
        """Take on what there is room for; tell whether there was anything."""
        channels = [channel for channel in self.carriers if self._load(channel).room > 0]
        if not channels or not await self.runner.read(lambda store: store.outbox.has_work(channels, at=self.clock())):
            return False
        worked, parcels = await self.runner.write(lambda store: self._take(store, channels))
        for parcel in parcels:
            task = asyncio.create_task(self._carry(parcel))
            self._under_way[task] = parcel.dispatch
            task.add_done_callback(self._done)
        return worked

    def _done(self, task: asyncio.Task[None]) -> None:
        dispatch = self._under_way.pop(task)
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.error("%s %s was dropped", dispatch.channel.value, dispatch.id, exc_info=problem)

    def _load(self, channel: Channel, more: Iterable[Parcel] = ()) -> Load:
        under_way = (*self._under_way.values(), *(parcel.dispatch for parcel in more))
        return Load.of(dispatch for dispatch in under_way if dispatch.channel is channel)

    def _take(self, store: Store, channels: Iterable[Channel]) -> tuple[bool, list[Parcel]]:
        """Tell whether there was anything, and what is to be carried of it."""
        now = self.clock()
        addressed = 0
        for _ in range(_ROUNDS):
            fresh = address_events(store, self.carriers, now=now)
            addressed += fresh
            if not fresh:
                break
        claims = [claim for channel in channels for claim in self._claims(store, channel, now)]
        return bool(addressed or claims), list(chain.from_iterable(claims))

    def _claims(self, store: Store, channel: Channel, now: datetime) -> list[list[Parcel]]:
        """Claim what there is room for, a few at a time: what each receiver may get depends on what was claimed.

        A claim of which all is for disabled webhooks is empty, and takes no room; many of them end the turn.
        """
        claims: list[list[Parcel]] = []
        lease = self.carriers[channel].lease
        while len(claims) < MOST_AT_ONCE and (load := self._load(channel, chain.from_iterable(claims))).room > 0:
            but, but_of = load.full_receivers, load.full_companies
            more = claim_parcels(store, {channel}, lease=lease, most=load.room, but=but, but_of=but_of, now=now)
            if more is None:
                break
            claims.append(more)
        return claims

    async def _carry(self, parcel: Parcel) -> None:
        now = self.clock()
        try:
            attempt = await self.carriers[parcel.dispatch.channel].carry(parcel, now=now)
        except Busy as busy:
            _log.info("%s %s is put off: %s", parcel.dispatch.channel.value, parcel.dispatch.id, busy)
            return await self._put_off(parcel)
        except Exception as problem:  # noqa: BLE001 - whatever it is, the message did not arrive
            _log.warning("%s %s failed", parcel.dispatch.channel.value, parcel.dispatch.id, exc_info=True)
            attempt = Attempt(arrived=False, problem=f"{type(problem).__name__}: {problem}")
        return await self._settle(parcel, _without_secrets(attempt))

    async def _put_off(self, parcel: Parcel) -> None:
        until = self.clock() + PUT_OFF_FOR * self.jitter()
        await self._keep(parcel, lambda store: put_off_parcel(store, parcel, until=until))

    async def _settle(self, parcel: Parcel, attempt: Attempt) -> None:
        at, jitter = self.clock(), self.jitter()
        await self._keep(
            parcel, lambda store: settle_parcel(store, parcel, attempt, self.schedule, jitter=jitter, now=at)
        )

    async def _keep(self, parcel: Parcel, use_case: Callable[[Store], bool]) -> None:
        for left in reversed(range(_SETTLING_ATTEMPTS)):
            try:
                await self.runner.write(use_case)
            except Exception as problem:  # noqa: BLE001 - whatever it is, the others are to be kept
                # When nobody could keep it, the claim runs out and the message is sent once more, under the same id.
                if not left:
                    _log.warning("What came of %s could not be kept", parcel.dispatch.id, exc_info=problem)
                await asyncio.sleep(self.pause.total_seconds())
            else:
                return

    async def _rest(self) -> None:
        """Wait for a while, or until there is room again, or it is time to stop."""
        stopping = asyncio.create_task(self._stopping.wait())
        waited = {stopping, *self._under_way}
        try:
            await asyncio.wait(waited, timeout=self.pause.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way)


def _without_secrets(attempt: Attempt) -> Attempt:
    return attempt if attempt.problem is None else evolve(attempt, problem=redacted(attempt.problem))
