"""Webhooks from the command line, and what `portal deliver` and `portal serve` send."""

import json
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.http.test_cli import KEY, SMALL, Run, run, running
from tests.receiver import Receiver, receiving

__all__ = ["run"]

LOOPBACK = {"PORTAL_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8"}


@pytest.fixture(autouse=True)
def company(run: Run) -> None:
    assert run("import", str(SMALL)).exit_code == 0


@pytest.fixture
def receiver() -> Generator[Receiver]:
    with receiving() as made:
        yield made


def created(run: Run, url: str, *more: str) -> tuple[str, str]:
    """Create a webhook and return its id and secret."""
    result = run("webhook", "create", "--company", "acme", "--url", url, "--json", *more)
    assert result.exit_code == 0, result.stderr
    made = json.loads(result.stdout)["data"]
    return made["id"], made["secret"]


def test_a_webhook_is_created_listed_changed_and_removed(run: Run) -> None:
    alone = run("webhook", "create", "--company", "acme", "--url", "https://hooks.example/1")
    webhook_id, secret = created(run, "https://hooks.example/2", "--event", "quote.accepted", "--description", "CRM")

    listed = run("webhook", "list", "--company", "acme")
    changed = run(
        "webhook", "change", "--company", "acme", webhook_id, "--disable", "--all-events", "--url", "http://x.example"
    )
    shown = json.loads(run("webhook", "list", "--company", "acme", "--json").stdout.splitlines()[0])
    narrowed = run("webhook", "change", "--company", "acme", webhook_id, "--event", "token.issued")
    rotated = run("webhook", "rotate", "--company", "acme", webhook_id)
    removed = run("webhook", "remove", "--company", "acme", webhook_id)

    assert alone.stdout.startswith("whsec_")
    assert "https://hooks.example/2" in listed.stdout
    assert secret not in listed.stdout
    assert [each.exit_code for each in (changed, narrowed, removed)] == [0, 0, 0]
    assert (shown["enabled"], shown["events"], shown["url"]) == (False, None, "http://x.example")
    assert rotated.stdout.startswith("whsec_")
    assert rotated.stdout.strip() != secret
    assert webhook_id not in run("webhook", "list", "--company", "acme").stdout


def test_what_is_wrong_is_told_in_a_sentence(run: Run) -> None:
    wrong = run("webhook", "create", "--company", "acme", "--url", "ftp://hooks.example")
    unknown = run("webhook", "test", "--company", "acme", "none")
    nobody = run("webhook", "create", "--company", "nobody", "--url", "https://hooks.example")

    assert (wrong.exit_code, unknown.exit_code, nobody.exit_code) == (1, 1, 1)
    assert "There is no company 'nobody'" in nobody.stderr
    assert "http or https" in wrong.stderr
    assert "There is no webhook 'none' here." in unknown.stderr


def test_deliver_sends_what_is_due_and_ends(run: Run, receiver: Receiver) -> None:
    webhook_id, receiver.secret = created(run, receiver.address)
    receiver.answers = [410]
    run("webhook", "test", "--company", "acme", webhook_id)

    assert run("deliver", "--once", **LOOPBACK).exit_code == 0
    failed = run("webhook", "deliveries", "--company", "acme", webhook_id, "--state", "failed")
    run("webhook", "change", "--company", "acme", webhook_id, "--enable")
    replayed = run("webhook", "replay", "--company", "acme", webhook_id, failed.stdout.split()[0])
    assert run("deliver", "--once", **LOOPBACK).exit_code == 0

    (row,) = run("webhook", "deliveries", "--company", "acme", webhook_id, "--json").stdout.splitlines()
    assert "The receiver answered 410." in failed.stdout
    assert replayed.exit_code == 0
    assert json.loads(row)["state"] == "delivered"
    assert (len(receiver.taken), receiver.forged) == (1, 0)


@pytest.mark.parametrize("deliver", ["on", "off"])
def test_serving_sends_by_itself_unless_it_is_told_not_to(
    run: Run, receiver: Receiver, tmp_path: Path, deliver: str
) -> None:
    created(run, receiver.address)
    environment = {"PORTAL_ADMIN_JWT_KEY": KEY, "PORTAL_DELIVER": deliver, **LOOPBACK}

    with running(tmp_path, "serve", "--port", "0", **environment) as server:
        assert server.stderr is not None
        while "Listening at" not in server.stderr.readline():
            continue
        run("token", "create", "--company", "acme", "--client", "C-7")
        until = time.monotonic() + (10 if deliver == "on" else 3)
        while not receiver.taken and time.monotonic() < until:
            time.sleep(0.05)

    assert len(receiver.taken) == (deliver == "on")
