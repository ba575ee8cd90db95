from collections import Counter
from datetime import timedelta

import pytest

from portal_core.domain.access import DocumentRef, DocumentType, Permission
from portal_core.domain.audit import COMMAND_LINE, PROGRAM, Actor, ActorType, AuditAction, AuditEntry
from portal_core.domain.errors import AlreadyDecided, InvalidInput, NotOpen
from portal_core.domain.filters import AuditFilter
from portal_core.domain.ids import CompanyId, QuoteId
from portal_core.domain.paging import Listing
from portal_core.domain.quotes import Evidence
from portal_core.domain.records import RecordType
from portal_core.ports import Store
from portal_core.use_cases.access import (
    IssuedLink,
    LinkLife,
    NewGrant,
    amend_link,
    issue_link,
    revoke_link,
    revoke_links_of,
    rotate_link,
)
from portal_core.use_cases.audit import list_audit_entries
from portal_core.use_cases.feedback import NewTicket, reply_as_client, reply_as_staff, submit_feedback
from portal_core.use_cases.quotes import accept_quote, decline_quote
from portal_core.use_cases.records import Counts, Outcome, note_import
from tests.core.samples import CLIENT, COMPANY, DAY, NOW, a_quote, a_visit

LIFE = LinkLife()
OLDEST_FIRST = Listing(sort="created_at", descending=False, limit=100)
ADA = Actor(type=ActorType.STAFF, id="ada@example.com", ip="192.0.2.1", user_agent="curl/8")
EVIDENCE = Evidence(name="Lena Fischer", comment="At last!", ip="192.0.2.7", user_agent="A phone")


def noted(store: Store) -> tuple[AuditEntry, ...]:
    return list_audit_entries(store, COMPANY.id, OLDEST_FIRST, AuditFilter()).items


def actions(store: Store) -> list[str]:
    return [entry.act.action.value for entry in noted(store)]


def issue(store: Store) -> IssuedLink:
    return issue_link(store, COMPANY.id, NewGrant(client_id=CLIENT.id, label="For Lena"), LIFE, now=NOW, by=ADA)


def test_issuing_is_noted_with_what_the_link_allows_and_neither_its_secret_nor_its_label(store: Store) -> None:
    link = issue(store)

    (entry,) = noted(store)
    assert (entry.act.action, entry.actor, entry.created_at) == (AuditAction.TOKEN_ISSUED, ADA, NOW)
    assert (entry.act.client_id, entry.act.target.type, entry.act.target.id) == (CLIENT.id, "token", link.grant.id)
    assert entry.act.details == {
        "permissions": [each.value for each in Permission],
        "documents": None,
        "expires_at": "2027-02-21T12:00:00Z",
        "token_hint": link.grant.hint,
    }
    assert link.token not in repr(entry)


def test_a_change_is_noted_with_what_was_and_what_is(store: Store) -> None:
    store.intake.save([a_quote()])
    link = issue(store)
    documents = frozenset({DocumentRef(DocumentType.QUOTE, "q1")})

    changed = amend_link(
        store, COMPANY.id, link.grant.id, {"documents": documents, "label": "For Omar"}, LIFE, now=NOW, by=ADA
    )
    amend_link(store, COMPANY.id, link.grant.id, {"expires_at": NOW + DAY}, LIFE, now=NOW, by=ADA)

    _, narrowed, dated = noted(store)
    assert changed.documents == documents
    assert narrowed.act.details == {"documents": {"from": None, "to": ["quote:q1"]}, "label": "changed"}
    assert dated.act.details == {"expires_at": {"from": "2027-02-21T12:00:00Z", "to": "2026-11-24T12:00:00Z"}}
    assert {(each.act.action, each.actor) for each in (narrowed, dated)} == {(AuditAction.TOKEN_CHANGED, ADA)}


def test_what_changes_nothing_is_not_noted(store: Store) -> None:
    link = issue(store)
    revoke_link(store, COMPANY.id, link.grant.id, now=NOW, by=ADA)
    other = issue(store)
    before = actions(store)

    amend_link(store, COMPANY.id, other.grant.id, {"label": "For Lena"}, LIFE, now=NOW, by=ADA)
    revoke_link(store, COMPANY.id, link.grant.id, now=NOW, by=ADA)
    revoke_link(store, COMPANY.id, other.grant.id, now=NOW, by=ADA)
    revoke_links_of(store, COMPANY.id, CLIENT.id, now=NOW, by=ADA)

    assert actions(store)[len(before) :] == ["token.revoked"]


def test_what_is_refused_is_not_noted(store: Store) -> None:
    with pytest.raises(InvalidInput):
        issue_link(store, COMPANY.id, NewGrant(client_id=CLIENT.id, label=""), LIFE, now=NOW, by=ADA)

    assert noted(store) == ()


