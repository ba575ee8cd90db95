"""The first page: what needs the client now, what they owe, what is on its way."""

from portal_core.domain.balance import Balance
from portal_core.domain.dashboard import RECENT
from portal_core.use_cases.dashboard import read_first_page
from portal_http.answers import Answer
from portal_http.pages.asked import Asked
from portal_http.pages.shown.charts import aging_bar


async def show(asked: Asked, _document_id: str) -> Answer:
    """Show the first page."""
    page = await asked.read(lambda store: read_first_page(store, asked.visit, now=asked.now))
    return asked.page(
        "dashboard.html",
        first=page,
        few=RECENT,
        balances=[(balance, aging_bar(balance.aging)) for balance in page.balances or () if _counts(balance)],
    )


def _counts(balance: Balance) -> bool:
    return bool(balance.outstanding or balance.credit)
