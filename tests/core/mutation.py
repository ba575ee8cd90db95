"""Break the rules of one module of the core, one at a time, and print those whose breach no test notices.

Run as a program with the name of the module: it forks after the slow imports, so that a mutant costs little more than
its tests.
"""

import os
import re
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from attrs import frozen
from hypothesis import Phase, settings

ROOT = Path(__file__).parents[2]
CORE = ROOT / "src" / "portal_core"
TESTS = ROOT / "tests" / "core"

BLOCK = re.compile(r"(?P<right>(?:- .*\n)+)(?P<wrong>(?:\+ .*\n)*)")
HEAD = re.compile(r"(?P<folder>\w+)/(?P<name>\w+\.py)(?: told by (?P<tests>\S+))?")
SECONDS = 60


@frozen
class Mutant:
    """What is written instead of what, in which module, and which tests are to notice."""

    module: str
    tests: str
    right: str
    wrong: str


def mutants() -> Iterator[Mutant]:
    """Yield the mutants of `mutants.txt` in order."""
    module = tests = ""
    for paragraph in (TESTS / "mutants.txt").read_text(encoding="utf-8").split("\n\n"):
        if head := HEAD.fullmatch(paragraph.strip()):
            module = f"{head['folder']}/{head['name']}"
            tests = head["tests"] or f"{head['folder']}/test_{head['name']}"
        elif block := BLOCK.fullmatch(paragraph.rstrip("\n") + "\n"):
            yield Mutant(module, tests, _lines(block["right"]), _lines(block["wrong"]))


def unnoticed(folder: Path, mutant: Mutant) -> str | None:
    """Return what is wrong with a mutant of the copy of the core in a folder, or nothing if its tests fail."""
    module = folder / "portal_core" / mutant.module
    source = module.read_text(encoding="utf-8")
    if mutant.right not in source:
        return "is not in the source any more"
    module.write_text(source.replace(mutant.right, mutant.wrong), encoding="utf-8")
    try:
        code = exit_code(mutant.tests)
    finally:
        module.write_text(source, encoding="utf-8")
    return None if code == pytest.ExitCode.TESTS_FAILED else f"ended with {code} in {mutant.tests}"


def exit_code(tests: str) -> int:
    """Run tests in a child; return pytest's exit code, or a signal's number, negative."""
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, sys.stdout.fileno())
        os.dup2(silence, sys.stderr.fileno())
        options = ["-c", os.devnull, f"--rootdir={ROOT}", "--import-mode=importlib", "-p", "no:cacheprovider", "-x"]
        options += ["--assert=plain", "--tb=no", "--quiet"]
        os._exit(pytest.main([*options, "-o", f"pythonpath={ROOT}", str(TESTS / tests)]))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main(module: str) -> None:
    """Print the mutants of a module that nobody notices; with its tests' failure if they fail without one."""
    # Everything slow that the tests import, but for the core.
    __import__("tests.servers")
    settings.register_profile(
        "mutants", max_examples=30, deadline=None, database=None, derandomize=True, phases=EXPLORING
    )
    os.environ |= {"HYPOTHESIS_PROFILE": "mutants", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(CORE, folder / "portal_core")
        sys.path.insert(0, name)
        sys.dont_write_bytecode = True
        own = [mutant for mutant in mutants() if mutant.module == module]
        for tests in sorted({mutant.tests for mutant in own}):
            if code := exit_code(tests):
                print(f"{tests} ended with {code} where nothing is broken")  # noqa: T201 - for whoever runs it
        for mutant in own:
            if fault := unnoticed(folder, mutant):
                print(f"{module}: {mutant.right!r} {fault}")  # noqa: T201 - for whoever runs it


EXPLORING = (Phase.explicit, Phase.generate)
"""What fails need not be made small."""


def _lines(block: str) -> str:
    return "\n".join(line[2:] for line in block.splitlines())


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main(sys.argv[1])
