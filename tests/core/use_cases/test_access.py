from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from attrs import evolve

from portal_core.domain.access import (
    ALL_PERMISSIONS,
    DocumentRef,
    DocumentType,
    Grant,
    GrantChanges,
    GrantState,
    Permission,
    Scope,
    Use,
)
from portal_core.domain.errors import Busy, DeadLink, InvalidInput, NotFound, Revoked
from portal_core.domain.events import Event, EventType
from portal_core.domain.filters import GrantFilter
from portal_core.domain.ids import ClientId, CompanyId, GrantId
from portal_core.domain.paging import Listing
from portal_core.domain.tokens import digest_of, is_token
from portal_core.ports import Store
from portal_core.use_cases.access import (
    LONGEST_OVERLAP,
    IssuedLink,
    LinkLife,
    NewGrant,
    amend_link,
    issue_link,
    list_links,
    note_uses,
    open_link,
    read_link,
    revoke_link,
    revoke_links_of,
    rotate_link,
    visit_of_user,
)
from tests.core.meanwhile import OvertakenGrants
from tests.core.samples import CLIENT, COMPANY, DAY, NOW, SECOND, STRANGER, TOKEN, a_quote, only

LIFE = LinkLife()
NEWEST = Listing(sort="created_at")
TICK = timedelta(microseconds=1)


def issue(store: Store, *, client_id: ClientId = CLIENT.id, expires_at: datetime | None = None) -> IssuedLink:
    return issue_link(store, COMPANY.id, NewGrant(client_id=client_id, expires_at=expires_at), LIFE, now=NOW)


def amend(store: Store, grant: Grant, **changes: object) -> Grant:
    typed: GrantChanges = changes  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    return amend_link(store, COMPANY.id, grant.id, typed, LIFE, now=NOW)


def told(store: Store) -> list[Event]:
    page = store.events.page(COMPANY.id, after=None, limit=1000)
    assert page is not None
    return list(page.items)


def test_a_fresh_link_opens_for_whom_it_was_issued(store: Store) -> None:
    link = issue(store)

    visit = open_link(store, link.token, now=NOW)

    assert is_token(link.token)
    assert (visit.grant, visit.company, visit.client) == (link.grant, COMPANY, CLIENT)
    assert visit.secret_hint == link.token[-4:] == link.grant.hint
    assert link.grant.permissions == ALL_PERMISSIONS
    assert link.grant.expires_at == NOW + timedelta(days=90)


def test_only_the_digest_of_a_token_is_kept(store: Store) -> None:
    link = issue(store)

    kept = store.grants.get(COMPANY.id, link.grant.id)

    assert kept is not None
    assert [secret.digest for secret in kept.secrets] == [digest_of(link.token)]
    assert link.token not in repr((kept, told(store)))


def test_issuing_and_revoking_are_told_once(store: Store) -> None:
    link = issue(store)

    for _ in range(2):
        revoke_link(store, COMPANY.id, link.grant.id, now=NOW)

    assert [event.type for event in told(store)] == [EventType.TOKEN_ISSUED, EventType.TOKEN_REVOKED]
    assert {(event.client_id, event.data["token_id"]) for event in told(store)} == {(CLIENT.id, link.grant.id)}


def test_unknown_mistyped_expired_and_revoked_tokens_are_refused_alike(store: Store) -> None:
    expired, revoked, living = issue(store, expires_at=NOW + SECOND), issue(store), issue(store)
    revoke_link(store, COMPANY.id, revoked.grant.id, now=NOW)
    wrong = "1" if living.token[20] == "0" else "0"
    tokens = [
        TOKEN,
        living.token[:20] + wrong + living.token[21:],
        expired.token,
        revoked.token,
        "",
        "\ud800",
        "x" * 9999,
    ]

    refusals = set()
    for token in tokens:
        with pytest.raises(DeadLink) as refused:
            open_link(store, token, now=NOW + SECOND)
        refusals.add((refused.value.detail, refused.value.code, str(refused.value)))

    assert len(refusals) == 1
    assert open_link(store, living.token, now=NOW + SECOND).grant == living.grant


def test_a_link_opens_until_the_moment_it_expires(store: Store) -> None:
    link = issue(store, expires_at=NOW + DAY)

    visit = open_link(store, link.token, now=NOW + DAY - TICK)

    assert visit.grant == link.grant
    with pytest.raises(DeadLink):
        open_link(store, link.token, now=NOW + DAY)


