"""Typed clients come out of the API's description whole, and those who lint it find no error."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from portal_http.documentation import DOCUMENTED
from portal_http.openapi import openapi_document
from tests.security.served import CLIENT, DATA, served

PROGRAM = """
import sys
from customer_portal_client import Client
from customer_portal_client.api.client import get_view_token_dashboard, post_view_token_quotes_quote_id_accept
from customer_portal_client.models import AcceptQuote, DashboardAnswer, NotFoundProblem, QuoteDetailAnswer

server, token, dead = sys.argv[1:]
client = Client(server)
seen = get_view_token_dashboard.sync(token, client=client)
assert isinstance(seen, DashboardAnswer)
quote = next(each for each in seen.data.recent.quotes if each.state.value == "sent")
answer = AcceptQuote(name="Ada Lovelace")
given = post_view_token_quotes_quote_id_accept.sync(token, quote.id, client=client, body=answer)
assert isinstance(given, QuoteDetailAnswer)
print(given.data.id, given.data.state.value, given.data.total.amount, given.data.decision.name)
refused = get_view_token_dashboard.sync(dead, client=client)
assert isinstance(refused, NotFoundProblem)
print(refused.status.value, refused.code.value)
"""

# JSON Schema's own dialect of patterns is JavaScript's, with the flag for Unicode.
PATTERNS = """
const described = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"), (key, value) => {
  if (key === "pattern" && typeof value === "string") new RegExp(value, "u");
  return value;
});
console.log(described.openapi);
"""

LINTERS = [
    ("openapi-typescript", "openapi-typescript@7.13.0", ["--output", "client.ts"]),
    ("spectral", "@stoplight/spectral-cli@6.16.0", ["lint", "--fail-severity=error"]),
    ("redocly", "@redocly/cli@2.31.5", ["lint"]),
]


def run(command: Sequence[object], folder: Path, **environment: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def description(tmp_path: Path) -> Path:
    file = tmp_path / "openapi.json"
    file.write_text(json.dumps(openapi_document(DOCUMENTED, server="http://portal.example")), encoding="utf-8")
    return file


def test_a_client_that_is_generated_reads_answers_and_tells_refusals_apart(tmp_path: Path, description: Path) -> None:
    generator = [Path(sys.executable).with_name("openapi-python-client"), "generate", "--path", description]
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    config = DATA / "openapi-python-client.yaml"

    told = run([*generator, "--config", config, "--output-path", tmp_path / "client"], tmp_path, PATH=tools)

    assert "warning" not in told.lower()
    with served(tmp_path) as portal:
        token = portal.as_staff("POST", "/tokens", {"client_id": CLIENT}).json()["data"]["token"]
        server, dead = f"http://127.0.0.1:{portal.port}", token[:-1] + ("0" if token[-1] != "0" else "1")
        printed = run(
            [sys.executable, "-c", PROGRAM, server, token, dead], tmp_path, PYTHONPATH=str(tmp_path / "client")
        )
        state, amount = "accepted", portal.ask("GET", f"/view/{token}/quotes?state=accepted").json()
    quotes = {each["id"]: each["total"]["amount"] for each in amount["data"]}
    quote_id = printed.split()[0]
    assert printed == f"{quote_id} {state} {quotes[quote_id]} Ada Lovelace\n404 not_found\n"


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on the path")
def test_javascript_understands_every_pattern_of_the_description(description: Path) -> None:
    told = run(["node", "--eval", PATTERNS, description], description.parent)

    assert told == "3.1.0\n"


@pytest.mark.long
@pytest.mark.skipif(shutil.which("npx") is None, reason="no npx on the path")
@pytest.mark.parametrize("package, options", [each[1:] for each in LINTERS], ids=[each[0] for each in LINTERS])
def test_the_description_has_no_error_for_who_reads_it_in_javascript(
    description: Path, package: str, options: Sequence[str]
) -> None:
    (description.parent / ".spectral.yaml").write_text('extends: ["spectral:oas"]\n', encoding="utf-8")

    told = run(["npx", "--yes", package, *options, description.name], description.parent, REDOCLY_TELEMETRY="off")

    assert "error" not in told.lower().replace("0 errors", "").replace("fail-severity=error", "")
