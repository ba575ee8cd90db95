"""Rate limits: thirty reads, ten writes, and guesses by address."""

import pytest

from portal_core.domain.access import Permission
from portal_http.options import Options
from tests.http.world import BASE, World, code, full_world


def spent(answer: object) -> tuple[str | None, str | None]:
    headers = answer.headers  # type: ignore[attr-defined] # untyped
    return headers.get("x-ratelimit-limit"), headers.get("x-ratelimit-remaining")


def test_thirty_reads_pass_and_the_next_is_refused_with_the_time_to_wait() -> None:
    world = full_world(Options())
    link = world.link()

    answers = [world.http.get(link + "/quotes") for _ in range(30)]
    refused = world.http.get(link + "/quotes")

    assert {each.status_code for each in answers} == {200}
    assert [spent(each) for each in answers] == [("30", str(left)) for left in reversed(range(30))]
    assert (refused.status_code, code(refused)) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert spent(refused) == ("30", "0")
    assert refused.headers["ratelimit-policy"] == '"reads";q=30;w=60'
    assert refused.headers["ratelimit"].startswith('"reads";r=0;t=')
    now = int(world.clock().timestamp())
    assert now < int(refused.headers["x-ratelimit-reset"]) <= now + 61


def test_ten_writes_pass_beside_the_reads_and_each_token_has_its_own() -> None:
    world = full_world(Options())
    link, other = world.link(), world.link()

    answers = [world.http.post(link + "/quotes/Q1/accept") for _ in range(10)]
    refused = world.http.post(link + "/quotes/Q1/accept")

    assert {each.status_code for each in answers} == {200}
    assert (refused.status_code, refused.headers["ratelimit-policy"]) == (429, '"writes";q=10;w=60')
    assert spent(world.http.get(link)) == ("30", "29")
    assert world.http.post(other + "/quotes/Q1/accept").status_code == 200


def test_refusals_and_heads_cost_as_much_as_answers_but_paths_and_methods_are_free() -> None:
    world = full_world(Options())
    link = world.link(without=[Permission.VIEW_ORDERS])

    costs = [
        spent(world.http.head(link)),
        spent(world.http.get(link + "/quotes/none")),
        spent(world.http.get(link + "/orders")),
        spent(world.http.get(link + "/quotes?limit=0")),
    ]

    assert [left for _, left in costs] == ["29", "28", "27", "26"]
    for free in (world.http.get(link + "/nothing"), world.http.put(link)):
        assert spent(free) == (None, None)
    assert spent(world.http.get(link)) == ("30", "25")


def test_a_rotated_token_shares_the_budget_of_its_link() -> None:
    world = full_world(Options())
    issued = world.staff("POST", "/tokens", json={"client_id": "northwind"}).json()["data"]
    world.http.get(f"{BASE}/view/{issued['token']}")

    fresh = world.staff("POST", f"/tokens/{issued['id']}/rotate").json()["data"]["token"]

    assert spent(world.http.get(f"{BASE}/view/{fresh}")) == ("30", "28")


def test_without_a_limit_nothing_is_refused_and_nothing_said(world: World) -> None:
    link = world.link()

    answers = [world.http.get(link) for _ in range(70)] + [world.http.get(BASE + "/view/x") for _ in range(70)]

    assert {each.status_code for each in answers} == {200, 404}
    assert not [name for each in answers for name in each.headers if "ratelimit" in name]


def test_guesses_are_counted_by_address_and_live_links_still_served() -> None:
    world = full_world(Options(guesses_per_minute=3, trusted_proxies=("192.0.2.0/24",)))
    world.http = type(world.http)(world.app, client=("192.0.2.1", 4000))
    link = world.link()

    def guess(address: str) -> int:
        return world.http.get(BASE + "/view/x", headers={"X-Forwarded-For": address}).status_code

    assert [guess("2001:db8::1") for _ in range(3)] == [404, 404, 404]
    refused = world.http.get(BASE + "/view/x", headers={"X-Forwarded-For": "2001:db8::2"})
    assert (refused.status_code, code(refused)) == (429, "rate_limited")
    assert int(refused.headers["retry-after"]) >= 1
    assert "x-ratelimit-limit" not in refused.headers
    assert guess("2001:db8:0:1::1") == 404
    assert guess("203.0.113.9, 2001:db8::3") == 429
    assert guess("2001:db8::3, 203.0.113.9") == 404
    assert world.http.get(link, headers={"X-Forwarded-For": "2001:db8::1"}).status_code == 200


@pytest.mark.parametrize(
    "peer,forwarded,expected",
    [
        ("192.0.2.1", "198.51.100.7", "198.51.100.7"),
        ("192.0.2.1", "203.0.113.1, 198.51.100.7, 192.0.2.9", "198.51.100.7"),
        ("192.0.2.1", "192.0.2.8, 192.0.2.9", "192.0.2.8"),
        ("192.0.2.1", "198.51.100.7:1234", "198.51.100.7"),
        ("192.0.2.1", "[2001:db8::1]:99", "2001:db8::1"),
        ("192.0.2.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("192.0.2.1", "203.0.113.1, nonsense", "192.0.2.1"),
        ("192.0.2.1", "", "192.0.2.1"),
        ("198.51.100.1", "203.0.113.1", "198.51.100.1"),
    ],
)
def test_evidence_believes_trusted_proxies_alone(peer: str, forwarded: str, expected: str) -> None:
    world = full_world(Options(trusted_proxies=("192.0.2.0/24",)))
    http = type(world.http)(world.app, client=(peer, 4000))

    http.post(world.link() + "/quotes/Q1/accept", headers={"X-Forwarded-For": forwarded})

    assert world.staff("GET", "/decisions").json()["data"][0]["ip"] == expected
