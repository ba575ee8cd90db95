"""Payments and refunds, and what each of them paid."""

from portal_core.domain.access import Permission
from portal_core.domain.ids import PaymentId
from portal_core.domain.paging import PAYMENT_SORTS
from portal_core.use_cases.payments import list_payments, read_payment
from portal_http.answers import Answer
from portal_http.pages.asked import Asked, Section
from portal_http.pages.lists import shelf


async def show_list(asked: Asked) -> Answer:
    """Show a page of the client's payments and refunds."""
    asked.visit.grant.require(Permission.VIEW_PAYMENTS, at=asked.now)
    of = shelf(asked, Section.PAYMENTS, PAYMENT_SORTS)
    page = await asked.read(lambda store: list_payments(store, asked.visit, of.listing, now=asked.now))
    return asked.page("payments.html", shelf=of, page=page)


async def show(asked: Asked, document_id: str) -> Answer:
    """Show one payment or refund."""
    view = await asked.read(lambda store: read_payment(store, asked.visit, PaymentId(document_id), now=asked.now))
    return asked.page("payment.html", view=view, payment=view.payment)
