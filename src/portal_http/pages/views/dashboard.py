"""The first page: what needs the client now, what they owe, what is on its way."""

from collections.abc import Awaitable
from datetime import datetime

from portal_core.domain.access import Visit
from portal_core.domain.balance import Balance
from portal_core.domain.dashboard import RECENT, FirstPage
from portal_core.ports import FirstPageBriefs, Glance, Glances, Store
from portal_core.use_cases.dashboard import read_first_page
from portal_http.answers import Answer
from portal_http.pages.asked import Asked
from portal_http.pages.shown.charts import aging_bar


def read(store: Store, visit: Visit, now: datetime) -> FirstPage:
    """Return what the first page shows."""
    return read_first_page(store, visit, now=now)


def look(glances: Glances, digest: bytes, now: datetime) -> Awaitable[Glance[FirstPageBriefs] | None]:
    """Return the link of a token's digest and what the first page shows, at a glance."""
    return glances.first_page(digest, at=now)


async def show(asked: Asked, _document_id: str) -> Answer:
    """Show the first page, which was read together with the link unless that could not be."""
    page: FirstPage | FirstPageBriefs | None = asked.seen
    if page is None:
        page = await asked.read(lambda store: read(store, asked.visit, asked.now))
    return asked.page(
        "dashboard.html",
        first=page,
        few=RECENT,
        balances=[(balance, aging_bar(balance.aging)) for balance in page.balances or () if _counts(balance)],
    )


def _counts(balance: Balance) -> bool:
    return bool(balance.outstanding or balance.credit)
