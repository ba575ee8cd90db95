from collections.abc import Callable
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from portal_core.domain.access import ALL_PERMISSIONS, DocumentType, GrantState, Permission, Scope, Secret
from portal_core.domain.errors import DeadLink, NotFound, PermissionDenied, Revoked
from tests.core.samples import COMPANY, DAY, GRANT, NOW, SECOND, SECRET, a_grant, a_visit, only

NEVER = NOW + 10_000 * DAY

FRESH = Secret(digest=b"fresh", hint="resh", created_at=NOW)


def test_a_grant_is_active_until_the_moment_it_expires() -> None:
    grant = a_grant(expires_at=NOW)

    before, then = grant.state(NOW - timedelta(microseconds=1)), grant.state(NOW)

    assert (before, then) == (GrantState.ACTIVE, GrantState.EXPIRED)


def test_a_revoked_grant_is_revoked_whether_or_not_it_has_expired() -> None:
    grant = a_grant(expires_at=NOW).revoke(at=NOW)

    states = {grant.state(NOW - DAY), grant.state(NOW + DAY)}

    assert states == {GrantState.REVOKED}


def test_revoking_twice_keeps_the_first_moment() -> None:
    grant = GRANT.revoke(at=NOW)

    again = grant.revoke(at=NOW + DAY)

    assert again.revoked_at == NOW


@given(st.sets(st.sampled_from(Permission)), st.permutations(list(Permission)))
def test_the_first_permission_missing_is_the_one_named(lacking: set[Permission], asked: list[Permission]) -> None:
    grant = a_grant(without=frozenset(lacking))

    missing = [permission for permission in asked if permission in lacking]

    if not missing:
        grant.require(*asked, at=NOW)
        return
    with pytest.raises(PermissionDenied) as refused:
        grant.require(*asked, at=NOW)
    assert refused.value.permission == missing[0]
    assert missing[0] in refused.value.detail


@given(st.sets(st.sampled_from(Permission)))
def test_a_grant_may_do_what_it_was_not_denied(lacking: set[Permission]) -> None:
    grant = a_grant(without=frozenset(lacking))

    allowed = {permission for permission in Permission if grant.may(permission)}

    assert allowed == ALL_PERMISSIONS - lacking


def test_permissions_are_named_in_the_order_of_the_contract() -> None:
    order = list(Permission)

    names = " ".join(order)

    assert names == (
        "view_quotes accept_quotes view_orders view_invoices view_payments view_deliveries submit_feedback"
    )


def test_a_dead_grant_is_not_found_before_any_permission_is_looked_at() -> None:
    expired = a_grant(without=ALL_PERMISSIONS, expires_at=NOW)

    for grant in (expired, GRANT.revoke(at=NOW)):
        with pytest.raises(DeadLink) as refused:
            grant.require(Permission.VIEW_QUOTES, at=NOW)

        assert isinstance(refused.value, NotFound)
        assert refused.value.detail == "There is nothing here."


def test_rotating_without_an_overlap_kills_the_earlier_tokens_at_once() -> None:
    grant = GRANT.rotate(FRESH, others_die_at=NOW)

    opened = [kept for kept in grant.secrets if kept.is_alive(NOW)]

    assert opened == [FRESH]
    assert grant.secret(SECRET.digest, at=NOW) is None
    assert grant.secret(FRESH.digest, at=NOW) == FRESH
    assert grant.hint == FRESH.hint


def test_an_overlap_lets_both_tokens_open_the_grant_until_it_ends() -> None:
    grant = GRANT.rotate(FRESH, others_die_at=NOW + SECOND)

    before = grant.secret(SECRET.digest, at=NOW + SECOND - timedelta(microseconds=1))
    then = grant.secret(SECRET.digest, at=NOW + SECOND)

    assert before is not None
    assert before.dies_at == NOW + SECOND
    assert then is None
    assert grant.secret(FRESH.digest, at=NOW + 1000 * DAY) == FRESH


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=1, max_size=6))
def test_no_rotation_lets_an_earlier_token_live_longer(rotations: list[tuple[int, int]]) -> None:
    grant, now, dies = GRANT, NOW, {SECRET.digest: NEVER}

    for number, (later, overlap) in enumerate(rotations):
        now += later * SECOND
        end = now + overlap * SECOND
        grant = grant.rotate(Secret(digest=b"%d" % number, hint="", created_at=now), others_die_at=end)
        dies = {digest: min(moment, end) for digest, moment in dies.items()}
        dies[b"%d" % number] = NEVER

    for digest, moment in dies.items():
        assert (grant.secret(digest, at=now) is not None) == (now < moment)
        assert moment == NEVER or grant.secret(digest, at=moment) is None


def test_tokens_that_are_dead_already_are_forgotten_by_a_rotation() -> None:
    grant = GRANT.rotate(FRESH, others_die_at=NOW)

    again = grant.rotate(evolve(FRESH, digest=b"newer"), others_die_at=NOW + DAY)

    assert [kept.digest for kept in again.secrets] == [FRESH.digest, b"newer"]


def test_a_revoked_grant_can_neither_be_amended_nor_rotated() -> None:
    grant = GRANT.revoke(at=NOW)

    uses: list[Callable[[], object]] = [
        lambda: grant.amend(label="x"),
        lambda: grant.rotate(FRESH, others_die_at=NOW),
    ]
    for change in uses:
        with pytest.raises(Revoked):
            change()


def test_what_an_amendment_leaves_out_stays() -> None:
    grant = a_grant(label="Portal of Lena")

    amended = grant.amend(permissions=frozenset({Permission.VIEW_QUOTES}))

    assert amended == evolve(grant, permissions=frozenset({Permission.VIEW_QUOTES}))


def test_a_grant_without_secrets_has_no_hint() -> None:
    grant = a_grant(secrets=())

    hint = grant.hint

    assert not hint


def test_a_scope_covers_all_of_the_clients_documents_unless_it_is_narrowed() -> None:
    everything = GRANT.scope
    narrowed = a_grant(documents=only((DocumentType.QUOTE, "q1"), (DocumentType.INVOICE, "q2"))).scope

    covered = [
        (kind, document) for kind in DocumentType for document in ("q1", "q2") if narrowed.covers(kind, document)
    ]

    assert covered == [(DocumentType.QUOTE, "q1"), (DocumentType.INVOICE, "q2")]
    assert all(everything.covers(kind, "q3") for kind in DocumentType)
    assert everything.only(DocumentType.QUOTE) is None
    assert narrowed.only(DocumentType.QUOTE) == frozenset({"q1"})
    assert narrowed.only(DocumentType.PAYMENT) == frozenset()


def test_a_visitors_scope_and_day_are_those_of_the_grant_and_the_company() -> None:
    visit = a_visit()

    late = visit.today(NOW.replace(hour=23))

    assert visit.scope == Scope(COMPANY.id, visit.client.id)
    assert late == NOW.date() + DAY
