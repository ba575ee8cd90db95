"""What an acceptance agrees to, in the language in which it is read."""

from portal_core.domain.quotes import Quote
from portal_http.pages.asked import Asked
from portal_http.pages.labels import N_


def consent(asked: Asked, quote: Quote) -> str:
    """Return the sentence that an acceptance agrees to, as the page shows it."""
    return asked.voice.say(
        N_("I accept quote %(number)s, revision %(revision)s, for %(total)s."),
        number=quote.number,
        revision=quote.revision,
        total=asked.voice.money(quote.total),
    )
