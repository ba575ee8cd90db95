"""How the portal looks: the company's logo, and the choice of light or dark."""

import re

from portal_core.domain.errors import NotFound
from portal_http.answers import Answer
from portal_http.pages.asked import Asked
from portal_http.pages.labels import N_

COOKIE = "portal_scheme"
SCHEMES = ("auto", "light", "dark")

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
    """Keep whether pages are light, dark or as the device is, and lead back to the page that it was chosen on."""
    scheme = asked.form.choice("scheme", lambda text: SCHEMES[SCHEMES.index(text)])
    if scheme is None:
        asked.form.refuse("scheme", N_("Choose one of those offered."))
    asked.form.check()
    back = asked.form.values.get("back", "")
    answer = asked.see_other(*(back.split("/")[1:] if _PATH.fullmatch(back) else ()))
    lasting = 0 if scheme == "auto" else _A_YEAR
    root = asked.link.rpartition("/")[0]
    cookie = f"{COOKIE}={scheme}; Path={root}; Max-Age={lasting}; SameSite=Lax; HttpOnly"
    answer.headers.append((b"set-cookie", cookie.encode()))
    return answer
