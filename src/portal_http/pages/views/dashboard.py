"""The first page: what needs the client now, what they owe, what is on its way."""

from portal_core.domain.balance import Balance
from portal_core.domain.dashboard import RECENT, Dashboard
from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.invoices import InvoiceSummary
from portal_core.domain.quotes import QuoteSummary
from portal_core.ports import Store
from portal_core.use_cases.dashboard import read_dashboard
from portal_http.answers import Answer
from portal_http.pages.asked import Asked
from portal_http.pages.shown.charts import aging_bar
from portal_http.pages.shown.needs import deliveries_to_come, invoices_to_pay, quotes_to_answer


async def show(asked: Asked, _document_id: str) -> Answer:
    """Show the first page."""

    def gather(store: Store) -> tuple[Dashboard, list[QuoteSummary], list[InvoiceSummary], list[DeliveryView]]:
        return (
            read_dashboard(store, asked.visit, now=asked.now),
            quotes_to_answer(store, asked),
            invoices_to_pay(store, asked),
            deliveries_to_come(store, asked),
        )

    dashboard, to_answer, to_pay, on_its_way = await asked.read(gather)
    return asked.page(
        "dashboard.html",
        dashboard=dashboard,
        to_answer=to_answer,
        to_pay=to_pay,
        on_its_way=on_its_way,
        few=RECENT,
        balances=[(balance, aging_bar(balance.aging)) for balance in dashboard.balances or () if _counts(balance)],
    )


def _counts(balance: Balance) -> bool:
    return bool(balance.outstanding or balance.credit)
