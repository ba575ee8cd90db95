"""E-mail: links for clients and notices, each once, whatever the mail server does, and no secret anywhere else."""

import asyncio
import re
import sqlite3
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from attrs import evolve

from portal_adapters import clock
from portal_adapters.contract.builders import a_client, a_company, a_quote
from portal_adapters.contract.feeding import prepare
from portal_adapters.randomness import RandomMint
from portal_adapters.smtp import smtp_server
from portal_adapters.sqlalchemy import SqliteRunner, migrate, open_sqlite
from portal_adapters.sqlalchemy.store import SqlTransactions
from portal_core.domain.outbox import PROBLEM_LENGTH, Attempt, Channel, Schedule
from portal_core.domain.records import Fact
from portal_core.domain.tokens import PATTERN
from portal_core.ports import Runner
from portal_core.use_cases.access import LinkLife, NewGrant, issue_link
from portal_core.use_cases.mail import queue_link
from portal_http.courier import Courier
from portal_http.mail import MailCarrier
from portal_http.pages.languages import languages_of
from portal_http.pages.letters import Scribe
from portal_http.pages.rendering import Templates
from portal_http.runners import InlineRunner
from tests.http.world import BASE, UNLIMITED, Reply, World, code, everything, places
from tests.mailserver import Postbox, closed_postbox, html_of, opened, text_of

STAFF = "office@acme.example"
CLIENT = "ada@northwind.example"
AT_ONCE = Schedule((timedelta(0),) * 3)
A_TOKEN = re.compile(PATTERN)


def a_world() -> World:
    world = World()
    world.clock.at = clock.now()
    feed(world, *everything())
    return world


def feed(world: World, *facts: Fact) -> None:
    """Feed some facts, beside parties that have addresses."""
    world.feed(a_company(email=STAFF), a_client(email=CLIENT), *facts)


@pytest.fixture
def world() -> Generator[World]:
    made = a_world()
    with made.http:
        yield made


@pytest.fixture
def postbox() -> Generator[Postbox]:
    with opened(closed_postbox()) as made:
        yield made


def courier_of(
    runner: Runner,
    world: World,
    postbox: Postbox,
    sender: str | None = None,
    send: Callable[[EmailMessage], Attempt] | None = None,
) -> Courier:
    scribe = Scribe(templates=Templates(), languages=languages_of(()), public_url="https://portal.example")
    carrier = MailCarrier(runner=runner, scribe=scribe, send=send or smtp_server(postbox.url).send, sender=sender)
    return Courier(
        runner=runner,
        clock=world.clock,
        carriers={Channel.MAIL: carrier},
        jitter=lambda: 1,
        schedule=AT_ONCE,
        pause=timedelta(milliseconds=10),
    )


def deliver(world: World, postbox: Postbox, sender: str | None = None) -> None:
    courier = courier_of(InlineRunner(world.transactions), world, postbox, sender)
    asyncio.run(courier.run_once())


