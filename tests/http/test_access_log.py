"""The access log and the figures: what was asked and answered, by the route, and nothing that opens anything."""

import asyncio
import io
import json
import os
import re
from typing import Any, TextIO

import pytest
from attrs import evolve

from portal_adapters.contract.builders import a_token
from portal_http.access_log import PARCEL, AccessLog
from portal_http.api.table import CLIENT_ENDPOINTS
from portal_http.incoming import NOWHERE
from portal_http.page_routes import page_route
from portal_http.pages.asked import Section
from portal_http.seen import Seen
from portal_http.settings import SettingsRefused, settings_of
from tests.http.world import BASE, UNLIMITED, World, bearer, full_world

VIEW = f"{BASE}/view/{{token}}"


def watched() -> tuple[World, list[Seen]]:
    seen: list[Seen] = []
    return full_world(evolve(UNLIMITED, watchers=(seen.append,), metrics=True)), seen


def test_every_request_is_told_of_by_its_route_and_by_who_asked() -> None:
    world, seen = watched()
    token = world.token(documents=None)
    (grant,) = world.staff("GET", "/tokens").json()["data"]
    seen.clear()

    world.http.get(f"{BASE}/view/{token}/quotes/Q1?limit=1")
    world.http.head(f"/p/{token}/orders/O1")
    world.http.post(f"{BASE}/view/{token}/quotes/Q1/accept", json={})
    world.http.put(f"{BASE}/view/{token}")
    world.http.get(f"{BASE}/view/{a_token(9)}/quotes")
    world.http.get(f"/p/{a_token(9)}")
    world.http.get("/secret/path")
    world.http.request("BREW", f"/p/{token}/quotes/Q1/secret")
    world.staff("GET", "/decisions", token=bearer(subject="ada"))
    world.http.get(f"{BASE}/tokens", headers={"Authorization": "Bearer x"})

    assert [(each.method, each.route, int(each.status), each.who) for each in seen] == [
        ("GET", f"{VIEW}/quotes/{{quote_id}}", 422, grant["id"]),
        ("HEAD", "/p/{token}/orders/{id}", 200, grant["id"]),
        ("POST", f"{VIEW}/quotes/{{quote_id}}/accept", 200, grant["id"]),
        ("PUT", VIEW, 405, NOWHERE),
        ("GET", f"{VIEW}/quotes", 404, NOWHERE),
        ("GET", "/p/{token}", 404, NOWHERE),
        ("GET", NOWHERE, 404, NOWHERE),
        ("OTHER", NOWHERE, 405, NOWHERE),
        ("GET", f"{BASE}/decisions", 200, "ada"),
        ("GET", f"{BASE}/tokens", 401, NOWHERE),
    ]
    assert all(each.at == world.clock() and 0 < each.seconds < 5 for each in seen)


def test_every_route_of_the_api_is_told_as_it_is_declared() -> None:
    world, seen = watched()
    token = world.token()

    for endpoint in CLIENT_ENDPOINTS:
        path = re.sub(r"\{\w+_id\}", "Q1", endpoint.path.replace("{token}", token))
        world.http.request(endpoint.method, path)

    assert [each.route for each in seen] == [endpoint.path for endpoint in CLIENT_ENDPOINTS]


def test_every_page_has_a_route_of_its_own() -> None:
    for section in Section:
        assert page_route(f"/p/x/{section.value}") == f"/p/{{token}}/{section.value}"
    assert page_route("/p/x") == page_route("/p/x/") == "/p/{token}"
    assert page_route("/p/x/quotes/quotes") == "/p/{token}/quotes/{id}"
    assert page_route("/p/static/0-1.css") == "/p/static/{file}"
    for strange in ("/p", "/p/", "/p/x/secret", "/p/x/quotes/a b", "/p/x//quotes", "/p/x/a/b/c"):
        assert page_route(strange) in {NOWHERE, "/p/{token}"}


