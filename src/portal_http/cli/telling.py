"""How an import is told: how far it is, what became of the records, and what is wrong with them."""

import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import click

from portal_adapters.clock import now
from portal_http.cli.common import json_of


def tell_counts(counts: Any, *, as_json: bool) -> None:  # noqa: ANN401 - Counts, imported late
    """Print what became of the records, one line a type."""
    told = _by_type(counts)
    if as_json:
        click.echo(json_of(told))
        return
    for kind, row in told.items():
        parts = [f"{count} {outcome}" for outcome, count in row.items() if outcome != "deleted" or count]
        click.echo(f"{kind}: {', '.join(parts)}")


def _by_type(counts: Any) -> dict[str, dict[str, int]]:  # noqa: ANN401 - as above
    from portal_core.domain.records import RecordType
    from portal_core.use_cases.records import Outcome

    table = {kind.value: {each.value: counts[kind, each] for each in Outcome} for kind in RecordType}
    return {kind: row for kind, row in table.items() if any(row.values())}


def tell_problems(
    refused: Any,  # noqa: ANN401 - imported late, as above
    kept: Any = None,  # noqa: ANN401 - as above
    *,
    sheets: Iterable[Any] = (),
    as_json: bool,
) -> None:
    """Print what is wrong with the files, by the columns of those that are sheets, and how far they were taken in."""
    by_name = {each.name: each for each in sheets}
    problems = [by_name[each.file].located(each) if each.file in by_name else each for each in refused.problems]
    for problem in problems:
        click.echo(str(problem), err=True)
    more = refused.total - len(problems)
    if more:
        click.echo(f"… and {more} more.", err=True)
    click.echo("Nothing was changed." if kept is None else _how_far(kept), err=True)
    if as_json:
        fields = ("file", "line", "pointer", "detail")
        errors = [{name: getattr(each, name) for name in fields} for each in problems]
        how_far = {} if kept is None else {"kept": _by_type(kept)}
        click.echo(json_of({"errors": errors, "total": refused.total, **how_far}))


def _how_far(kept: Any) -> str:  # noqa: ANN401 - as above
    changed = sum(count for row in _by_type(kept).values() for outcome, count in row.items() if outcome != "unchanged")
    return (
        "Meanwhile others changed what the files had been checked against. "
        f"{changed} records, all of whole clients, were taken in before that. Mend the problems and run it again."
    )


@contextmanager
def progress() -> Generator[Callable[[str, int], None]]:
    """Tell how far a long work is: on a terminal in one line, else a line every few seconds."""
    terminal = sys.stderr.isatty()
    pause = timedelta(seconds=0.2 if terminal else 5)
    last = now()
    shown = False

    def tell(what: str, done: int) -> None:
        nonlocal last, shown
        if now() - last < pause:
            return
        last, shown = now(), True
        click.echo(f"{chr(13) if terminal else ''}{what}: {done:,} records", nl=not terminal, err=True)

    try:
        yield tell
    finally:
        if terminal and shown:
            click.echo("", err=True)
