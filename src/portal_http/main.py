"""The application that the settings describe, for any ASGI server: `uvicorn --factory portal_http.main:app`."""

from starlette.applications import Starlette

from portal_http.settings import Settings, load_settings


def app() -> Starlette:
    """Return the application that the environment and the TOML file describe."""
    return build(load_settings())


def build(settings: Settings, *, public_url: str | None = None) -> Starlette:
    """Return the application; refuse with WiringRefused or SchemaOutdated what is not fit to serve.

    Links begin with the settings' public address, else with the one given.
    """
    from portal_http.wiring.application import application_of  # noqa: PLC0415 - all that there is, needed from here on

    return application_of(settings, public_url=public_url)
