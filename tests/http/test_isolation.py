"""Nobody gets at what is not theirs: every endpoint, asked with everything that could go wrong."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from portal_adapters.contract.builders import COMPANY, NEIGHBOUR, OTHER_COMPANY, SCOPE, STRANGER
from portal_core.domain.access import DocumentType, Permission
from portal_http.api.table import CLIENT_ENDPOINTS, STAFF_ENDPOINTS
from portal_http.endpoints import BASE, ClientEndpoint, StaffEndpoint
from tests.http.world import Reply, World, bearer, code

BODIES: dict[str, Any] = {
    "/quotes/{quote_id}/accept": {},
    "/quotes/{quote_id}/decline": {},
    "/feedback": {"subject": "x", "message": "x"},
    "/feedback/{feedback_id}/replies": {"message": "x"},
    "/tokens": {"client_id": "northwind"},
    "/tokens/{token_id}": {},
    "/tokens/{token_id}/rotate": {},
    "/tokens/{token_id}/send": {"send_to": "ada@example.com"},
    "/webhooks": {"url": "https://hooks.example/in"},
    "/webhooks/{webhook_id}": {},
    "/webhooks/{webhook_id}/rotate": {},
    "/webhooks/{webhook_id}/test": {},
    "/webhooks/{webhook_id}/deliveries/{delivery_id}/replay": {},
}
IDS = {
    "quote_id": "Q1",
    "order_id": "O1",
    "invoice_id": "I1",
    "payment_id": "P1",
    "delivery_id": "D1",
    "feedback_id": "T1",
}
DOCUMENTS = ("Q1", "Q-draft", "O1", "D1", "D2", "D-draft", "I1", "I-draft", "C1", "P1", "R1", "P-draft")
DRAFTS = {"quote_id": "Q-draft", "invoice_id": "I-draft", "payment_id": "P-draft", "delivery_id": "D-draft"}
SUFFIXES = {NEIGHBOUR: "-n", STRANGER: "-s"}

CLOSED = frozenset({"all of it"})

# What each permission covers of each endpoint: all of it, or these keys. What is not named stays as it is.
COVERED: dict[str, dict[Permission, frozenset[str]]] = {
    "": {},
    "/dashboard": {
        Permission.VIEW_QUOTES: frozenset({"recent.quotes"}),
        Permission.VIEW_ORDERS: frozenset({"recent.orders"}),
        Permission.VIEW_INVOICES: frozenset({"recent.invoices", "balances"}),
        Permission.VIEW_DELIVERIES: frozenset({"recent.deliveries"}),
    },
    "/quotes": {Permission.VIEW_QUOTES: CLOSED},
    "/quotes/{quote_id}": {Permission.VIEW_QUOTES: CLOSED},
    "/quotes/{quote_id}/receipt": {Permission.VIEW_QUOTES: CLOSED},
    "/quotes/{quote_id}/accept": {Permission.VIEW_QUOTES: CLOSED, Permission.ACCEPT_QUOTES: CLOSED},
    "/quotes/{quote_id}/decline": {Permission.VIEW_QUOTES: CLOSED, Permission.ACCEPT_QUOTES: CLOSED},
    "/orders": {Permission.VIEW_ORDERS: CLOSED},
    "/orders/{order_id}": {Permission.VIEW_ORDERS: CLOSED, Permission.VIEW_INVOICES: frozenset({"invoices"})},
    "/invoices": {Permission.VIEW_INVOICES: CLOSED},
    "/invoices/{invoice_id}": {
        Permission.VIEW_INVOICES: CLOSED,
        Permission.VIEW_PAYMENTS: frozenset({"allocations"}),
    },
    "/quotes/{quote_id}/pdf": {Permission.VIEW_QUOTES: CLOSED},
    "/quotes/{quote_id}/receipt/pdf": {Permission.VIEW_QUOTES: CLOSED},
    "/orders/{order_id}/pdf": {Permission.VIEW_ORDERS: CLOSED},
    "/deliveries/{delivery_id}/pdf": {Permission.VIEW_DELIVERIES: CLOSED},
    "/statement/pdf": {Permission.VIEW_INVOICES: CLOSED, Permission.VIEW_PAYMENTS: CLOSED},
    "/invoices/{invoice_id}/pdf": {Permission.VIEW_INVOICES: CLOSED},
    "/payments": {Permission.VIEW_PAYMENTS: CLOSED},
    "/payments/{payment_id}": {Permission.VIEW_PAYMENTS: CLOSED},
    "/deliveries": {Permission.VIEW_DELIVERIES: CLOSED},
    "/deliveries/{delivery_id}": {Permission.VIEW_DELIVERIES: CLOSED},
    "/statement": {Permission.VIEW_INVOICES: CLOSED, Permission.VIEW_PAYMENTS: CLOSED},
    "/feedback": {Permission.SUBMIT_FEEDBACK: CLOSED},
    "/feedback/{feedback_id}": {Permission.SUBMIT_FEEDBACK: CLOSED},
    "/feedback/{feedback_id}/replies": {Permission.SUBMIT_FEEDBACK: CLOSED},
    "/quotes.csv": {Permission.VIEW_QUOTES: CLOSED},
    "/orders.csv": {Permission.VIEW_ORDERS: CLOSED},
    "/invoices.csv": {Permission.VIEW_INVOICES: CLOSED},
    "/payments.csv": {Permission.VIEW_PAYMENTS: CLOSED},
    "/deliveries.csv": {Permission.VIEW_DELIVERIES: CLOSED},
    "/feedback.csv": {Permission.SUBMIT_FEEDBACK: CLOSED},
    "/statement.csv": {Permission.VIEW_INVOICES: CLOSED, Permission.VIEW_PAYMENTS: CLOSED},
}

OF_CLIENTS = [pytest.param(each, id=f"{each.method} {each.path.removeprefix(BASE)}") for each in CLIENT_ENDPOINTS]
OF_STAFF = [pytest.param(each, id=f"{each.method} {each.path.removeprefix(BASE)}") for each in STAFF_ENDPOINTS]

NOT_PUSHED = [each for each in OF_STAFF if not str(each.id).partition(" ")[2].startswith("/records")]
"""Who pushes records makes them: that has tests of its own."""


def tail_of(endpoint: ClientEndpoint) -> str:
    return endpoint.path.removeprefix(f"{BASE}/view/{{token}}")


def name_of(endpoint: ClientEndpoint | StaffEndpoint) -> str:
    return endpoint.path.rpartition("{")[2].partition("}")[0]


def filled(path: str, records: Mapping[str, str]) -> str:
    """Return a path with an id for each name in braces."""
    return re.sub(r"\{(\w+)\}", lambda found: records.get(found[1], "x"), path)


def accept(world: World, quote_id: str) -> None:
    """Let whose quote it is accept it, if it is one that can be."""
    for scope in (SCOPE, NEIGHBOUR, STRANGER):
        world.http.post(f"{world.link(scope=scope)}/quotes/{quote_id}/accept", json={})


def ask(world: World, link: str, endpoint: ClientEndpoint, record: str = "") -> Reply:
    tail = tail_of(endpoint)
    path = tail.replace(f"{{{name_of(endpoint)}}}", record)
    if "/receipt" in tail:
        accept(world, record)
    body = {"json": BODIES[tail]} if endpoint.body is not None else {}
    return world.http.request(endpoint.method, link + path, **body)


@pytest.mark.parametrize("endpoint", OF_CLIENTS)
def test_a_whole_link_opens_it(world: World, endpoint: ClientEndpoint) -> None:
    answer = ask(world, world.link(), endpoint, IDS.get(name_of(endpoint), ""))

    assert answer.status_code == endpoint.result.status


@pytest.mark.parametrize("endpoint", OF_CLIENTS)
def test_a_permission_that_is_withheld_closes_it(world: World, endpoint: ClientEndpoint) -> None:
    for permission in endpoint.permissions:
        for record in (IDS.get(name_of(endpoint), ""), "none"):
            answer = ask(world, world.link(without=[permission]), endpoint, record)
            assert (answer.status_code, code(answer)) == (403, "permission_denied")
            assert answer.json()["permission"] == permission
    everything = ask(world, world.link(without=endpoint.permissions), endpoint, IDS.get(name_of(endpoint), ""))
    if endpoint.permissions:
        assert everything.json()["permission"] == endpoint.permissions[0]


def keys_of(shape: object, above: str = "") -> frozenset[str]:
    """Return the keys of an object and of the objects in it, each by its path; lists are not looked into."""
    if not isinstance(shape, dict):
        return frozenset()
    own = {above + key for key in shape}
    return frozenset(own).union(*(keys_of(part, f"{above}{key}.") for key, part in shape.items()))


def ask_for_keys(world: World, endpoint: ClientEndpoint, *lacking: Permission) -> frozenset[str]:
    answer = ask(world, world.link(without=lacking), endpoint, IDS.get(name_of(endpoint), ""))
    if answer.status_code == 403:
        return CLOSED
    assert answer.status_code == endpoint.result.status
    return keys_of(answer.json()["data"]) if endpoint.result.shapes else frozenset()


@pytest.mark.parametrize("permission", list(Permission))
@pytest.mark.parametrize("endpoint", OF_CLIENTS)
def test_a_permission_that_is_withheld_hides_what_it_covers_and_nothing_else(
    world: World, endpoint: ClientEndpoint, permission: Permission
) -> None:
    covered = COVERED[tail_of(endpoint)].get(permission, frozenset())

    whole = ask_for_keys(world, endpoint)
    rest = ask_for_keys(world, endpoint, permission)

    assert rest == (CLOSED if covered is CLOSED else whole - covered)
    assert covered is CLOSED or covered <= whole


@pytest.mark.parametrize("endpoint", OF_CLIENTS)
def test_the_records_of_others_and_drafts_are_not_there(world: World, endpoint: ClientEndpoint) -> None:
    name = name_of(endpoint)
    if not endpoint.noun:
        assert "northwind-n" not in ask(world, world.link(), endpoint).text
        return

    strange = [f"{IDS[name]}{suffix}" for suffix in SUFFIXES.values()]
    for record in [*strange, *([DRAFTS[name]] if name in DRAFTS else [])]:
        answer = ask(world, world.link(), endpoint, record)
        assert (answer.status_code, code(answer)) == (404, "not_found"), record
        unknown = ask(world, world.link(), endpoint, "none")
        assert answer.text == unknown.text.replace("none", record)


@pytest.mark.parametrize("endpoint", OF_CLIENTS)
def test_a_list_holds_the_records_of_its_client_alone(world: World, endpoint: ClientEndpoint) -> None:
    if endpoint.result.envelope != "many":
        return

    for scope, suffix in SUFFIXES.items():
        rows = ask(world, world.link(scope=scope), endpoint).json()["data"]
        assert rows
        assert all(row["id"].endswith(suffix) and "draft" not in row["id"] for row in rows)


@pytest.mark.parametrize("endpoint", OF_CLIENTS)
def test_a_link_to_one_document_opens_no_other(world: World, endpoint: ClientEndpoint) -> None:
    link = world.link(documents=[(DocumentType.QUOTE, "Q-draft")])

    answer = ask(world, link, endpoint, IDS.get(name_of(endpoint), ""))

    if endpoint.noun:
        assert (answer.status_code, code(answer)) == (404, "not_found")
    elif endpoint.whole_account:
        assert (answer.status_code, code(answer)) == (403, "permission_denied")
    elif endpoint.result.envelope == "many":
        assert answer.json()["data"] == []
    else:
        assert not [each for each in IDS.values() if f'"{each}"' in answer.text]


@pytest.mark.parametrize("kind", list(DocumentType))
@pytest.mark.parametrize("endpoint", OF_CLIENTS)
def test_a_link_to_one_document_shows_it_and_names_no_other(
    world: World, endpoint: ClientEndpoint, kind: DocumentType
) -> None:
    own, asked = IDS[f"{kind.value}_id"], IDS.get(name_of(endpoint), "")

    answer = ask(world, world.link(documents=[(kind, own)]), endpoint, asked)

    assert [each for each in DOCUMENTS if each != own and f'"{each}"' in answer.text] == []
    if asked == own:
        assert answer.status_code == endpoint.result.status
        # What a file says is compressed, or encoded; its own tests look into it.
        assert f'"{own}"' in answer.text or not endpoint.result.shapes


STRANGERS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "of another company": ((OTHER_COMPANY,), {}),
    "of several companies who chose another": ((COMPANY, OTHER_COMPANY), {"X-Company-Id": OTHER_COMPANY}),
}


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("endpoint", NOT_PUSHED)
def test_staff_for_another_company_find_nothing(world: World, endpoint: StaffEndpoint, who: str) -> None:
    companies, choice = STRANGERS[who]
    issued = world.staff("POST", "/tokens", json={"client_id": "northwind"}).json()["data"]
    world.http.post(f"{BASE}/view/{issued['token']}/quotes/Q1/accept", json={})
    decision = world.staff("GET", "/decisions").json()["data"][0]["id"]
    webhook = world.staff("POST", "/webhooks", json={"url": "https://hooks.example/in"}).json()["data"]["id"]
    records = {
        "invoice_id": "I1",
        "token_id": issued["id"],
        "decision_id": decision,
        "feedback_id": "T1",
        "webhook_id": webhook,
        "delivery_id": world.staff("POST", f"/webhooks/{webhook}/test", json={}).json()["data"]["id"],
    }
    tail = endpoint.path.removeprefix(BASE)
    path = filled(tail, records)
    body: dict[str, Any] = {"json": BODIES[tail]} if endpoint.body is not None else {}
    headers: dict[str, str] = {}
    if endpoint.upload is not None:
        body = {"content": b"%PDF-1.7 %%EOF"}
        headers = {"Content-Type": endpoint.upload.media_types[0]}
    query = "?client_id=contoso" if "client_id" in endpoint.query else ""

    stranger = world.staff(endpoint.method, path + query, token=bearer(*companies), headers=choice | headers, **body)
    before = world.staff("GET", f"/tokens/{issued['id']}").json()
    own = world.staff(endpoint.method, path + query, headers=headers, **body)

    assert before["data"]["state"] == "active"
    assert own.status_code == endpoint.result.status
    if endpoint.noun:
        assert (stranger.status_code, code(stranger)) == (404, "not_found")
    elif endpoint.method == "GET":
        assert issued["id"] not in stranger.text
        assert decision not in stranger.text
        assert webhook not in stranger.text
    elif endpoint.method == "DELETE":
        assert stranger.status_code == 422
    else:
        assert stranger.json()["data"]["id"] != own.json()["data"]["id"]


@pytest.mark.parametrize("endpoint", OF_STAFF)
def test_staff_without_a_token_or_its_scope_get_nowhere(world: World, endpoint: StaffEndpoint) -> None:
    path = filled(endpoint.path.removeprefix(BASE), {})

    nobody = world.http.request(endpoint.method, BASE + path)
    other = world.staff(endpoint.method, path, token=bearer(scope="portal:writer portal:readers"))
    reader = world.staff(endpoint.method, path, token=bearer(scope="portal:read"))

    assert (nobody.status_code, code(nobody)) == (401, "unauthorized")
    assert (other.status_code, code(other)) == (403, "permission_denied")
    assert (reader.status_code == 403) == (endpoint.method != "GET")
