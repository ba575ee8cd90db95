from datetime import timedelta

import pytest
from attrs import evolve

from portal_core.domain.access import Grant
from portal_core.domain.errors import Busy, InvalidInput, NotFound, NotOpen, Revoked
from portal_core.domain.feedback import Party
from portal_core.domain.filters import DispatchFilter
from portal_core.domain.ids import GrantId
from portal_core.domain.outbox import Channel, Dispatch
from portal_core.domain.paging import Listing
from portal_core.domain.tokens import digest_of
from portal_core.ports import Store
from portal_core.use_cases.access import IssuedLink, LinkLife, NewGrant, issue_link, open_link, revoke_link
from portal_core.use_cases.feedback import NewTicket, reply_as_client, reply_as_staff, submit_feedback
from portal_core.use_cases.mail import (
    OLDEST_NOTICE,
    DecisionLetter,
    LinkLetter,
    TicketLetter,
    Unsendable,
    queue_link,
    write_letter,
)
from portal_core.use_cases.outbox import address_events
from portal_core.use_cases.quotes import accept_quote
from tests.core.meanwhile import OvertakenGrants
from tests.core.samples import CLIENT, COMPANY, DAY, LENA, NOW, SECOND, a_quote, a_visit

OFFICE = "office@northwind.example"
BUYER = "lena@example.com"


@pytest.fixture(autouse=True)
def addresses(store: Store) -> None:
    store.intake.save([evolve(COMPANY, email=OFFICE), evolve(CLIENT, email=BUYER)])


def issued(store: Store) -> IssuedLink:
    return issue_link(store, COMPANY.id, NewGrant(client_id=CLIENT.id), LinkLife(), now=NOW)


def queued(store: Store) -> list[Dispatch]:
    listing = Listing(sort="created_at", descending=False)
    return list(store.dispatches.page(COMPANY.id, listing, DispatchFilter(channel=Channel.MAIL)).items)


def told_by_mail(store: Store, now: timedelta = timedelta(0)) -> list[tuple[str, str]]:
    while address_events(store, {Channel.MAIL}, now=NOW + now):
        continue
    return [(each.type, each.target) for each in queued(store)]


def queue(store: Store, grant_id: GrantId, send_to: str | None = None) -> Dispatch:
    return queue_link(store, COMPANY.id, grant_id, send_to=send_to, now=NOW)


def test_a_link_is_queued_by_its_grant_without_a_secret(store: Store) -> None:
    link = issued(store)

    given, own = queue(store, link.grant.id, " x@example.com "), queue(store, link.grant.id)

    assert [given.target, own.target] == ["x@example.com", BUYER]
    assert given.payload["data"] == {"token_id": link.grant.id}
    assert queued(store) == [given, own]


def test_each_attempt_makes_a_fresh_secret_beside_those_that_live(store: Store) -> None:
    link = issued(store)
    dispatch = queue(store, link.grant.id)

    letters = [write_letter(store, dispatch, now=NOW + SECOND) for _ in range(2)]

    tokens = [letter.link.token for letter in letters if isinstance(letter, LinkLetter)]
    assert len({link.token, *tokens}) == 3
    for token in (link.token, *tokens):
        assert open_link(store, token, now=NOW + SECOND).grant.id == link.grant.id
    assert letters[0].to == BUYER


def test_secrets_that_have_died_are_dropped(store: Store) -> None:
    grant = issued(store).grant
    dead = evolve(grant, secrets=(evolve(grant.secrets[0], dies_at=NOW),))
    fresh = evolve(grant.secrets[0], digest=digest_of("another"), created_at=NOW)

    assert dead.also(fresh).secrets == (fresh,)
    with pytest.raises(Revoked):
        dead.revoke(at=NOW).also(fresh)


def test_what_cannot_be_queued_is_refused(store: Store) -> None:
    link = issued(store)

    with pytest.raises(NotFound):
        queue(store, GrantId("none"))
    with pytest.raises(InvalidInput):
        queue(store, link.grant.id, "no address")
    with pytest.raises(NotOpen):
        queue_link(store, COMPANY.id, link.grant.id, send_to=None, now=NOW + 91 * DAY)
    store.intake.save([evolve(CLIENT, email=None)])
    with pytest.raises(InvalidInput) as refused:
        queue(store, link.grant.id)
    revoke_link(store, COMPANY.id, link.grant.id, now=NOW)
    with pytest.raises(Revoked):
        queue(store, link.grant.id)

    assert refused.value.problems[0].pointer == "/send_to"


