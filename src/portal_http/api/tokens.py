"""Links, as staff issue and revoke them. A link's secret is told once and kept nowhere, not even for repeated calls."""

from datetime import timedelta

from portal_core.domain.access import GrantState
from portal_core.domain.errors import InvalidInput
from portal_core.domain.filters import GrantFilter
from portal_core.domain.ids import ClientId, GrantId
from portal_core.domain.paging import MOMENT_SORTS
from portal_core.ports import Store
from portal_core.use_cases import access
from portal_core.use_cases.mail import queue_link
from portal_http import present
from portal_http.answers import Answer, answered, encoded, nothing
from portal_http.calls import StaffCall
from portal_http.cursors import asked_list
from portal_http.queries import an_id, choices
from portal_http.requests import AmendLink, IssueLink, RotateLink, SendLink, changes_of

CLIENT_ID = an_id("client_id", "One client's.")
THE_CLIENT_ID = an_id("client_id", "Whose links to revoke, all of them.", required=True)
STATE = choices("state", GrantState, "Whether the links still open anything.")


async def list_all(call: StaffCall) -> Answer:
    """Return a page of links, without their secrets."""
    asked, client_id = asked_list(call, MOMENT_SORTS), call.query.get(CLIENT_ID)
    narrowed = GrantFilter(client_id=None if client_id is None else ClientId(client_id), states=call.query.get(STATE))
    page = await call.read(
        lambda store: access.list_links(store, call.company_id, asked.listing, narrowed, now=call.now)
    )
    return asked.answer(page, [present.link_row(call.services.uses.shown(each), call.now) for each in page.items])


async def read_one(call: StaffCall) -> Answer:
    """Return one link, without its secret."""
    grant = await call.read(lambda store: access.read_link(store, call.company_id, GrantId(call.record_id)))
    return answered(present.link_row(call.services.uses.shown(grant), call.now))


async def issue(call: StaffCall, asked: IssueLink) -> Answer:
    """Issue a link."""
    wanted, life = asked.grant(), call.options.link_life
    if asked.send_to is not None:
        _require_mail(call)

    def work(store: Store) -> Answer:
        issued = access.issue_link(store, call.company_id, wanted, life, now=call.now, by=call.actor)
        if asked.send_to is not None:
            queue_link(store, call.company_id, issued.grant.id, send_to=asked.send_to, now=call.now, by=call.actor)
        return _told_once(call, issued, status=201)

    return await call.write(work)


async def send(call: StaffCall, asked: SendLink) -> Answer:
    """Queue a link for an e-mail address; the tokens so far live on."""
    _require_mail(call)
    grant_id = GrantId(call.record_id)

    def work(store: Store) -> Answer:
        queue_link(store, call.company_id, grant_id, send_to=asked.send_to, now=call.now, by=call.actor)
        grant = access.read_link(store, call.company_id, grant_id)
        return answered(present.link_row(call.services.uses.shown(grant), call.now), status=202)

    return await call.write(work)


async def amend(call: StaffCall, asked: AmendLink) -> Answer:
    """Change what a link allows, its label, its end or its documents."""
    grant_id, life = GrantId(call.record_id), call.options.link_life

    def work(store: Store) -> Answer:
        changes = changes_of(asked, access.read_link(store, call.company_id, grant_id))
        grant = access.amend_link(store, call.company_id, grant_id, changes, life, now=call.now, by=call.actor)
        return answered(present.link_row(call.services.uses.shown(grant), call.now))

    return await call.write(work)


async def rotate(call: StaffCall, asked: RotateLink) -> Answer:
    """Give a link a fresh secret."""
    grant_id, overlap = GrantId(call.record_id), timedelta(seconds=asked.overlap_seconds)

    def work(store: Store) -> Answer:
        issued = access.rotate_link(store, call.company_id, grant_id, overlap=overlap, now=call.now, by=call.actor)
        return _told_once(call, issued, status=200)

    return await call.write(work)


async def revoke(call: StaffCall) -> Answer:
    """Revoke one link."""

    def work(store: Store) -> Answer:
        access.revoke_link(store, call.company_id, GrantId(call.record_id), now=call.now, by=call.actor)
        return nothing()

    return await call.write(work)


async def revoke_all(call: StaffCall) -> Answer:
    """Revoke all links of a client."""
    client_id = ClientId(call.query.must(THE_CLIENT_ID))

    def work(store: Store) -> Answer:
        access.revoke_links_of(store, call.company_id, client_id, now=call.now, by=call.actor)
        return nothing()

    return await call.write(work)


def _require_mail(call: StaffCall) -> None:
    if not call.options.mail:
        detail = "no e-mail is sent from here; leave it out and hand over the `url` yourself"
        raise InvalidInput.at("/send_to", detail)


def _told_once(call: StaffCall, issued: access.IssuedLink, *, status: int) -> Answer:
    shape = present.issued_link(issued, call.options.public_url)
    answer = answered(shape, status=status)
    answer.kept = encoded({"data": {**shape, "token": None, "url": None}})
    return answer
