"""Every call of staff, answered."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from portal_adapters.contract.builders import COMPANY, NEIGHBOUR, NOW, OTHER_COMPANY, STRANGER
from portal_core.domain.access import Permission
from portal_core.domain.tokens import is_token
from tests.http.world import BASE, Reply, World, bearer, code, places

ALL = {each.value: True for each in Permission}


def issue(world: World, **asked: Any) -> Reply:
    answer = world.staff("POST", "/tokens", json={"client_id": "northwind", **asked})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def test_a_link_is_issued_with_everything_allowed_for_the_usual_time(world: World) -> None:
    data = issue(world)

    assert is_token(data["token"])
    assert data == {
        "id": data["id"],
        "client_id": "northwind",
        "label": None,
        "permissions": ALL,
        "expires_at": stamp(NOW + timedelta(days=90)),
        "created_at": stamp(NOW),
        "token": data["token"],
        "url": f"http://127.0.0.1:8000/p/{data['token']}",
    }
    assert world.http.get(f"{BASE}/view/{data['token']}").status_code == 200


def test_a_link_is_issued_as_it_is_asked_for(world: World) -> None:
    data = issue(
        world,
        permissions={"view_payments": False},
        expires_at="2026-04-01T02:00:00+02:00",
        label=" Jo ",
        documents=[{"type": "quote", "id": "Q1"}],
    )

    assert data["permissions"] == {**ALL, "view_payments": False}
    assert (data["expires_at"], data["label"]) == ("2026-04-01T00:00:00Z", "Jo")
    assert data["documents"] == [{"type": "quote", "id": "Q1"}]


@pytest.mark.parametrize(
    "body,wrong",
    [
        ({}, ["/client_id"]),
        ({"client_id": "nobody"}, ["/client_id"]),
        ({"client_id": 7}, ["/client_id"]),
        ({"client_id": ".."}, ["/client_id"]),
        ({"client_id": None}, ["/client_id"]),
        ({"permissions": {"view_quote": True}}, ["/permissions/view_quote"]),
        ({"permissions": {"view_quotes": "yes"}}, ["/permissions/view_quotes"]),
        ({"permissions": {"view_quotes": None, "a/b~c": 1}}, ["/permissions/a~1b~0c", "/permissions/view_quotes"]),
        ({"permissions": []}, ["/permissions"]),
        ({"expires_at": "2026-04-01T00:00:00"}, ["/expires_at"]),
        ({"expires_at": "2026-04-31T00:00:00Z"}, ["/expires_at"]),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, ["/expires_at"]),
        ({"expires_at": "2026-03-15T12:30:15Z"}, ["/expires_at"]),
        ({"expires_at": "2027-03-16T13:00:00Z"}, ["/expires_at"]),
        ({"expires_at": 1_900_000_000}, ["/expires_at"]),
        ({"label": ""}, ["/label"]),
        ({"label": "x" * 201}, ["/label"]),
        ({"label": "a\u0000b"}, ["/label"]),
        ({"documents": []}, ["/documents"]),
        ({"documents": [{"type": "quote", "id": "Q1-n"}]}, ["/documents"]),
        (
            {"documents": [{"type": "letter", "id": "Q1"}, {"id": ""}]},
            ["/documents/0/type", "/documents/1/id", "/documents/1/type"],
        ),
        ({"send_to": "ada"}, ["/send_to"]),
        ({"note": "x", "label": 3}, ["/label", "/note"]),
    ],
)
def test_a_link_that_is_asked_for_wrongly_is_refused_at_every_fault(
    world: World, body: dict[str, Any], wrong: list[str]
) -> None:
    whole = body if "client_id" in body or not body else {"client_id": "northwind", **body}

    assert places(world.staff("POST", "/tokens", json=whole)) == wrong


def test_a_permission_given_twice_is_refused(world: World) -> None:
    body = '{"client_id": "northwind", "permissions": {"view_quotes": true, "view_quotes": false}}'

    answer = world.staff("POST", "/tokens", content=body, headers={"Content-Type": "application/json"})

    assert places(answer) == ["/permissions/view_quotes"]


def test_a_link_is_read_without_its_secret(world: World) -> None:
    issued = issue(world, label="Jo")
    world.http.get(f"{BASE}/view/{issued['token']}")

    answer = world.staff("GET", f"/tokens/{issued['id']}")

    assert issued["token"] not in answer.text
    assert answer.json()["data"] == {
        "id": issued["id"],
        "client_id": "northwind",
        "label": "Jo",
        "permissions": ALL,
        "documents": None,
        "state": "active",
        "hint": issued["token"][-4:],
        "created_at": stamp(NOW),
        "expires_at": issued["expires_at"],
        "revoked_at": None,
        "last_used_at": stamp(NOW),
    }
    assert world.staff("GET", "/tokens?client_id=northwind&state=active").json()["data"] == [answer.json()["data"]]
    assert world.staff("GET", "/tokens?state=revoked,expired").json()["data"] == []


def test_the_last_use_is_noted_about_once_a_minute(world: World) -> None:
    issued = issue(world)
    path = f"/tokens/{issued['id']}"

    used: list[str] = []
    for seconds in (0, 30, 31):
        world.pass_time(seconds=seconds)
        world.http.get(f"{BASE}/view/{issued['token']}")
        used.append(world.staff("GET", path).json()["data"]["last_used_at"])

    assert used == [stamp(NOW), stamp(NOW), stamp(NOW + timedelta(seconds=61))]


def test_the_uses_of_many_links_are_noted_soon_after_the_answers(world: World) -> None:
    issued = [issue(world) for _ in range(3)]
    for each in issued:
        world.http.get(f"{BASE}/view/{each['token']}")

    used = [world.staff("GET", f"/tokens/{each['id']}").json()["data"]["last_used_at"] for each in issued]

    assert used == [stamp(NOW)] * len(issued)


def test_a_link_is_changed_in_what_is_named_alone(world: World) -> None:
    issued = issue(world, label="Jo", permissions={"view_orders": False})
    path = f"/tokens/{issued['id']}"

    first = world.staff("PATCH", path, json={"permissions": {"view_quotes": False}}).json()["data"]
    second = world.staff(
        "PATCH",
        path,
        json={"label": None, "expires_at": "2026-05-01T00:00:00Z", "documents": [{"type": "order", "id": "O1"}]},
    ).json()["data"]
    third = world.staff("PATCH", path, json={"documents": None, "permissions": {}}).json()["data"]

    assert first["permissions"] == {**ALL, "view_orders": False, "view_quotes": False}
    assert first["label"] == "Jo"
    assert (second["label"], second["expires_at"]) == (None, "2026-05-01T00:00:00Z")
    assert (second["permissions"], second["documents"]) == (first["permissions"], [{"type": "order", "id": "O1"}])
    assert (third["documents"], third["permissions"]) == (None, first["permissions"])


@pytest.mark.parametrize(
    "body,wrong",
    [
        ({"client_id": "contoso"}, ["/client_id"]),
        ({"permissions": None}, ["/permissions"]),
        ({"permissions": {"view_quotes": 1}}, ["/permissions/view_quotes"]),
        ({"expires_at": None}, ["/expires_at"]),
        ({"expires_at": "2026-03-01T00:00:00Z"}, ["/expires_at"]),
        ({"documents": []}, ["/documents"]),
        ({"label": ""}, ["/label"]),
    ],
)
def test_a_change_that_is_asked_for_wrongly_is_refused(world: World, body: dict[str, Any], wrong: list[str]) -> None:
    path = f"/tokens/{issue(world)['id']}"

    assert places(world.staff("PATCH", path, json=body)) == wrong


def test_a_link_whose_end_comes_is_dead_and_can_be_given_another(world: World) -> None:
    issued = issue(world)
    view = f"{BASE}/view/{issued['token']}"
    world.pass_time(days=90)

    assert world.http.get(view).status_code == 404
    assert world.staff("GET", f"/tokens/{issued['id']}").json()["data"]["state"] == "expired"
    changed = world.staff("PATCH", f"/tokens/{issued['id']}", json={"expires_at": "2026-12-01T00:00:00Z"})
    assert changed.json()["data"]["state"] == "active"
    assert world.http.get(view).status_code == 200


def test_a_rotated_link_has_a_new_token_and_perhaps_the_old_one_for_a_while(world: World) -> None:
    issued = issue(world)
    path = f"/tokens/{issued['id']}/rotate"

    second = world.staff("POST", path, json={"overlap_seconds": 60})
    third = world.staff("POST", path)

    assert (second.status_code, third.status_code) == (200, 200)
    assert set(second.json()["data"]) == set(issued)
    tokens = [issued["token"], second.json()["data"]["token"], third.json()["data"]["token"]]
    assert [world.http.get(f"{BASE}/view/{each}").status_code for each in tokens] == [404, 404, 200]
    fourth = world.staff("POST", path, json={"overlap_seconds": 60}).json()["data"]
    assert world.http.get(f"{BASE}/view/{tokens[2]}").status_code == 200
    world.pass_time(seconds=60)
    assert world.http.get(f"{BASE}/view/{tokens[2]}").status_code == 404
    assert world.http.get(f"{BASE}/view/{fourth['token']}").status_code == 200


@pytest.mark.parametrize("overlap", [-1, 31_536_001, "60", True, 1.5, None])
def test_an_overlap_is_a_whole_number_of_seconds_up_to_a_year(world: World, overlap: object) -> None:
    path = f"/tokens/{issue(world)['id']}/rotate"

    assert places(world.staff("POST", path, json={"overlap_seconds": overlap})) == ["/overlap_seconds"]


def test_a_revoked_link_is_dead_at_once_and_cannot_be_changed(world: World) -> None:
    issued = issue(world)
    path = f"/tokens/{issued['id']}"

    revoked = world.staff("DELETE", path)

    assert (revoked.status_code, revoked.content) == (204, b"")
    assert "content-type" not in revoked.headers
    assert world.http.get(f"{BASE}/view/{issued['token']}").status_code == 404
    assert world.staff("GET", path).json()["data"]["revoked_at"] == stamp(NOW)
    assert world.staff("DELETE", path).status_code == 204
    for method, where, body in (("PATCH", "", {"label": "x"}), ("POST", "/rotate", {})):
        answer = world.staff(method, path + where, json=body)
        assert (answer.status_code, code(answer)) == (409, "revoked")


def test_all_links_of_a_client_are_revoked_and_no_others(world: World) -> None:
    links = [world.link(), world.link(), world.link(scope=NEIGHBOUR), world.link(scope=STRANGER)]

    answer = world.staff("DELETE", "/tokens?client_id=northwind")

    assert answer.status_code == 204
    assert [world.http.get(each).status_code for each in links] == [404, 404, 200, 200]
    assert places(world.staff("DELETE", "/tokens")) == ["client_id"]
    assert places(world.staff("DELETE", "/tokens?client_id=nobody")) == ["client_id"]


def test_decisions_are_listed_with_their_evidence_and_the_canonical_document(world: World) -> None:
    link = world.link()
    world.http.post(link + "/quotes/Q1/accept", json={"name": "Ada", "email": "ada@example.com", "purchase_order": "7"})

    [found] = world.staff("GET", "/decisions?client_id=northwind&quote_id=Q1&answer=accepted").json()["data"]

    assert (found["name"], found["email"], found["purchase_order"]) == ("Ada", "ada@example.com", "7")
    assert (found["quote_id"], found["quote_number"], found["client_id"]) == ("Q1", "N-Q1", "northwind")
    assert found["document"].startswith('{"currency":"EUR","id":"Q1"')
    assert found["token_hint"] == link[-4:]
    assert world.staff("GET", f"/decisions/{found['id']}").json()["data"] == found
    for nothing in ("client_id=contoso", "quote_id=Q2", "answer=declined"):
        assert world.staff("GET", f"/decisions?{nothing}").json()["data"] == []


def test_feedback_is_read_and_answered(world: World) -> None:
    assert {each["id"] for each in world.staff("GET", "/feedback").json()["data"]} == {"T1", "T1-n"}
    assert [each["id"] for each in world.staff("GET", "/feedback?client_id=contoso&state=open").json()["data"]] == [
        "T1-n"
    ]

    answered = world.staff("POST", "/feedback/T1/replies", json={"message": "Tomorrow"})
    closed = world.staff("POST", "/feedback/T1/replies", json={"message": "Here it is", "close": True})
    refused = world.staff("POST", "/feedback/T1/replies", json={"message": "And?"})

    assert (answered.status_code, answered.json()["data"]["state"]) == (201, "answered")
    assert closed.json()["data"]["state"] == "closed"
    assert [each["by"] for each in closed.json()["data"]["replies"]] == ["staff", "staff"]
    assert (refused.status_code, code(refused)) == (409, "not_open")
    assert world.staff("GET", "/feedback/T1").json() == closed.json()
    assert closed.json()["data"]["client_id"] == "northwind"


def test_events_are_told_oldest_first_and_from_where_one_stopped(world: World) -> None:
    issued = issue(world)
    world.http.post(f"{BASE}/view/{issued['token']}/quotes/Q1/decline", json={})
    world.staff("DELETE", f"/tokens/{issued['id']}")

    first = world.staff("GET", "/events?limit=2").json()
    rest = world.staff("GET", f"/events?limit=2&after={first['meta']['cursor']}").json()

    assert [each["type"] for each in first["data"]] == ["token.issued", "quote.declined"]
    assert first["meta"]["hasMore"] is True
    assert first["data"][1]["data"]["quote_id"] == "Q1"
    assert [each["type"] for each in rest["data"]] == ["token.revoked"]
    assert (rest["meta"]["cursor"], rest["meta"]["hasMore"]) == (None, False)
    assert issued["token"] not in world.staff("GET", "/events").text
    assert places(world.staff("GET", "/events?after=nothing")) == ["after"]
    assert places(world.staff("GET", "/events?cursor=x")) == ["cursor"]


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Basic abc",
        "Bearer abc",
        "Bearer a.b.c",
        f"Bearer {bearer(key='another secret, also long enough for HS256')}",
        f"Bearer {bearer('..')}",
    ],
)
def test_whoever_cannot_prove_who_they_are_is_asked_to(world: World, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = world.http.post(BASE + "/tokens", content=b"not JSON", headers=headers)

    assert (answer.status_code, code(answer)) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_token_to_read_reads_and_a_token_for_nothing_does_nothing(world: World) -> None:
    reader, other = bearer(scope="openid portal:read"), bearer(scope="openid")

    assert world.staff("GET", "/tokens", token=reader).status_code == 200
    assert world.staff("HEAD", "/tokens", token=reader).status_code == 200
    for answer, lacking in (
        (world.staff("POST", "/tokens", token=reader, content=b"not JSON"), "portal:admin"),
        (world.staff("DELETE", "/tokens/x", token=reader), "portal:admin"),
        (world.staff("GET", "/tokens", token=other), "portal:read"),
    ):
        assert (answer.status_code, code(answer), answer.json()["permission"]) == (403, "permission_denied", lacking)


def test_a_token_of_several_companies_must_say_which_is_meant(world: World) -> None:
    token = bearer(COMPANY, OTHER_COMPANY)
    issue(world)

    assert places(world.staff("GET", "/tokens", token=token)) == ["X-Company-Id"]
    for company, count in ((COMPANY, 1), (OTHER_COMPANY, 0)):
        answer = world.staff("GET", "/tokens", token=token, headers={"X-Company-Id": company})
        assert answer.json()["meta"]["total"] == count
    refused = world.staff("GET", "/tokens", token=token, headers={"X-Company-Id": "other"})
    assert (refused.status_code, code(refused)) == (403, "permission_denied")
