"""What is built can be installed, and each extra brings what its part needs and nothing else does."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

import pytest

from tests.security.served import CLIENT, served

ROOT = Path(__file__).parents[1]

PARTS = {
    "": "from portal_core import accept_quote; from portal_adapters.memory import MemoryTransactions",
    "sqlalchemy": "import portal_adapters.sqlalchemy, portal_adapters.records.importing",
    "http": "import portal_http.app",
    "sqlalchemy,postgres": "import asyncpg, psycopg, portal_adapters.sqlalchemy.postgres",
    "django": "import portal_adapters.sqlalchemy.django",
    "http,redis": "import redis, portal_http.app",
    "http,pdf": "import portal_adapters.pdf, portal_http.app",
    "contract": "import portal_adapters.contract",
    "server": "import portal_http.main, portal_http.cli, uvicorn",
}


def run(*command: object) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands
        [str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "--directory", folder, "--target", "wheel", "--target", "sdist")
    return folder


def install(folder: Path, *what: object) -> Path:
    """Return the Python of a fresh environment in which that was installed."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    run(sys.executable, "-m", "pip", "--quiet", "--python", python, "install", *what)
    return python


def wheel(built: Path, extras: str = "") -> str:
    (file,) = built.glob("*.whl")
    return f"{file}[{extras}]" if extras else str(file)


def installed(python: Path) -> Sequence[str]:
    listed = run(sys.executable, "-m", "pip", "--python", python, "list", "--format=freeze")
    return sorted(line.partition("==")[0] for line in listed.splitlines())


@pytest.fixture
def lowest(tmp_path: Path) -> Path:
    """Give constraints that allow of each thing that `pyproject.toml` names the lowest version that will do."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    stated = chain(project["dependencies"], *project["optional-dependencies"].values())
    bounds = {re.sub(r"(\[.*?\])?>=", "==", each) for each in stated if not each.startswith(project["name"])}
    file = tmp_path / "lowest.txt"
    file.write_text("\n".join(sorted(bounds)), encoding="utf-8")
    return file


def test_the_wheel_alone_brings_the_core_with_attrs_and_nothing_else(built: Path, tmp_path: Path) -> None:
    python = install(tmp_path / "env", wheel(built))

    run(python, "-I", "-c", PARTS[""])

    assert installed(python) == ["attrs", "customer-portal"]


def test_what_is_built_holds_types_templates_and_migrations_and_none_of_the_tests(built: Path) -> None:
    (archive,) = built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel(built)) as packed, tarfile.open(archive) as source:
        files, sources = set(packed.namelist()), {name.partition("/")[2] for name in source.getnames()}

    assert {"portal_core/py.typed", "portal_http/pages/templates/page.html", "portal_http/pages/locales/fr.po"} <= files
    assert any(name.startswith("portal_adapters/sqlalchemy/migrations/versions/0001") for name in files)
    assert not [name for name in files if name.startswith(("tests/", "tools/", "benchmarks/"))]
    assert {"pyproject.toml", "README.md", "LICENSE", "src/portal_core/__init__.py"} <= sources


@pytest.mark.long
@pytest.mark.parametrize("extras", [each for each in PARTS if each])
def test_each_extra_brings_what_its_part_needs(built: Path, tmp_path: Path, extras: str) -> None:
    python = install(tmp_path / "env", wheel(built, extras))

    run(python, "-I", "-c", PARTS[extras])


@pytest.mark.long
def test_the_source_distribution_can_be_installed(built: Path, tmp_path: Path) -> None:
    (archive,) = built.glob("*.tar.gz")

    python = install(tmp_path / "env", archive)

    run(python, "-I", "-c", PARTS[""])


@pytest.mark.long
def test_a_link_is_issued_read_and_answered_on_the_lowest_versions(built: Path, tmp_path: Path, lowest: Path) -> None:
    python = install(tmp_path / "env", "--constraint", lowest, wheel(built, "server"))

    with served(tmp_path, python=python) as portal:
        link = portal.as_staff("POST", "/tokens", {"client_id": CLIENT}).json()["data"]
        view, page = f"/view/{link['token']}", f"//p/{link['token']}"
        (quote, *_) = portal.ask("GET", f"{view}/quotes?state=sent").json()["data"]
        asked = [f"{view}/dashboard", page, f"{page}/quotes/{quote['id']}", f"{page}/quotes/{quote['id']}/pdf"]
        read = [portal.ask("GET", each).status for each in asked]
        answered = portal.ask("POST", f"{view}/quotes/{quote['id']}/accept", {"name": "Ada Lovelace"}).json()

    assert read == [200] * 4
    assert answered["data"]["decision"]["name"] == "Ada Lovelace"


@pytest.mark.long
def test_the_lowest_versions_of_everything_go_together(built: Path, lowest: Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "install", "--dry-run", "--ignore-installed"]

    run(*command, "--constraint", lowest, wheel(built, "server,contract,dev"))
