"""Which view answers which path."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeAlias

from attrs import evolve, frozen

from portal_core.domain.access import Permission, Visit
from portal_core.domain.errors import NotFound
from portal_core.domain.ids import is_id
from portal_core.ports import Glance, Glances, Store
from portal_http.answers import Answer
from portal_http.incoming import LARGEST_BODY
from portal_http.pages.asked import Asked, Section
from portal_http.pages.forms import LARGEST_MESSAGE
from portal_http.pages.views import (
    answering,
    dashboard,
    deliveries,
    display,
    downloads,
    feedback,
    invoices,
    orders,
    papers,
    payments,
    quotes,
    statement,
)
from portal_http.whole_lists import WHOLE_LISTS

View: TypeAlias = Callable[[Asked, str], Awaitable[Answer]]
Read: TypeAlias = Callable[[Store, Visit, datetime], Any]
Look: TypeAlias = Callable[[Glances, bytes, datetime], Awaitable[Glance[Any] | None]]


@frozen
class Route:
    """What shows a page, what takes its form, what that needs, and the id in its path; `free` ones cost no budget.

    A form is of `most` bytes. What `look` sees is seen at a glance, link and all; what `read` returns otherwise is read
    together with the link, by one turn at the store.
    """

    show: View | None = None
    take: View | None = None
    needs: tuple[Permission, ...] = ()
    document_id: str = ""
    free: bool = False
    most: int = LARGEST_BODY
    read: Read | None = None
    look: Look | None = None

    @property
    def views(self) -> Mapping[str, View]:
        """The views by the methods that they answer."""
        shown = {"GET": self.show, "HEAD": self.show} if self.show else {}
        return {**shown, "POST": self.take} if self.take else shown


def route_of(parts: list[str]) -> Route:
    """Return the route of what follows the token in a path."""
    match parts:
        case []:
            return _FIRST
        case [name]:
            return _WHOLE.get(name, _NOWHERE)
        case [Section.STATEMENT.value, "pdf"]:
            return _STATEMENT_PDF
        case [name, document_id] if name in _SINGLE and is_id(document_id):
            return evolve(_SINGLE[name], document_id=document_id)
        case [name, document_id, *file] if (name, "/".join(file)) in _FILES and is_id(document_id):
            return evolve(_FILES[name, "/".join(file)], document_id=document_id)
        case _:
            return _NOWHERE


def _without_id(view: Callable[[Asked], Awaitable[Answer]]) -> View:
    return lambda asked, _: view(asked)


async def _nowhere(_asked: Asked, _document_id: str) -> Answer:
    raise NotFound("There is no such page.")


_ANSWERING = (Permission.VIEW_QUOTES, Permission.ACCEPT_QUOTES)
_WRITING = (Permission.SUBMIT_FEEDBACK,)

_NOWHERE = Route(_nowhere)

_FIRST = Route(dashboard.show, read=dashboard.read, look=dashboard.look)

_STATEMENT_PDF = Route(_without_id(papers.statement))

_WHOLE: Mapping[str, Route] = {
    Section.QUOTES: Route(_without_id(quotes.show_list)),
    Section.ORDERS: Route(_without_id(orders.show_list)),
    Section.DELIVERIES: Route(_without_id(deliveries.show_list)),
    Section.INVOICES: Route(_without_id(invoices.show_list)),
    Section.PAYMENTS: Route(_without_id(payments.show_list)),
    Section.STATEMENT: Route(_without_id(statement.show)),
    Section.FEEDBACK: Route(
        _without_id(feedback.show_list), _without_id(feedback.take_first), _WRITING, most=LARGEST_MESSAGE
    ),
    f"{Section.STATEMENT}.csv": Route(_without_id(downloads.download_statement)),
    **{f"{each.name}.csv": Route(_without_id(downloads.download(each))) for each in WHOLE_LISTS},
    "display": Route(take=_without_id(display.take)),
    "logo": Route(_without_id(display.show_logo), free=True),
}

_SINGLE: Mapping[str, Route] = {
    Section.QUOTES: Route(quotes.show, answering.take, _ANSWERING),
    Section.ORDERS: Route(orders.show),
    Section.DELIVERIES: Route(deliveries.show),
    Section.INVOICES: Route(invoices.show),
    Section.PAYMENTS: Route(payments.show),
    Section.FEEDBACK: Route(feedback.show, feedback.take, _WRITING, most=LARGEST_MESSAGE),
}

_FILES: Mapping[tuple[str, str], Route] = {
    (Section.QUOTES, "pdf"): Route(papers.quote),
    (Section.QUOTES, "receipt"): Route(quotes.show_receipt),
    (Section.QUOTES, "receipt/pdf"): Route(papers.receipt),
    (Section.ORDERS, "pdf"): Route(papers.order),
    (Section.DELIVERIES, "pdf"): Route(papers.delivery),
    (Section.INVOICES, "pdf"): Route(invoices.show_file),
}
