"""The mail server is spoken to over TLS wherever there is any, and a password is never said in clear to a stranger."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from attrs import evolve

from portal_adapters.smtp import smtp_server
from tests.mailserver import Postbox, closed_postbox, opened


def a_message(to: str = "ada@example.com") -> EmailMessage:
    message = EmailMessage(SMTP)
    message["From"], message["To"], message["Subject"] = "office@acme.example", to, "Grüße 😀"
    message.set_content("Grüße 😀")
    return message


@contextmanager
def speaking(*answers: bytes) -> Generator[tuple[str, list[bytes]]]:
    """Answer each line with the next of some answers, and give the address and what was heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            try:
                connection, _ = server.accept()
                with connection, connection.makefile("rb") as lines:
                    connection.sendall(b"220 ready\r\n")
                    for line, answer in zip(lines, answers, strict=False):
                        heard.append(line)
                        connection.sendall(answer)
            except OSError:
                return

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", heard
        thread.join(5)


@pytest.fixture
def postbox() -> Generator[Postbox]:
    with opened(closed_postbox()) as made:
        yield made


def test_a_message_arrives_as_it_was_written(postbox: Postbox) -> None:
    attempt = smtp_server(postbox.url).send(a_message())

    assert attempt.arrived
    assert postbox.taken[0]["subject"] == "Grüße 😀"


def test_an_address_is_taken_apart() -> None:
    whole = smtp_server("smtp+starttls://me:p%40ss@mail.example:2525")

    assert (whole.scheme, whole.host, whole.port, whole.user, whole.password) == (
        "smtp+starttls",
        "mail.example",
        2525,
        "me",
        "p@ss",
    )
    assert [smtp_server(f"{scheme}://x").port for scheme in ("smtp", "smtps", "smtp+starttls")] == [587, 465, 587]
    assert "p@ss" not in repr(whole)


def test_no_password_is_said_in_clear_but_on_this_machine() -> None:
    answers = (b"250-ready\r\n250 AUTH PLAIN\r\n", b"235 welcome\r\n", b"250 ok\r\n")
    with speaking(*answers) as (place, heard):
        smtp_server(f"smtp://me:secret@{place}").send(a_message())
    with speaking(*answers) as (place, heard_by_stranger):
        stranger = evolve(smtp_server(f"smtp://me:secret@{place}"), host="0.0.0.0")  # noqa: S104 - this machine, though it does not say so
        refused = stranger.send(a_message())

    assert any(line.startswith(b"AUTH") for line in heard)
    assert not any(line.startswith(b"AUTH") for line in heard_by_stranger)
    assert refused.problem is not None
    assert "TLS" in refused.problem
    assert not refused.final


def test_without_tls_nothing_is_sent_where_it_is_insisted_on(postbox: Postbox) -> None:
    attempt = smtp_server(postbox.url.replace("smtp", "smtp+starttls")).send(a_message())

    assert not attempt.arrived
    assert postbox.taken == []


def test_a_certificate_that_nobody_vouches_for_is_refused() -> None:
    with speaking(b"250-ready\r\n250 STARTTLS\r\n", b"220 go\r\n") as (place, heard):
        attempt = smtp_server(f"smtp://{place}").send(a_message())

    assert heard[-1].strip() == b"STARTTLS"
    assert not attempt.arrived


@pytest.mark.parametrize(
    "answers",
    [(b"554 no\r\n", b"554 no\r\n"), (b"250 ready\r\n", b"451 later\r\n"), (b"250 ready\r\n", b"500 what?\r\n")],
)
def test_a_server_that_does_not_want_it_now_is_asked_again(answers: tuple[bytes, ...]) -> None:
    with speaking(*answers) as (place, _):
        attempt = smtp_server(f"smtp://{place}").send(a_message())

    assert (attempt.arrived, attempt.final) == (False, False)


def test_a_name_that_the_server_cannot_take_is_given_up(postbox: Postbox) -> None:
    with speaking(b"250 ready\r\n", b"250 ok\r\n") as (place, _):
        attempt = smtp_server(f"smtp://{place}").send(a_message("zoë@example.com"))

    assert (attempt.arrived, attempt.final) == (False, True)
    assert postbox.taken == []


def test_what_was_taken_is_taken_however_the_server_says_goodbye(postbox: Postbox) -> None:
    postbox.goodbye = "500 rude"

    attempt = smtp_server(postbox.url).send(a_message())

    assert attempt.arrived
    assert len(postbox.taken) == 1


def test_nobody_at_the_port_is_a_failure() -> None:
    place = f"127.0.0.1:{closed_postbox().port}"

    attempts = [smtp_server(f"{scheme}://{place}").send(a_message()) for scheme in ("smtp", "smtps")]

    assert [(each.arrived, each.final) for each in attempts] == [(False, False)] * 2
