"""Payments and refunds."""

from portal_core.domain.ids import PaymentId
from portal_core.domain.paging import PAYMENT_SORTS
from portal_core.use_cases.payments import list_payments, read_payment
from portal_http import present
from portal_http.answers import Answer
from portal_http.api import glances
from portal_http.calls import ClientCall
from portal_http.cursors import asked_list


async def list_all(call: ClientCall) -> Answer:
    """Return a page of payments and refunds."""
    asked = asked_list(call, PAYMENT_SORTS)
    page = await call.read(lambda store: list_payments(store, call.visit, asked.listing, now=call.now))
    return asked.answer(page, [present.payment(each) for each in page.items])


async def read_one(call: ClientCall) -> Answer:
    """Return one payment or refund."""
    found = await call.read(lambda store: read_payment(store, call.visit, PaymentId(call.record_id), now=call.now))
    return glances.PAYMENT.show(found, call.visit, call.today)
