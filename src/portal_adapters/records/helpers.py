"""Other processes that take over a part of an import, so that a large file keeps more than one processor busy.

Each has a pipe of its own and does one batch at a time. One whose parent is gone, however that ended, finds its
pipe closed and ends as well.

Where that is safe, a helper is a fork of the importer: it starts at once, with all modules loaded. It touches nothing
of what it inherits, connections to databases above all, and ends without tidying up after its parent.
"""

import gc
import marshal
import multiprocessing
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from itertools import islice
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar, final

B = TypeVar("B")
M = TypeVar("M")
R = TypeVar("R")

Task: TypeAlias = Callable[[M], R]
"""Makes something of a message. Both can be written by marshal, and a task can be sent to another process."""

WORTH_HELP = 8
"""Fewer batches than this are done before a helper would have started."""

_OBJECTS_BETWEEN_COLLECTIONS = 50_000


@final
class Helpers:
    """So many processes at most, which start with the first work that is worth it and end with the block."""

    def __init__(self, count: int = 0) -> None:
        self._count = count
        self._pipes: list[Any] = []
        self._processes: list[Any] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join()

    def done(self, task: Task[M, R], batches: Iterable[B], message: Callable[[B], M]) -> Iterator[tuple[B, R]]:
        """Yield batches and what a task made of the message that tells of each, in order."""
        rest = iter(batches)
        if not self._pipes:
            first = list(islice(rest, WORTH_HELP))
            yield from ((batch, task(message(batch))) for batch in first)
            if len(first) == WORTH_HELP:
                self._start()
        if self._pipes:
            yield from self._done_by_helpers(task, rest, message)
        else:
            yield from ((batch, task(message(batch))) for batch in rest)

    def _done_by_helpers(
        self, task: Task[M, R], batches: Iterator[B], message: Callable[[B], M]
    ) -> Iterator[tuple[B, R]]:
        """Hand every helper a batch, and another as soon as it gives one back."""
        under_way: list[tuple[Any, B]] = []
        for pipe, batch in zip(self._pipes, batches, strict=False):
            _send(pipe, task, message(batch))
            under_way.append((pipe, batch))
        while under_way:
            pipe, batch = under_way.pop(0)
            made = marshal.loads(pipe.recv_bytes())  # noqa: S302 - what another process of this program wrote
            following = next(batches, None)
            if following is not None:
                _send(pipe, task, message(following))
                under_way.append((pipe, following))
            yield batch, made

    def _start(self) -> None:
        forks = _may_fork()
        context = multiprocessing.get_context("fork") if forks else multiprocessing.get_context("spawn")
        for _ in range(self._count):
            ours, theirs = context.Pipe()
            self._pipes.append(ours)
            process = context.Process(target=_help, args=(theirs, self._pipes if forks else ()), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)


def _may_fork() -> bool:
    """Tell whether a fork of this process is sound: only Linux's libraries bear it, and no other thread's locks."""
    return sys.platform == "linux" and threading.active_count() == 1


def _send(pipe: "Connection[Any, Any]", task: Task[M, R], message: Any) -> None:  # noqa: ANN401 - what marshal takes
    pipe.send(task)
    pipe.send_bytes(marshal.dumps(message))


def _help(pipe: "Connection[Any, Any]", inherited: "Iterable[Connection[Any, Any]]") -> None:
    # The parent's ends, of which a fork has copies: while one is open anywhere, a helper does not learn of the end.
    for each in inherited:
        each.close()
    # What a fork inherits is never let go of by it: a connection that it closed could end what its parent has begun.
    gc.freeze()
    # Thousands of objects are made and let go of, hardly any in a circle: to look for such so often costs a tenth.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS, 20, 20)
    # The pipe is closed when there is no more to do, or nobody left to do it for.
    with closing(pipe), suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            task = pipe.recv()
            pipe.send_bytes(marshal.dumps(task(marshal.loads(pipe.recv_bytes()))))  # noqa: S302 - as above
