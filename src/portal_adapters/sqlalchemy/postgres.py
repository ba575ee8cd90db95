"""PostgreSQL, opened for this store: asyncpg serves requests, psycopg does what is not asynchronous."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, final

from attrs import field, frozen
from sqlalchemy import URL, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from portal_adapters.sqlalchemy.crowds import Crowds
from portal_adapters.sqlalchemy.dialects import is_transient
from portal_adapters.sqlalchemy.direct import DIRECT, Reading, prepared
from portal_adapters.sqlalchemy.engine import PATIENCE_SECONDS, busy
from portal_adapters.sqlalchemy.kept import KeptConnections, gone_is_busy
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.store import StoreOn, store_on
from portal_adapters.sqlalchemy.transaction import transaction_on
from portal_core.domain.errors import Refusal
from portal_core.ports import Mint, Runner, Store

T = TypeVar("T")

POOL_SIZE: Final = 10
"""Connections that one process keeps; more than the database has processors for would only queue there."""

_MILLISECONDS: Final = 1000


def open_postgres(database: str, *, pool_size: int = POOL_SIZE, patience_seconds: float = PATIENCE_SECONDS) -> Engine:
    """Return a synchronous engine for `postgresql://…`: for imports, migrations and hosts that do not await.

    Its pool has that many connections. What waits longer than that for a connection or for another's lock is
    refused with Busy, and so is what loses its connection.
    """
    engine = create_engine(
        _url(database, "psycopg"),
        connect_args={"options": f"-c lock_timeout={_milliseconds(patience_seconds)} -c jit=off"},
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=patience_seconds,
    )
    event.listen(engine, "handle_error", _say_busy)
    return engine


def open_postgres_async(
    database: str, *, pool_size: int = POOL_SIZE, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncEngine:
    """Return an asynchronous engine for `postgresql://…`, with a pool of that many connections and the same patience.

    Plans are not compiled (`jit=off`): that takes longer than any statement of ours.
    """
    settings = {"lock_timeout": str(_milliseconds(patience_seconds)), "jit": "off"}
    engine = create_async_engine(
        _url(database, "asyncpg"),
        connect_args={"server_settings": settings},
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=patience_seconds,
    )
    event.listen(engine.sync_engine, "handle_error", _say_busy)
    return engine


@final
@frozen
class GreenletRunner(Runner):
    """Runs the synchronous core on the event loop: whenever it waits for PostgreSQL, a greenlet lets others go on."""

    engine: AsyncEngine
    mint: Mint
    store_on: StoreOn = store_on
    _kept: KeptConnections = field(init=False)
    _crowds: Crowds = field(init=False)

    def __attrs_post_init__(self) -> None:
        reading = self.engine.execution_options(**{"isolation_level": "AUTOCOMMIT", DIRECT: True})
        object.__setattr__(self, "_kept", KeptConnections(reading, self.mint, self.store_on))
        object.__setattr__(self, "_crowds", Crowds(self._fetch))

    async def read(self, use_case: Callable[[Store], T]) -> T:
        """Run a use case that writes nothing, without a transaction around its statements."""
        with gone_is_busy(ConnectionError):
            async with self._kept.one() as kept:
                return await kept.connection.run_sync(lambda _: use_case(kept.store))

    async def fetch(self, statement: Reading, parameters: Mapping[str, Any]) -> Sequence[AnyRow] | None:
        """Return the rows of a statement about one link by the short way; nothing where it cannot be taken.

        It is asked together with those that come at the same time.
        """
        return await self._crowds.fetch(statement, parameters)

    async def _fetch(self, statement: Reading, parameters: Mapping[str, Any]) -> Sequence[AnyRow] | None:
        known = prepared(statement, self.engine.dialect)
        if known is None:
            return None
        try:
            async with self._kept.one() as kept:
                return known.rows(await kept.driver.fetch(known.text, *known.values(parameters)))
        except Refusal:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, the plain way tells it
            return None

    async def write(self, use_case: Callable[[Store], T]) -> T:
        """Run a use case in a transaction: committed when it returns, rolled back when it raises."""
        with gone_is_busy(ConnectionError):
            async with self._kept.one() as kept, transaction_on(kept.connection):
                return await kept.connection.run_sync(lambda _: use_case(kept.store))

    async def close(self) -> None:
        """Let go of all connections."""
        await self._kept.let_go()
        await self.engine.dispose()


def _url(database: str, driver: str) -> URL:
    return make_url(database).set(drivername=f"postgresql+{driver}")


def _milliseconds(seconds: float) -> int:
    return round(seconds * _MILLISECONDS)


def _say_busy(context: ExceptionContext) -> Any:  # noqa: ANN401 - the event's signature
    problem = context.original_exception
    # What was given up (a cancelled task, Ctrl+C) counts as a lost connection too, and is none of the store's doing.
    if isinstance(problem, Exception) and (context.is_disconnect or is_transient(problem)):
        raise busy() from problem
