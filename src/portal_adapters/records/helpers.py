"""Other processes that prepare lines, so that a large file keeps more than one processor busy.

Each has a pipe of its own and does one batch at a time. One whose parent is gone, however that ended, finds its
pipe closed and ends as well.
"""

import marshal
import multiprocessing
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

from portal_adapters.records.preparing import Fault, Ready, prepare
from portal_core.ports import Pack

Batch: TypeAlias = Sequence[tuple[int, bytes]]
"""Lines with their numbers."""

Prepared: TypeAlias = Iterator[tuple[Batch, list[Ready | list[Fault]]]]

WORTH_HELP = 8
"""A file of fewer batches than this is read before a helper would have started."""


def prepared(batches: Iterable[Batch], pack: Pack | None, helpers: int) -> Prepared:
    """Yield batches and what came of their lines, in order."""
    rest = iter(batches)
    first = list(islice(rest, WORTH_HELP))
    yield from _prepared_here(first, pack)
    if len(first) < WORTH_HELP or not helpers:
        yield from _prepared_here(rest, pack)
        return
    with _helpers(helpers, pack) as pipes:
        yield from _prepared_by(pipes, rest)


def _prepared_here(batches: Iterable[Batch], pack: Pack | None) -> Prepared:
    for batch in batches:
        yield batch, prepare((text for _, text in batch), pack)


def _prepared_by(pipes: Sequence["Connection[Any, Any]"], batches: Iterator[Batch]) -> Prepared:
    """Hand every helper a batch, and another as soon as it gives one back."""
    under_way: list[tuple[Any, Batch]] = []
    for pipe, batch in zip(pipes, batches, strict=False):
        under_way.append((pipe, _sent(pipe, batch)))
    while under_way:
        pipe, batch = under_way.pop(0)
        ready = marshal.loads(pipe.recv_bytes())  # noqa: S302 - what another process of this program wrote
        following = next(batches, None)
        if following is not None:
            under_way.append((pipe, _sent(pipe, following)))
        yield batch, ready


def _sent(pipe: "Connection[Any, Any]", batch: Batch) -> Batch:
    pipe.send_bytes(marshal.dumps([text for _, text in batch]))
    return batch


@contextmanager
def _helpers(count: int, pack: Pack | None) -> Generator[Sequence[Any]]:
    context = multiprocessing.get_context("spawn")
    pipes: list[Any] = []
    processes: list[Any] = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_help, args=(theirs, pack), daemon=True)
            process.start()
            theirs.close()
            pipes.append(ours)
            processes.append(process)
        yield pipes
    finally:
        for pipe in pipes:
            pipe.close()
        for process in processes:
            process.join()


def _help(pipe: "Connection[Any, Any]", pack: Pack | None) -> None:
    # The pipe is closed when there is no more to do, or nobody left to do it for.
    with closing(pipe), suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            texts = marshal.loads(pipe.recv_bytes())  # noqa: S302 - as above
            pipe.send_bytes(marshal.dumps(prepare(texts, pack)))
