"""Deliveries: the list, and one of them with its tracking and timeline."""

from portal_core.domain.access import DocumentType, Permission
from portal_core.domain.deliveries import SHOWN_DELIVERY_STATES
from portal_core.domain.filters import DeliveryFilter
from portal_core.domain.ids import DeliveryId
from portal_core.domain.paging import DELIVERY_SORTS
from portal_core.use_cases.deliveries import list_deliveries, read_delivery
from portal_http.answers import Answer
from portal_http.pages.asked import Asked, Section
from portal_http.pages.lists import shelf
from portal_http.pages.shown.about import paper_of
from portal_http.pages.shown.timeline import STEPS, timeline
from portal_http.queries import choices

STATES = choices("state", SHOWN_DELIVERY_STATES, "The state.")


async def show_list(asked: Asked) -> Answer:
    """Show a page of the client's deliveries."""
    asked.visit.grant.require(Permission.VIEW_DELIVERIES, at=asked.now)
    of = shelf(asked, Section.DELIVERIES, DELIVERY_SORTS, STATES)
    narrowed = DeliveryFilter(states=of.query.get(STATES))
    page = await asked.read(lambda store: list_deliveries(store, asked.visit, of.listing, narrowed, now=asked.now))
    return asked.page("deliveries.html", shelf=of, page=page, choices=of.choices("state", STEPS))


async def show(asked: Asked, document_id: str) -> Answer:
    """Show one delivery."""
    view, paper = await asked.read(
        lambda store: (
            read_delivery(store, asked.visit, DeliveryId(document_id), now=asked.now),
            paper_of(store, asked, DocumentType.DELIVERY, document_id),
        )
    )
    return asked.page("delivery.html", view=view, delivery=view.delivery, timeline=timeline(view.delivery), paper=paper)
