"""The rules of the core, broken one at a time as `mutants.txt` says: the tests of each must notice."""

import subprocess
import sys

import pytest

from tests.core import mutation

MODULES = sorted({mutant.module for mutant in mutation.mutants()})


@pytest.mark.timeout(300)
@pytest.mark.parametrize("module", MODULES)
def test_the_tests_of_a_module_notice_when_one_of_its_rules_is_broken(module: str) -> None:
    program = [sys.executable, mutation.__file__, module]

    done = subprocess.run(program, capture_output=True, text=True, timeout=290, check=False)  # noqa: S603 - ours

    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)


def test_there_are_mutants_of_every_kind_of_rule() -> None:
    mutants = list(mutation.mutants())

    folders = {module.partition("/")[0] for module in MODULES}

    assert len(mutants) > 90
    assert folders == {"domain", "use_cases"}
