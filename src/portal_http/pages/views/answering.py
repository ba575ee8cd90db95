"""The client's answer to a quote, from its form to its decision."""

from enum import StrEnum

from attrs import evolve

from portal_core.domain.ids import QuoteId
from portal_core.domain.quotes import Evidence, Quote
from portal_core.domain.text import COMMENT_LENGTH
from portal_core.ports import Store
from portal_core.use_cases.quotes import accept_quote, decline_quote, read_quote
from portal_http.answers import Answer
from portal_http.pages.asked import Asked, Section
from portal_http.pages.labels import N_
from portal_http.pages.shown.consent import consent


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
    read, decide = (_declined, _decline) if wish is Wish.DECLINE else (_accepted, _accept)
    evidence = read(asked)
    asked.form.check()
    await asked.write(lambda store: decide(store, asked, QuoteId(document_id), evidence, seen))
    return asked.see_other(Section.QUOTES, document_id, fragment="answer")


def _accepted(asked: Asked) -> Evidence:
    form = asked.form
    form.ticked("consent", N_("Tick the box to accept the quote."))
    return Evidence(
        name=form.signature("name", N_("Write your name: it stands for your signature.")),
        title=form.signed("title"),
        email=form.email("email"),
        purchase_order=form.signed("purchase_order"),
        comment=form.text("comment", longest=COMMENT_LENGTH),
        ip=asked.ip,
        user_agent=asked.user_agent,
    )


def _declined(asked: Asked) -> Evidence:
    return Evidence(
        name=asked.form.signed("decliner"),
        reason=asked.form.text("reason", longest=COMMENT_LENGTH),
        ip=asked.ip,
        user_agent=asked.user_agent,
    )


def _accept(store: Store, asked: Asked, quote_id: QuoteId, evidence: Evidence, seen: int) -> Quote:
    shown = consent(asked, read_quote(store, asked.visit, quote_id, now=asked.now))
    return accept_quote(store, asked.visit, quote_id, evolve(evidence, consent_text=shown), seen=seen, now=asked.now)


def _decline(store: Store, asked: Asked, quote_id: QuoteId, evidence: Evidence, seen: int) -> Quote:
    return decline_quote(store, asked.visit, quote_id, evidence, seen=seen, now=asked.now)
