"""A form that comes twice, by a double click or a reload, is taken once."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta

from portal_core.domain.errors import IdempotencyInFlight
from portal_core.ports import KeyOfAnswer, Store
from portal_core.use_cases.idempotency import do_once
from portal_http.pages.asked import Asked

WITHIN = timedelta(minutes=1)
"""Who sends the very same after this long means it."""


async def taken_once(asked: Asked, work: Callable[[Store], str]) -> str:
    """Return the id of what a form made, or of what it made a moment ago when it comes again as it was."""
    typed = json.dumps(asked.form.values, sort_keys=True).encode()
    key = KeyOfAnswer(
        company_id=asked.visit.scope.company_id,
        asker=asked.visit.grant.id,
        route=f"POST /p/{asked.here}",
        key=hashlib.sha256(typed).hexdigest(),
    )

    def once(store: Store) -> str:
        return do_once(store, key, lambda: work(store), within=WITHIN, now=asked.now)

    try:
        return await asked.write(once)
    except IdempotencyInFlight:
        # The other one has been kept by now, for it was waited for.
        return await asked.write(once)
