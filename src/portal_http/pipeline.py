"""From a request to its answer: every check, in the order of the contract."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from portal_core.domain.access import Visit
from portal_core.domain.errors import DeadLink, NarrowedLink, NotFound, Refusal
from portal_core.domain.ids import CompanyId, is_id
from portal_core.domain.tokens import digest_of, is_token
from portal_core.ports import Glance
from portal_core.use_cases.access import open_link
from portal_http.answers import Answer
from portal_http.calls import ClientCall, Repeatable, StaffCall, repeatable
from portal_http.converter import parse_object, structured
from portal_http.endpoints import ClientEndpoint, Endpoint, OpenEndpoint, StaffEndpoint
from portal_http.errors import MethodNotAllowed, Unauthorized, refused
from portal_http.incoming import Incoming
from portal_http.queries import Query, read_query
from portal_http.rate_limiting import Budgets
from portal_http.redact import redacted
from portal_http.routing import Node, find
from portal_http.services import Services
from portal_http.staff import Staff, identify

READING = frozenset({"GET", "HEAD"})


async def answer_to(request: Incoming, services: Services, tree: Node) -> Answer:
    """Return the answer to a request, which may be a refusal."""
    try:
        request.require_host(services.options.allowed_hosts)
        endpoint, filled = _endpoint(request, tree)
        match endpoint:
            case ClientEndpoint():
                return await _answer_client(request, services, endpoint, filled)
            case StaffEndpoint():
                return await _answer_staff(request, services, endpoint, filled)
            case OpenEndpoint():
                return await endpoint.run(services)
            case _:
                raise NotFound(endpoint.path)
    except Refusal as refusal:
        return refused(refusal)


def _endpoint(request: Incoming, tree: Node) -> tuple[Endpoint, Sequence[str]]:
    found = find(tree, request.path)
    if found is None:
        raise DeadLink
    place, filled = found
    request.route = place.path
    endpoint = place.endpoints.get("GET" if request.method == "HEAD" else request.method)
    if endpoint is None:
        raise MethodNotAllowed(place.allowed)
    return endpoint, filled


async def _answer_client(
    request: Incoming, services: Services, endpoint: ClientEndpoint, filled: Sequence[str]
) -> Answer:
    now = services.clock()
    budgets = Budgets(services.limits, services.options)
    glance = await _enter(request, services, endpoint, budgets, filled, now)
    visit = glance.visit
    request.who = visit.grant.id
    spent = await budgets.spend(visit.grant.id, writes=request.method not in READING, now=now)
    try:
        if endpoint.glimpse is not None and glance.seen is not None:
            answer = endpoint.glimpse.show(glance.seen, visit, visit.today(now))
        else:
            answer = await _answer_visitor(request, services, endpoint, filled, visit, now)
    except Refusal as refusal:
        answer = refused(refusal)
    answer.headers += spent
    answer.afterwards = partial(services.uses.note, visit, now)
    return answer


async def _glance(
    request: Incoming, services: Services, endpoint: ClientEndpoint, filled: Sequence[str], now: datetime
) -> Glance[Any] | None:
    """Return what can be seen of an endpoint at once, or nothing: then a link is opened as it always is."""
    if services.glances is None or endpoint.glimpse is None or request.query_string or not is_token(filled[0]):
        return None
    if len(filled) > 1 and not is_id(filled[-1]):
        return None
    return await endpoint.glimpse.look(services.glances, digest_of(filled[0]), filled[-1], now)


async def _enter(
    request: Incoming,
    services: Services,
    endpoint: ClientEndpoint,
    budgets: Budgets,
    filled: Sequence[str],
    now: datetime,
) -> Glance[Any]:
    """Return the visit that a token opens, and what could be seen at once of what it is opened for."""
    try:
        glance = await _glance(request, services, endpoint, filled, now)
        return glance or Glance(await services.runner.read(partial(open_link, token=filled[0], now=now)), None)
    except DeadLink:
        await budgets.count_guess(request.address(services.trusted))
        raise


async def _answer_visitor(
    request: Incoming,
    services: Services,
    endpoint: ClientEndpoint,
    filled: Sequence[str],
    visit: Visit,
    now: datetime,
) -> Answer:
    grant = visit.grant
    grant.require(*endpoint.permissions, at=now)
    if endpoint.whole_account and visit.scope.documents is not None:
        raise NarrowedLink
    route = request.path.replace(f"/{filled[0]}", "", 1)
    asked, query, once = await _read(request, endpoint, grant.company_id, grant.id, route)
    call = ClientCall(
        services=services,
        request=request,
        now=now,
        route=endpoint.path,
        noun=endpoint.noun,
        record_id=filled[-1],
        query=query,
        once=once,
        visit=visit,
    )
    return await endpoint.run(call, asked)


async def _answer_staff(
    request: Incoming, services: Services, endpoint: StaffEndpoint, filled: Sequence[str]
) -> Answer:
    staff = await _known_staff(request, services)
    request.who = redacted(staff.subject)
    if endpoint.upload is not None:
        asked = await request.upload(endpoint.upload.media_types, most=endpoint.upload.most(services.options))
        query, once = read_query(request.query_string, endpoint.query), None
        if request.method == "POST":
            once = repeatable(
                request,
                asked + request.query_string,
                company_id=staff.company_id,
                asker=staff.subject,
                route=request.path,
            )
    else:
        asked, query, once = await _read(request, endpoint, staff.company_id, staff.subject, request.path)
    call = StaffCall(
        services=services,
        request=request,
        now=services.clock(),
        route=endpoint.path,
        noun=endpoint.noun,
        record_id=filled[-1] if filled else "",
        above_id=filled[-2] if len(filled) > 1 else "",
        query=query,
        once=once,
        staff=staff,
    )
    return await endpoint.run(call, asked)


async def _known_staff(request: Incoming, services: Services) -> Staff:
    try:
        return identify(request, services.admins)
    except Unauthorized:
        await Budgets(services.limits, services.options).count_stranger(request.address(services.trusted))
        raise


async def _read(
    request: Incoming,
    endpoint: Endpoint,
    company_id: CompanyId,
    asker: str,
    route: str,
) -> tuple[Any, Query, Repeatable | None]:
    if endpoint.body is None:
        return None, read_query(request.query_string, endpoint.query), None
    body = await request.body()
    document = parse_object(body)
    query = read_query(request.query_string, endpoint.query)
    asked = structured(document, endpoint.body)
    once = None
    if request.method == "POST":
        once = repeatable(request, body, company_id=company_id, asker=asker, route=route)
    return asked, query, once
