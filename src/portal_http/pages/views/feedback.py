"""Feedback: the conversations, one of them, and what the client writes."""

from portal_core.domain.access import Permission
from portal_core.domain.feedback import Category, Ticket
from portal_core.domain.ids import TicketId
from portal_core.domain.paging import MOMENT_SORTS, Page
from portal_core.domain.text import MESSAGE_LENGTH, SUBJECT_LENGTH
from portal_core.ports import Store
from portal_core.use_cases.feedback import NewTicket, list_feedback, read_feedback, reply_as_client, submit_feedback
from portal_http.answers import Answer
from portal_http.pages.asked import Asked, Section
from portal_http.pages.labels import N_
from portal_http.pages.lists import shelf
from portal_http.pages.once import taken_once
from portal_http.pages.shown.about import About, about_of, offered, read_ref

RATINGS = {str(stars): stars for stars in (5, 4, 3, 2, 1)}


async def show_list(asked: Asked) -> Answer:
    """Show the client's conversations, and the form that starts one."""
    asked.visit.grant.require(Permission.SUBMIT_FEEDBACK, at=asked.now)
    of = shelf(asked, Section.FEEDBACK, MOMENT_SORTS, bare=True)

    def gather(store: Store) -> tuple[Page[Ticket], list[About]]:
        return list_feedback(store, asked.visit, of.listing, now=asked.now), offered(store, asked)

    page, documents = await asked.read(gather)
    return asked.page(
        "feedback.html", shelf=of, page=page, offered=documents, categories=list(Category), ratings=RATINGS
    )


async def take_first(asked: Asked) -> Answer:
    """Start a conversation."""
    said = _ticket(asked)
    ticket_id = await taken_once(asked, lambda store: submit_feedback(store, asked.visit, said, now=asked.now).id)
    return asked.see_other(Section.FEEDBACK, ticket_id, fragment="sent")


async def show(asked: Asked, document_id: str) -> Answer:
    """Show one conversation."""

    def gather(store: Store) -> tuple[Ticket, About | None]:
        ticket = read_feedback(store, asked.visit, TicketId(document_id), now=asked.now)
        return ticket, None if ticket.document is None else about_of(store, asked, ticket.document)

    ticket, about = await asked.read(gather)
    return asked.page("conversation.html", ticket=ticket, about=about)


async def take(asked: Asked, document_id: str) -> Answer:
    """Add to a conversation."""
    message = asked.form.needed("message", N_("Write your message."), longest=MESSAGE_LENGTH)
    asked.form.check()
    ticket_id = TicketId(document_id)
    await taken_once(asked, lambda store: reply_as_client(store, asked.visit, ticket_id, message, now=asked.now).id)
    return asked.see_other(Section.FEEDBACK, document_id, fragment="sent")


def _ticket(asked: Asked) -> NewTicket:
    form = asked.form
    ticket = NewTicket(
        subject=form.needed("subject", N_("Write what it is about."), longest=SUBJECT_LENGTH),
        message=form.needed("message", N_("Write your message."), longest=MESSAGE_LENGTH),
        category=form.choice("category", Category) or Category.OTHER,
        rating=form.choice("rating", RATINGS.__getitem__),
        document=form.choice("about", read_ref),
    )
    form.check()
    return ticket
