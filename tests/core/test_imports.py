import json
import pkgutil
import subprocess
import sys

import pytest

import portal_core

EVERY_MODULE = sorted(module.name for module in pkgutil.walk_packages(portal_core.__path__, "portal_core."))

# What an import loads beyond what the interpreter had loaded by itself.
PROGRAM = """
import importlib, json, sys
before = set(sys.modules)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def python(program: str, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - this interpreter, with a program of ours
        [sys.executable, "-c", program, *arguments], check=True, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def test_the_core_loads_attrs_and_the_standard_library_and_nothing_else() -> None:
    allowed = {"portal_core", "attr", "attrs", *sys.stdlib_module_names}

    loaded = json.loads(python(PROGRAM, "portal_core", *EVERY_MODULE))

    others = {name.partition(".")[0] for name in loaded} - allowed
    assert {name for name in others if not name.startswith("_sysconfigdata_")} == set()
    assert set(EVERY_MODULE) <= set(loaded)


def test_to_import_the_core_by_name_loads_none_of_it_yet() -> None:
    modules = ["portal_core"]

    loaded = json.loads(python(PROGRAM, *modules))

    assert [name for name in loaded if name.startswith("portal_core")] == modules


def test_every_public_name_is_found_and_listed() -> None:
    names = portal_core.__all__

    found = {name: getattr(portal_core, name) for name in names}

    assert len(found) == len(names)
    assert all(found[name] is not None for name in names)
    assert set(names) <= set(dir(portal_core))


def test_a_name_that_is_not_public_is_an_attribute_error() -> None:
    name = "money_json"

    with pytest.raises(AttributeError, match=f"'portal_core' has no attribute '{name}'"):
        getattr(portal_core, name)


def test_a_submodule_can_be_imported_from_the_package() -> None:
    program = "from portal_core import ports, use_cases; print(ports.__name__, use_cases.__name__)"

    printed = python(program)

    assert printed == "portal_core.ports portal_core.use_cases\n"
