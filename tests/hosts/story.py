"""The story that every host's portal tells: a link is issued, used and revoked, under the host's prefix."""

import re
from datetime import UTC, datetime
from typing import Any

from httpx2 import Client
from sqlalchemy import Engine, Table, select

from portal_adapters.admin_jwt import mint_admin_token
from portal_adapters.contract.builders import CLIENT, COMPANY, SCOPE, TODAY
from portal_adapters.randomness import RandomMint
from portal_adapters.sqlalchemy import StoreOn, store_on
from portal_core import QuoteId

KEY = "a secret for tests, long enough for HS256"
PUBLIC_URL = "https://shop.example"
API = "/api/v1/customer-portal"


def tell(http: Client, prefix: str) -> None:
    """Tell the story to a host that has the quotes Q1 and Q2, both to be answered."""
    api = f"{prefix}{API}"
    bearer = {"Authorization": f"Bearer {_staff_token()}"}
    issued = http.post(f"{api}/tokens", json={"client_id": CLIENT}, headers=bearer)
    assert issued.status_code == 201, issued.text
    link: dict[str, Any] = issued.json()["data"]
    assert link["url"] == f"{PUBLIC_URL}{prefix}/p/{link['token']}"
    view = f"{api}/view/{link['token']}"

    assert http.get(f"{view}/dashboard").json()["data"]["client"]["id"] == CLIENT
    assert {each["id"] for each in http.get(f"{view}/quotes").json()["data"]} == {"Q1", "Q2"}

    first, again = (http.post(f"{view}/quotes/Q1/accept", json={"name": "Ada Lovelace"}) for _ in range(2))
    opposite = http.post(f"{view}/quotes/Q1/decline", json={})
    declined = http.post(f"{view}/quotes/Q2/decline", json={"reason": "Too late"})
    assert (first.status_code, again.json()) == (200, first.json())
    assert (opposite.status_code, opposite.json()["code"]) == (409, "already_decided")
    assert declined.json()["data"]["state"] == "declined"

    said = http.post(f"{view}/feedback", json={"subject": "Thanks", "message": "All is well."})
    assert said.status_code == 201
    _read_pages(http, f"{prefix}/p/{link['token']}", prefix)

    assert http.delete(f"{api}/tokens/{link['id']}", headers=bearer).status_code == 204
    assert http.get(f"{view}/dashboard").status_code == 404
    assert http.get(f"{prefix}/healthz").status_code == 200


def state_of(engine: Engine, quote_id: str, store_on: StoreOn = store_on) -> str:
    """Return the state of a quote, as anybody sees it who looks from outside."""
    with engine.connect() as connection:
        quote = store_on(connection, RandomMint()).quotes.get(SCOPE, QuoteId(quote_id))
    assert quote is not None
    return quote.state(TODAY).value


def _read_pages(http: Client, address: str, prefix: str) -> None:
    page = http.get(f"{address}/quotes/Q1")
    assert page.status_code == 200
    ours: list[str] = re.findall(r'(?:href|action)="(/[^"]*)"', page.text)
    assert ours
    assert all(each.startswith(f"{prefix}/p/") for each in ours)
    stylesheet = next(each for each in ours if each.endswith(".css"))
    assert http.get(stylesheet).status_code == 200


def _staff_token() -> str:
    return mint_admin_token(
        key=KEY,
        audience="portal",
        issuer="shop",
        subject="staff",
        company_ids=(COMPANY,),
        scope="portal:admin",
        now=datetime.now(UTC),
    )


def book(http: Client, engine: Engine, fittings: Table, store_on: StoreOn = store_on) -> None:
    """Have a host book its fitter with what is accepted: of the two, both are committed or neither."""
    booked = http.post("/my/quotes/Q1/accept?revision=1&fitting=2026-04-01")
    taken = http.post("/my/quotes/Q2/accept?revision=1&fitting=2026-04-01")
    after_that = (state_of(engine, "Q1", store_on), state_of(engine, "Q2", store_on))
    another_day = http.post("/my/quotes/Q2/accept?revision=1&fitting=2026-04-02")

    assert (booked.status_code, booked.json()) == (200, {"state": "accepted"})
    assert (taken.status_code, taken.json()) == (409, {"error": "The fitter is with somebody else that day."})
    assert after_that == ("accepted", "sent")
    assert another_day.status_code == 200
    assert _booked(engine, fittings) == ["Q1", "Q2"]


def book_nothing(http: Client, engine: Engine, fittings: Table) -> None:
    """Have a host try what the portal refuses: nothing is booked for it."""
    unknown = http.post("/my/quotes/Q9/accept?revision=1&fitting=2026-04-01")
    outdated = http.post("/my/quotes/Q1/accept?revision=7&fitting=2026-04-01")
    http.cookies.clear()
    nobody = http.post("/my/quotes/Q1/accept?revision=1&fitting=2026-04-01")

    assert (unknown.status_code, outdated.status_code, nobody.status_code) == (404, 409, 401)
    assert _booked(engine, fittings) == []


def _booked(engine: Engine, fittings: Table) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.scalars(select(fittings.c.quote_id)))