@pytest.mark.parametrize("as_json", [False, True])
def test_the_log_is_a_line_a_request_as_text_or_as_json(as_json: bool) -> None:  # noqa: FBT001 - a parameter of the test
    written = io.StringIO()
    log = AccessLog(written, as_json=as_json)
    world = full_world(evolve(UNLIMITED, watchers=(log,)))
    token = world.token()

    with world.http:
        world.http.get(f"/p/{token}/quotes")
        world.http.get(f"{BASE}/view/{token}")
        world.http.get("/healthz")
    log.flush()

    lines = written.getvalue().splitlines()
    assert len(lines) == 3
    assert token[4:] not in written.getvalue()
    told: Any = [json.loads(line) for line in lines] if as_json else None
    if as_json:
        assert [(each["route"], each["status"]) for each in told] == [
            ("/p/{token}/quotes", 200),
            (VIEW, 200),
            ("/healthz", 200),
        ]
        assert set(told[0]) == {"at", "level", "logger", "method", "route", "status", "ms", "who"}
        assert told[0]["at"].endswith("Z")
    else:
        assert re.fullmatch(r"2026-\d\d-\d\dT[\d:.]+Z GET /p/\{token\}/quotes 200 [\d.]+ms [0-9a-f-]{36}", lines[0])
        assert lines[2].endswith("ms -")


def test_lines_are_gathered_and_written_a_moment_later_as_many_together_as_a_pipe_takes_as_a_whole() -> None:
    # Whatever is written to such a pipe is read as a packet of its own.
    reading, writing = os.pipe2(os.O_DIRECT | os.O_NONBLOCK)

    async def run(stream: TextIO) -> None:
        log = AccessLog(stream)
        for _ in range(100):
            log(evolve(seen_once(), who="Zoë"))
        with pytest.raises(BlockingIOError):
            os.read(reading, PARCEL)
        await asyncio.sleep(0.2)

    with os.fdopen(writing, "w") as stream:
        asyncio.run(run(stream))
    packets = [*iter(lambda: os.read(reading, 2 * PARCEL), b"")]
    os.close(reading)

    assert b"".join(packets).count(b"\n") == 100
    assert len(packets) == 2
    assert all(each.endswith(b"\n") and len(each) <= PARCEL for each in packets)


@pytest.mark.parametrize("problem", [OSError, ValueError])
def test_a_log_that_cannot_be_written_is_no_reason_not_to_serve(problem: type[Exception]) -> None:
    class Broken(io.StringIO):
        def flush(self) -> None:
            raise problem

    async def run() -> None:
        log = AccessLog(Broken())
        log(seen_once())
        log.flush()
        log(seen_once())
        await asyncio.sleep(0.1)

    asyncio.run(run())


def seen_once() -> Seen:
    return Seen(at=full_world().clock(), method="GET", route="/healthz", status=200, who="-", seconds=0.001)


def test_the_figures_add_up_and_tell_of_nobody() -> None:
    world, _ = watched()
    token = world.token()
    for _ in range(3):
        world.http.get(f"{BASE}/view/{token}/quotes")
    world.http.get(f"{BASE}/view/{a_token(9)}/quotes")
    world.http.get(f"/anything/{token}")

    answer = world.http.get("/metrics")

    text = answer.text
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert re.search(
        rf'portal_requests_total{{process="\d+",route="{re.escape(VIEW)}/quotes",method="GET",status="200"}} 3\n', text
    )
    assert re.search(r'route="-",method="GET",status="404"} 1\n', text)
    buckets = re.findall(rf'bucket{{process="\d+",route="{re.escape(VIEW)}/quotes",le="([^"]+)"}} (\d+)', text)
    assert buckets[-1] == ("+Inf", "4")
    assert [int(count) for _, count in buckets] == sorted(int(count) for _, count in buckets)
    assert token[4:] not in text
    assert "northwind" not in text
    for line in text.splitlines():
        assert re.fullmatch(r"# (HELP|TYPE) \w+ .+|\w+\{[^}]*(\{\w+\}[^}]*)*\} [0-9.e+-]+", line), line


def test_without_the_setting_there_are_no_figures(world: World) -> None:
    assert world.http.get("/metrics").status_code == 404


@pytest.mark.parametrize("value,shown", [("on", True), ("TRUE", True), (" off ", False), ("0", False), (" ", False)])
def test_figures_are_a_setting(value: str, shown: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert settings_of({}, {"PORTAL_METRICS": value}).metrics is shown
    assert settings_of({"metrics": shown}, {}).metrics is shown
    with pytest.raises(SettingsRefused, match="PORTAL_METRICS must be on or off"):
        settings_of({}, {"PORTAL_METRICS": "perhaps"})
