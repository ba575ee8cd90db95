"""The state machine over HTTP.

What clients and staff do goes by the API of a portal on SQLite, and every answer is the one that the use case gives on
the memory store. What the API does not offer is done to both stores, and both are asked.
"""

import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, cast

import httpx2
import orjson
from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, rule
from starlette.testclient import TestClient

from portal_adapters.admin_jwt import admin_tokens, mint_admin_token
from portal_adapters.contract.builders import COMPANY, OTHER_COMPANY
from portal_adapters.contract.machine import StoreMachine
from portal_adapters.contract.questions import listings, narrowed, places, scopes
from portal_adapters.contract.strategies import id_of
from portal_adapters.memory import MemoryTransactions
from portal_adapters.rate_limits import MemoryRateLimits
from portal_adapters.sqlalchemy import SqliteRunner, SqlTransactions
from portal_core.domain.access import DocumentRef, DocumentType, Scope, Use
from portal_core.domain.audit import Actor, ActorType
from portal_core.domain.errors import Refusal
from portal_core.domain.feedback import Category, Ticket
from portal_core.domain.ids import CompanyId, QuoteId
from portal_core.domain.quotes import Answer, Evidence
from portal_core.ports import Mint, Runner, Store, Transactions
from portal_core.use_cases.access import (
    IssuedLink,
    LinkLife,
    NewGrant,
    amend_link,
    issue_link,
    open_link,
    revoke_link,
    revoke_links_of,
    rotate_link,
)
from portal_core.use_cases.feedback import NewTicket, reply_as_client, reply_as_staff, submit_feedback
from portal_core.use_cases.idempotency import prune_answers
from portal_core.use_cases.quotes import accept_quote, decline_quote
from portal_http import present
from portal_http.answers import encoded
from portal_http.app import Portal, create_app
from portal_http.endpoints import BASE
from portal_http.errors import problem
from portal_http.options import Options
from portal_http.runners import InlineRunner
from tests.adapters.stores import sqlite_store
from tests.glances import glances_of

KEY = "a key for tests that has thirty-two bytes or more"
ADDRESS = "192.0.2.1"
PROGRAM = "a state machine"
STAFF = Actor(type=ActorType.STAFF, id=PROGRAM, ip=ADDRESS, user_agent=PROGRAM)
LIFE = LinkLife(usual=timedelta(days=1), longest=timedelta(days=3))
OPTIONS = Options(reads_per_minute=0, writes_per_minute=0, guesses_per_minute=0, link_life=LIFE)

Promise = Callable[[Store], object]
Told = tuple[int, bytes]

_views = scopes.flatmap(narrowed)
_lists = {
    "quotes": ("issued_on", "number"),
    "orders": ("ordered_on", "number"),
    "invoices": ("issued_on", "due_on", "number"),
    "payments": ("received_on", "number"),
    "deliveries": ("scheduled_on", "number"),
    "feedback": ("created_at",),
}
_paths = st.one_of(
    st.sampled_from(("", "/dashboard", "/invoices")),
    st.sampled_from(("/statement", "/statement?from=2020-01-01", "/invoices?overdue=true")),
    st.sampled_from(tuple(_lists)).flatmap(
        lambda name: st.builds(
            lambda listing, name: (
                f"/{name}?sort={listing.sort}&order={'desc' if listing.descending else 'asc'}&limit={listing.limit}"
            ),
            listings(_lists[name]),
            st.just(name),
        )
    ),
)
_staff_paths = st.sampled_from(
    ("/tokens", "/tokens?state=active", "/decisions", "/decisions?answer=accepted", "/feedback?state=open", "/events")
)


