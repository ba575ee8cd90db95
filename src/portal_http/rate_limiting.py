"""The budgets of links, and of those who guess at them."""

import math
from datetime import datetime
from typing import Literal

from attrs import frozen

from portal_core.domain.ids import GrantId
from portal_http.answers import Header
from portal_http.errors import RateLimited
from portal_http.incoming import neighbourhood
from portal_http.options import Options
from portal_http.outside import RateLimits

WINDOW = 60
"""Seconds over which requests are counted."""


@frozen
class Budgets:
    """How much may be asked in a minute, by API and pages together."""

    limits: RateLimits
    options: Options

    async def spend(self, grant_id: GrantId, *, writes: bool, now: datetime) -> list[Header]:
        """Count one request of a live link; return the fields that tell of it, or refuse with RateLimited."""
        budget: Literal["reads", "writes"] = "writes" if writes else "reads"
        most = self.options.writes_per_minute if writes else self.options.reads_per_minute
        allowed, remaining, seconds = await self.limits.hit(budget, grant_id, most=most)
        if not most:
            return []
        wait = max(math.ceil(seconds), 1)
        fields = _fields(budget, most, remaining, wait, int(now.timestamp()) + wait)
        if not allowed:
            raise RateLimited(wait, fields)
        return fields

    async def count_guess(self, address: str | None) -> None:
        """Count one request with a dead token; refuse with RateLimited when its address sends too many."""
        await self._count_by_address("guesses", address)

    async def count_stranger(self, address: str | None) -> None:
        """Count one call that needs staff's token and has none that is right; refuse as `count_guess` does."""
        await self._count_by_address("strangers", address)

    async def _count_by_address(self, budget: str, address: str | None) -> None:
        most = self.options.guesses_per_minute
        allowed, _, seconds = await self.limits.hit(budget, neighbourhood(address), most=most)
        if not allowed:
            raise RateLimited(max(math.ceil(seconds), 1))


def _fields(budget: str, most: int, remaining: int, wait: int, resets_at: int) -> list[Header]:
    return [
        (b"x-ratelimit-limit", b"%d" % most),
        (b"x-ratelimit-remaining", b"%d" % remaining),
        (b"x-ratelimit-reset", b"%d" % resets_at),
        (b"ratelimit-policy", b'"%s";q=%d;w=%d' % (budget.encode(), most, WINDOW)),
        (b"ratelimit", b'"%s";r=%d;t=%d' % (budget.encode(), remaining, wait)),
    ]