def test_a_link_that_was_revoked_or_has_expired_is_not_written(store: Store) -> None:
    first, second = issued(store), issued(store)
    one, other = queue(store, first.grant.id), queue(store, second.grant.id)
    revoke_link(store, COMPANY.id, first.grant.id, now=NOW)

    with pytest.raises(Unsendable):
        write_letter(store, one, now=NOW)
    with pytest.raises(Unsendable):
        write_letter(store, other, now=NOW + 91 * DAY)
    with pytest.raises(Unsendable):
        write_letter(store, evolve(other, payload={**other.payload, "data": {"token_id": "none"}}), now=NOW)


def test_a_link_that_somebody_else_changes_meanwhile_is_written_all_the_same(store: Store) -> None:
    link = issued(store)
    first, second = queue(store, link.grant.id), queue(store, link.grant.id)
    others: list[str] = []

    def write_another() -> None:
        if not others:
            other = write_letter(store, second, now=NOW)
            assert isinstance(other, LinkLetter)
            others.append(other.link.token)

    letter = write_letter(evolve(store, grants=OvertakenGrants(store.grants, write_another)), first, now=NOW)

    assert isinstance(letter, LinkLetter)
    for token in (link.token, letter.link.token, *others):
        assert open_link(store, token, now=NOW).grant.id == link.grant.id


def test_a_link_that_is_being_changed_is_written_later(store: Store) -> None:
    link = issued(store)
    dispatch = queue(store, link.grant.id)

    def change() -> bool:
        grant: Grant | None = store.grants.get(COMPANY.id, link.grant.id)
        return grant is not None and store.grants.update(grant)

    with pytest.raises(Busy):
        write_letter(evolve(store, grants=OvertakenGrants(store.grants, change)), dispatch, now=NOW)


def test_staff_are_told_of_what_a_client_does_and_the_client_of_what_staff_reply(store: Store) -> None:
    store.intake.save([a_quote()])
    accept_quote(store, a_visit(), a_quote().id, LENA, seen=1, now=NOW)
    ticket = submit_feedback(store, a_visit(), NewTicket(subject="Where?", message="Where is it?"), now=NOW)
    reply_as_staff(store, COMPANY.id, ticket.id, "On its way", close=False, now=NOW + SECOND)
    reply_as_client(store, a_visit(), ticket.id, "Thanks", now=NOW + 2 * SECOND)
    issued(store)

    assert sorted(told_by_mail(store, 3 * SECOND)) == [
        ("feedback.replied", "client"),
        ("feedback.replied", "staff"),
        ("feedback.submitted", "staff"),
        ("quote.accepted", "staff"),
    ]
    letters = [write_letter(store, each, now=NOW) for each in queued(store)]
    decided = [letter for letter in letters if isinstance(letter, DecisionLetter)]
    written = {letter.said: (letter.to, letter.by) for letter in letters if isinstance(letter, TicketLetter)}
    assert [(letter.to, letter.decision.evidence.name) for letter in decided] == [(OFFICE, LENA.name)]
    assert written == {
        "Where is it?": (OFFICE, Party.CLIENT),
        "On its way": (BUYER, Party.STAFF),
        "Thanks": (OFFICE, Party.CLIENT),
    }


def test_what_happened_long_ago_is_no_news(store: Store) -> None:
    store.intake.save([a_quote()])
    accept_quote(store, a_visit(), a_quote().id, LENA, seen=1, now=NOW)

    assert told_by_mail(store, OLDEST_NOTICE + SECOND) == []


def test_who_has_no_address_is_told_nothing(store: Store) -> None:
    ticket = submit_feedback(store, a_visit(), NewTicket(subject="Where?", message="x"), now=NOW)
    reply_as_staff(store, COMPANY.id, ticket.id, "On its way", close=False, now=NOW)
    told_by_mail(store)
    store.intake.save([evolve(COMPANY, email=None), evolve(CLIENT, email=None)])

    for dispatch in queued(store):
        with pytest.raises(Unsendable, match="no e-mail address"):
            write_letter(store, dispatch, now=NOW)


def test_what_is_not_there_any_more_is_told_to_nobody(store: Store) -> None:
    submit_feedback(store, a_visit(), NewTicket(subject="Where?", message="x"), now=NOW)
    told_by_mail(store)
    (dispatch,) = queued(store)
    gone = evolve(dispatch, payload={**dispatch.payload, "data": {"client_id": CLIENT.id, "feedback_id": "none"}})

    with pytest.raises(Unsendable, match="not there any more"):
        write_letter(store, gone, now=NOW)
