"""A webhook is one signed request to the address that was checked, and whatever comes back is an attempt."""

import asyncio
import json
import socket
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from ipaddress import ip_network

import pytest
from attrs import evolve

from portal_adapters.clock import now
from portal_adapters.contract.builders import a_dispatch, a_webhook
from portal_adapters.webhook_sender import WebhookSender
from portal_core.domain.outbox import Attempt
from portal_core.use_cases.outbox import Parcel
from tests.receiver import Receiver, receiving

LOOPBACK = (ip_network("127.0.0.0/8"),)
OPEN = WebhookSender(allowed=LOOPBACK, patience=timedelta(seconds=5))
CLOSED = WebhookSender(patience=timedelta(seconds=5))


def send(url: str, sender: WebhookSender = OPEN) -> Attempt:
    parcel = Parcel(dispatch=a_dispatch(), webhook=a_webhook(url=url))
    return asyncio.run(sender.carry(parcel, now=now()))


@pytest.fixture
def receiver() -> Generator[Receiver]:
    with receiving(secret=a_webhook().secrets[0].text) as made:
        yield made


@contextmanager
def answering(content: bytes, *, pause: float = 0) -> Generator[str]:
    """Answer every connection with some bytes, one at a time if there is a pause, and give the address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)
                    try:
                        for part in [bytes([each]) for each in content] if pause else [content]:
                            connection.sendall(part)
                            stopped.wait(pause)
                    except OSError:
                        continue

        stopped = threading.Event()
        threading.Thread(target=answer, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        stopped.set()


def test_the_reference_library_takes_what_is_sent(receiver: Receiver) -> None:
    attempt = send(f"{receiver.address}/in?from=portal")

    assert attempt == Attempt(arrived=True, status=204)
    ((fields, body),) = receiver.taken
    assert json.loads(body) == a_dispatch().payload
    assert fields["webhook-id"] == a_dispatch().message_id
    assert fields["content-type"] == "application/json"
    assert receiver.forged == 0


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 429, 500, 503])
def test_whatever_is_no_success_is_a_failure_and_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    receiver.answers, receiver.fields = [status], {"Location": receiver.address}

    attempt = send(receiver.address)

    assert (attempt.arrived, attempt.status, attempt.final) == (False, status, False)
    assert receiver.connections == 1


def test_who_answers_410_is_gone(receiver: Receiver) -> None:
    receiver.answers = [410]

    attempt = send(receiver.address)

    assert (attempt.arrived, attempt.status, attempt.final, attempt.gone) == (False, 410, True, True)


def test_a_name_is_looked_up_once_and_the_address_that_was_checked_is_the_one_connected_to(
    receiver: Receiver,
) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> Sequence[str]:
        del port
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    attempt = send(receiver.address.replace("127.0.0.1", "rebinds.example"), evolve(OPEN, resolve=rebinding))

    assert attempt.arrived
    assert asked == ["rebinds.example"]
    assert receiver.taken[0][0]["host"].startswith("rebinds.example:")


def test_of_several_addresses_those_that_are_not_public_are_left_alone(receiver: Receiver) -> None:
    async def both(host: str, port: int) -> Sequence[str]:
        del host, port
        return ["::1", "10.0.0.1", "127.0.0.1"]

    assert send(receiver.address.replace("127.0.0.1", "several.example"), evolve(OPEN, resolve=both)).arrived


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "LOCALHOST.",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "0.0.0.0",  # noqa: S104 - nobody listens there
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
def test_no_way_of_writing_this_machine_leads_to_it(receiver: Receiver, host: str) -> None:
    attempt = send(receiver.address.replace("127.0.0.1", host), CLOSED)

    assert not attempt.arrived
    assert attempt.problem is not None
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "169.254.169.254", "192.168.0.1", "172.16.0.1", "100.64.0.1", "224.0.0.1", "fe80::1", "fd00::1"],
)
def test_a_name_that_leads_to_a_network_of_ones_own_is_refused_before_any_connection(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        del host, port
        return [address]

    async def connect(*_: object, **__: object) -> None:
        pytest.fail("somebody was connected to")

    monkeypatch.setattr(asyncio, "open_connection", connect)

    attempt = send("https://inside.example", evolve(CLOSED, resolve=resolve))

    assert attempt.problem is not None
    assert "public Internet" in attempt.problem


def test_proxies_of_the_environment_are_not_asked(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert send(receiver.address).arrived


@pytest.mark.parametrize(
    "content", [b"", b"HTTP/1.1 200", b"220 mail.example ESMTP\r\n", b"HTTP/1.1 200 OK\r\n" + b"a" * 100_000]
)
def test_an_answer_that_is_none_is_a_failure(content: bytes) -> None:
    with answering(content) as address:
        assert not send(address).arrived


def test_the_body_of_an_answer_is_not_waited_for() -> None:
    with answering(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx") as address:
        assert send(address).arrived


def test_an_answer_that_drips_is_given_up_after_the_patience_in_all() -> None:
    hasty = evolve(OPEN, patience=timedelta(seconds=0.5))

    with answering(b"HTTP/1.1 200 OK" + b" " * 100, pause=0.05) as address:
        attempt = send(address, hasty)

    assert attempt.problem == "There was no answer in time."


def test_who_does_not_speak_tls_or_is_not_there_is_a_failure(receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"

    problems = [send(each).problem for each in (receiver.address.replace("http", "https"), nobody)]

    assert problems[0] is not None
    assert problems[0].startswith("TLS failed")
    assert problems[1] is not None
    assert problems[1].startswith("There is no connection")


@pytest.mark.parametrize(
    "url", ["http://a..b", "http://" + "a" * 64 + ".example", "http://x:99999", "http://nowhere.invalid"]
)
def test_an_address_that_leads_nowhere_is_a_failure(url: str) -> None:
    assert not send(url).arrived


def test_a_parcel_without_a_webhook_is_given_up() -> None:
    attempt = asyncio.run(OPEN.carry(Parcel(dispatch=a_dispatch()), now=now()))

    assert (attempt.arrived, attempt.final) == (False, True)
