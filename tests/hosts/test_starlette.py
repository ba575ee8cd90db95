"""The portal in a host of Starlette, whose own users answer quotes too."""

import pytest
from starlette.testclient import TestClient

from examples.starlette_host import PREFIX, User, host
from portal_adapters.contract.builders import NOW, SCOPE, STRANGER, a_quote
from portal_adapters.contract.feeding import prepare
from portal_adapters.memory import MemoryTransactions
from portal_adapters.randomness import RandomMint
from tests.hosts.story import KEY, PUBLIC_URL, tell

SESSIONS = {"hers": User("user-7", "Ada Lovelace", SCOPE), "a-stranger's": User("user-8", "Nobody", STRANGER)}


@pytest.fixture
def transactions() -> MemoryTransactions:
    transactions = MemoryTransactions(RandomMint())
    prepare(transactions, a_quote("Q1"), a_quote("Q2"))
    return transactions


def shop(transactions: MemoryTransactions, *, root_path: str = "") -> TestClient:
    """Return the host as its users meet it; the portal's lifespan is never run."""
    app = host(transactions, SESSIONS, public_url=f"{PUBLIC_URL}{root_path}", key=KEY, clock=lambda: NOW)
    return TestClient(app, root_path=root_path)


def test_the_portal_tells_its_story_under_a_prefix(transactions: MemoryTransactions) -> None:
    tell(shop(transactions), PREFIX)


def test_behind_a_proxy_that_has_a_prefix_of_its_own_the_story_is_the_same(transactions: MemoryTransactions) -> None:
    tell(shop(transactions, root_path="/shop"), f"/shop{PREFIX}")


def test_a_user_who_is_logged_in_answers_by_the_same_rules(transactions: MemoryTransactions) -> None:
    with shop(transactions) as http:
        path = "/my/quotes/Q1/accept?revision=1"

        unknown = http.post(path)
        strangers = http.post(path, headers={"Cookie": "session=a-stranger's"})
        first, again = (http.post(path, headers={"Cookie": "session=hers"}) for _ in range(2))

    assert (unknown.status_code, strangers.status_code) == (401, 404)
    assert (first.json(), again.json()) == ({"state": "accepted"}, {"state": "accepted"})
    with transactions.begin() as store:
        quote = store.quotes.get(SCOPE, a_quote("Q1").id)
    assert quote is not None
    assert quote.decision is not None
    assert (quote.decision.evidence.name, quote.decision.evidence.grant_id) == ("Ada Lovelace", "user-7")
