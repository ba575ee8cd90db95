"""What a page says when a request is refused: what is the matter, and what to do."""

from collections.abc import Mapping
from datetime import timedelta

from attrs import frozen

from portal_core.domain.errors import (
    AlreadyDecided,
    Busy,
    DeadLink,
    InvalidInput,
    MovedOn,
    NotFound,
    NotOpen,
    PermissionDenied,
    Refusal,
)
from portal_http.errors import InvalidHost, MethodNotAllowed, PayloadTooLarge, RateLimited, UnsupportedMediaType
from portal_http.pages.forms import BrokenForm
from portal_http.pages.labels import N_
from portal_http.pages.origin import ForeignForm
from portal_http.pages.voice import Said
from portal_http.paper import PaperTooLong
from portal_http.whole_lists import ListTooLong


@frozen
class Words:
    """A heading and what to do."""

    heading: Said
    advice: Said


def words_for(refusal: Refusal) -> Words:
    """Return what a page says of a refusal, or of the kind that it is a special case of."""
    heading, advice = next(_WORDS[kind] for kind in type(refusal).__mro__ if kind in _WORDS)
    about = (("time", timedelta(seconds=refusal.seconds)),) if isinstance(refusal, RateLimited) else ()
    return Words(Said(heading), Said(advice, about))


_INCOMPLETE = (
    N_("That could not be read"),
    N_("The form was not complete. Go back, open the page again and send it once more."),
)

_WORDS: Mapping[type[object], tuple[str, str]] = {
    DeadLink: (
        N_("This link does not work"),
        N_(
            "It may have expired, been replaced or been copied only in part. "
            "Open the newest message you have, or ask whoever sent it to you for a new link."
        ),
    ),
    NotFound: (
        N_("There is nothing at this address"),
        N_("The document may have been withdrawn, or the address copied only in part. Choose from the menu instead."),
    ),
    PermissionDenied: (
        N_("This part is not open to you"),
        N_("Your link does not include it. Ask the company if you need it."),
    ),
    ForeignForm: (
        N_("This form came from another site"),
        N_("Nothing was done. Open the page from your own link and send the form there."),
    ),
    BrokenForm: _INCOMPLETE,
    MethodNotAllowed: (
        N_("This address cannot be opened by itself"),
        N_("It only takes what a form sends. Open the newest message you have, and start from the link in it."),
    ),
    ListTooLong: (
        N_("That is too much for one file"),
        N_("Search the list for a shorter period and download it in parts."),
    ),
    PaperTooLong: (
        N_("That is too much for one file"),
        N_("Ask for a shorter period, or read it here."),
    ),
    InvalidInput: (
        N_("This address is not right"),
        N_("It asks for something that is not there. Choose from the menu instead."),
    ),
    InvalidHost: (
        N_("This address is not right"),
        N_("Open the link exactly as you were given it."),
    ),
    AlreadyDecided: (
        N_("This was decided before"),
        N_("Open the page again to see what was decided."),
    ),
    NotOpen: (
        N_("This can no longer be answered"),
        N_("Open the page again to see how it stands."),
    ),
    MovedOn: (
        N_("This has changed"),
        N_("Open the page again, read it and answer then."),
    ),
    PayloadTooLarge: (
        N_("That was too long"),
        N_("Go back, shorten your text and send it again."),
    ),
    UnsupportedMediaType: _INCOMPLETE,
    RateLimited: (
        N_("One moment, please"),
        N_("There were many requests in a short time. Try again in %(time)s."),
    ),
    Busy: (
        N_("One moment, please"),
        N_("Something else is being saved just now. Nothing was lost; try again in a few seconds."),
    ),
    Refusal: (
        N_("Something went wrong"),
        N_("It was noted on our side. Try again later."),
    ),
}