class HttpMachine(StoreMachine):
    """Does to a portal over HTTP whatever its clients and its staff do, in any order."""

    now: datetime

    @contextmanager
    def opened(self, mint: Mint) -> Generator[Transactions]:
        with sqlite_store(mint) as store:
            yield store

    def __init__(self) -> None:
        super().__init__()
        memory, driven = self._sides
        engine, mint = cast("SqlTransactions", driven).engine, cast("SqlTransactions", driven).mint
        runner = SqliteRunner(engine, mint)
        self._open.callback(runner.close)
        self._promised_app = self._served(InlineRunner(memory))
        self._app = self._served(runner)
        self._memory = cast("MemoryTransactions", memory)

    def moment(self) -> datetime:
        """Return the moment that it is for the portal."""
        return self.now

    def _served(self, runner: Runner) -> TestClient:
        admins = admin_tokens(key=KEY, audience="portal")
        app = create_app(
            runner,
            clock=self.moment,
            admins=admins,
            limits=MemoryRateLimits(),
            options=OPTIONS,
            glances=glances_of(runner),
        )
        client = TestClient(app, client=(ADDRESS, 50_000), headers={"user-agent": PROGRAM})
        return self._open.enter_context(client)

    @rule(span=st.sampled_from((timedelta(0), timedelta(microseconds=1), timedelta(hours=5), timedelta(days=1))))
    def wait(self, span: timedelta) -> None:
        self.now += span
        for side in self._sides:
            with side.begin() as store:
                prune_answers(store, now=self.now)

    @rule(
        link=StoreMachine.links,
        pick=places,
        answer=st.sampled_from(Answer),
        seen=st.none() | st.integers(1, 3),
        again=st.booleans(),
    )
    def decide(  # pyright: ignore[reportIncompatibleMethodOverride] - a rule of the same name takes its place
        self, link: IssuedLink, pick: int, answer: Answer, seen: int | None, *, again: bool
    ) -> None:
        use_case, act = (accept_quote, "accept") if answer is Answer.ACCEPTED else (decline_quote, "decline")
        quote_id = QuoteId(id_of(link.grant.scope, DocumentType.QUOTE, pick))
        evidence = Evidence(name="Ada Lovelace", ip=ADDRESS, user_agent=PROGRAM)

        def promised(store: Store) -> object:
            visit = open_link(store, link.token, now=self.now)
            quote = use_case(store, visit, quote_id, evidence, seen=seen, now=self.now)
            return present.quote_detail(quote, visit.today(self.now))

        body = {"name": evidence.name} | ({} if seen is None else {"revision": seen})
        self._client_does(link, f"/quotes/{quote_id}/{act}", body, promised, again=again)

    @rule(target=StoreMachine.links, scope=_views, label=st.none() | st.just("Sales"))
    def issue(self, scope: Scope, label: str | None) -> IssuedLink | MultipleResults[IssuedLink]:
        documents = scope.documents or None
        issued: list[IssuedLink] = []

        def promised(store: Store) -> object:
            asked = NewGrant(client_id=scope.client_id, documents=documents, label=label)
            issued.append(issue_link(store, scope.company_id, asked, LIFE, now=self.now, by=STAFF))
            return present.issued_link(issued[0], OPTIONS.public_url)

        body = {"client_id": scope.client_id, "label": label, "documents": _named(documents)}
        self._staff_do("POST", scope.company_id, "/tokens", body, promised, 201)
        return issued[0] if issued else MultipleResults(())

    @rule(target=StoreMachine.links, link=StoreMachine.links, overlap=st.sampled_from((0, 5 * 3600, 86_400)))
    def rotate(  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        self, link: IssuedLink, overlap: int
    ) -> IssuedLink | MultipleResults[IssuedLink]:
        grant, issued = link.grant, list[IssuedLink]()

        def promised(store: Store) -> object:
            pause = timedelta(seconds=overlap)
            issued.append(rotate_link(store, grant.company_id, grant.id, overlap=pause, now=self.now, by=STAFF))
            return present.issued_link(issued[0], OPTIONS.public_url)

        self._staff_do(
            "POST", grant.company_id, f"/tokens/{grant.id}/rotate", {"overlap_seconds": overlap}, promised, 200
        )
        return issued[0] if issued else MultipleResults(())

    @rule(link=StoreMachine.links, scope=_views, days=st.integers(0, 4))
    def amend(self, link: IssuedLink, scope: Scope, days: int) -> None:
        grant, label, expires_at = link.grant, f"{days} days", self.now + timedelta(days=days)
        documents = scope.documents or None

        def promised(store: Store) -> object:
            changes: Any = {"label": label, "expires_at": expires_at, "documents": documents}
            changed = amend_link(store, grant.company_id, grant.id, changes, LIFE, now=self.now, by=STAFF)
            return present.link_row(changed, self.now)

        body = {"label": label, "expires_at": expires_at.isoformat(), "documents": _named(documents)}
        self._staff_do("PATCH", grant.company_id, f"/tokens/{grant.id}", body, promised, 200)

    @rule(link=StoreMachine.links)
    def revoke(self, link: IssuedLink) -> None:
        grant = link.grant
        promised = partial(revoke_link, company_id=grant.company_id, grant_id=grant.id, now=self.now, by=STAFF)
        self._staff_do("DELETE", grant.company_id, f"/tokens/{grant.id}", None, promised, 204)

    @rule(link=StoreMachine.links)
    def revoke_all(self, link: IssuedLink) -> None:
        client = link.grant.scope
        promised = partial(
            revoke_links_of, company_id=client.company_id, client_id=client.client_id, now=self.now, by=STAFF
        )
        self._staff_do("DELETE", client.company_id, f"/tokens?client_id={client.client_id}", None, promised, 204)

    @rule(
        target=StoreMachine.tickets,
        link=StoreMachine.links,
        kind=st.none() | st.sampled_from(DocumentType),
        pick=places,
    )
    def submit(  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        self, link: IssuedLink, kind: DocumentType | None, pick: int
    ) -> Ticket | MultipleResults[Ticket]:
        document = None if kind is None else DocumentRef(kind, id_of(link.grant.scope, kind, pick))
        said = NewTicket(
            subject="Where is it?", message="I wait.", category=Category.QUESTION, rating=3, document=document
        )
        submitted: list[Ticket] = []

        def promised(store: Store) -> object:
            visit = open_link(store, link.token, now=self.now)
            submitted.append(submit_feedback(store, visit, said, now=self.now))
            return present.ticket(submitted[0])

        body = {
            "subject": said.subject,
            "message": said.message,
            "category": said.category,
            "rating": said.rating,
            "document": None if document is None else {"type": document.type, "id": document.id},
        }
        self._client_does(link, "/feedback", body, promised, status=201)
        return submitted[0] if submitted else MultipleResults(())

    @rule(ticket=StoreMachine.tickets, link=StoreMachine.links)
    def reply(  # pyright: ignore[reportIncompatibleMethodOverride] - as above
        self, ticket: Ticket, link: IssuedLink
    ) -> None:
        def promised(store: Store) -> object:
            visit = open_link(store, link.token, now=self.now)
            return present.ticket(reply_as_client(store, visit, ticket.id, "And now?", now=self.now))

        self._client_does(link, f"/feedback/{ticket.id}/replies", {"message": "And now?"}, promised, status=201)

    @rule(ticket=StoreMachine.tickets, close=st.booleans())
    def answer(self, ticket: Ticket, *, close: bool) -> None:
        def promised(store: Store) -> object:
            told = reply_as_staff(store, ticket.company_id, ticket.id, "Soon.", close=close, now=self.now, by=STAFF)
            return present.ticket_for_staff(told)

        body = {"message": "Soon.", "close": close}
        self._staff_do("POST", ticket.company_id, f"/feedback/{ticket.id}/replies", body, promised, 201)

    @rule(link=StoreMachine.links, path=_paths)
    def look(self, link: IssuedLink, path: str) -> None:
        self._both_answer(f"/view/{link.token}{path}")
        self._follow_uses(link)

    @rule(link=StoreMachine.links, kind=st.sampled_from(DocumentType), pick=places)
    def look_closely(self, link: IssuedLink, kind: DocumentType, pick: int) -> None:
        name = "deliveries" if kind is DocumentType.DELIVERY else f"{kind.value}s"
        self._both_answer(f"/view/{link.token}/{name}/{id_of(link.grant.scope, kind, pick)}")
        self._follow_uses(link)

    @rule(company_id=st.sampled_from((COMPANY, OTHER_COMPANY)), path=_staff_paths)
    def look_as_staff(self, company_id: CompanyId, path: str) -> None:
        self._both_answer(path, _as_staff(company_id))

    def _both_answer(self, path: str, headers: Mapping[str, str] | None = None) -> None:
        promised, found = (app.get(BASE + path, headers=headers) for app in (self._promised_app, self._app))
        _require_same(_told(found), _told(promised), path)

    def _client_does(
        self, link: IssuedLink, path: str, body: object, promise: Promise, *, status: int = 200, again: bool = False
    ) -> None:
        headers = {"Idempotency-Key": str(uuid.uuid4())} if again else {}
        ask = partial(self._app.post, f"{BASE}/view/{link.token}{path}", content=encoded(body), headers=headers | _JSON)
        promised, found = self._promised(promise, status), ask()
        _require_same(_told(found), promised, path)
        if again and found.is_success:
            repeated = ask()
            _require_same(_told(repeated), promised, f"{path}, repeated")
            assert repeated.headers["idempotency-replayed"] == "true"
        self._follow_uses(link)

    def _staff_do(
        self, method: str, company_id: CompanyId, path: str, body: object, promise: Promise, status: int
    ) -> None:
        promised = self._promised(promise, status)
        content = None if body is None else encoded(body)
        headers = _as_staff(company_id) | ({} if body is None else _JSON)
        found = self._app.request(method, BASE + path, content=content, headers=headers)
        _require_same(_told(found), promised, path)

    def _promised(self, promise: Promise, status: int) -> Told:
        """Do it to the memory store, and return the answer that the API is to give."""
        try:
            with self._memory.begin() as store:
                shape = promise(store)
        except Refusal as refusal:
            told = problem(refusal)
            return told["status"], orjson.dumps(told)
        return status, b"" if shape is None else encoded({"data": shape})

    def _follow_uses(self, link: IssuedLink) -> None:
        """Let the memory store note the link's last use as the portal did, which decides by itself how often."""
        portal = cast("Portal", cast("Any", self._app.app).router.default)
        assert self._app.portal is not None
        self._app.portal.call(portal.services.uses.finish)
        company_id, grant_id = link.grant.company_id, link.grant.id
        with self._sides[1].begin() as store:
            grant = store.grants.get(company_id, grant_id)
        if grant is not None and grant.last_used_at is not None:
            assert grant.last_used_at <= self.now
            with self._memory.begin() as store:
                store.links.touch([Use(company_id, grant_id, grant.last_used_at)])


_JSON = {"Content-Type": "application/json"}


def _told(answer: "httpx2.Response") -> Told:
    return answer.status_code, answer.content


def _require_same(found: Told, promised: Told, path: str) -> None:
    if found != promised:
        raise AssertionError(f"{path}: found {found}, promised {promised}")


def _named(documents: frozenset[DocumentRef] | None) -> list[dict[str, str]] | None:
    return None if documents is None else [{"type": each.type.value, "id": each.id} for each in documents]


def _as_staff(company_id: CompanyId) -> dict[str, str]:
    return {"Authorization": f"Bearer {_bearer()}", "X-Company-Id": company_id}


@cache
def _bearer() -> str:
    return mint_admin_token(
        key=KEY,
        audience="portal",
        issuer="tests",
        subject=PROGRAM,
        company_ids=[COMPANY, OTHER_COMPANY],
        scope="portal:admin",
        now=datetime.now(UTC),
    )
