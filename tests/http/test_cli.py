"""The command line: what it prints where, and how it exits."""

import io
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import jwt
import pytest
from click.testing import CliRunner, Result

from portal_adapters.records import importing
from portal_adapters.records.importing import import_records
from portal_core.domain.tokens import PATTERN
from portal_http.cli import main, telling
from portal_http.settings import load_settings
from portal_http.wiring.databases import database

DATA = Path(__file__).parent.parent / "data"
SMALL = DATA / "small.jsonl"
KEY = "a key for tests that has thirty-two bytes or more"

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return what runs a command in an empty working directory, without settings but those given."""
    for name in list(os.environ):
        if name.startswith("PORTAL_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, given: bytes | None = None, **environment: str) -> Result:
        return CliRunner().invoke(main, arguments, input=given, env=environment, catch_exceptions=False)

    return run


@pytest.fixture
def furnished(run: Run) -> Run:
    assert run("import", str(SMALL)).exit_code == 0
    return run


def link_of(run: Run, *more: str) -> str:
    result = run("token", "create", "--company", "acme", "--client", "C-7", *more)
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout


def test_import_prints_one_line_a_type(run: Run) -> None:
    first = run("import", str(SMALL))
    again = run("import", str(SMALL))

    assert first.stdout.splitlines()[:2] == [
        "company: 3 created, 0 updated, 0 unchanged",
        "client: 4 created, 0 updated, 0 unchanged",
    ]
    assert again.stdout.splitlines()[-2:] == [
        "invoice: 0 created, 0 updated, 15 unchanged",
        "payment: 0 created, 0 updated, 8 unchanged",
    ]
    assert (first.exit_code, first.stderr, again.stderr) == (0, "", "")


def test_what_the_command_line_does_is_in_the_audit_log(furnished: Run) -> None:
    link_of(furnished, "--label", "For Lena")
    token_id = json.loads(furnished("token", "list", "--company", "acme", "--json").stdout)["id"]
    furnished("token", "rotate", "--company", "acme", token_id)
    furnished("token", "revoke", "--company", "acme", token_id)
    before = furnished("audit", "--company", "acme", "--json").stdout
    furnished("prune")
    furnished("import", str(SMALL))

    told = furnished("audit", "--company", "acme", "--json")
    shown = furnished("audit", "--company", "acme", "--client", "C-7")

    entries = [json.loads(line) for line in told.stdout.splitlines()]
    assert told.stdout == before
    assert [entry["action"] for entry in entries] == [
        "token.revoked",
        "token.rotated",
        "token.issued",
        "records.imported",
    ]
    assert {(entry["actor"]["type"], entry["actor"]["id"]) for entry in entries} == {("command_line", "command line")}
    assert [line.split("  ")[1:] for line in shown.stdout.splitlines()] == [
        [action, "token", token_id, "by", "command line"]
        for action in ("token.revoked", "token.rotated", "token.issued")
    ]


def test_import_prints_json_for_programs(run: Run) -> None:
    result = run("import", "--json", str(SMALL))

    assert json.loads(result.stdout)["quote"] == {"created": 9, "updated": 0, "unchanged": 0, "deleted": 0}


def test_import_tells_what_was_deleted(furnished: Run) -> None:
    line = b'{"type": "quote", "company_id": "acme", "id": "Q1", "deleted": true}'

    assert furnished("import", "-", given=line).stdout == "quote: 0 created, 0 updated, 0 unchanged, 1 deleted\n"


def test_a_dry_run_changes_nothing(run: Run) -> None:
    result = run("import", "--dry-run", str(SMALL))

    assert "company: 3 created, 0 updated, 0 unchanged" in result.stdout
    assert "dry run" in result.stderr
    assert run("export").stdout == ""


def test_a_refused_file_is_told_by_line_and_field_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "wrong.jsonl"
    file.write_bytes(SMALL.read_bytes() + b'{"type": "client", "company_id": "acme", "id": "a b", "name": "x"}\n')

    result = run("import", str(file))

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{file}:45: /id: must be 1-128 characters" in result.stderr
    assert "Nothing was changed." in result.stderr
    assert run("export").stdout == ""


def test_a_refused_file_is_told_to_programs(run: Run) -> None:
    result = run("import", "--json", "-", given=b"{}")

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "errors": [{"file": "standard input", "line": 1, "pointer": "/type", "detail": "is required"}],
        "total": 1,
    }


def test_an_import_that_was_overtaken_says_how_far_it_came(furnished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    company = {"type": "company", "id": "new", "name": "New", "timezone": "UTC", "currency": "EUR"}
    client = {"type": "client", "company_id": "new", "id": "C", "name": "C"}
    late = [{**client, "id": "late"}]

    @contextmanager
    def overtaken() -> Generator[Callable[[str, int], None]]:
        def progress(what: str, _: int) -> None:
            if what == "keeping" and late:
                with database(load_settings()) as transactions:
                    import_records(transactions, [("late", io.BytesIO(json.dumps(late.pop()).encode()))])

        yield progress

    furnished("import", "-", given=f"{json.dumps(company)}\n{json.dumps(client)}".encode())
    monkeypatch.setattr(importing, "TRANSACTION", 1)
    monkeypatch.setattr(telling, "progress", overtaken)
    gone = [
        {"type": kind, "company_id": "new", "id": each, "deleted": True}
        for kind, each in (("company", "new"), ("client", "C"))
    ]

    result = furnished("import", "--json", "-", given="\n".join(map(json.dumps, gone)).encode())

    assert result.exit_code == 1
    assert "1 records, all of whole clients, were taken in before that" in result.stderr
    told = json.loads(result.stdout)
    assert told["kept"] == {"client": {"created": 0, "updated": 0, "unchanged": 0, "deleted": 1}}
    assert (told["errors"][0]["line"], told["total"]) == (1, 1)


def test_import_takes_a_sheet_whose_columns_have_names_of_their_own(furnished: Run, tmp_path: Path) -> None:
    sheet, names = tmp_path / "clients.csv", tmp_path / "columns.toml"
    sheet.write_text("No.;Name\nC-100;Harbour\nC-101;Quay\n", encoding="utf-8-sig")
    names.write_text('"No." = "id"\nName = "name"\n', encoding="utf-8")
    command = ["import", str(sheet), "--type", "client", "--company", "acme", "--map", str(names)]

    preview = furnished(*command, "--dry-run")
    results = [furnished(*command) for _ in range(2)]

    assert (preview.stdout, preview.exit_code) == ("client: 2 created, 0 updated, 0 unchanged\n", 0)
    assert [each.stdout for each in results] == [
        "client: 2 created, 0 updated, 0 unchanged\n",
        "client: 0 created, 0 updated, 2 unchanged\n",
    ]


def test_import_tells_what_is_wrong_with_a_sheet_by_line_and_column(furnished: Run) -> None:
    sheet = b"id,name,email\nC-100,Harbour,\nC-101,Quay,nowhere\n"

    result = furnished("import", "-", "--type", "client", "--company", "acme", "--json", given=sheet)

    assert result.exit_code == 1
    assert "standard input:3: email: " in result.stderr
    assert [(each["line"], each["pointer"]) for each in json.loads(result.stdout)["errors"]] == [(3, "email")]


@pytest.mark.parametrize(
    "options,wrong",
    [
        (["--type", "decision", "--company", "acme"], "--type"),
        (["--company", "acme"], "--type"),
        (["--type", "client"], "--company"),
        (["--type", "client", "--company", ".."], "--company"),
        (["--type", "client", "--company", "acme", "--map", "1.toml"], "--map"),
        (["--type", "client", "--company", "acme", "--map", "2.toml"], "--map"),
    ],
)
def test_import_of_a_sheet_has_to_be_told_what_it_is(run: Run, options: list[str], wrong: str) -> None:
    Path("1.toml").write_text("No. = id", encoding="utf-8")
    Path("2.toml").write_text("[columns]\nid = 1", encoding="utf-8")

    result = run("import", "-", *options, given=b"id,name\n")

    assert (result.exit_code, wrong in result.stderr) == (2, True)


def test_import_of_no_file_is_wrong_usage(run: Run) -> None:
    assert run("import").exit_code == 2
    assert run("import", "nowhere.jsonl").exit_code == 2


def test_export_gives_back_what_was_imported(furnished: Run) -> None:
    exported = furnished("export").stdout

    counts = furnished("import", "--json", "-", given=exported.encode())

    for row in json.loads(counts.stdout).values():
        assert [name for name, count in row.items() if count] == ["unchanged"]
    assert furnished("export").stdout == exported


def test_export_of_one_client(furnished: Run) -> None:
    exported = furnished("export", "--company", "acme", "--client", "C-8").stdout

    assert [json.loads(line)["id"] for line in exported.splitlines()] == ["acme", "C-8"]
    assert furnished("export", "--client", "nobody").exit_code == 1


def test_export_with_decisions_is_for_reading(furnished: Run, tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "portal.sqlite3")
    assert database.execute("SELECT count(*) FROM portal_decisions").fetchone() == (0,)
    database.close()

    assert furnished("export", "--decisions").stdout == furnished("export").stdout


def test_everything_about_a_client_is_exported(furnished: Run) -> None:
    link = link_of(furnished)

    result = furnished("export", "--company", "acme", "--client", "C-7", "--everything")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert {"company", "client", "token", "audit_entry", "event"} <= {line["type"] for line in lines}
    assert link.strip().rpartition("/")[2] not in result.stdout
    assert furnished("export", "--company", "acme", "--client", "nobody", "--everything").exit_code == 1


@pytest.mark.parametrize("options", [[], ["--company", "acme"], ["--client", "C-7"]])
def test_everything_is_about_one_client(furnished: Run, options: list[str]) -> None:
    result = furnished("export", "--everything", *options)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "give --company and --client" in result.stderr


def test_a_client_is_erased_when_it_is_confirmed(furnished: Run) -> None:
    link_of(furnished, "--label", "For Ada")
    erase = ("erase", "--company", "acme", "--client", "C-7")

    refused = furnished(*erase, given=b"n\n")
    kept = furnished("export", "--client", "C-7").stdout
    done = furnished(*erase, given=b"y\n")

    client = json.loads(furnished("export", "--client", "C-7").stdout.splitlines()[1])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert '"name":"C-7"' not in kept
    assert (done.exit_code, done.stdout) == (0, "")
    assert "Erased tokens: 1, client: 1, events: 1." in done.stderr
    assert (client["name"], client["email"]) == ("C-7", None)
    assert "client.erased" in furnished("audit", "--company", "acme").stdout


def test_programs_erase_without_being_asked(furnished: Run) -> None:
    erase = ("erase", "--company", "acme", "--client", "C-7", "--yes")

    first, second, third = (furnished(*erase, *more) for more in (["--json"], ["--json"], []))

    assert json.loads(first.stdout)["client"] == 1
    assert set(json.loads(second.stdout).values()) == {0}
    assert (third.exit_code, third.stderr) == (0, "There was nothing left to erase.\n")


@pytest.mark.parametrize("more", [[], ["--yes"]])
def test_nobody_is_erased_who_is_not_there(furnished: Run, more: list[str]) -> None:
    result = furnished("erase", "--company", "acme", "--client", "nobody", *more)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no client 'nobody' here." in result.stderr


def test_a_link_is_printed_alone(furnished: Run) -> None:
    assert re.fullmatch(rf"http://127\.0\.0\.1:8000/p/{PATTERN}\n", link_of(furnished))


def test_a_link_begins_with_the_public_address(furnished: Run) -> None:
    result = furnished(
        "token", "create", "--company", "acme", "--client", "C-7", PORTAL_PUBLIC_URL="https://portal.example/x/"
    )

    assert result.stdout.startswith("https://portal.example/x/p/cpt_")


def test_a_link_is_told_as_the_api_tells_it(furnished: Run) -> None:
    options = ["--without", "view_payments", "--without", "accept_quotes", "--label", " For Ada "]

    data = json.loads(link_of(furnished, "--json", *options))["data"]

    assert set(data) == {"id", "client_id", "label", "permissions", "expires_at", "created_at", "token", "url"}
    assert data["label"] == "For Ada"
    assert [name for name, granted in data["permissions"].items() if not granted] == ["accept_quotes", "view_payments"]


@pytest.mark.parametrize(
    "options, status",
    [
        (["--without", "view_everything"], 2),
        (["--expires", "tomorrow"], 2),
        (["--expires", "2000-01-01T00:00:00Z"], 1),
        (["--expires", "2999-01-01T00:00:00Z"], 1),
        (["--label", " "], 2),
    ],
)
def test_a_link_that_cannot_be_is_refused(furnished: Run, options: list[str], status: int) -> None:
    result = furnished("token", "create", "--company", "acme", "--client", "C-7", *options)

    assert (result.exit_code, result.stdout) == (status, "")
    assert result.stderr


def test_a_link_needs_a_client(furnished: Run) -> None:
    result = furnished("token", "create", "--company", "acme", "--client", "nobody")

    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no client 'nobody'" in result.stderr


def test_links_are_listed_without_their_secrets(furnished: Run) -> None:
    link = link_of(furnished, "--label", "For Ada").strip()

    listed = furnished("token", "list", "--company", "acme").stdout
    (row,) = map(json.loads, furnished("token", "list", "--company", "acme", "--json").stdout.splitlines())

    assert "For Ada" in listed
    assert link[-4:] in listed
    assert link[-10:] not in listed
    assert (row["state"], row["hint"]) == ("active", link[-4:])
    assert furnished("token", "list", "--company", "acme", "--state", "revoked").stdout == ""
    assert furnished("token", "list", "--company", "acme", "--client", "C-8").stdout == ""


def test_a_link_is_rotated_and_revoked(furnished: Run) -> None:
    first = json.loads(link_of(furnished, "--json"))["data"]

    second = furnished("token", "rotate", "--company", "acme", first["id"]).stdout.strip()
    revoked = furnished("token", "revoke", "--company", "acme", first["id"])

    assert second.startswith("http://127.0.0.1:8000/p/cpt_")
    assert second != first["url"]
    assert (revoked.exit_code, revoked.stdout) == (0, "")
    assert "revoked" in furnished("token", "list", "--company", "acme").stdout
    assert furnished("token", "rotate", "--company", "acme", first["id"]).exit_code == 1
    assert furnished("token", "revoke", "--company", "acme", "nothing").exit_code == 1


def test_an_admin_token_is_printed_alone(run: Run) -> None:
    result = run("admin-token", "--company", "acme", "--scope", "portal:read", PORTAL_ADMIN_JWT_KEY=KEY)

    claims = jwt.decode(result.stdout.strip(), KEY, algorithms=["HS256"], audience="portal")
    assert (claims["company_id"], claims["scope"]) == ("acme", "portal:read")
    assert result.stderr == ""


@pytest.mark.parametrize(
    "environment, said",
    [
        ({}, "PORTAL_ADMIN_JWT_KEY is not set"),
        ({"PORTAL_ADMIN_JWT_KEY": "short"}, "at least 32 bytes"),
        ({"PORTAL_ADMIN_JWT_KEY": KEY, "PORTAL_ADMIN_JWT_ALGORITHM": "RS256"}, "PORTAL_ADMIN_JWT_KEY"),
        ({"PORTAL_TOKEN_DAYS": "many"}, "PORTAL_TOKEN_DAYS"),
    ],
)
@pytest.mark.parametrize("command", [["admin-token", "--company", "acme"], ["serve", "--port", "0"]])
def test_without_a_strong_key_there_is_no_serving(
    run: Run, command: list[str], environment: dict[str, str], said: str
) -> None:
    result = run(*command, **environment)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_several_workers_need_limits_that_they_share(run: Run) -> None:
    result = run("serve", "--workers", "2", PORTAL_ADMIN_JWT_KEY=KEY)

    assert result.exit_code == 2
    assert "PORTAL_RATE_LIMIT_URL" in result.stderr


def test_serving_needs_a_database_that_was_set_up(run: Run) -> None:
    result = run("serve", "--port", "0", PORTAL_ADMIN_JWT_KEY=KEY)

    assert result.exit_code == 1
    assert "portal migrate" in result.stderr


def test_an_outdated_database_is_refused(furnished: Run, tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "portal.sqlite3")
    with database:
        database.execute("UPDATE portal_version SET version_num = '0000'")
    database.close()

    for command in (["export"], ["import", str(SMALL)], ["token", "list", "--company", "acme"], ["prune"]):
        result = furnished(*command)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "portal migrate" in result.stderr


@pytest.mark.parametrize("url", ["sqlite:///nowhere/portal.sqlite3", "sqlite:///portal.toml"])
def test_a_database_that_cannot_be_used_is_told_in_a_sentence(run: Run, tmp_path: Path, url: str) -> None:
    (tmp_path / "portal.toml").write_text("# no database, and long enough to be none\n" * 20)

    result = run("export", PORTAL_DATABASE_URL=url)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "PORTAL_DATABASE_URL" in result.stderr


def test_migrating_twice_is_fine(run: Run) -> None:
    assert run("migrate").exit_code == run("migrate").exit_code == 0
    assert run("export").stdout == ""


def test_the_doctor_finds_nothing_wrong(furnished: Run) -> None:
    result = furnished("doctor", PORTAL_ADMIN_JWT_KEY=KEY)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "of 4 clients agree with their documents" in result.stdout


@pytest.mark.parametrize(
    "environment, said",
    [
        ({}, "staff's key"),
        ({"PORTAL_ADMIN_JWT_KEY": KEY, "PORTAL_LOG_FORMAT": "xml"}, "PORTAL_LOG_FORMAT"),
        ({"PORTAL_ADMIN_JWT_KEY": KEY, "PORTAL_PUBLIC_URL": "http://portal.example"}, "https"),
        ({"PORTAL_ADMIN_JWT_KEY": KEY, "PORTAL_DATABASE_URL": "sqlite:///none/x"}, "no such folder"),
        ({"PORTAL_ADMIN_JWT_KEY": KEY, "PORTAL_DATABASE_URL": "sqlite:///new.sqlite3"}, "portal migrate"),
        ({"PORTAL_ADMIN_JWT_KEY": KEY, "PORTAL_RATE_LIMIT_URL": "redis://127.0.0.1:1"}, "Redis does not answer"),
    ],
)
def test_the_doctor_tells_what_is_wrong(furnished: Run, environment: dict[str, str], said: str) -> None:
    result = furnished("doctor", **environment)

    assert result.exit_code == 1
    assert any(line.startswith("WRONG") and said in line for line in result.stdout.splitlines())


def test_the_doctor_compares_totals_with_the_facts(furnished: Run, tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "portal.sqlite3")
    with database:
        database.execute("UPDATE portal_invoices SET amount_due = amount_due + 1 WHERE id = 'I2'")
    database.close()

    result = furnished("doctor", PORTAL_ADMIN_JWT_KEY=KEY)

    assert result.exit_code == 1
    assert "client C-7 of company acme: invoice I2 differs" in result.stdout


def test_openapi_prints_the_document(run: Run) -> None:
    document = json.loads(run("openapi").stdout)

    assert document["openapi"].startswith("3.1")


def test_prune_forgets_old_answers(run: Run) -> None:
    result = run("prune")

    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "0 forgotten.\n")


@pytest.mark.parametrize(
    "command", ["demo", "serve", "import", "export", "migrate", "token", "admin-token", "doctor", "openapi", "prune"]
)
def test_every_command_has_a_help(run: Run, command: str) -> None:
    result = run(command, "--help")

    assert result.exit_code == 0
    assert len(result.stdout) > 100


def test_help_needs_no_heavy_library() -> None:
    program = "import sys, portal_http.cli; print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603 - ours

    assert {"alembic", "sqlalchemy", "uvicorn", "starlette", "jwt"}.isdisjoint(loaded.stdout.split())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, *arguments: str, **environment: str) -> Generator[subprocess.Popen[str]]:
    """Run the command in a process of its own; it is ended in order and must end well."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    command = [sys.executable, "-c", "from portal_http.cli import main; main()", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own program
        command,
        cwd=folder,
        env={**clean, "TMPDIR": str(folder), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


def ask(url: str, *, patience: float = 20.0) -> bytes:
    deadline = time.monotonic() + patience
    while True:
        try:
            with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own server
                body: bytes = answer.read()
                return body
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def test_the_demo_prints_a_link_that_works_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(tmp_path, "demo", "--port", "0") as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(9)]
        link, _, call = [line.strip() for line in told if "http" in line][:3]
        page = ask(link)
        dashboard = json.loads(ask(call.removeprefix("curl ")))

    assert "Harbour Café" in page.decode()
    assert dashboard["data"]["balances"][0]["overdue"]["amount"] != "0.00"
    assert not list(tmp_path.glob("portal-demo-*"))


