"""Webhooks: what staff say about them, and that events arrive, signed, once, and in spite of whatever fails."""

import asyncio
import gc
import json
from collections import Counter
from collections.abc import Callable, Generator
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, TypeVar

import pytest
from attrs import evolve

from portal_adapters import clock
from portal_adapters.contract.builders import COMPANY, OTHER_COMPANY
from portal_adapters.webhook_sender import WebhookSender
from portal_core.domain.errors import Busy
from portal_core.domain.events import Event
from portal_core.domain.outbox import Attempt, Channel, Schedule
from portal_core.ports import Runner, Store
from portal_core.use_cases.outbox import Parcel
from portal_http.courier import PUT_OFF_FOR, Courier, HostCarrier
from portal_http.load import MOST_OF_ONE_COMPANY, MOST_TO_ONE
from portal_http.outside import Carrier
from portal_http.runners import InlineRunner
from tests.http.world import BASE, Reply, World, bearer, code, full_world, places
from tests.receiver import Receiver, receiving

LOOPBACK = WebhookSender(allowed=(ip_network("127.0.0.0/8"),))
T = TypeVar("T")

AT_ONCE = Schedule((timedelta(0),) * 3)


@pytest.fixture
def live() -> World:
    """Return a world whose clock goes, for receivers that look at timestamps."""
    world = full_world()
    world.clock.at = clock.now()
    return world


@pytest.fixture
def receiver() -> Generator[Receiver]:
    with receiving() as made:
        yield made


def courier_of(world: World, *, schedule: Schedule = AT_ONCE, **carriers: Carrier) -> Courier:
    chosen: dict[Channel, Carrier] = {Channel(name): carrier for name, carrier in carriers.items()}
    return Courier(
        runner=InlineRunner(world.transactions),
        clock=world.clock,
        carriers=chosen or {Channel.WEBHOOK: LOOPBACK},
        jitter=lambda: 1,
        schedule=schedule,
        pause=timedelta(milliseconds=10),
    )


def deliver(world: World, **how: Any) -> None:
    asyncio.run(courier_of(world, **how).run_once())


