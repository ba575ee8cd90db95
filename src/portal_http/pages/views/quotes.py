"""Quotes: the list, and one of them with the forms to answer it."""

from portal_core.domain.access import DocumentType, Permission
from portal_core.domain.errors import NotFound
from portal_core.domain.filters import QuoteFilter
from portal_core.domain.ids import QuoteId
from portal_core.domain.paging import QUOTE_SORTS
from portal_core.domain.quotes import SHOWN_QUOTE_STATES, QuoteState
from portal_core.use_cases.quotes import list_quotes, read_quote
from portal_core.use_cases.receipts import issue_receipt
from portal_http.answers import Answer, signed
from portal_http.pages.asked import Asked, Section
from portal_http.pages.lists import shelf
from portal_http.pages.shown.about import paper_of
from portal_http.pages.shown.consent import consent
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


async def show_receipt(asked: Asked, document_id: str) -> Answer:
    """Return the receipt of the decision on a quote, for the browser to keep as a file."""
    signer, quote_id = asked.signer, QuoteId(document_id)
    if signer is None:
        raise NotFound("No receipts are signed here.")
    answer = signed(await asked.read(lambda store: issue_receipt(store, asked.visit, quote_id, signer, now=asked.now)))
    answer.headers.append((b"content-disposition", b'attachment; filename="receipt.jose"'))
    return answer


async def show(asked: Asked, document_id: str) -> Answer:
    """Show one quote, and the forms to answer it while it is open."""
    quote, paper = await asked.read(
        lambda store: (
            read_quote(store, asked.visit, QuoteId(document_id), now=asked.now),
            paper_of(store, asked, DocumentType.QUOTE, document_id),
        )
    )
    state = quote.state(asked.today)
    may_answer = state is QuoteState.SENT and asked.may(Permission.ACCEPT_QUOTES)
    return asked.page(
        "quote.html", quote=quote, state=state, may_answer=may_answer, consent=consent(asked, quote), paper=paper
    )
