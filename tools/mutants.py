"""Alter `portal_core.domain` in one place at a time by mutmut, and print the alterations that no test notices.

Run with the Python that mutmut is installed for, as `make mutants` does; it works in a copy, which is removed again.

What runs at import is over before mutmut switches an alteration on, and so each that survives is tried again in
a process that starts with it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]

SETTINGS = """
[mutmut]
source_paths=
    src
only_mutate=
    src/portal_core/domain/*.py
also_copy=
    tools
    README.md
pytest_add_cli_args=
    -p
    no:randomly
    -p
    no:cacheprovider
    -p
    no:xdist
    --assert=plain
pytest_add_cli_args_test_selection=
    tests/core
    --ignore=tests/core/test_mutants.py
    --ignore=tests/core/test_imports.py
use_git_change_detection=false
"""

MUTMUT = (sys.executable, "-m", "mutmut")
PYTEST = (
    sys.executable,
    "-m",
    "pytest",
    "--quiet",
    "--exitfirst",
    "--no-header",
    "-p",
    "no:randomly",
    "-p",
    "no:xdist",
)


def main() -> None:
    """Print what survives, with the line that was altered."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        for each in ("src", "tests", "tools"):
            shutil.copytree(ROOT / each, folder / each, ignore=shutil.ignore_patterns("__pycache__"))
        for each in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / each, folder)
        (folder / "setup.cfg").write_text(SETTINGS, encoding="utf-8")
        _run(folder, *MUTMUT, "run", "--max-children", "2")
        survivors = [each for each in _survivors(folder) if not _is_noticed(folder, each)]
        for each in survivors:
            print(each, *_altered(folder, each), sep="\n    ")  # noqa: T201 - for whoever runs it
        print(f"{len(survivors)} survive.")  # noqa: T201 - as above


def _survivors(folder: Path) -> Iterator[str]:
    for line in _run(folder, *MUTMUT, "results").splitlines():
        name, _, state = line.strip().partition(": ")
        if state == "survived":
            yield name


def _is_noticed(folder: Path, name: str) -> bool:
    copy = folder / "mutants"
    environment = {**os.environ, "MUTANT_UNDER_TEST": name, "PYTHONPATH": str(copy / "src")}  # noqa: TID251 - a child's
    done = subprocess.run(  # noqa: S603 - our own tests
        [*PYTEST, "tests/core/domain"], cwd=copy, env=environment, capture_output=True, check=False, timeout=600
    )
    return done.returncode != 0


def _altered(folder: Path, name: str) -> list[str]:
    lines = _run(folder, *MUTMUT, "show", name).splitlines()
    return [line for line in lines if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}]


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 - mutmut
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
