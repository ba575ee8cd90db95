"""How links begin, and how long they live."""

from datetime import timedelta

from portal_core.use_cases.access import LinkLife
from portal_http.settings import Settings


def public_url_of(settings: Settings, *, port: int = 8000) -> str:
    """Return what links begin with."""
    return settings.public_url or f"http://127.0.0.1:{port}"


def life_of(settings: Settings) -> LinkLife:
    """Return how long links live."""
    return LinkLife(usual=timedelta(days=settings.token_days), longest=timedelta(days=settings.token_max_days))
