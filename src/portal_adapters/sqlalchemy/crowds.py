"""Glances that come at the same time are asked together: one statement for all that wait while others are under way.

To begin and to end a statement of that kind costs PostgreSQL more than its rows do, and its driver more than anything
else of a request. Nobody waits to be many: whoever comes while there is a place asks at once and alone.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast, final

from attrs import define, field, frozen
from sqlalchemy import BindParameter, ColumnElement, Integer, Values, bindparam, column, literal_column, values
from sqlalchemy.sql.visitors import iterate, replacement_traverse
from sqlalchemy.types import TypeEngine

from portal_adapters.sqlalchemy.direct import Reading
from portal_adapters.sqlalchemy.records import AnyRow
from portal_core.domain.access import DocumentType

AT_ONCE: Final = 2
"""How many statements are under way: while the database works on one, the answers to the other are made."""

SIZES: Final = (2, 4, 8, 16)
"""For how many a statement asks; a connection prepares each of them once."""

_OWN: Final = ("digest", "at", *(f"{kind}_id" for kind in DocumentType))
_ASKED: Final = "asked"
_MOST_STATEMENTS = 100

Rows: TypeAlias = Sequence[AnyRow]
Ask: TypeAlias = Callable[[Reading, Mapping[str, Any]], Awaitable[Rows | None]]


@final
@frozen(eq=False)
class _Waiting:
    """Somebody who waits for the rows of a statement, or for nothing: then the plain way is to be taken."""

    statement: Reading
    parameters: Mapping[str, Any]
    rows: "asyncio.Future[Rows | None]"

    def goes_with(self, other: "_Waiting") -> bool:
        """Tell whether one statement can ask for both: all but whose link it is and which document is the same."""
        return self.statement is other.statement and all(
            value == other.parameters[name] for name, value in self.parameters.items() if name not in _OWN
        )


@final
@define(eq=False)
class Crowd:
    """Asks for what is found by one link each, for `patience` seconds at most; then the plain way is to be taken."""

    ask: Ask
    patience: float
    _under_way: int = field(default=0, init=False)
    _line: deque[_Waiting] = field(factory=deque[_Waiting], init=False)
    _tasks: set[asyncio.Task[None]] = field(factory=set[asyncio.Task[None]], init=False)

    async def fetch(self, statement: Reading, parameters: Mapping[str, Any]) -> Rows | None:
        """Return the rows of a statement about one link, or nothing where it cannot be asked this way just now."""
        if self._under_way >= AT_ONCE:
            return await self._wait(statement, parameters)
        self._under_way += 1
        try:
            return await self.ask(statement, parameters)
        finally:
            self._go_on()

    async def _wait(self, statement: Reading, parameters: Mapping[str, Any]) -> Rows | None:
        waiting = _Waiting(statement, parameters, asyncio.get_running_loop().create_future())
        self._line.append(waiting)
        try:
            async with asyncio.timeout(self.patience):
                return await waiting.rows
        except TimeoutError:
            return None

    def _go_on(self) -> None:
        """Give a place to the next who wait, all that go together, or let it be free."""
        together = self._next()
        if not together:
            self._under_way -= 1
            return
        task = asyncio.get_running_loop().create_task(self._ask_for(together))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _next(self) -> Sequence[_Waiting]:
        together, others = list[_Waiting](), list[_Waiting]()
        while self._line and len(together) < SIZES[-1]:
            waiting = self._line.popleft()
            if not waiting.rows.done():
                (together if not together or waiting.goes_with(together[0]) else others).append(waiting)
        self._line.extendleft(reversed(others))
        return together

    async def _ask_for(self, together: Sequence[_Waiting]) -> None:
        try:
            found = await self._found_for(together)
        except Exception as problem:  # noqa: BLE001 - whatever it is, all of them are told
            for waiting in together:
                if not waiting.rows.done():
                    waiting.rows.set_exception(problem)
        else:
            for waiting, rows in zip(together, found, strict=True):
                if not waiting.rows.done():
                    waiting.rows.set_result(rows)
        finally:
            self._go_on()

    async def _found_for(self, together: Sequence[_Waiting]) -> Sequence[Rows | None]:
        first = together[0]
        if len(together) == 1:
            return [await self.ask(first.statement, first.parameters)]
        size = next(each for each in SIZES if each >= len(together))
        found = await self.ask(_for_many(first.statement, size), _parameters_of(together, size))
        if found is None:
            return [None] * len(together)
        rows = [list[AnyRow]() for _ in together]
        for row in found:
            place: int = row.place
            rows[place].append(row)
        return rows


def _parameters_of(together: Sequence[_Waiting], size: int) -> Mapping[str, Any]:
    parameters = dict(together[0].parameters)
    for name in _OWN:
        if name in parameters:
            own = [waiting.parameters[name] for waiting in together]
            # Nobody has no digest: what is left over finds nothing.
            own += [None if name == "digest" else own[0]] * (size - len(own))
            parameters |= {f"{name}_{place}": value for place, value in enumerate(own)}
    return parameters


@lru_cache(maxsize=_MOST_STATEMENTS)
def _for_many(statement: Reading, size: int) -> Reading:
    """Return a statement about one link as one about several, each row with the `place` of whom it is for."""
    own = {name: kind for name, kind in _kinds(statement).items() if name in _OWN}

    def of_whom(element: Any, **_: Any) -> ColumnElement[Any] | None:  # noqa: ANN401 - any part of a statement
        if isinstance(element, BindParameter) and element.key in own:
            # Written as text, so that a question within the statement does not ask for all of them by itself.
            return literal_column(f"{_ASKED}.{element.key}", own[element.key])
        return None

    for_one = cast("Reading", replacement_traverse(statement, {}, of_whom))
    place = literal_column(f"{_ASKED}.place", Integer).label("place")
    return for_one.add_columns(place).select_from(_asked(own, size))


def _kinds(statement: Reading) -> Mapping[str, TypeEngine[Any]]:
    return {each.key: cast("Any", each).type for each in iterate(statement) if isinstance(each, BindParameter)}


def _asked(own: Mapping[str, TypeEngine[Any]], size: int) -> Values:
    def row(place: int) -> tuple[ColumnElement[Any], ...]:
        asked = (bindparam(f"{name}_{place}", type_=kind) for name, kind in own.items())
        return literal_column(str(place), Integer), *asked

    columns = (column(name, kind) for name, kind in own.items())
    return values(column("place", Integer), *columns, name=_ASKED).data([row(place) for place in range(size)])