@pytest.mark.parametrize("moment", [NOW, NOW - DAY, NOW + LIFE.longest + TICK])
def test_an_end_that_is_past_or_too_far_away_is_refused(store: Store, moment: datetime) -> None:
    link = issue(store)

    with pytest.raises(InvalidInput) as at_issue:
        issue(store, expires_at=moment)
    with pytest.raises(InvalidInput) as at_change:
        amend(store, link.grant, expires_at=moment)

    assert [refused.value.problems[0].pointer for refused in (at_issue, at_change)] == ["/expires_at"] * 2


def test_the_nearest_and_the_farthest_end_are_allowed(store: Store) -> None:
    ends = [NOW + TICK, NOW + LIFE.longest]

    links = [issue(store, expires_at=moment) for moment in ends]

    assert [link.grant.expires_at for link in links] == ends


def test_a_link_is_issued_to_clients_of_the_company_alone(store: Store) -> None:
    asked = NewGrant(client_id=ClientId("nobody"))

    for company in (COMPANY.id, CompanyId("other")):
        with pytest.raises(InvalidInput) as refused:
            issue_link(store, company, asked, LIFE, now=NOW)
        assert refused.value.problems[0].pointer == "/client_id"

    assert told(store) == []


@pytest.mark.parametrize(
    "kind, document_id", [(DocumentType.QUOTE, "q2"), (DocumentType.QUOTE, "q9"), (DocumentType.ORDER, "q1")]
)
def test_a_link_can_be_narrowed_to_the_clients_own_documents_alone(
    store: Store, kind: DocumentType, document_id: str
) -> None:
    store.intake.save([a_quote(), a_quote(id="q2", client_id=STRANGER.id)])
    own, other = only((DocumentType.QUOTE, "q1")), only((DocumentType.QUOTE, "q1"), (kind, document_id))

    link = issue_link(store, COMPANY.id, NewGrant(client_id=CLIENT.id, documents=own), LIFE, now=NOW)
    with pytest.raises(InvalidInput) as at_issue:
        issue_link(store, COMPANY.id, NewGrant(client_id=CLIENT.id, documents=other), LIFE, now=NOW)
    with pytest.raises(InvalidInput) as at_change:
        amend(store, link.grant, documents=other)

    assert open_link(store, link.token, now=NOW).scope.documents == frozenset({DocumentRef(DocumentType.QUOTE, "q1")})
    assert [refused.value.problems[0].pointer for refused in (at_issue, at_change)] == ["/documents"] * 2


def test_a_label_is_a_name(store: Store) -> None:
    link = issue_link(store, COMPANY.id, NewGrant(client_id=CLIENT.id, label=" For Lena "), LIFE, now=NOW)

    for label in (" ", "x" * 201, "a\tb"):
        with pytest.raises(InvalidInput) as refused:
            amend(store, link.grant, label=label)
        assert refused.value.problems[0].pointer == "/label"

    assert link.grant.label == "For Lena"
    assert amend(store, link.grant, label=None).label is None


def test_what_an_amendment_returns_is_what_is_kept(store: Store) -> None:
    link = issue(store)

    amended = amend(store, link.grant, permissions=frozenset({Permission.VIEW_QUOTES}), expires_at=NOW + DAY)

    assert amended == read_link(store, COMPANY.id, link.grant.id)
    assert (amended.permissions, amended.expires_at) == (frozenset({Permission.VIEW_QUOTES}), NOW + DAY)
    assert open_link(store, link.token, now=NOW).grant == amended


def test_an_expired_link_lives_again_when_it_is_given_a_new_end(store: Store) -> None:
    link = issue(store, expires_at=NOW + SECOND)

    amend_link(store, COMPANY.id, link.grant.id, {"expires_at": NOW + 9 * DAY}, LIFE, now=NOW + 2 * DAY)

    assert open_link(store, link.token, now=NOW + 2 * DAY).grant.id == link.grant.id


def test_a_rotated_link_opens_by_its_fresh_token_alone(store: Store) -> None:
    link = issue(store)

    fresh = rotate_link(store, COMPANY.id, link.grant.id, overlap=timedelta(0), now=NOW)

    assert fresh.token != link.token
    assert open_link(store, fresh.token, now=NOW).grant == fresh.grant == read_link(store, COMPANY.id, link.grant.id)
    with pytest.raises(DeadLink):
        open_link(store, link.token, now=NOW)