def test_a_rotation_is_noted_with_the_end_of_the_earlier_tokens(store: Store) -> None:
    link = issue(store)

    fresh = rotate_link(store, COMPANY.id, link.grant.id, overlap=timedelta(hours=1), now=NOW, by=ADA)

    entry = noted(store)[-1]
    assert (entry.act.action, entry.actor) == (AuditAction.TOKEN_ROTATED, ADA)
    assert entry.act.details == {"token_hint": fresh.grant.hint, "others_die_at": "2026-11-23T13:00:00Z"}


def test_revoking_every_link_is_noted_for_each_and_for_the_client(store: Store) -> None:
    first, second = issue(store), issue(store)

    revoke_links_of(store, COMPANY.id, CLIENT.id, now=NOW, by=ADA)

    *revoked, whole = noted(store)[2:]
    assert {each.act.target.id for each in revoked} == {first.grant.id, second.grant.id}
    assert [each.act.action for each in revoked] == [AuditAction.TOKEN_REVOKED] * 2
    assert (whole.act.action, whole.act.target.type, whole.act.target.id) == ("token.all_revoked", "client", CLIENT.id)
    assert whole.act.details == {"revoked": 2}
    assert {each.actor for each in noted(store)} == {ADA}


def test_a_decision_is_noted_with_the_link_and_from_where_it_came(store: Store) -> None:
    store.intake.save([a_quote(), a_quote(id=QuoteId("q2"))])
    visit = a_visit()

    accept_quote(store, visit, QuoteId("q1"), EVIDENCE, seen=1, now=NOW)
    decline_quote(store, visit, QuoteId("q2"), EVIDENCE, seen=1, now=NOW)

    accepted, declined = noted(store)
    assert accepted.actor == declined.actor
    assert accepted.actor == Actor(
        type=ActorType.CLIENT,
        id=visit.grant.id,
        token_hint=visit.secret_hint,
        ip="192.0.2.7",
        user_agent="A phone",
    )
    assert [each.act.action.value for each in (accepted, declined)] == ["quote.accepted", "quote.declined"]
    assert (accepted.act.target.type, accepted.act.target.id, accepted.act.client_id) == ("quote", "q1", CLIENT.id)
    assert accepted.act.details["revision"] == 1
    assert "Lena" not in repr(accepted)


def test_a_decision_that_is_repeated_or_refused_is_noted_once(store: Store) -> None:
    store.intake.save([a_quote()])

    for _ in range(2):
        accept_quote(store, a_visit(), QuoteId("q1"), EVIDENCE, seen=1, now=NOW)
    with pytest.raises(AlreadyDecided):
        decline_quote(store, a_visit(), QuoteId("q1"), EVIDENCE, seen=1, now=NOW)

    assert actions(store) == ["quote.accepted"]


def test_what_staff_reply_is_noted_without_the_words_and_what_clients_say_is_not(store: Store) -> None:
    ticket = submit_feedback(store, a_visit(), NewTicket(subject="Hammer", message="It is broken."), now=NOW)

    reply_as_staff(store, COMPANY.id, ticket.id, "Send it back.", close=False, now=NOW, by=ADA)
    reply_as_client(store, a_visit(), ticket.id, "Where to?", now=NOW)
    reply_as_staff(store, COMPANY.id, ticket.id, "To us.", close=True, now=NOW, by=ADA)
    with pytest.raises(NotOpen):
        reply_as_staff(store, COMPANY.id, ticket.id, "Bye.", close=True, now=NOW, by=ADA)

    assert actions(store) == ["feedback.replied", "feedback.closed"]
    assert {(each.actor, each.act.client_id, each.act.target.id) for each in noted(store)} == {
        (ADA, CLIENT.id, ticket.id)
    }
    assert "Send" not in repr(noted(store))


def test_who_is_not_named_is_the_program(store: Store) -> None:
    issue_link(store, COMPANY.id, NewGrant(client_id=CLIENT.id), LIFE, now=NOW)

    assert noted(store)[0].actor == PROGRAM


def test_an_import_is_noted_with_what_it_changed(store: Store) -> None:
    counts: Counts = Counter(
        {
            (RecordType.QUOTE, Outcome.CREATED): 3,
            (RecordType.QUOTE, Outcome.UNCHANGED): 9,
            (RecordType.ORDER, Outcome.UPDATED): 0,
            (RecordType.PAYMENT, Outcome.DELETED): 1,
        }
    )

    note_import(store, COMPANY.id, counts, by=COMMAND_LINE, now=NOW)
    note_import(store, COMPANY.id, Counter({(RecordType.QUOTE, Outcome.UNCHANGED): 9}), by=COMMAND_LINE, now=NOW)

    (entry,) = noted(store)
    assert (entry.act.action, entry.actor, entry.act.client_id) == ("records.imported", COMMAND_LINE, None)
    assert (entry.act.target.type, entry.act.target.id) == ("company", COMPANY.id)
    assert entry.act.details == {"quote": {"created": 3}, "payment": {"deleted": 1}}


def test_another_company_reads_a_log_of_its_own(store: Store) -> None:
    issue(store)

    assert list_audit_entries(store, CompanyId("other"), OLDEST_FIRST, AuditFilter()).items == ()
