"""When links were last used: noted after the answer, about once a minute, and never in its way."""

import asyncio
import logging
from datetime import datetime, timedelta
from functools import partial

from attrs import define, field

from portal_core.domain.access import Visit
from portal_core.domain.ids import GrantId
from portal_core.ports import Runner
from portal_core.use_cases.access import note_use

BETWEEN = timedelta(minutes=1)

_MOST_REMEMBERED = 10_000

_log = logging.getLogger(__name__)


@define
class Uses:
    """Notes uses in the background."""

    runner: Runner
    _noted: dict[GrantId, datetime] = field(factory=dict[GrantId, datetime], init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set[asyncio.Task[None]], init=False)

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
        task = asyncio.create_task(self._write(visit, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for what is still being noted."""
        await asyncio.gather(*self._tasks)

    async def _write(self, visit: Visit, now: datetime) -> None:
        try:
            await self.runner.write(partial(note_use, visit=visit, now=now))
        except Exception as problem:  # noqa: BLE001 - whatever it is, the client has their answer
            _log.warning("The use of link %s was not noted: %s", visit.grant.id, type(problem).__name__)
