"""The README's lines do what the README says."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BIN = Path(sys.executable).parent


def block(heading: str, number: int = 0) -> str:
    """Return a block of shell lines below a heading, as it is written."""
    section = README.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found: list[str] = re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)
    return found[number]


def shell(script: str, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(  # noqa: S603 - the README's own lines
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - the shell that the README is written for
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def demo(tmp_path: Path) -> Generator[tuple[str, str]]:
    """Serve the demonstration on a free port; give its address and the token of its link."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(BIN / "portal"), "demo", "--port", str(port)]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as serving:
        assert serving.stdout is not None
        try:
            link = next(line.strip() for line in serving.stdout if "/p/cpt_" in line)
            address, _, token = link.partition("/p/")
            yield address, token
        finally:
            serving.terminate()


def test_the_lines_that_ask_the_api_run_as_written(demo: tuple[str, str], tmp_path: Path) -> None:
    address, token = demo
    lines = block("Ask it").replace("http://127.0.0.1:8000", address).replace("cpt_...", token)

    printed = shell(lines.replace("curl ", "curl --silent --show-error --fail-with-body --write-out '\\n' "), tmp_path)

    dashboard, invoices, quote, statement = (json.loads(line)["data"] for line in printed.splitlines())
    assert dashboard["recent"]["quotes"]
    assert all(invoice["overdue"] for invoice in invoices)
    assert quote["decision"]["answer"] == "accepted"
    assert quote["decision"]["purchase_order"] == "PO 77"
    assert statement["currency"] == "EUR"


def test_the_records_shown_can_be_imported_and_exported(tmp_path: Path) -> None:
    section = README.partition("## Feed it\n")[2]
    records = re.findall(r"```json\n(.*?)```", section, flags=re.DOTALL)[0]
    (tmp_path / "records.jsonl").write_text(records)

    printed = shell(f"{block('Feed it').splitlines()[0]}\nportal import records.jsonl\n{block('Feed it')}", tmp_path)

    assert "payment: 1 created, 0 updated, 0 unchanged" in printed
    exported = [json.loads(line) for line in (tmp_path / "records.jsonl").read_text().splitlines()]
    assert [record["type"] for record in exported] == ["company", "client", "payment"]


def test_the_lines_that_set_a_server_up_run_as_written(tmp_path: Path) -> None:
    section = README.partition("## Feed it\n")[2]
    (tmp_path / "history.jsonl").write_text(re.findall(r"```json\n(.*?)```", section, flags=re.DOTALL)[0])
    lines = block("Run it as a server").replace("COMPANY-ID", "acme").replace("CLIENT-ID", "C-7")
    steps = [line for line in lines.splitlines() if not line.startswith(("pip install", "portal serve"))]

    printed = shell("\n".join(steps), tmp_path)

    assert re.search(r"^http://127\.0\.0\.1:8000/p/cpt_[0-9A-Za-z]{49}$", printed, flags=re.MULTILINE)


def test_the_readme_fits_on_a_hundred_lines() -> None:
    assert len(README.splitlines()) <= 100
