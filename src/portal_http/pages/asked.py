"""One request of a visitor, with all that a view needs to answer it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from attrs import Factory, field, frozen

from portal_core.domain.access import DocumentType, Permission, Scope, Visit
from portal_core.domain.errors import InvalidInput, Refusal
from portal_core.ports import Runner, Signer, Store
from portal_core.use_cases.sight import PERMISSION_TO_VIEW
from portal_http.answers import Answer, Header
from portal_http.errors import status_of
from portal_http.pages.forms import Form
from portal_http.pages.labels import N_
from portal_http.pages.rendering import Look, Templates
from portal_http.pages.voice import Said, Voice
from portal_http.printing import PrintShop

T = TypeVar("T")


class Section(StrEnum):
    """The parts of the portal, in the order of the navigation."""

    QUOTES = "quotes"
    ORDERS = "orders"
    DELIVERIES = "deliveries"
    INVOICES = "invoices"
    PAYMENTS = "payments"
    STATEMENT = "statement"
    FEEDBACK = "feedback"


ASKED_FOR = frozenset({"number", "from", "to", "about"})
"""The fields that an address may fill in. None of those by which a client signs is among them."""

PERMISSIONS: Mapping[Section, frozenset[Permission]] = {
    Section.QUOTES: frozenset({Permission.VIEW_QUOTES}),
    Section.ORDERS: frozenset({Permission.VIEW_ORDERS}),
    Section.DELIVERIES: frozenset({Permission.VIEW_DELIVERIES}),
    Section.INVOICES: frozenset({Permission.VIEW_INVOICES}),
    Section.PAYMENTS: frozenset({Permission.VIEW_PAYMENTS}),
    Section.STATEMENT: frozenset({Permission.VIEW_INVOICES, Permission.VIEW_PAYMENTS}),
    Section.FEEDBACK: frozenset({Permission.SUBMIT_FEEDBACK}),
}

SECTION_OF: Mapping[DocumentType, Section] = {
    DocumentType.QUOTE: Section.QUOTES,
    DocumentType.ORDER: Section.ORDERS,
    DocumentType.DELIVERY: Section.DELIVERIES,
    DocumentType.INVOICE: Section.INVOICES,
    DocumentType.PAYMENT: Section.PAYMENTS,
}


def _today(asked: "Asked") -> date:
    return asked.visit.today(asked.now)


def _scope(asked: "Asked") -> Scope:
    return asked.visit.scope


@lru_cache
def _sections(permissions: frozenset[Permission], *, narrowed: bool) -> Sequence[Section]:
    seen = (section for section, needed in PERMISSIONS.items() if needed <= permissions)
    return [section for section in seen if not (narrowed and section is Section.STATEMENT)]


@lru_cache
def _shelves(permissions: frozenset[Permission]) -> Mapping[str, str]:
    """Return the sections of the types of document that may be viewed."""
    return {kind: SECTION_OF[kind].value for kind, needed in PERMISSION_TO_VIEW.items() if needed in permissions}


@frozen(kw_only=True)
class Asked:
    """A visitor's request. `refusal` is why the page is shown again.

    `link` is the path of their first page, and `here` what follows it in the path of this one. `signer` signs receipts,
    where there are any, and `keys_address` is where the keys are that check them. `seen` is what the route has read
    together with the link. `today` is the company's. `ip` and `user_agent` are known where a form was sent.
    """

    visit: Visit
    now: datetime
    runner: Runner
    templates: Templates
    look: Look
    voice: Voice
    link: str
    shop: PrintShop | None = None
    here: str = ""
    query: Mapping[str, str] = field(factory=dict[str, str])
    form: Form = field(factory=Form)
    ip: str | None = None
    user_agent: str | None = None
    refusal: Refusal | None = None
    signer: Signer | None = None
    keys_address: str = ""
    seen: Any = None
    today: date = field(init=False, default=Factory(_today, takes_self=True))
    _scope: Scope = field(init=False, default=Factory(_scope, takes_self=True))

    async def read(self, use_case: Callable[[Store], T]) -> T:
        """Run a use case that writes nothing."""
        return await self.runner.read(use_case)

    async def write(self, use_case: Callable[[Store], T]) -> T:
        """Run a use case in a transaction."""
        return await self.runner.write(use_case)

    def page(self, template: str, **content: object) -> Answer:
        """Return a page, with the status of what it was refused for, if it was."""
        status = HTTPStatus.OK if self.refusal is None else status_of(type(self.refusal)).code
        return html(self.rendered(template, **content), status=status)

    def rendered(self, template: str, **content: object) -> str:
        """Return the text of a page."""
        return self.templates.render(template, asked=self, voice=self.voice, look=self.look, **content)

    def see_other(self, *path: str, fragment: str = "") -> Answer:
        """Return the answer that leads from a form to the page that shows what came of it."""
        target = "/".join((self.link, *path)) + (f"#{fragment}" if fragment else "")
        return Answer(HTTPStatus.SEE_OTHER, b"", [(b"location", target.encode("ascii"))])

    def navigation(self) -> Sequence[Section]:
        """Return the sections that the link may see."""
        return _sections(self.visit.grant.permissions, narrowed=self.visit.grant.documents is not None)

    def may(self, permission: str) -> bool:
        """Tell whether the link has a permission."""
        return self.visit.grant.may(Permission(permission))

    def address(self, kind: str, document_id: str | None) -> str | None:
        """Return the path of a document's page, or nothing when the link does not show it."""
        section = _shelves(self.visit.grant.permissions).get(kind)
        if document_id is None or section is None or not self._scope.covers(DocumentType(kind), document_id):
            return None
        return f"{self.link}/{section}/{document_id}"

    def typed(self, name: str) -> str:
        """Return what was typed into a field: of a form that is sent, or of one that only asks."""
        return self.form.values.get(name) or (self.query.get(name, "") if name in ASKED_FOR else "")

    def errors(self) -> dict[str, Said]:
        """Return what is wrong, by field."""
        found = dict(self.form.errors)
        if isinstance(self.refusal, InvalidInput):
            for problem in self.refusal.problems:
                if problem.parameter is not None:
                    found.setdefault(problem.parameter, Said(self._said_of(problem.parameter)))
                elif problem.pointer and problem.pointer.startswith("/document"):
                    found.setdefault("about", Said(_ABOUT))
                elif problem.pointer:
                    found.setdefault(problem.pointer[1:], Said(_IN_FIELD))
        return found

    def _said_of(self, parameter: str) -> str:
        if parameter == "from" and self.here.startswith(Section.STATEMENT.value):
            return _IN_STATEMENT
        return _IN_PARAMETERS.get(parameter, _IN_ADDRESS)


_IN_ADDRESS = N_("The address asks for something that is not there. Start again from the whole list.")
_ABOUT = N_("Choose one of those offered.")
_IN_FIELD = N_("Look at this field again.")
_IN_STATEMENT = N_("Give a day of the calendar, not after the last day, for a period of at most 5,000 movements.")
_IN_PARAMETERS = {
    "from": N_("Give a day of the calendar, not after the last day."),
    "to": N_("Give a day of the calendar, not before the first day."),
    "number": N_("Give the number as it is on the document."),
}


def query_of(query_string: bytes) -> dict[str, str]:
    """Return the parameters of an address that hold something; the first of each counts."""
    if not query_string:
        return {}
    pairs = parse_qsl(query_string.decode("latin-1"), encoding="utf-8", max_num_fields=None)
    return dict(reversed(pairs))


def html(page: str, *, status: HTTPStatus, headers: tuple[Header, ...] = ()) -> Answer:
    """Return an answer that is a page."""
    return Answer(status, page.encode(), [HTML, *headers])


HTML: Header = (b"content-type", b"text/html; charset=utf-8")