def test_during_the_overlap_both_tokens_open(store: Store) -> None:
    link = issue(store)

    fresh = rotate_link(store, COMPANY.id, link.grant.id, overlap=timedelta(hours=1), now=NOW)

    last = NOW + timedelta(hours=1) - TICK
    assert open_link(store, link.token, now=last).grant == open_link(store, fresh.token, now=last).grant
    assert open_link(store, link.token, now=last).secret_hint == link.token[-4:]
    with pytest.raises(DeadLink):
        open_link(store, link.token, now=NOW + timedelta(hours=1))


@pytest.mark.parametrize("overlap", [-SECOND, LONGEST_OVERLAP + SECOND, timedelta.max])
def test_an_overlap_is_neither_negative_nor_without_end(store: Store, overlap: timedelta) -> None:
    link = issue(store)

    with pytest.raises(InvalidInput) as refused:
        rotate_link(store, COMPANY.id, link.grant.id, overlap=overlap, now=NOW)

    assert refused.value.problems[0].pointer == "/overlap_seconds"
    assert rotate_link(store, COMPANY.id, link.grant.id, overlap=LONGEST_OVERLAP, now=NOW).token != link.token


def test_a_revoked_link_opens_nothing_and_cannot_be_changed(store: Store) -> None:
    link = issue(store)
    revoke_link(store, COMPANY.id, link.grant.id, now=NOW)

    uses: list[Callable[[], object]] = [
        lambda: amend(store, link.grant, label="x"),
        lambda: rotate_link(store, COMPANY.id, link.grant.id, overlap=timedelta(0), now=NOW),
    ]
    for change in uses:
        with pytest.raises(Revoked):
            change()

    assert read_link(store, COMPANY.id, link.grant.id).state(NOW) is GrantState.REVOKED
    with pytest.raises(DeadLink):
        open_link(store, link.token, now=NOW)


def test_every_link_of_a_client_is_revoked_and_no_other(store: Store) -> None:
    links = [issue(store, expires_at=NOW + (1 + number) * SECOND) for number in range(205)]
    other = issue(store, client_id=STRANGER.id)
    revoke_link(store, COMPANY.id, links[7].grant.id, now=NOW)

    revoke_links_of(store, COMPANY.id, CLIENT.id, now=NOW + 100 * SECOND)

    revoked = [event.data["token_id"] for event in told(store) if event.type is EventType.TOKEN_REVOKED]
    assert len(revoked) == len(links)
    assert set(revoked) == {link.grant.id for link in links}
    assert read_link(store, COMPANY.id, links[7].grant.id).revoked_at == NOW
    assert open_link(store, other.token, now=NOW).client == STRANGER


def test_the_links_of_nobody_cannot_be_revoked(store: Store) -> None:
    nobody = ClientId("nobody")

    with pytest.raises(InvalidInput) as refused:
        revoke_links_of(store, COMPANY.id, nobody, now=NOW)

    assert refused.value.problems[0].parameter == "client_id"


def test_another_companys_link_is_not_found(store: Store) -> None:
    link = issue(store)
    other = CompanyId("other")

    uses: list[Callable[[], object]] = [
        lambda: read_link(store, other, link.grant.id),
        lambda: amend_link(store, other, link.grant.id, {"label": "x"}, LIFE, now=NOW),
        lambda: rotate_link(store, other, link.grant.id, overlap=timedelta(0), now=NOW),
        lambda: revoke_link(store, other, link.grant.id, now=NOW),
        lambda: read_link(store, COMPANY.id, GrantId("none")),
    ]
    for use in uses:
        with pytest.raises(NotFound):
            use()

    assert list_links(store, other, NEWEST, GrantFilter(), now=NOW).items == ()


def test_links_are_listed_by_client_and_state(store: Store) -> None:
    active, expired, revoked = issue(store), issue(store, expires_at=NOW + SECOND), issue(store)
    issue(store, client_id=STRANGER.id)
    revoke_link(store, COMPANY.id, revoked.grant.id, now=NOW)

    def found(state: GrantState) -> list[str]:
        narrowed = GrantFilter(client_id=CLIENT.id, states=frozenset({state}))
        return [each.id for each in list_links(store, COMPANY.id, NEWEST, narrowed, now=NOW + SECOND).items]

    assert [found(state) for state in GrantState] == [[active.grant.id], [expired.grant.id], [revoked.grant.id]]


