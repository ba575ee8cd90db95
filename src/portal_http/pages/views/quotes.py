"""Quotes: the list, one of them, and its acceptance or refusal."""

from enum import StrEnum

from attrs import evolve

from portal_core.domain.access import Permission
from portal_core.domain.filters import QuoteFilter
from portal_core.domain.ids import QuoteId
from portal_core.domain.paging import QUOTE_SORTS
from portal_core.domain.quotes import SHOWN_QUOTE_STATES, Evidence, Quote, QuoteState
from portal_core.domain.text import COMMENT_LENGTH, NAME_LENGTH
from portal_core.ports import Store
from portal_core.use_cases.quotes import accept_quote, decline_quote, list_quotes, read_quote
from portal_http.answers import Answer
from portal_http.pages.asked import Asked, Section
from portal_http.pages.labels import N_
from portal_http.pages.lists import shelf
from portal_http.queries import choices

STATES = choices("state", SHOWN_QUOTE_STATES, "The state shown.")
OFFERED = (QuoteState.SENT, QuoteState.ACCEPTED, QuoteState.DECLINED, QuoteState.EXPIRED, QuoteState.CANCELLED)


async def show_list(asked: Asked) -> Answer:
    """Show a page of the client's quotes."""
    asked.visit.grant.require(Permission.VIEW_QUOTES, at=asked.now)
    of = shelf(asked, Section.QUOTES, QUOTE_SORTS, STATES)
    narrowed = QuoteFilter(states=of.query.get(STATES))
    page = await asked.read(lambda store: list_quotes(store, asked.visit, of.listing, narrowed, now=asked.now))
    return asked.page("quotes.html", shelf=of, page=page, choices=of.choices("state", OFFERED))


async def show(asked: Asked, document_id: str) -> Answer:
    """Show one quote, and the forms to answer it while it is open."""
    quote = await asked.read(lambda store: read_quote(store, asked.visit, QuoteId(document_id), now=asked.now))
    state = quote.state(asked.today)
    may_answer = state is QuoteState.SENT and asked.may(Permission.ACCEPT_QUOTES)
    return asked.page("quote.html", quote=quote, state=state, may_answer=may_answer, consent=consent(asked, quote))


class Wish(StrEnum):
    """What the form of a quote asks for."""

    ACCEPT = "accept"
    DECLINE = "decline"


async def take(asked: Asked, document_id: str) -> Answer:
    """Take the answer to a quote."""
    wish = asked.form.choice("answer", Wish)
    if wish is None:
        asked.form.refuse("answer", N_("Choose whether you accept or decline."))
    seen = asked.form.revision()
    evidence = _declined(asked) if wish is Wish.DECLINE else _accepted(asked)
    asked.form.check()
    await (_decline if wish is Wish.DECLINE else _accept)(asked, QuoteId(document_id), evidence, seen)
    return asked.see_other(Section.QUOTES, document_id, fragment="answer")


def consent(asked: Asked, quote: Quote) -> str:
    """Return the sentence that an acceptance agrees to, as the page shows it."""
    return asked.voice.say(
        N_("I accept quote %(number)s, revision %(revision)s, for %(total)s."),
        number=quote.number,
        revision=quote.revision,
        total=asked.voice.money(quote.total),
    )


def _accepted(asked: Asked) -> Evidence:
    form = asked.form
    form.ticked("consent", N_("Tick the box to accept the quote."))
    return Evidence(
        name=form.needed("name", N_("Write your name: it stands for your signature."), longest=NAME_LENGTH),
        title=form.text("title", longest=NAME_LENGTH),
        email=form.email("email"),
        purchase_order=form.text("purchase_order", longest=NAME_LENGTH),
        comment=form.text("comment", longest=COMMENT_LENGTH),
        ip=asked.ip,
        user_agent=asked.user_agent,
    )


def _declined(asked: Asked) -> Evidence:
    return Evidence(
        name=asked.form.text("decliner", longest=NAME_LENGTH),
        reason=asked.form.text("reason", longest=COMMENT_LENGTH),
        ip=asked.ip,
        user_agent=asked.user_agent,
    )


async def _accept(asked: Asked, quote_id: QuoteId, evidence: Evidence, seen: int) -> None:
    def accept(store: Store) -> Quote:
        shown = consent(asked, read_quote(store, asked.visit, quote_id, now=asked.now))
        signed = evolve(evidence, consent_text=shown)
        return accept_quote(store, asked.visit, quote_id, signed, seen=seen, now=asked.now)

    await asked.write(accept)


async def _decline(asked: Asked, quote_id: QuoteId, evidence: Evidence, seen: int) -> None:
    await asked.write(lambda store: decline_quote(store, asked.visit, quote_id, evidence, seen=seen, now=asked.now))
