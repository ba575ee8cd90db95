"""The short way for the statements of the hottest writes: compiled once, and run by the driver itself.

The plain way is `connection.execute(statement, parameters)`, and both do the same. The short one is taken on the
connections that the runners keep. Unlike `direct.fetch` it does not try the plain way again, for a transaction in which
a statement failed takes no other: what is not Busy is raised as the driver says it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from portal_adapters.sqlalchemy.dialects import is_transient
from portal_adapters.sqlalchemy.direct import DIRECT, WAYS, Statement, is_lost, prepared
from portal_adapters.sqlalchemy.engine import busy, is_busy


def run(connection: Connection, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
    """Run a statement, by the short way where it can be taken, and return its rows, if it returns any."""
    known = prepared(statement, connection.dialect) if DIRECT in connection.get_execution_options() else None
    if known is None:
        return _run_plainly(connection, statement, parameters)
    lent = connection.connection.dbapi_connection
    try:
        return known.rows(WAYS[connection.dialect.driver](lent, known.text, known.values(parameters)))
    except Exception as problem:
        if is_lost(connection, problem):
            return _run_plainly(connection, statement, parameters)  # SQLAlchemy then gives up what else the pool has.
        if is_busy(problem) or is_transient(problem):
            raise busy() from problem
        raise


def _run_plainly(connection: Connection, statement: Statement, parameters: Mapping[str, Any]) -> Sequence[Any]:
    result = connection.execute(statement, parameters)
    return result.all() if result.returns_rows else ()
