"""Whether a form comes from one of our own pages: by Sec-Fetch-Site, else by Origin."""

from urllib.parse import urlsplit

from portal_core.domain.errors import PermissionDenied
from portal_http.incoming import Incoming

_OWN = frozenset({"same-origin", "none"})


class ForeignForm(PermissionDenied):
    """The form was sent from another site."""

    def __init__(self) -> None:
        super().__init__(None, "This form was sent from another site.")


def require_own_form(request: Incoming, public_url: str) -> None:
    """Refuse with ForeignForm what a browser says comes from another site.

    `Sec-Fetch-Site` decides where there is one, else `Origin`, which must be the public address's or name the
    host that was asked. What has neither comes from no browser of today, and the token in the path is proof enough.
    """
    site = request.fields(b"sec-fetch-site")
    origin = request.fields(b"origin")
    if site:
        allowed = site[0].lower() in _OWN and len(site) == 1
    else:
        allowed = not origin or (len(origin) == 1 and _is_own(origin[0], request, public_url))
    if not allowed:
        raise ForeignForm


def _is_own(origin: str, request: Incoming, public_url: str) -> bool:
    ours = urlsplit(public_url)
    own = {f"{ours.scheme}://{ours.netloc}"}
    for host in request.fields(b"host"):
        own |= {f"http://{host.removesuffix(':80')}", f"https://{host.removesuffix(':443')}"}
    return origin.lower() in {each.lower() for each in own}
