"""All that is kept about one client, for when they ask: everything of theirs, nothing of another's, and no secret."""

import json
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    CLIENT,
    COMPANY,
    NEIGHBOUR,
    NOW,
    SCOPE,
    STRANGER,
    a_decision,
    a_grant,
    a_quote,
    a_secret,
    a_ticket,
    an_audit_entry,
    an_event,
    evidence,
)
from portal_adapters.contract.feeding import prepare
from portal_adapters.contract.mint import CountingMint
from portal_adapters.memory import MemoryTransactions
from portal_adapters.records.everything import export_everything
from portal_adapters.records.importing import import_records
from portal_adapters.records.staging import FileRefused
from portal_core.domain.access import DocumentRef, DocumentType, Scope
from portal_core.domain.feedback import Party, Reply
from portal_core.domain.ids import ClientId
from portal_core.domain.paging import LARGEST_LIMIT
from portal_core.ports import Transactions

SECRETS = {mark: a_secret(seed) for seed, mark in enumerate(("ours", "theirs", "strangers"))}


@pytest.fixture
def transactions() -> Transactions:
    return MemoryTransactions(CountingMint())


def fill(transactions: Transactions, scope: Scope, mark: str) -> None:
    """Keep one of everything about a client, marked so that it is recognised."""
    quote, documents = a_quote(f"Q{mark}", scope=scope), frozenset({DocumentRef(DocumentType.QUOTE, f"Q{mark}")})
    ticket = a_ticket(f"T{mark}", scope=scope, message=f"Asked {mark}.")
    prepare(transactions, quote)
    with transactions.begin() as store:
        decision = a_decision(quote, evidence=evidence(name=f"Person {mark}"))
        event, entry = an_event(f"E{mark}", scope=scope), an_audit_entry(f"A{mark}", scope=scope)
        store.decisions.record(quote, decision, event, entry)
        store.tickets.add(ticket)
        answer = Reply(by=Party.STAFF, message=f"Told {mark}.", created_at=NOW)
        store.tickets.update(ticket.reply(answer), was=ticket)
        grant = a_grant(f"G{mark}", scope=scope, label=f"For {mark}", documents=documents, secrets=(SECRETS[mark],))
        store.grants.add(grant)


def exported(transactions: Transactions, client_id: ClientId = CLIENT) -> list[dict[str, Any]]:
    with transactions.begin() as store:
        return [json.loads(line) for line in export_everything(store, COMPANY, client_id, now=NOW)]


def test_one_of_everything_about_the_client_is_told_and_nothing_of_others(transactions: Transactions) -> None:
    for scope, mark in ((SCOPE, "ours"), (NEIGHBOUR, "theirs")):
        fill(transactions, scope, mark)

    lines = exported(transactions)

    kinds = ["company", "client", "quote", "decision", "feedback", "token", "audit_entry", "event"]
    assert [line["type"] for line in lines] == kinds
    assert {line["client_id"] for line in lines[2:]} == {CLIENT}
    assert "theirs" not in json.dumps(lines)
    by_type = {line["type"]: line for line in lines}
    assert by_type["decision"]["name"] == "Person ours"
    assert by_type["feedback"]["replies"][0]["message"] == "Told ours."
    assert by_type["audit_entry"]["id"] == "Aours"
    assert by_type["event"]["id"] == "Eours"


def test_a_link_is_told_without_its_secret_and_digest(transactions: Transactions) -> None:
    fill(transactions, SCOPE, "ours")
    (token,) = [line for line in exported(transactions) if line["type"] == "token"]

    assert set(token) == {
        *("type", "company_id", "id", "client_id", "label", "permissions", "documents"),
        *("created_at", "expires_at", "revoked_at", "last_used_at", "hint"),
    }
    assert (token["label"], token["documents"]) == ("For ours", [{"type": "quote", "id": "Qours"}])
    assert token["hint"] == SECRETS["ours"].hint


def test_a_link_to_all_documents_says_so(transactions: Transactions) -> None:
    prepare(transactions)
    with transactions.begin() as store:
        store.grants.add(a_grant())

    assert [line["documents"] for line in exported(transactions) if line["type"] == "token"] == [None]


def test_events_are_told_however_many_there_are(transactions: Transactions) -> None:
    prepare(transactions)
    scopes = [SCOPE if place % 2 else NEIGHBOUR for place in range(2 * LARGEST_LIMIT)]
    with transactions.begin() as store:
        for place, scope in enumerate(scopes):
            store.events.append(evolve(an_event(f"E{place:03}", scope=scope), occurred_at=NOW + timedelta(place)))

    told = [line["id"] for line in exported(transactions) if line["type"] == "event"]

    assert told == [f"E{place:03}" for place, scope in enumerate(scopes) if scope == SCOPE]


def test_an_unknown_client_has_nothing(transactions: Transactions) -> None:
    fill(transactions, STRANGER, "strangers")

    assert exported(transactions, ClientId("nobody")) == []


@pytest.mark.parametrize("kind", ["token", "audit_entry", "event"])
def test_what_is_for_reading_is_not_taken_in(transactions: Transactions, kind: str) -> None:
    fill(transactions, SCOPE, "ours")
    (line,) = [json.dumps(line).encode() for line in exported(transactions) if line["type"] == kind]

    with pytest.raises(FileRefused) as refused:
        import_records(transactions, [("all.jsonl", BytesIO(line))])

    (problem,) = refused.value.problems
    assert (problem.pointer, problem.detail) == ("/type", f"{kind!r} is exported to be read, and cannot be imported")
