"""What a client opens: the same documents and actions as the API's, as pages for people."""

from typing import TYPE_CHECKING

from portal_http.services import Services

if TYPE_CHECKING:
    from portal_http.pages.dispatch import Pages

PREFIX = "/p"


def create_pages(services: Services) -> "Pages":
    """Return the pages, with a host's own templates and catalogues before ours."""
    from portal_http.pages.dispatch import Pages  # noqa: PLC0415 - a third of what the application loads
    from portal_http.pages.languages import languages_of  # noqa: PLC0415 - as above
    from portal_http.pages.rendering import Templates  # noqa: PLC0415 - as above

    added = services.options.templates
    return Pages(services, Templates(added), languages_of(added))


def is_page(path: str) -> bool:
    """Tell whether a path is a page's."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")
