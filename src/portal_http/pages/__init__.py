"""What a client opens: the same documents and actions as the API's, as pages for people."""

from portal_http.pages.dispatch import PREFIX, Pages
from portal_http.pages.languages import languages_of
from portal_http.pages.rendering import Templates
from portal_http.services import Services


def create_pages(services: Services) -> Pages:
    """Return the pages, with a host's own templates and catalogues before ours."""
    added = services.options.templates
    return Pages(services, Templates(added), languages_of(added))


def is_page(path: str) -> bool:
    """Tell whether a path is a page's."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


__all__ = ["Pages", "create_pages", "is_page"]
