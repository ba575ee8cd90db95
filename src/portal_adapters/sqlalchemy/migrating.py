"""Bringing a database to the schema that this version expects, and telling whether it is there."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, String, column, inspect, select, table

from portal_adapters.sqlalchemy.dialects import take_turn
from portal_adapters.sqlalchemy.engine import READING

if TYPE_CHECKING:
    from alembic.config import Config

EXPECTED_REVISION: Final = "0005"
"""The newest migration's; a test proves that it is."""

VERSION_TABLE: Final = "portal_version"
"""Where Alembic notes the revision: a name of our own, for databases that have other migrations, too."""

_REVISION = select(column("version_num", String)).select_from(table(VERSION_TABLE))


class SchemaOutdated(Exception):
    """The database is not as this version needs it; the message says what to run."""


def migrate(engine: Engine) -> None:
    """Create the tables, or change them to what this version expects, in one transaction; one process at a time.

    Refuses with SchemaOutdated a database that a newer version made.
    """
    from alembic import command  # noqa: PLC0415 - half a second to import, and needed here alone

    config = migrations_config()
    with engine.begin() as connection:
        take_turn(connection, "portal:migrate")
        _require_not_newer(_revision_of(connection))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def migrations_config() -> "Config":
    """Return Alembic's configuration of our migrations; they run on the connection in its attributes."""
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def current_revision(engine: Engine) -> str | None:
    """Return the revision of a database, or nothing if it was never migrated."""
    with engine.connect().execution_options(**{READING: True}) as connection:
        return _revision_of(connection)


def require_current_schema(engine: Engine) -> None:
    """Refuse with SchemaOutdated, unless the database is at the revision that this version expects."""
    with engine.connect().execution_options(**{READING: True}) as connection:
        require_current_schema_on(connection)


def require_current_schema_on(connection: Connection) -> None:
    """Refuse with SchemaOutdated, as `require_current_schema` does, by a connection that there is."""
    current = _revision_of(connection)
    _require_not_newer(current)
    if current != EXPECTED_REVISION:
        state = "was never set up" if current is None else f"is at revision {current}, not {EXPECTED_REVISION}"
        raise SchemaOutdated(f"The database {state}; run `portal migrate` first.")


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalars(_REVISION).one_or_none()


def _require_not_newer(current: str | None) -> None:
    if current is not None and current > EXPECTED_REVISION:
        raise SchemaOutdated(
            f"The database is at revision {current}, made by a newer version of the portal than this one, "
            f"which knows up to {EXPECTED_REVISION}; install the newer version."
        )
