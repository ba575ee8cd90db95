"""How the portal looks: the company's logo, and the choice of light or dark and of the language."""

import re

from portal_core.domain.errors import NotFound
from portal_http.answers import Answer
from portal_http.pages.asked import Asked
from portal_http.pages.labels import N_

SCHEME = "portal_scheme"
LANGUAGE = "portal_language"
"""The cookies that keep what was chosen."""

_SCHEMES = {"auto": "", "light": "light", "dark": "dark"}

_A_YEAR = 365 * 24 * 60 * 60
_SIGNATURES = ((b"\x89PNG\r\n\x1a\n", b"image/png"), (b"\xff\xd8\xff", b"image/jpeg"))
_PATH = re.compile(r"(?:/[A-Za-z0-9._:~-]+){0,2}")


async def show_logo(asked: Asked) -> Answer:
    """Return the company's logo."""
    company = await asked.read(lambda store: store.companies.get(asked.visit.scope.company_id))
    logo = b"" if company is None or company.logo is None else company.logo
    for signature, media_type in _SIGNATURES:
        if logo.startswith(signature):
            return Answer(200, logo, [(b"content-type", media_type)])
    raise NotFound("The company has no logo.")


async def take(asked: Asked) -> Answer:
    """Keep how pages look or which language they are in, and lead back to the page that it was chosen on."""
    cookie, chosen = _choice(asked)
    asked.form.check()
    back = asked.form.values.get("back", "")
    answer = asked.see_other(*(back.split("/")[1:] if _PATH.fullmatch(back) else ()))
    root = asked.link.rpartition("/")[0]
    lasting = _A_YEAR if chosen else 0
    kept = f"{cookie}={chosen or ''}; Path={root}; Max-Age={lasting}; SameSite=Lax; HttpOnly"
    answer.headers.append((b"set-cookie", kept.encode()))
    return answer


def _choice(asked: Asked) -> tuple[str, str | None]:
    """Return the cookie and the value of what was chosen; each button of the form sends one of the two."""
    if asked.form.values.get("language"):
        return LANGUAGE, asked.form.choice("language", {code: code for code in asked.look.languages}.__getitem__)
    scheme = asked.form.choice("scheme", _SCHEMES.__getitem__)
    if scheme is None:
        asked.form.refuse("scheme", N_("Choose one of those offered."))
    return SCHEME, scheme
