"""A transaction on a connection that is kept: begun and ended by asyncpg itself, in one round trip each."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from portal_adapters.sqlalchemy.dialects import is_transient
from portal_adapters.sqlalchemy.engine import busy
from portal_core.domain.errors import Refusal


@asynccontextmanager
async def transaction_on(connection: AsyncConnection) -> AsyncGenerator[None]:
    """Begin a transaction on a connection without transactions of SQLAlchemy's; commit it, or roll it back.

    Busy when PostgreSQL gave up for a reason that passes; RuntimeError where an error of its was caught, for then it
    rolls back without a word. A connection that is lost, or whose transaction would not end, is of no more use to the
    pool, and closed.
    """
    plain: Any = connection.sync_connection
    driver = plain.connection.driver_connection
    begun = False
    try:
        await driver.execute("BEGIN")
        begun = True
        yield
        await _commit(driver)
    except Refusal:
        raise
    except Exception as problem:
        if driver.is_closed() and not plain.invalidated:
            # SQLAlchemy then says Busy, and gives up what else its pool has.
            await connection.exec_driver_sql("SELECT 1")
        if is_transient(problem):
            raise busy() from problem
        raise
    finally:
        await _end(plain, driver, begun=begun)


async def _commit(driver: Any) -> None:  # noqa: ANN401 - asyncpg has no types
    if await driver.execute("COMMIT") != "COMMIT":
        raise RuntimeError("An error of the database was caught within its transaction: nothing of that is kept.")


async def _end(plain: Connection, driver: Any, *, begun: bool) -> None:  # noqa: ANN401 - as above
    try:
        if begun and not driver.is_closed() and driver.is_in_transaction():
            with suppress(Exception):
                await driver.execute("ROLLBACK")
    finally:
        # Where BEGIN was given up, PostgreSQL may have begun without asyncpg having heard of it.
        if not begun or driver.is_closed() or driver.is_in_transaction():
            plain.invalidate()