def issue(world: World, **more: object) -> Reply:
    answer = world.staff("POST", "/tokens", json={"client_id": "northwind", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def token_in(text: str) -> str:
    (token,) = set(A_TOKEN.findall(text))
    return str(token)


def opens(world: World, token: str) -> bool:
    return bool(world.http.get(f"{BASE}/view/{token}").status_code == 200)


def test_a_link_is_sent_to_whom_it_is_issued_for(world: World, postbox: Postbox) -> None:
    told = issue(world, send_to="buyer@northwind.example")

    deliver(world, postbox)

    (mail,) = postbox.taken
    sent = token_in(text_of(mail))
    assert f"https://portal.example/p/{sent}" in html_of(mail)
    assert sent != told["token"]
    assert [opens(world, each) for each in (sent, told["token"])] == [True, True]
    assert mail["subject"] == "Company acme shares documents with you"
    assert mail["to"].addresses[0].addr_spec == "buyer@northwind.example"
    assert (mail["from"].addresses[0].display_name, mail["from"].addresses[0].addr_spec) == ("Company acme", STAFF)
    assert postbox.envelopes == [(STAFF, ["buyer@northwind.example"])]
    assert mail["auto-submitted"] == "auto-generated"


def test_a_link_is_sent_again_with_a_fresh_secret_and_the_earlier_ones_live_on(world: World, postbox: Postbox) -> None:
    told = issue(world)

    answers = [
        world.staff("POST", f"/tokens/{told['id']}/send", json=body) for body in ({}, {"send_to": "x@y.example"})
    ]
    deliver(world, postbox)

    tokens = [token_in(text_of(mail)) for mail in postbox.taken]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert [answer.json()["data"]["id"] for answer in answers] == [told["id"]] * 2
    assert sorted(to for _, (to,) in postbox.envelopes) == [CLIENT, "x@y.example"]
    assert len({*tokens, told["token"]}) == 3
    assert all(opens(world, token) for token in (*tokens, told["token"]))


def test_a_request_that_comes_twice_is_sent_once(world: World, postbox: Postbox) -> None:
    body, key = {"client_id": "northwind", "send_to": CLIENT}, {"Idempotency-Key": "1"}
    for _ in range(2):
        assert world.staff("POST", "/tokens", json=body, headers=key).status_code == 201

    deliver(world, postbox)

    assert len(postbox.taken) == 1


def test_what_cannot_be_sent_is_refused(world: World) -> None:
    told = issue(world)
    path = f"/tokens/{told['id']}/send"
    feed(world, a_client(email=None))
    nobody = world.staff("POST", path, json={})
    wrong = world.staff("POST", path, json={"send_to": "ada@example.com\nBcc: eve@example.com"})
    unknown = world.staff("POST", "/tokens/none/send", json={"send_to": CLIENT})
    world.pass_time(days=91)
    expired = world.staff("POST", path, json={"send_to": CLIENT})
    world.staff("DELETE", f"/tokens/{told['id']}")
    revoked = world.staff("POST", path, json={"send_to": CLIENT})

    assert (places(nobody), places(wrong)) == (["/send_to"], ["/send_to"])
    assert [code(each) for each in (unknown, expired, revoked)] == ["not_found", "not_open", "revoked"]


def test_where_no_mail_is_sent_from_nothing_is_promised() -> None:
    world = World(evolve(UNLIMITED, mail=False))
    told = issue(world)

    issued = world.staff("POST", "/tokens", json={"client_id": "northwind", "send_to": CLIENT})
    sent = world.staff("POST", f"/tokens/{told['id']}/send", json={"send_to": CLIENT})

    assert (places(issued), places(sent)) == (["/send_to"], ["/send_to"])
    assert world.staff("GET", "/tokens").json()["meta"]["total"] == 1


def test_a_link_that_is_revoked_meanwhile_is_not_sent(world: World, postbox: Postbox) -> None:
    told = issue(world, send_to=CLIENT)
    world.staff("DELETE", f"/tokens/{told['id']}")

    deliver(world, postbox)

    assert postbox.taken == []


def test_staff_are_told_once_of_each_thing_that_a_client_does(world: World, postbox: Postbox) -> None:
    link = world.link()
    feed(world, a_quote("Q2"))
    world.http.post(f"{link}/quotes/Q1/accept", json={"name": "Zoë Quist", "purchase_order": "PO-7", "comment": "Soon"})
    world.http.post(f"{link}/quotes/Q2/decline", json={"reason": "Too dear"})
    world.http.post(f"{link}/feedback", json={"subject": "Where?", "message": "Where is it?"})

    deliver(world, postbox)
    deliver(world, postbox)

    mails = {str(mail["subject"]): text_of(mail) for mail in postbox.taken}
    assert [to for _, to in postbox.envelopes] == [[STAFF]] * 3
    accepted, declined = (
        mails[f"Client northwind {word} quote N-Q{n}"] for word, n in (("accepted", 1), ("declined", 2))
    )
    assert "Zoë Quist" in accepted
    assert "PO-7" in accepted
    assert "> Soon" in accepted
    assert "> Too dear" in declined
    assert "> Where is it?" in mails["Client northwind wrote: Where?"]


def test_a_client_is_told_once_of_a_reply_and_gets_no_link(world: World, postbox: Postbox) -> None:
    ticket = world.http.post(f"{world.link()}/feedback", json={"subject": "Where?", "message": "x"}).json()["data"]
    deliver(world, postbox)
    world.staff("POST", f"/feedback/{ticket['id']}/replies", json={"message": "On its way"})

    deliver(world, postbox)
    deliver(world, postbox)

    (mail,) = postbox.taken[1:]
    assert postbox.envelopes[1] == (STAFF, [CLIENT])
    assert mail["subject"] == "Company acme has answered you"
    assert "Where?" in text_of(mail)
    assert A_TOKEN.search(mail.as_string()) is None
    assert "http" not in text_of(mail)


@pytest.mark.parametrize(
    "language, subject, direction",
    [
        ("fr", "Company acme partage des documents avec vous", "ltr"),
        ("de", "Company acme stellt Ihnen Dokumente bereit", "ltr"),
        ("ar", "تشارك Company acme مستندات معكم", "rtl"),
    ],
)
def test_a_client_is_written_to_in_their_language(
    world: World, postbox: Postbox, language: str, subject: str, direction: str
) -> None:
    feed(world, a_client(email=CLIENT, locale=language))
    issue(world, send_to=CLIENT)

    deliver(world, postbox)

    (mail,) = postbox.taken
    assert mail["subject"] == subject
    assert f'<html lang="{language}" dir="{direction}">' in html_of(mail)


def test_nothing_that_anybody_writes_becomes_a_header_or_markup(world: World, postbox: Postbox) -> None:
    evil = 'x\r\nBcc: eve@example.com\r\n\r\n<script>"'
    name = evil.replace("\r", "")
    feed(world, a_company(email=STAFF, name=name), a_client(email=CLIENT, name=name), a_quote("Q3", number=name))
    link = world.link()
    world.http.post(f"{link}/quotes/Q3/accept", json={"name": "<script>", "comment": name})
    world.http.post(f"{link}/feedback", json={"subject": name, "message": evil})
    issue(world, send_to=CLIENT)

    deliver(world, postbox)

    assert len(postbox.taken) == 3
    for mail, (_, receivers) in zip(postbox.taken, postbox.envelopes, strict=True):
        assert mail["bcc"] is None
        assert receivers in ([STAFF], [CLIENT])
        assert "<script>" not in html_of(mail)


def test_a_mail_server_that_is_away_loses_nothing(world: World) -> None:
    postbox = closed_postbox()
    link = world.link()
    for number in range(10):
        world.http.post(f"{link}/feedback", json={"subject": f"subject {number}", "message": "x"})
        issue(world, send_to=f"buyer{number}@northwind.example")

    async def scene() -> None:
        courier = courier_of(InlineRunner(world.transactions), world, postbox)
        courier.schedule = Schedule((timedelta(milliseconds=1),) * 10_000)
        work = asyncio.create_task(courier.run())
        for _ in range(30):
            await asyncio.sleep(0.02)
            world.pass_time(seconds=1)
        assert postbox.taken == []
        with opened(postbox):
            while len(postbox.taken) < 20:
                await asyncio.sleep(0.02)
                world.pass_time(seconds=1)
            courier.stop()
            await work

    asyncio.run(asyncio.wait_for(scene(), 60))

    receivers = sorted(to for _, (to,) in postbox.envelopes)
    assert receivers == sorted([STAFF] * 10 + [f"buyer{number}@northwind.example" for number in range(10)])
    assert len({str(mail["message-id"]) for mail in postbox.taken}) == 20
    links = [text_of(mail) for mail in postbox.taken if "shares documents" in str(mail["subject"])]
    assert all(opens(world, token_in(text)) for text in links)


def test_mail_servers_that_hang_leave_the_threads_of_the_loop_alone(world: World) -> None:
    def hang(message: EmailMessage) -> Attempt:
        del message
        hanging.set()
        released.wait()
        return Attempt(arrived=True)

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        courier = courier_of(InlineRunner(world.transactions), world, closed_postbox(), send=hang)
        work = asyncio.create_task(courier.run_once())
        while not hanging.is_set():  # noqa: ASYNC110 - another thread sets it
            await asyncio.sleep(0.01)
        await asyncio.wait_for(asyncio.to_thread(released.set), 10)
        await work

    hanging, released = threading.Event(), threading.Event()
    issue(world, send_to=CLIENT)

    asyncio.run(scene())

    assert released.is_set()


def test_an_address_that_is_refused_is_given_up_and_one_that_is_greylisted_tried_again(
    world: World, postbox: Postbox
) -> None:
    postbox.refusals = {"no@x.example": "550 No such user", "later@x.example": "451 Try again later"}
    for address in postbox.refusals:
        issue(world, send_to=address)

    deliver(world, postbox)

    with world.transaction() as store:
        kept = {each.target: each for each in store.outbox.tables.dispatches.values() if each.type == "link"}
    assert (kept["no@x.example"].attempts, kept["later@x.example"].attempts) == (1, 4)
    assert kept["no@x.example"].problem == "The address was refused: 550 No such user"


@pytest.mark.parametrize("whose", ["reader", "sender"])
def test_an_address_that_is_kept_but_cannot_be_written_is_given_up_and_leaves_no_secret(
    world: World, postbox: Postbox, whose: str
) -> None:
    told = issue(world, send_to=CLIENT)
    with world.transaction() as store:
        if whose == "sender":
            store.intake.save([a_company(email="a..b@example.com")])
        else:
            (dispatch,) = [each for each in store.outbox.tables.dispatches.values() if each.type == "link"]
            store.dispatches.add([evolve(dispatch, target="a..b@example.com")])

    deliver(world, postbox)

    with world.transaction() as store:
        (kept,) = [each for each in store.outbox.tables.dispatches.values() if each.type == "link"]
        secrets = store.grants.get(a_company().id, told["id"]).secrets
    assert (kept.state, kept.attempts, len(secrets)) == ("failed", 1, 1)
    assert "header" in kept.problem
    assert postbox.taken == []


@pytest.mark.parametrize(
    "address, envelope",
    [
        ("a@Bücher.example", "a@xn--bcher-kva.example"),
        ("a@straße.example", "a@straße.example"),
        ("a@[127.0.0.1]", "a@[127.0.0.1]"),
        ("!#$%&'*+/=?^_`{|}~-@example.com", "!#$%&'*+/=?^_`{|}~-@example.com"),
    ],
)
def test_a_domain_goes_out_in_ascii_unless_that_were_another(
    world: World, postbox: Postbox, address: str, envelope: str
) -> None:
    issue(world, send_to=address)

    deliver(world, postbox)

    assert [to for _, to in postbox.envelopes] == [[envelope]]


@pytest.mark.parametrize("address", ["a..b@example.com", "jö@exämple.com"])
def test_no_mail_is_promised_to_what_is_no_address(world: World, address: str) -> None:
    assert places(world.staff("POST", "/tokens", json={"client_id": "northwind", "send_to": address})) == ["/send_to"]


def test_what_a_mail_server_says_is_kept_without_control_characters_and_tokens(world: World) -> None:
    token = issue(world, send_to=CLIENT)["token"]

    def refuse(message: EmailMessage) -> Attempt:
        del message
        return Attempt(arrived=False, problem=f"450 no \x00 nul {token} {'x' * 9_999}", final=True)

    courier = courier_of(InlineRunner(world.transactions), world, closed_postbox(), send=refuse)
    asyncio.run(courier.run_once())

    with world.transaction() as store:
        (problem,) = {each.problem for each in store.outbox.tables.dispatches.values() if each.type == "link"}
    assert problem.startswith("450 no nul [token] xxx")
    assert len(problem) <= PROBLEM_LENGTH


def test_a_company_without_an_address_writes_from_that_of_the_settings(world: World, postbox: Postbox) -> None:
    feed(world, a_company(email=None))
    issue(world, send_to=CLIENT)
    world.http.post(f"{world.link()}/quotes/Q1/accept", json={"name": "x"})

    deliver(world, postbox, "portal@portal.example")

    assert postbox.envelopes == [("portal@portal.example", [CLIENT])]


def test_without_any_address_to_write_from_nothing_is_sent(world: World, postbox: Postbox) -> None:
    feed(world, a_company(email=None))
    issue(world, send_to=CLIENT)

    deliver(world, postbox)

    assert postbox.taken == []


def test_what_happened_long_ago_is_told_to_nobody(world: World, postbox: Postbox) -> None:
    world.http.post(f"{world.link()}/quotes/Q1/accept", json={"name": "x"})
    world.pass_time(days=8)

    deliver(world, postbox)

    assert postbox.taken == []


def test_the_secret_is_in_the_mail_and_nowhere_in_the_database(tmp_path: Path, world: World, postbox: Postbox) -> None:
    engine = open_sqlite(tmp_path / "portal.sqlite3")
    migrate(engine)
    transactions = SqlTransactions(engine, RandomMint())
    prepare(transactions, a_company(email=STAFF), a_client(email=CLIENT))
    with transactions.begin() as store:
        asked = NewGrant(client_id=a_client().id)
        link = issue_link(store, a_company().id, asked, LinkLife(), now=world.clock())
        queue_link(store, a_company().id, link.grant.id, send_to=CLIENT, now=world.clock())
    runner = SqliteRunner(engine, RandomMint())

    asyncio.run(courier_of(runner, world, postbox).run_once())
    runner.close()

    token = token_in(text_of(postbox.taken[0]))
    connection = sqlite3.connect(tmp_path / "portal.sqlite3")
    dump = "\n".join(connection.iterdump())
    connection.close()
    assert link.grant.id in dump
    assert A_TOKEN.search(dump) is None
    for path in tmp_path.iterdir():
        content = path.read_bytes()
        assert token[4:-6].encode() not in content
        assert link.token[4:-6].encode() not in content
