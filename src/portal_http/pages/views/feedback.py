"""Feedback: the conversations, one of them, and what the client writes."""

from collections.abc import Callable, Mapping

from attrs import frozen

from portal_core.domain.access import DocumentRef, DocumentType, Permission
from portal_core.domain.errors import NotFound, PermissionDenied
from portal_core.domain.feedback import Category, Ticket
from portal_core.domain.ids import DeliveryId, InvoiceId, OrderId, PaymentId, QuoteId, TicketId
from portal_core.domain.paging import MOMENT_SORTS, Page
from portal_core.domain.text import MESSAGE_LENGTH, SUBJECT_LENGTH
from portal_core.ports import Store
from portal_core.use_cases.deliveries import read_delivery
from portal_core.use_cases.feedback import NewTicket, list_feedback, read_feedback, reply_as_client, submit_feedback
from portal_core.use_cases.invoices import read_invoice
from portal_core.use_cases.orders import read_order
from portal_core.use_cases.payments import read_payment
from portal_core.use_cases.quotes import read_quote
from portal_http.answers import Answer
from portal_http.pages.asked import Asked, Section
from portal_http.pages.labels import N_
from portal_http.pages.lists import shelf

RATINGS = {str(stars): stars for stars in (5, 4, 3, 2, 1)}


@frozen
class About:
    """A document that a client may write about: its address in a form, its type and its number."""

    value: str
    type: DocumentType
    number: str


async def show_list(asked: Asked) -> Answer:
    """Show the client's conversations, and the form that starts one."""
    asked.visit.grant.require(Permission.SUBMIT_FEEDBACK, at=asked.now)
    of = shelf(asked, Section.FEEDBACK, MOMENT_SORTS, bare=True)

    def gather(store: Store) -> tuple[Page[Ticket], list[About]]:
        return list_feedback(store, asked.visit, of.listing, now=asked.now), _offered(store, asked)

    page, offered = await asked.read(gather)
    return asked.page("feedback.html", shelf=of, page=page, offered=offered, categories=list(Category), ratings=RATINGS)


async def take_first(asked: Asked) -> Answer:
    """Start a conversation."""
    said = _ticket(asked)
    ticket = await asked.write(lambda store: submit_feedback(store, asked.visit, said, now=asked.now))
    return asked.see_other(Section.FEEDBACK, ticket.id, fragment="sent")


async def show(asked: Asked, document_id: str) -> Answer:
    """Show one conversation."""

    def gather(store: Store) -> tuple[Ticket, About | None]:
        ticket = read_feedback(store, asked.visit, TicketId(document_id), now=asked.now)
        return ticket, None if ticket.document is None else _about(store, asked, ticket.document)

    ticket, about = await asked.read(gather)
    return asked.page("conversation.html", ticket=ticket, about=about)


async def take(asked: Asked, document_id: str) -> Answer:
    """Add to a conversation."""
    message = asked.form.needed("message", N_("Write your message."), longest=MESSAGE_LENGTH)
    asked.form.check()
    await asked.write(lambda store: reply_as_client(store, asked.visit, TicketId(document_id), message, now=asked.now))
    return asked.see_other(Section.FEEDBACK, document_id, fragment="sent")


def _ticket(asked: Asked) -> NewTicket:
    form = asked.form
    ticket = NewTicket(
        subject=form.needed("subject", N_("Write what it is about."), longest=SUBJECT_LENGTH),
        message=form.needed("message", N_("Write your message."), longest=MESSAGE_LENGTH),
        category=form.choice("category", Category) or Category.OTHER,
        rating=form.choice("rating", RATINGS.__getitem__),
        document=form.choice("about", _ref),
    )
    form.check()
    return ticket


def _ref(text: str) -> DocumentRef:
    kind, _, document_id = text.partition(":")
    return DocumentRef(DocumentType(kind), document_id)


def _offered(store: Store, asked: Asked) -> list[About]:
    """Return the documents that may be written about: those of a narrowed link, else the one that was come from."""
    narrowed = asked.visit.scope.documents
    refs = sorted(narrowed, key=lambda ref: (ref.type.value, ref.id)) if narrowed is not None else _asked_about(asked)
    return [about for ref in refs if (about := _about(store, asked, ref)) is not None]


def _asked_about(asked: Asked) -> list[DocumentRef]:
    try:
        return [_ref(asked.typed("about"))]
    except ValueError:
        return []


def _about(store: Store, asked: Asked, ref: DocumentRef) -> About | None:
    try:
        number = _NUMBERS[ref.type](store, asked, ref.id)
    except (NotFound, PermissionDenied):
        return None
    return About(f"{ref.type.value}:{ref.id}", ref.type, number)


_NUMBERS: Mapping[DocumentType, Callable[[Store, Asked, str], str]] = {
    DocumentType.QUOTE: lambda store, asked, key: read_quote(store, asked.visit, QuoteId(key), now=asked.now).number,
    DocumentType.ORDER: lambda store, asked, key: (
        read_order(store, asked.visit, OrderId(key), now=asked.now).order.number
    ),
    DocumentType.INVOICE: lambda store, asked, key: (
        read_invoice(store, asked.visit, InvoiceId(key), now=asked.now).summary.number
    ),
    DocumentType.PAYMENT: lambda store, asked, key: (
        read_payment(store, asked.visit, PaymentId(key), now=asked.now).payment.number
    ),
    DocumentType.DELIVERY: lambda store, asked, key: (
        read_delivery(store, asked.visit, DeliveryId(key), now=asked.now).delivery.number
    ),
}
