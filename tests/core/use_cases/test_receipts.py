import json
from typing import final

import pytest
from attrs import evolve, frozen

from portal_core.domain.documents import JSON
from portal_core.domain.errors import NotFound, PermissionDenied
from portal_core.domain.quotes import QuoteState
from portal_core.ports import Signer, Store
from portal_core.use_cases.quotes import accept_quote, decline_quote
from portal_core.use_cases.receipts import issue_receipt
from tests.core.samples import LENA, NOW, SECOND, a_quote, a_visit


@final
@frozen
class Initials(Signer):
    """Signs so that a test can read it."""

    def sign(self, statement: str) -> str:
        return f"signed: {statement}"


def said(receipt: str) -> dict[str, JSON]:
    statement: dict[str, JSON] = json.loads(receipt.removeprefix("signed: "))
    return statement


def test_a_receipt_says_who_decided_what_and_when(store: Store) -> None:
    store.intake.save([a_quote()])
    decided = accept_quote(store, a_visit(), a_quote().id, LENA, seen=1, now=NOW)

    receipt = said(issue_receipt(store, a_visit(), a_quote().id, Initials(), now=NOW))

    assert decided.decision is not None
    assert (receipt["answer"], receipt["name"], receipt["ip"]) == ("accepted", LENA.name, LENA.ip)
    assert receipt["decided_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert receipt["document_sha256"] == a_quote().document_sha256()
    assert receipt["decision_id"] == decided.decision.id
    assert receipt["token_id"] == a_visit().grant.id


def test_a_receipt_stays_the_same_whatever_becomes_of_the_quote(store: Store) -> None:
    store.intake.save([a_quote()])
    decline_quote(store, a_visit(), a_quote().id, LENA, seen=1, now=NOW)
    first = issue_receipt(store, a_visit(), a_quote().id, Initials(), now=NOW)

    store.intake.save([evolve(a_quote(), recorded_state=QuoteState.CANCELLED)])

    assert issue_receipt(store, a_visit(), a_quote().id, Initials(), now=NOW + SECOND) == first


def test_there_is_no_receipt_before_there_is_a_decision(store: Store) -> None:
    store.intake.save([a_quote()])

    with pytest.raises(NotFound):
        issue_receipt(store, a_visit(), a_quote().id, Initials(), now=NOW)


def test_a_link_that_shows_no_quotes_gives_no_receipts(store: Store) -> None:
    store.intake.save([a_quote()])
    visit = a_visit()
    narrow = evolve(visit, grant=evolve(visit.grant, permissions=frozenset()))

    with pytest.raises(PermissionDenied):
        issue_receipt(store, narrow, a_quote().id, Initials(), now=NOW)