def listen(world: World, url: str, **more: Any) -> Reply:
    answer = world.staff("POST", "/webhooks", json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def accept(world: World) -> None:
    assert world.http.post(f"{world.link()}/quotes/Q1/accept", json={"name": "Zoë Quist"}).status_code == 200


def sent(world: World, webhook: Reply, query: str = "") -> list[Reply]:
    answer = world.staff("GET", f"/webhooks/{webhook['id']}/deliveries{query}")
    assert answer.status_code == 200
    rows: list[Reply] = answer.json()["data"]
    return rows


def test_a_webhook_is_added_and_its_secret_told_once(world: World) -> None:
    body = {"url": "https://hooks.example/in", "events": ["quote.accepted"], "description": "CRM"}

    first, again = (
        world.staff("POST", "/webhooks", json=body, headers={"Idempotency-Key": "1"}).json()["data"] for _ in range(2)
    )

    secret = first.pop("secret")
    assert secret.startswith("whsec_")
    assert again == {**first, "secret": None}
    assert first | {"id": "", "created_at": ""} == {
        **body,
        "id": "",
        "created_at": "",
        "enabled": True,
        "disabled_at": None,
        "disabled_because": None,
    }
    assert world.staff("GET", f"/webhooks/{first['id']}").json()["data"] == first
    assert world.staff("GET", "/webhooks").json()["data"] == [first]


@pytest.mark.parametrize(
    "body, wrong",
    [
        ({}, ["/url"]),
        ({"url": "ftp://hooks.example"}, ["/url"]),
        ({"url": "https://me@hooks.example"}, ["/url"]),
        ({"url": "https://hooks.example", "events": ["quote.sold"]}, ["/events/0"]),
        ({"url": "https://hooks.example", "events": []}, ["/events"]),
        ({"url": "https://hooks.example", "secret": "mine"}, ["/secret"]),
    ],
)
def test_what_is_wrong_with_a_webhook_is_named(world: World, body: dict[str, object], wrong: list[str]) -> None:
    assert places(world.staff("POST", "/webhooks", json=body)) == wrong


def test_a_webhook_is_changed_and_removed(world: World) -> None:
    webhook = listen(world, "https://hooks.example/in", events=["quote.accepted"], description="CRM")
    path = f"/webhooks/{webhook['id']}"

    disabled = world.staff("PATCH", path, json={"enabled": False, "events": None}).json()["data"]
    tested = world.staff("POST", f"{path}/test", json={})
    enabled = world.staff("PATCH", path, json={"enabled": True, "description": None}).json()["data"]
    removed = world.staff("DELETE", path)

    assert (disabled["enabled"], disabled["events"], disabled["description"]) == (False, None, "CRM")
    assert (tested.status_code, code(tested)) == (409, "not_open")
    assert (enabled["enabled"], enabled["description"], enabled["disabled_because"]) == (True, None, None)
    assert (removed.status_code, removed.content) == (204, b"")
    assert world.staff("GET", path).status_code == world.staff("DELETE", path).status_code == 404


def test_an_event_arrives_signed_with_what_the_api_tells_of_it(live: World, receiver: Receiver) -> None:
    receiver.secret = listen(live, f"{receiver.address}/in")["secret"]
    accept(live)

    deliver(live)

    events = [each for each in live.staff("GET", "/events").json()["data"] if each["type"] != "token.issued"]
    found = {fields["webhook-id"]: json.loads(body) for fields, body in receiver.taken}
    (event,) = events
    assert found[event["id"]] == {
        "type": "quote.accepted",
        "timestamp": event["occurred_at"],
        "data": {"client_id": event["client_id"], **event["data"]},
    }
    assert receiver.forged == 0


def test_a_webhook_hears_of_what_it_asked_for_since_it_asked(live: World, receiver: Receiver) -> None:
    live.token()
    live.pass_time(seconds=1)
    listen(live, receiver.address, events=["quote.accepted"])
    accept(live)

    deliver(live)

    assert [json.loads(body)["type"] for _, body in receiver.taken] == ["quote.accepted"]


def test_a_test_message_arrives_and_is_listed(live: World, receiver: Receiver) -> None:
    webhook = listen(live, receiver.address)
    queued = live.staff("POST", f"/webhooks/{webhook['id']}/test")

    deliver(live)

    (row,) = sent(live, webhook)
    assert queued.status_code == 202
    assert (row["type"], row["state"], row["attempts"], row["last_status"]) == ("webhook.test", "delivered", 1, 204)
    assert row["next_attempt_at"] is None
    assert receiver.ids == [row["event_id"]] == [queued.json()["data"]["event_id"]]


def test_both_secrets_sign_while_one_follows_the_other(live: World, receiver: Receiver) -> None:
    webhook = listen(live, receiver.address)
    rotated = live.staff("POST", f"/webhooks/{webhook['id']}/rotate", json={"overlap_seconds": 60}).json()["data"]
    for secret in (webhook["secret"], rotated["secret"]):
        receiver.secret = secret
        live.staff("POST", f"/webhooks/{webhook['id']}/test")
        deliver(live)
    live.pass_time(seconds=60)
    live.staff("POST", f"/webhooks/{webhook['id']}/test")
    deliver(live)

    assert webhook["secret"] != rotated["secret"]
    assert (len(receiver.taken), receiver.forged) == (3, 0)
    assert [len(fields["webhook-signature"].split()) for fields, _ in receiver.taken] == [2, 2, 1]


def test_what_fails_is_tried_again_under_the_same_id_and_then_given_up(live: World, receiver: Receiver) -> None:
    webhook = listen(live, receiver.address)
    receiver.answers = [500, 302, 404, 500, 500, 204]
    live.staff("POST", f"/webhooks/{webhook['id']}/test")

    deliver(live)
    (given_up,) = sent(live, webhook, "?state=failed")
    replayed = live.staff("POST", f"/webhooks/{webhook['id']}/deliveries/{given_up['id']}/replay")
    deliver(live)

    assert (given_up["attempts"], given_up["last_status"], given_up["last_error"]) == (
        4,
        500,
        "The receiver answered 500.",
    )
    assert (replayed.status_code, replayed.json()["data"]["state"]) == (202, "pending")
    (arrived,) = sent(live, webhook)
    assert (arrived["state"], arrived["attempts"]) == ("delivered", 2)
    assert receiver.ids == [given_up["event_id"]]


def test_a_failure_waits_by_the_schedule(live: World, receiver: Receiver) -> None:
    webhook = listen(live, receiver.address)
    receiver.answers = [500]
    live.staff("POST", f"/webhooks/{webhook['id']}/test")
    slow = Schedule((timedelta(seconds=5),))

    for seconds in (0, 4, 1):
        live.pass_time(seconds=seconds)
        deliver(live, schedule=slow)

    assert receiver.connections == 2
    assert sent(live, webhook)[0]["state"] == "delivered"


def test_what_is_due_to_others_is_delivered_behind_any_number_for_a_disabled_webhook(
    live: World, receiver: Receiver
) -> None:
    disabled, webhook = listen(live, "https://hooks.example/gone"), listen(live, receiver.address)
    for _ in range(5 * MOST_TO_ONE):
        live.staff("POST", f"/webhooks/{disabled['id']}/test")
    live.clock.at += timedelta(seconds=1)
    live.staff("POST", f"/webhooks/{webhook['id']}/test")
    live.staff("PATCH", f"/webhooks/{disabled['id']}", json={"enabled": False})

    deliver(live)

    assert {each["state"] for each in sent(live, disabled)} == {"failed"}
    assert [each["state"] for each in sent(live, webhook)] == ["delivered"]


def test_who_answers_410_is_disabled_and_told_nothing_more(live: World, receiver: Receiver) -> None:
    webhook = listen(live, receiver.address)
    receiver.answers = [410]
    live.staff("POST", f"/webhooks/{webhook['id']}/test")
    deliver(live)
    accept(live)

    deliver(live)

    shown = live.staff("GET", f"/webhooks/{webhook['id']}").json()["data"]
    assert (shown["enabled"], shown["disabled_because"]) == (False, "The receiver answered that it is gone (410).")
    assert receiver.connections == 1


def test_nothing_is_sent_inside_unless_that_is_allowed(live: World, receiver: Receiver) -> None:
    webhook = listen(live, receiver.address)
    live.staff("POST", f"/webhooks/{webhook['id']}/test")

    deliver(live, webhook=WebhookSender())

    assert receiver.connections == 0
    assert "public Internet" in sent(live, webhook)[0]["last_error"]


def test_one_receiver_that_hangs_does_not_hold_up_the_others(live: World, receiver: Receiver) -> None:
    async def scene() -> None:
        courier = courier_of(live, webhook=Hanging())
        work = asyncio.create_task(courier.run())
        while len(receiver.taken) < 20:  # noqa: ASYNC110 - another thread takes them
            await asyncio.sleep(0.01)
        released.set()
        courier.stop()
        await work

    class Hanging:
        lease = timedelta(seconds=30)

        async def carry(self, parcel: Parcel, *, now: datetime) -> Attempt:
            if parcel.webhook is not None and parcel.webhook.description == "hangs":
                await released.wait()
            return await LOOPBACK.carry(parcel, now=now)

    released = asyncio.Event()
    hung, fine = listen(live, receiver.address, description="hangs"), listen(live, receiver.address)
    for webhook in [hung] * 40 + [fine] * 20:
        live.staff("POST", f"/webhooks/{webhook['id']}/test")

    asyncio.run(asyncio.wait_for(scene(), 30))

    assert len(sent(live, fine, "?state=delivered")) == 20


def test_a_company_whose_receivers_all_hang_holds_up_neither_mail_nor_the_webhooks_of_others(live: World) -> None:
    class Hanging:
        """Keeps whoever is to hang waiting, and counts who waits."""

        lease = timedelta(seconds=30)

        async def carry(self, parcel: Parcel, *, now: datetime) -> Attempt:
            del now
            if parcel.webhook is not None and parcel.webhook.description == "hangs":
                waiting[parcel.dispatch.target] += 1
                await released.wait()
            arrived.append(parcel.dispatch.channel)
            return Attempt(arrived=True)

    async def scene() -> None:
        courier = courier_of(live, webhook=Hanging(), mail=Hanging())
        work = asyncio.create_task(courier.run())
        while waiting.total() < MOST_OF_ONE_COMPANY:  # noqa: ASYNC110 - the courier says nothing
            await asyncio.sleep(0.01)
        for _ in range(20):
            live.staff("POST", f"/webhooks/{fine['id']}/test", token=bearer(OTHER_COMPANY))
            assert live.staff("POST", "/tokens", json=letter, token=bearer(OTHER_COMPANY)).status_code == 201
        while len(arrived) < 40:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        waited.update(waiting)
        released.set()
        courier.stop()
        await work

    letter = {"client_id": "northwind", "send_to": "a@example.com"}
    released, arrived = asyncio.Event(), list[Channel]()
    waiting, waited = Counter[str](), Counter[str]()
    hung = [listen(live, "https://hooks.example", description="hangs") for _ in range(4)]
    asked = {"url": "https://x.example", "events": ["quote.accepted"]}
    fine = live.staff("POST", "/webhooks", json=asked, token=bearer(OTHER_COMPANY)).json()["data"]
    for webhook in hung * 20:
        live.staff("POST", f"/webhooks/{webhook['id']}/test")

    asyncio.run(asyncio.wait_for(scene(), 30))

    assert Counter(arrived[:40]) == {Channel.WEBHOOK: 20, Channel.MAIL: 20}
    assert max(waited.values()) <= MOST_TO_ONE
    assert waited.total() == MOST_OF_ONE_COMPANY


def test_a_host_hears_of_every_event_in_process_and_again_when_it_failed(live: World) -> None:
    heard: list[Event] = []

    def listener(event: Event) -> None:
        heard.append(event)
        if len(heard) == 1:
            raise ValueError("not now")

    async def awaited(event: Event) -> None:
        listener(event)

    accept(live)
    deliver(live, host=HostCarrier(listener))
    live.token()
    deliver(live, host=HostCarrier(awaited))

    with live.transaction() as store:
        page = store.events.page(COMPANY, after=None, limit=100)
    assert sorted(event.id for event in set_of(heard)) == sorted(event.id for event in page.items)
    assert len(heard) == len(page.items) + 1
    assert all(event in page.items for event in heard)


def set_of(events: list[Event]) -> list[Event]:
    return list({event.id: event for event in events}.values())


def test_a_courier_outlasts_a_store_that_is_busy(live: World, receiver: Receiver) -> None:
    class Moody(Runner):
        """Busy now and then, before and after anything was sent."""

        def __init__(self, runner: Runner) -> None:
            self.runner, self.calls = runner, 0

        async def read(self, use_case: Callable[[Store], T]) -> T:
            self.calls += 1
            if self.calls % 3 == 1:
                raise Busy("not now")
            return await self.runner.read(use_case)

        async def write(self, use_case: Callable[[Store], T]) -> T:
            self.calls += 1
            if self.calls % 3 == 1:
                raise Busy("not now")
            return await self.runner.write(use_case)

    async def scene() -> None:
        courier = courier_of(live)
        courier.runner = Moody(courier.runner)
        work = asyncio.create_task(courier.run())
        while len(receiver.taken) < 9:  # noqa: ASYNC110 - another thread takes them
            await asyncio.sleep(0.01)
        courier.stop()
        await work

    webhook = listen(live, receiver.address)
    for _ in range(9):
        live.staff("POST", f"/webhooks/{webhook['id']}/test")

    asyncio.run(asyncio.wait_for(scene(), 30))

    assert sorted(receiver.ids) == sorted(each["event_id"] for each in sent(live, webhook, "?state=delivered"))


def test_a_store_that_is_busy_costs_no_attempt(live: World, caplog: pytest.LogCaptureFixture) -> None:
    class Contended:
        """Cannot be carried before others are done."""

        lease = timedelta(seconds=30)

        async def carry(self, parcel: Parcel, *, now: datetime) -> Attempt:
            del parcel, now
            carried.append(len(carried))
            if len(carried) <= 5:
                raise Busy("not now")
            return Attempt(arrived=True)

    carried: list[int] = []
    webhook = listen(live, "https://hooks.example")
    live.staff("POST", f"/webhooks/{webhook['id']}/test")

    for _ in range(6):
        deliver(live, webhook=Contended())
        live.clock.at += PUT_OFF_FOR

    (row,) = sent(live, webhook)
    assert (row["state"], row["attempts"], row["last_error"]) == ("delivered", 1, None)
    assert [record for record in caplog.records if record.levelname == "WARNING" or record.exc_info] == []


@pytest.mark.parametrize("problem", ["cannot be kept", None])
def test_what_came_of_a_message_and_cannot_be_kept_is_told_and_the_rest_goes_on(
    live: World, caplog: pytest.LogCaptureFixture, receiver: Receiver, problem: str | None
) -> None:
    class Refusing(Runner):
        """Keeps nothing once a message has arrived."""

        def __init__(self, runner: Runner) -> None:
            self.runner = runner

        async def read(self, use_case: Callable[[Store], T]) -> T:
            return await self.runner.read(use_case)

        async def write(self, use_case: Callable[[Store], T]) -> T:
            if receiver.taken and problem is not None:
                raise ValueError(problem)
            return await self.runner.write(use_case)

    def jitter() -> float:
        if problem is None:
            raise ValueError("no chance")
        return 1

    async def scene() -> None:
        courier = courier_of(live)
        courier.runner, courier.jitter = Refusing(courier.runner), jitter
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unseen.append(context))
        await courier.run_once()

    unseen: list[dict[str, Any]] = []
    webhook = listen(live, receiver.address)
    for _ in range(2):
        live.staff("POST", f"/webhooks/{webhook['id']}/test")

    asyncio.run(scene())
    gc.collect()

    assert (len(receiver.taken), unseen) == (2, [])
    assert len([each for each in caplog.records if each.name == "portal_http.courier"]) == 2


