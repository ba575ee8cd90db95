"""The short way to the hottest reads, for tests that serve the API from any store."""

from portal_adapters.sqlalchemy import SqlGlances, SqliteRunner
from portal_adapters.sqlalchemy.postgres import GreenletRunner
from portal_core.ports import Glances, Runner


def glances_of(runner: Runner) -> Glances | None:
    """Return the glances that the portal serves from, where the store behind a runner offers any."""
    return SqlGlances(runner.fetch) if isinstance(runner, SqliteRunner | GreenletRunner) else None
