"""Reading deliveries."""

from datetime import datetime

from portal_core.domain.access import Permission, Visit
from portal_core.domain.deliveries import DeliveryView
from portal_core.domain.filters import DeliveryFilter
from portal_core.domain.ids import DeliveryId
from portal_core.domain.paging import Listing, Page
from portal_core.ports import Store
from portal_core.use_cases.finding import require_found


def list_deliveries(
    store: Store, visit: Visit, listing: Listing, narrowed: DeliveryFilter, *, now: datetime
) -> Page[DeliveryView]:
    """Return a page of the client's deliveries."""
    visit.grant.require(Permission.VIEW_DELIVERIES, at=now)
    return store.deliveries.page(visit.scope, listing, narrowed)


def read_delivery(store: Store, visit: Visit, delivery_id: DeliveryId, *, now: datetime) -> DeliveryView:
    """Return one delivery."""
    visit.grant.require(Permission.VIEW_DELIVERIES, at=now)
    return require_found(store.deliveries.get(visit.scope, delivery_id), "delivery", delivery_id)
