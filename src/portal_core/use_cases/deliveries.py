"""Reading deliveries."""

from datetime import datetime

from portal_core.domain.access import Permission, Visit
from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.filters import DeliveryFilter
from portal_core.domain.ids import DeliveryId
from portal_core.domain.paging import Listing, Page
from portal_core.ports import Store
from portal_core.use_cases.finding import require_found
from portal_core.use_cases.narrowing import narrow_delivery, page_within, within


def list_deliveries(
    store: Store, visit: Visit, listing: Listing, narrowed: DeliveryFilter, *, now: datetime
) -> Page[DeliveryView]:
    """Return a page of the client's deliveries."""
    visit.grant.require(Permission.VIEW_DELIVERIES, at=now)
    return page_within(visit.scope, store.deliveries.page(visit.scope, listing, narrowed), narrow_delivery)


def read_delivery(store: Store, visit: Visit, delivery_id: DeliveryId, *, now: datetime) -> DeliveryView:
    """Return one delivery."""
    visit.grant.require(Permission.VIEW_DELIVERIES, at=now)
    view = require_found(store.deliveries.get(visit.scope, delivery_id), "delivery", delivery_id)
    return within(visit.scope, view, narrow_delivery)
