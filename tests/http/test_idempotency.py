"""A write that is asked for twice with one key is done once."""

from datetime import timedelta

import pytest

from portal_adapters.contract.builders import a_quote
from portal_core.domain.access import Permission
from tests.http.world import BASE, World, bearer, code, places

SAID = {"subject": "Late", "message": "Where?"}


def tickets(world: World) -> int:
    return int(world.staff("GET", "/feedback?client_id=northwind").json()["meta"]["total"])


def test_a_repeated_write_is_answered_alike_and_done_once(world: World) -> None:
    link = world.link()

    first = world.http.post(link + "/feedback", json=SAID, headers={"Idempotency-Key": "k-1"})
    again = world.http.post(link + "/feedback", json=SAID, headers={"Idempotency-Key": '"k-1"'})

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert tickets(world) == 2


def test_a_repeated_decision_keeps_its_entity_tag(world: World) -> None:
    link = world.link() + "/quotes/Q1/accept"

    first, again = (world.http.post(link, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert (again.headers["etag"], again.content) == (first.headers["etag"], first.content)


def test_a_key_with_another_body_is_refused(world: World) -> None:
    link = world.link()
    world.http.post(link + "/feedback", json=SAID, headers={"Idempotency-Key": "k"})

    answer = world.http.post(link + "/feedback", json={**SAID, "rating": 1}, headers={"Idempotency-Key": "k"})

    assert (answer.status_code, code(answer)) == (422, "idempotency_mismatch")


def test_a_key_belongs_to_its_link_and_its_route(world: World) -> None:
    link, other = world.link(), world.link()
    headers = {"Idempotency-Key": "k"}

    answers = [
        world.http.post(link + "/feedback", json=SAID, headers=headers),
        world.http.post(other + "/feedback", json=SAID, headers=headers),
        world.http.post(link + "/feedback/T1/replies", json={"message": "x"}, headers=headers),
        world.http.post(link + "/quotes/Q1/decline", headers=headers),
        world.staff("POST", "/feedback/T1/replies", json={"message": "x"}, headers=headers),
        world.staff(
            "POST", "/feedback/T1/replies", json={"message": "x"}, headers=headers, token=bearer(subject="else")
        ),
        world.staff("POST", "/feedback/T1-n/replies", json={"message": "x"}, headers=headers),
    ]

    assert [each.status_code for each in answers] == [201, 201, 201, 200, 201, 201, 201]
    assert not [each for each in answers if "idempotency-replayed" in each.headers]


def test_what_was_refused_is_not_kept(world: World) -> None:
    link, headers = world.link(), {"Idempotency-Key": "k"}

    refused = world.http.post(link + "/quotes/Q2/decline", headers=headers)
    world.feed(a_quote("Q2"))
    done = world.http.post(link + "/quotes/Q2/decline", headers=headers)

    assert (refused.status_code, done.status_code) == (404, 200)


def test_a_key_is_forgotten_after_a_day(world: World) -> None:
    link, headers = world.link(), {"Idempotency-Key": "k"}
    world.http.post(link + "/feedback", json=SAID, headers=headers)
    world.clock.at += timedelta(hours=24, seconds=1)

    again = world.http.post(link + "/feedback", json={**SAID, "rating": 1}, headers=headers)

    assert again.status_code == 201
    assert tickets(world) == 3


def test_an_answer_is_given_again_after_validation_and_before_the_record_is_looked_up(world: World) -> None:
    link, headers = world.link(), {"Idempotency-Key": "k"}
    path = link + "/quotes/Q1/accept"
    world.http.post(path, headers=headers)

    assert code(world.http.post(path, headers={**headers, "If-Match": "x"})) == "invalid_input"
    replayed = world.http.post(path, headers={**headers, "If-Match": '"9"'})
    assert (replayed.status_code, replayed.headers["idempotency-replayed"]) == (200, "true")


def test_a_revoked_or_narrowed_link_gets_no_answer_again(world: World) -> None:
    issued = world.staff("POST", "/tokens", json={"client_id": "northwind"}).json()["data"]
    path, headers = f"{BASE}/view/{issued['token']}/feedback", {"Idempotency-Key": "k"}
    world.http.post(path, json=SAID, headers=headers)

    world.staff("PATCH", f"/tokens/{issued['id']}", json={"permissions": {Permission.SUBMIT_FEEDBACK.value: False}})
    withheld = world.http.post(path, json=SAID, headers=headers)
    world.staff("DELETE", f"/tokens/{issued['id']}")
    dead = world.http.post(path, json=SAID, headers=headers)

    assert (code(withheld), code(dead)) == ("permission_denied", "not_found")


def test_a_secret_is_never_told_twice(world: World) -> None:
    headers = {"Idempotency-Key": "k"}

    first, again = (
        world.staff("POST", "/tokens", json={"client_id": "northwind"}, headers=headers).json()["data"]
        for _ in range(2)
    )
    path = f"/tokens/{first['id']}/rotate"
    rotated, rotated_again = (world.staff("POST", path, headers=headers).json()["data"] for _ in range(2))

    assert again == {**first, "token": None, "url": None}
    assert rotated_again == {**rotated, "token": None, "url": None}
    assert world.staff("GET", "/tokens").json()["meta"]["total"] == 1
    assert world.http.get(f"{BASE}/view/{rotated['token']}").status_code == 200


@pytest.mark.parametrize("key", ["", '""', "a b", '"a', 'a"b', "x" * 256, "é", '"a", "b"', "\x7f"])
def test_a_malformed_key_is_refused(world: World, key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode())]

    answer = world.http.post(world.link() + "/feedback", json=SAID, headers=headers)

    assert places(answer) == ["Idempotency-Key"]
    assert tickets(world) == 1
