"""A store on a greenlet over asyncpg, for tests that are not asynchronous: its transactions as those of any store."""

import asyncio
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from threading import Thread
from typing import Any, TypeAlias, final

from attrs import fields, frozen
from sqlalchemy.util import await_only

from portal_adapters.sqlalchemy.postgres import GreenletRunner, open_postgres_async
from portal_core.ports import Mint, Store, Transactions

Work: TypeAlias = Callable[[Store], Any]


class _Abandoned(Exception):
    """What ends a transaction that its test gave up."""


@final
@frozen
class GreenletTransactions(Transactions):
    """Transactions of a runner on an event loop in another thread, which does what is asked of them there."""

    runner: GreenletRunner
    loop: asyncio.AbstractEventLoop

    @contextmanager
    def begin(self) -> Generator[Store]:
        """Begin a transaction; each question to its store is answered by the greenlet that holds the connection."""
        asked: asyncio.Queue[Work | None] = asyncio.Queue()

        def serve(store: Store) -> None:
            while (work := await_only(asked.get())) is not None:
                work(store)

        def tell(work: Work | None) -> None:
            self.loop.call_soon_threadsafe(asked.put_nowait, work)

        def ask(work: Work) -> Any:  # noqa: ANN401 - the answer of any port
            answer: Future[Any] = Future()
            tell(lambda store: _settle(answer, lambda: work(store)))
            wait([answer, served], return_when=FIRST_COMPLETED)
            return answer.result() if answer.done() else served.result()

        served = asyncio.run_coroutine_threadsafe(self.runner.write(serve), self.loop)
        try:
            yield _remote(ask, self.runner.mint)
        except BaseException:
            tell(_abandon)
            served.exception()
            raise
        tell(None)
        served.result()


@contextmanager
def greenlet_store(url: str, mint: Mint) -> Generator[GreenletTransactions]:
    """Open a PostgreSQL store by asyncpg; in the end, no connection may be left checked out."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever)
    thread.start()
    engine = open_postgres_async(url)
    pool, runner = engine.pool, GreenletRunner(engine, mint)
    try:
        yield GreenletTransactions(runner, loop)
    finally:
        asyncio.run_coroutine_threadsafe(runner.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert pool.checkedout() == 0  # type: ignore[attr-defined]  # the pool is one that counts


@frozen
class _Port:
    """A port of a store that is elsewhere."""

    name: str
    ask: Callable[[Work], Any]

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(*given: object, **named: object) -> Any:  # noqa: ANN401 - as above
            here = [list(each) if isinstance(each, Iterator) else each for each in given]
            return self.ask(lambda store: _whole(getattr(getattr(store, self.name), method)(*here, **named)))

        return call


def _remote(ask: Callable[[Work], Any], mint: Mint) -> Store:
    ports: dict[str, Any] = {each.name: _Port(each.name, ask) for each in fields(Store) if each.name != "mint"}
    return Store(**ports, mint=mint)


def _whole(answer: object) -> object:
    """Return an answer that can leave the greenlet: what is read bit by bit is read to its end."""
    return iter(list(answer)) if isinstance(answer, Iterator) else answer


def _settle(answer: "Future[Any]", work: Callable[[], Any]) -> None:
    try:
        answer.set_result(work())
    except BaseException as problem:  # noqa: BLE001 - whatever it is, it is raised where it was asked for
        answer.set_exception(problem)


def _abandon(_: Store) -> None:
    raise _Abandoned
