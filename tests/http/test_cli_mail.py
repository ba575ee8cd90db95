"""Links sent by e-mail from the command line."""

from collections.abc import Generator

import pytest

from tests.http.test_cli import SMALL, Run, run
from tests.mailserver import Postbox, closed_postbox, opened, text_of

__all__ = ["run"]


@pytest.fixture
def postbox() -> Generator[Postbox]:
    with opened(closed_postbox()) as made:
        yield made


def test_a_link_is_sent_when_it_is_made_and_again(run: Run, postbox: Postbox) -> None:
    mail = {"PORTAL_SMTP_URL": postbox.url, "PORTAL_MAIL_FROM": "portal@portal.example"}
    assert run("import", str(SMALL)).exit_code == 0
    made = run("token", "create", "--company", "acme", "--client", "C-7", "--send-to", "ada@example.com", **mail)
    token_id = run("token", "list", "--company", "acme").stdout.split()[0]
    again = run("token", "send", "--company", "acme", token_id, "--to", "bob@example.com", **mail)

    delivered = run("deliver", "--once", PORTAL_PUBLIC_URL="https://portal.example", **mail)

    assert [each.exit_code for each in (made, again, delivered)] == [0, 0, 0]
    assert sorted(to for _, (to,) in postbox.envelopes) == ["ada@example.com", "bob@example.com"]
    assert all("https://portal.example/p/cpt_" in text_of(mail) for mail in postbox.taken)


def test_where_no_mail_is_sent_from_none_is_promised_and_no_link_is_made(run: Run) -> None:
    assert run("import", str(SMALL)).exit_code == 0

    refused = run("token", "create", "--company", "acme", "--client", "C-7", "--send-to", "ada@example.com")

    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "PORTAL_SMTP_URL" in refused.stderr
    assert run("token", "list", "--company", "acme").stdout == ""
