"""The store in SQL, with SQLAlchemy Core: SQLite here, any transaction of a host's own by `store_on`."""

from typing import TYPE_CHECKING

from portal_adapters.sqlalchemy.engine import has_safe_wal, open_sqlite
from portal_adapters.sqlalchemy.glances import SqlGlances
from portal_adapters.sqlalchemy.migrating import SchemaOutdated, migrate, require_current_schema
from portal_adapters.sqlalchemy.runner import SqliteRunner
from portal_adapters.sqlalchemy.store import SqlTransactions, StoreOn, store_on

if TYPE_CHECKING:
    from portal_adapters.sqlalchemy.indexes import metadata

__all__ = [
    "SchemaOutdated",
    "SqlGlances",
    "SqlTransactions",
    "SqliteRunner",
    "StoreOn",
    "has_safe_wal",
    "metadata",
    "migrate",
    "open_sqlite",
    "require_current_schema",
    "store_on",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        # The tables with their indexes are for making them, and serving makes none.
        if name != "metadata":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from portal_adapters.sqlalchemy.indexes import metadata  # noqa: PLC0415 - as said above

        return metadata
