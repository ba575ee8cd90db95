"""E-mail: links that are sent to clients, and what they and staff are told of, queued without any secret."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar, cast

from attrs import frozen

from portal_core.domain.access import GrantState, Secret
from portal_core.domain.audit import PROGRAM, Act, Actor, AuditAction, Target, TargetType
from portal_core.domain.companies import Client, Company
from portal_core.domain.errors import Busy, InvalidInput, NotOpen
from portal_core.domain.events import Event, EventType
from portal_core.domain.feedback import Party, Ticket
from portal_core.domain.filters import TicketFilter
from portal_core.domain.ids import ClientId, CompanyId, DecisionId, DispatchId, GrantId, TicketId
from portal_core.domain.outbox import Channel, Dispatch
from portal_core.domain.quotes import Decision
from portal_core.domain.text import clean_mailable
from portal_core.domain.tokens import digest_of, hint_of
from portal_core.ports import Store
from portal_core.use_cases.access import IssuedLink, read_link
from portal_core.use_cases.audit import note_act
from portal_core.use_cases.payloads import event_of, message_of
from portal_core.use_cases.typed import cleaned

LINK = "link"
"""The type of the message that brings a client their link; no event has it."""

STAFF = "staff"
CLIENT = "client"

OLDEST_NOTICE = timedelta(days=7)
"""What happened longer ago is told to nobody by e-mail: it is no news, and there may be years of it."""

_ATTEMPTS = 5
_TO_STAFF = frozenset({EventType.QUOTE_ACCEPTED, EventType.QUOTE_DECLINED, EventType.FEEDBACK_SUBMITTED})


T = TypeVar("T")


class Unsendable(Exception):
    """There is nothing to send any more, or nobody to send it to; the message says why."""


@frozen(kw_only=True)
class LinkLetter:
    """A client's link, with a token that is in this letter and nowhere else."""

    to: str
    company: Company
    client: Client
    link: IssuedLink


@frozen(kw_only=True)
class DecisionLetter:
    """What staff are told of a client's answer to a quote."""

    to: str
    company: Company
    client: Client
    decision: Decision


@frozen(kw_only=True)
class TicketLetter:
    """What staff, or a client, are told of what the other wrote: `said`, under a ticket."""

    to: str
    company: Company
    client: Client
    ticket: Ticket
    by: Party
    said: str


Letter: TypeAlias = LinkLetter | DecisionLetter | TicketLetter


def queue_link(
    store: Store,
    company_id: CompanyId,
    grant_id: GrantId,
    *,
    send_to: str | None,
    now: datetime,
    by: Actor = PROGRAM,
) -> Dispatch:
    """Queue a client's link for an e-mail address, by default the client's own; its earlier tokens live on.

    Refuses with Revoked, with NotOpen when it has expired, with InvalidInput when there is no address.
    """
    grant = read_link(store, company_id, grant_id)
    grant.require_not_revoked()
    if grant.state(now) is GrantState.EXPIRED:
        raise NotOpen("This link has expired. Give it another end, or issue a new one.")
    dispatch = Dispatch(
        id=DispatchId(store.mint.new_id()),
        company_id=company_id,
        channel=Channel.MAIL,
        target=_address(store, company_id, grant.client_id, send_to),
        message_id=store.mint.new_id(),
        type=LINK,
        payload=message_of(LINK, now, {"token_id": grant.id}),
        created_at=now,
        due_at=now,
    )
    store.dispatches.add([dispatch])
    act = Act(
        action=AuditAction.TOKEN_SENT,
        company_id=company_id,
        client_id=grant.client_id,
        target=Target(TargetType.TOKEN, grant.id),
        details={"delivery_id": dispatch.id},
    )
    note_act(store, act, by=by, now=now)
    return dispatch


def readers_of(event: Event, *, now: datetime) -> Iterator[str]:
    """Yield who is told of an event by e-mail: staff of what clients do, a client of what staff replied."""
    if now - event.occurred_at > OLDEST_NOTICE:
        return
    if event.type in _TO_STAFF:
        yield STAFF
    elif event.type is EventType.FEEDBACK_REPLIED:
        yield CLIENT if event.data.get("by") == Party.STAFF.value else STAFF


def write_letter(store: Store, dispatch: Dispatch, *, now: datetime) -> Letter:
    """Return what is to be sent, just before it is: a link gets a fresh token now. Refuse with Unsendable, or Busy."""
    return _link_letter(store, dispatch, now) if dispatch.type == LINK else _notice(store, dispatch)


def _link_letter(store: Store, dispatch: Dispatch, now: datetime) -> LinkLetter:
    data = cast("dict[str, str]", dispatch.payload["data"])
    token = store.mint.new_token()
    fresh = Secret(digest=digest_of(token), hint=hint_of(token), created_at=now)
    for _ in range(_ATTEMPTS):
        grant = store.grants.get(dispatch.company_id, GrantId(data["token_id"]))
        if grant is None or grant.state(now) is not GrantState.ACTIVE:
            raise Unsendable("The link was revoked, or has expired.")
        company, client = _parties(store, dispatch.company_id, grant.client_id)
        if store.grants.update(grant.also(fresh)):
            return LinkLetter(to=dispatch.target, company=company, client=client, link=IssuedLink(grant, token))
    raise Busy("Somebody else is changing this link just now.")


def _notice(store: Store, dispatch: Dispatch) -> DecisionLetter | TicketLetter:
    event = event_of(dispatch)
    company, client = _parties(store, dispatch.company_id, event.client_id)
    to = company.email if dispatch.target == STAFF else client.email
    if to is None:
        raise Unsendable(f"There is no e-mail address of the {'company' if dispatch.target == STAFF else 'client'}.")
    if "decision_id" in event.data:
        decision = store.decisions.get(company.id, DecisionId(str(event.data["decision_id"])))
        return DecisionLetter(to=to, company=company, client=client, decision=_there(decision))
    ticket = store.tickets.get(company.id, TicketId(str(event.data["feedback_id"])), TicketFilter())
    by = Party(str(event.data.get("by", Party.CLIENT.value)))
    found = _there(ticket)
    return TicketLetter(to=to, company=company, client=client, ticket=found, by=by, said=_said(found, event))


def _parties(store: Store, company_id: CompanyId, client_id: ClientId) -> tuple[Company, Client]:
    return _there(store.companies.get(company_id)), _there(store.clients.get(company_id, client_id))


def _there(found: T | None) -> T:
    if found is None:
        raise Unsendable("What this is about is not there any more.")
    return found


def _said(ticket: Ticket, event: Event) -> str:
    return next((reply.message for reply in ticket.replies if reply.created_at == event.occurred_at), ticket.message)


def _address(store: Store, company_id: CompanyId, client_id: ClientId, send_to: str | None) -> str:
    if send_to is None:
        client = store.clients.get(company_id, client_id)
        send_to = None if client is None else client.email
    if send_to is None:
        raise InvalidInput.at("/send_to", "is needed: there is no e-mail address in the client's record")
    return cleaned({"send_to": (send_to, clean_mailable)})["send_to"] or ""