def test_the_latest_use_is_kept_and_does_not_get_in_the_way_of_a_change(store: Store) -> None:
    link = issue(store)

    for moment in (NOW + 2 * SECOND, NOW + SECOND):
        note_uses(store, [Use(COMPANY.id, link.grant.id, moment)])

    amend(store, link.grant, label="Lena")
    assert read_link(store, COMPANY.id, link.grant.id).last_used_at == NOW + 2 * SECOND


def test_a_change_that_was_overtaken_is_asked_to_come_back(store: Store) -> None:
    link = issue(store)
    overtaken = evolve(store, grants=OvertakenGrants(store.grants, lambda: amend(store, link.grant, label="first")))

    uses: list[Callable[[], object]] = [
        lambda: amend(overtaken, link.grant, label="second"),
        lambda: rotate_link(overtaken, COMPANY.id, link.grant.id, overlap=timedelta(0), now=NOW),
    ]
    for change in uses:
        with pytest.raises(Busy):
            change()

    assert read_link(store, COMPANY.id, link.grant.id).label == "first"


def test_a_revocation_that_was_overtaken_is_done_all_the_same(store: Store) -> None:
    link = issue(store)

    def relabel_once() -> None:
        if read_link(store, COMPANY.id, link.grant.id).label is None:
            amend(store, link.grant, label="first")

    overtaken = evolve(store, grants=OvertakenGrants(store.grants, relabel_once))

    revoke_link(overtaken, COMPANY.id, link.grant.id, now=NOW)

    kept = read_link(store, COMPANY.id, link.grant.id)
    assert (kept.label, kept.state(NOW)) == ("first", GrantState.REVOKED)


def test_a_revocation_that_was_overtaken_by_another_is_told_once(store: Store) -> None:
    link = issue(store)
    overtaken = evolve(
        store, grants=OvertakenGrants(store.grants, lambda: revoke_link(store, COMPANY.id, link.grant.id, now=NOW))
    )

    revoke_link(overtaken, COMPANY.id, link.grant.id, now=NOW + SECOND)

    assert [event.type for event in told(store)] == [EventType.TOKEN_ISSUED, EventType.TOKEN_REVOKED]
    assert read_link(store, COMPANY.id, link.grant.id).revoked_at == NOW


def test_a_revocation_that_is_always_overtaken_says_so(store: Store) -> None:
    link = issue(store)
    overtaken = evolve(store, grants=OvertakenGrants(store.grants, lambda: amend(store, link.grant, label="again")))

    with pytest.raises(Busy):
        revoke_link(overtaken, COMPANY.id, link.grant.id, now=NOW)

    assert read_link(store, COMPANY.id, link.grant.id).state(NOW) is GrantState.ACTIVE


def test_a_hosts_own_user_visits_without_a_link_and_nothing_is_kept(store: Store) -> None:
    scope = Scope(COMPANY.id, CLIENT.id)
    seeing = frozenset({Permission.VIEW_QUOTES})

    visit = visit_of_user(store, scope, "user-7", permissions=seeing, now=NOW)

    assert (visit.scope, visit.company, visit.client) == (scope, COMPANY, CLIENT)
    visit.grant.require(Permission.VIEW_QUOTES, at=NOW)
    assert not visit.grant.may(Permission.ACCEPT_QUOTES)
    assert visit.grant.state(NOW + DAY) is GrantState.EXPIRED
    assert store.grants.get(COMPANY.id, visit.grant.id) is None


def test_a_hosts_own_user_may_all_that_a_link_may_unless_it_is_said(store: Store) -> None:
    visit = visit_of_user(store, Scope(COMPANY.id, CLIENT.id), "user-7", now=NOW)

    assert visit.grant.permissions == ALL_PERMISSIONS


@pytest.mark.parametrize(
    "scope", [Scope(CompanyId("nobody"), CLIENT.id), Scope(COMPANY.id, ClientId("nobody"))], ids=["company", "client"]
)
def test_a_user_of_nobody_visits_nothing(store: Store, scope: Scope) -> None:
    with pytest.raises(NotFound):
        visit_of_user(store, scope, "user-7", now=NOW)


def test_a_user_is_known_by_an_id(store: Store) -> None:
    with pytest.raises(ValueError, match="is no id"):
        visit_of_user(store, Scope(COMPANY.id, CLIENT.id), "no id at all", now=NOW)
