"""When links were last used: noted soon after the answer, about once a minute, and never in its way."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from attrs import define, evolve, field

from portal_core.domain.access import Grant, Use, Visit
from portal_core.domain.ids import GrantId
from portal_core.ports import Runner
from portal_core.use_cases.access import note_uses

BETWEEN = timedelta(minutes=1)

TOGETHER = 1.0
"""For how many seconds uses are gathered: many links then cost one commit, and none has to be waited for in between."""

_MOST_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


@define
class Uses:
    """Notes uses in the background."""

    runner: Runner
    _noted: dict[GrantId, datetime] = field(factory=dict[GrantId, datetime], init=False)
    _gathered: list[Use] = field(factory=list[Use], init=False)
    _writing: asyncio.Task[None] | None = field(default=None, init=False)
    _pause: asyncio.Task[None] | None = field(default=None, init=False)

    def note(self, visit: Visit, now: datetime) -> GrantId:
        """Note that a link was used, unless that was noted within the last minute; return the link's id."""
        self._note(visit, now)
        return visit.grant.id

    def _note(self, visit: Visit, now: datetime) -> None:
        grant = visit.grant
        last = max(filter(None, (grant.last_used_at, self._noted.get(grant.id))), default=None)
        if last is not None and now - last < BETWEEN:
            return
        if len(self._noted) >= _MOST_REMEMBERED:
            self._noted.clear()
        self._noted[grant.id] = now
        self._gathered.append(Use(grant.company_id, grant.id, now))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    async def finish(self) -> None:
        """Write at once what is still gathered, for the portal ends."""
        if self._pause is not None:
            self._pause.cancel()
        if self._writing is not None and not self._writing.done():
            await self._writing
        # A loop that ended before its time, as a test client's does after each request, has left some.
        await self._write_gathered()

    def shown(self, grant: Grant) -> Grant:
        """Return a link as it will be when its last use is kept, without waiting for that."""
        noted = self._noted.get(grant.id)
        if noted is None or (grant.last_used_at is not None and noted <= grant.last_used_at):
            return grant
        return evolve(grant, last_used_at=noted)

    async def _write_soon(self) -> None:
        while self._gathered:
            self._pause = asyncio.create_task(asyncio.sleep(TOGETHER))
            # Whoever ends this loop does not wait for it either: the rest is written then.
            with suppress(asyncio.CancelledError):
                await asyncio.wait({self._pause})
            await self._write_gathered()

    async def _write_gathered(self) -> None:
        uses, self._gathered = self._gathered, []
        if not uses:
            return
        try:
            await self.runner.write(partial(note_uses, uses=uses))
        except Exception as problem:  # noqa: BLE001 - whatever it is, the clients have their answers
            links = ", ".join(use.grant_id for use in uses)
            _log.warning("The uses of links %s were not noted: %s", links, type(problem).__name__)
