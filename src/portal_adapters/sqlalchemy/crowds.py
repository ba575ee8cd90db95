"""Glances that come at the same time are asked together: one statement for all that wait while others are under way.

To begin and to end a statement of that kind costs PostgreSQL more than its rows do, and its driver more than anything
else of a request. Nobody waits to be many: whoever comes while there is a place asks at once and alone.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextvars import Context
from typing import Any, Final, TypeAlias, final

from attrs import define, field, frozen

from portal_adapters.sqlalchemy.direct import Fetch, Reading
from portal_adapters.sqlalchemy.joined import OWN, SIZES, joined, parameters_for
from portal_adapters.sqlalchemy.records import AnyRow

AT_ONCE: Final = 2
"""How many of a kind are under way: while the database works on one, the answers to the other are made."""

PATIENCE_SECONDS: Final = 1.0
"""How long somebody waits in line, a hundred times what a line takes; then the plain way tells what is the matter."""

Rows: TypeAlias = Sequence[AnyRow]


@final
@frozen(eq=False)
class _Waiting:
    """Somebody who waits for the rows of their question, or for nothing: then the plain way is to be taken."""

    parameters: Mapping[str, Any]
    rows: "asyncio.Future[Rows | None]"

    def goes_with(self, other: "_Waiting") -> bool:
        """Tell whether one statement can ask for both: all but whose link it is and which document is the same."""
        return all(value == other.parameters[name] for name, value in self.parameters.items() if name not in OWN)

    def tell(self, rows: Rows | None) -> None:
        """Hand over the rows, unless they are no longer waited for."""
        if not self.rows.done():
            self.rows.set_result(rows)

    def refuse(self, problem: Exception) -> None:
        """Raise a problem where the rows are waited for."""
        if not self.rows.done():
            self.rows.set_exception(problem)


@final
@define(eq=False)
class _Line:
    """Those who ask by one statement."""

    statement: Reading
    ask: Fetch
    _under_way: int = field(default=0, init=False)
    _waiting: deque[_Waiting] = field(factory=deque[_Waiting], init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set[asyncio.Task[None]], init=False)

    async def fetch(self, parameters: Mapping[str, Any]) -> Rows | None:
        if self._under_way >= AT_ONCE:
            return await self._wait(parameters)
        self._under_way += 1
        try:
            return await self.ask(self.statement, parameters)
        finally:
            self._go_on()

    async def _wait(self, parameters: Mapping[str, Any]) -> Rows | None:
        waiting = _Waiting(parameters, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await waiting.rows
        except TimeoutError:
            return None

    def _go_on(self) -> None:
        """Let a place be free, and give it to the next who wait, all that go together."""
        self._under_way -= 1
        together = self._next()
        if together:
            self._under_way += 1
            # In a context of its own: it is of no one request.
            task = asyncio.get_running_loop().create_task(self._ask_for(together), context=Context())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _next(self) -> Sequence[_Waiting]:
        together, others = list[_Waiting](), list[_Waiting]()
        while self._waiting and len(together) < SIZES[-1]:
            waiting = self._waiting.popleft()
            if not waiting.rows.done():
                (together if not together or waiting.goes_with(together[0]) else others).append(waiting)
        self._waiting.extendleft(reversed(others))
        return together

    async def _ask_for(self, together: Sequence[_Waiting]) -> None:
        try:
            found = await self._found_for([waiting.parameters for waiting in together])
        except Exception as problem:  # noqa: BLE001 - whatever it is, all of them are told
            for waiting in together:
                waiting.refuse(problem)
        else:
            for waiting, rows in zip(together, found, strict=True):
                waiting.tell(rows)
        finally:
            # Where this was given up, nobody has been told anything.
            for waiting in together:
                waiting.tell(None)
            self._go_on()

    async def _found_for(self, asked: Sequence[Mapping[str, Any]]) -> Sequence[Rows | None]:
        if len(asked) == 1:
            return [await self.ask(self.statement, asked[0])]
        size = next(each for each in SIZES if each >= len(asked))
        found = await self.ask(joined(self.statement, size), parameters_for(asked, size))
        if found is None:
            return [None] * len(asked)
        rows = [list[AnyRow]() for _ in asked]
        for row in found:
            place: int = row.place
            rows[place].append(row)
        return rows


@final
@define(eq=False)
class Crowds:
    """Asks what is about one link each, on one event loop: those who ask by the same statement stand in one line."""

    ask: Fetch
    _lines: dict[Reading, _Line] = field(factory=dict[Reading, _Line], init=False)

    async def fetch(self, statement: Reading, parameters: Mapping[str, Any]) -> Rows | None:
        """Return the rows of a statement about one link, or nothing where it cannot be asked this way just now."""
        line = self._lines.get(statement)
        if line is None:
            line = self._lines[statement] = _Line(statement, self.ask)
        return await line.fetch(parameters)
