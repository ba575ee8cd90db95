"""What the documentation shows in Python runs, and prints what the page says that it prints.

On a page, blocks of Python are one program from top to bottom, and a block of text after one is what it printed. A
block that begins with a file's name belongs to that file, and lines of shell that begin with `pytest` test these files.
"""

import asyncio
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import define, field
from sqlalchemy import Engine
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

from portal_adapters.contract.builders import a_quote
from portal_adapters.contract.feeding import prepare
from portal_adapters.sqlalchemy import SqlTransactions, migrate
from portal_adapters.sqlalchemy.postgres import open_postgres, open_postgres_async
from portal_core.domain.quotes import Quote
from tests.postgres import fresh_database

DOCS: Final = Path(__file__).parent.parent.parent / "docs"
PAGES: Final = sorted(page for page in DOCS.rglob("*.md") if "```python\n" in page.read_text())

_FILE: Final = re.compile(r"# ([a-z_]+\.py)\n")
_PYTEST: Final = (sys.executable, "-m", "pytest", "-p", "portal_adapters.pytest_plugin", "-p", "no:cacheprovider")


@define
class Reader:
    """Somebody who follows a page in an empty folder."""

    folder: Path
    printed: str | None = None
    names: dict[str, Any] = field(factory=dict[str, Any])
    _evaluate: Callable[[Example], None] = field(factory=PythonEvaluator)

    def python(self, example: Example) -> None:
        """Run a block, or put it into the file that it names."""
        if (named := _FILE.match(example.parsed)) is not None:
            with (self.folder / named[1]).open("a") as file:
                file.write(f"\n\n{example.parsed[named.end() :]}")
            self.printed = None
            return
        with redirect_stdout(io.StringIO()) as printed:
            self._evaluate(example)
        self.printed = printed.getvalue()

    def text(self, example: Example) -> None:
        """Compare what is shown with what the block before it printed."""
        assert self.printed == example.parsed, f"{example.path}, line {example.line}"

    def shell(self, example: Example) -> None:
        """Run the lines that test the page's files."""
        for line in example.parsed.splitlines():
            if line.startswith("pytest "):
                arguments = shlex.split(line, comments=True)[1:]
                self._run([*_PYTEST, *arguments], f"{example.path}, line {example.line}")

    def _run(self, command: list[str], where: str) -> None:
        done = subprocess.run(  # noqa: S603 - the page's own line
            command,
            cwd=self.folder,
            # A reader has our plugin, and none of those that this project tests itself with.
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            check=False,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert done.returncode == 0, f"{where}: {done.stdout}{done.stderr}"
        self.printed = done.stdout


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)
    reading = Reader(tmp_path)
    yield reading
    for each in reading.names.values():
        if isinstance(each, Engine):
            each.dispose()
    for file in tmp_path.glob("*.py"):
        if file.stem not in known:
            sys.modules.pop(file.stem, None)


def follow(reader: Reader, page: Path) -> dict[str, Any]:
    """Do what a page says, and return the names that its program has in the end."""
    parsers = [
        CodeBlockParser("python", reader.python),
        CodeBlockParser("text", reader.text),
        CodeBlockParser("sh", reader.shell),
    ]
    document = Sybil(parsers).parse(page)
    document.namespace = reader.names
    examples = list(document.examples())
    assert examples
    for example in examples:
        example.evaluate()
    return reader.names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_page_runs_as_written(page: Path, reader: Reader) -> None:
    follow(reader, page)


@pytest.mark.postgres
@pytest.mark.parametrize("function", ["accept_on_a_connection", "accept_in_a_session"])
def test_the_asynchronous_lines_run_on_postgresql(reader: Reader, function: str) -> None:
    page = follow(reader, DOCS / "how-to" / "share-a-transaction.md")

    async def accept(url: str) -> Quote:
        engine = open_postgres_async(url)
        try:
            accepted: Quote = await page[function](engine, "Q-3")
        finally:
            await engine.dispose()
        return accepted

    with fresh_database() as url:
        engine = open_postgres(url)
        migrate(engine)
        page["reservations"].create(engine)
        prepare(SqlTransactions(engine, page["mint"]), a_quote("Q-3"))
        accepted = asyncio.run(accept(url))
        with engine.connect() as connection:
            reserved = connection.scalars(page["reservations"].select()).all()
        engine.dispose()

    assert accepted.decision is not None
    assert reserved == ["Q-3"]