def test_serving_logs_no_token_and_lets_an_import_run_beside_it(furnished: Run, tmp_path: Path) -> None:
    port = free_port()
    link = link_of(furnished).strip().replace(":8000", f":{port}")
    token = link.rpartition("/")[2]
    with running(tmp_path, "serve", "--port", str(port), PORTAL_ADMIN_JWT_KEY=KEY, PORTAL_LOG_FORMAT="json") as process:
        url = f"http://127.0.0.1:{port}/api/v1/customer-portal/view/{token}/dashboard"
        assert json.loads(ask(url))["data"]["client"]["name"] == "Byte & Sons"

        renamed = SMALL.read_text().replace("Byte & Sons", "Byte & Daughters").encode()
        assert furnished("import", "-", given=renamed).exit_code == 0

        assert json.loads(ask(url))["data"]["client"]["name"] == "Byte & Daughters"
        process.send_signal(signal.SIGTERM)
        _, logged = process.communicate(timeout=20)

    lines = [json.loads(line) for line in logged.splitlines()]
    assert lines
    assert token not in logged


PDF = b"%PDF-1.7 an invoice %%EOF"


def test_pdfs_are_attached_to_the_invoices_that_they_are_named_after(furnished: Run, tmp_path: Path) -> None:
    for name in ("I1.pdf", "I2.pdf", "scan.pdf"):
        (tmp_path / name).write_bytes(PDF)

    named = furnished("attach", "--company", "acme", "I1.pdf", "I2.pdf")
    told = furnished("attach", "--company", "acme", "--invoice", "I3", "scan.pdf")

    assert (named.exit_code, named.stderr) == (0, "2 attached.\n")
    assert (told.exit_code, told.stderr) == (0, "1 attached.\n")


def test_where_one_pdf_is_wrong_none_is_attached(furnished: Run, tmp_path: Path) -> None:
    (tmp_path / "I1.pdf").write_bytes(PDF)
    (tmp_path / "I2.pdf").write_bytes(b"%PDF- cut off")
    (tmp_path / "nowhere.pdf").write_bytes(PDF)
    (tmp_path / "I3.pdf").write_bytes(PDF.ljust(1024 * 1024) + b"%%EOF")

    result = furnished(
        "attach", "--company", "acme", "I1.pdf", "I2.pdf", "nowhere.pdf", "I3.pdf", PORTAL_DOCUMENT_MAX_MB="1"
    )

    assert result.exit_code == 1
    assert "I2.pdf: must be a whole PDF" in result.stderr
    assert "nowhere.pdf: There is no invoice 'nowhere' here." in result.stderr
    assert "I3.pdf: may have at most 1 MiB" in result.stderr
    assert "Nothing was attached." in result.stderr
    assert furnished("attach", "--company", "acme", "--invoice", "I1", "I1.pdf", "I2.pdf").exit_code == 2