def test_a_courier_that_is_cancelled_ends(live: World) -> None:
    async def scene() -> None:
        work = asyncio.create_task(courier_of(live).run())
        await asyncio.sleep(0.05)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    asyncio.run(asyncio.wait_for(scene(), 30))


def test_what_a_carrier_breaks_on_is_told_without_any_token(live: World) -> None:
    token = live.token()

    def listener(_: Event) -> None:
        raise ValueError(f"cannot say {token}")

    deliver(live, host=HostCarrier(listener))

    with live.transaction() as store:
        problems = {each.problem for each in store.outbox.tables.dispatches.values()}
    assert problems == {"ValueError: cannot say [token]"}


def test_a_secret_is_in_no_answer_but_the_one_that_tells_it(live: World, receiver: Receiver) -> None:
    webhook = listen(live, receiver.address)
    accept(live)
    deliver(live)

    texts = [
        live.staff("GET", path).text
        for path in ("/webhooks", f"/webhooks/{webhook['id']}", f"/webhooks/{webhook['id']}/deliveries", "/events")
    ]

    assert [text for text in texts if webhook["secret"][6:] in text] == []


def test_the_secret_is_kept_only_for_signing(world: World) -> None:
    webhook = listen(world, "https://hooks.example")
    with world.transaction() as store:
        kept = store.webhooks.get(COMPANY, webhook["id"])

    assert kept.secrets[0].text == webhook["secret"]
    assert webhook["secret"][6:] not in repr(kept)
    assert world.http.get(f"{BASE}/webhooks/{webhook['id']}").status_code == 401
    assert evolve(kept, secrets=()).secrets == ()
