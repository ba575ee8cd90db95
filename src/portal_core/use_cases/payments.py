"""Reading payments."""

from datetime import datetime

from portal_core.domain.access import Permission, Visit
from portal_core.domain.ids import PaymentId
from portal_core.domain.paging import Listing, Page
from portal_core.domain.payments import PaymentView
from portal_core.ports import Store
from portal_core.use_cases.finding import require_found
from portal_core.use_cases.narrowing import narrow_payment, page_within, within


def list_payments(store: Store, visit: Visit, listing: Listing, *, now: datetime) -> Page[PaymentView]:
    """Return a page of the client's payments and refunds, each with what it paid."""
    visit.grant.require(Permission.VIEW_PAYMENTS, at=now)
    return page_within(visit.scope, store.payments.page(visit.scope, listing), narrow_payment)


def read_payment(store: Store, visit: Visit, payment_id: PaymentId, *, now: datetime) -> PaymentView:
    """Return one payment or refund with what it paid."""
    visit.grant.require(Permission.VIEW_PAYMENTS, at=now)
    view = require_found(store.payments.get(visit.scope, payment_id), "payment", payment_id)
    return within(visit.scope, view, narrow_payment)
