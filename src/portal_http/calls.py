"""A request that may be answered: who asks for what, and the way to the store."""

import hashlib
from collections.abc import Callable
from datetime import date, datetime
from typing import TypeVar

from attrs import define, frozen

from portal_core.domain.access import Scope, Visit
from portal_core.domain.audit import Actor, ActorType
from portal_core.domain.errors import NotFound
from portal_core.domain.ids import CompanyId, is_id
from portal_core.ports import KeptAnswer, KeyOfAnswer, Runner, Store
from portal_core.use_cases.idempotency import keep_answer, replay
from portal_http.answers import JSON_TYPE, Answer
from portal_http.incoming import Incoming
from portal_http.options import Options
from portal_http.queries import Query
from portal_http.redact import redacted
from portal_http.services import Services
from portal_http.staff import Staff

T = TypeVar("T")


@frozen
class Repeatable:
    """Under which key a write's answer is kept, and the SHA-256 of the body that it is the answer to."""

    key: KeyOfAnswer
    fingerprint: bytes


@define(kw_only=True)
class Call:
    """What calls by clients and by staff have in common.

    `route` is the path as it is declared; `noun` is what `record_id`, from the path, is the id of. `above_id` is the id
    before it in the path, where there are two.
    """

    services: Services
    request: Incoming
    now: datetime
    route: str
    noun: str
    record_id: str
    query: Query
    above_id: str = ""
    once: Repeatable | None = None

    @property
    def address(self) -> str | None:
        """The address of whoever asks."""
        return self.request.address(self.services.trusted)

    @property
    def options(self) -> Options:
        """The portal's settings."""
        return self.services.options

    async def read(self, work: Callable[[Store], T]) -> T:
        """Run what writes nothing; refuse with NotFound a record whose id cannot be one."""
        self._require_id()
        return await self.services.runner.read(work)

    async def write(self, work: Callable[[Store], Answer]) -> Answer:
        """Run what writes in one transaction, or give the answer again that its idempotency key has."""
        self._require_id()
        return await _write_once(self.services.runner, self.once, work, self.now)

    def _require_id(self) -> None:
        if self.noun and not is_id(self.record_id):
            raise NotFound(f"There is no {self.noun} {self.record_id!r} here.")


@define(kw_only=True)
class ClientCall(Call):
    """A call by a client, who came by a live link."""

    visit: Visit

    @property
    def scope(self) -> Scope:
        """Whose records the client may see."""
        return self.visit.scope

    @property
    def today(self) -> date:
        """The day it is for the company."""
        return self.visit.today(self.now)

    @property
    def mark(self) -> str:
        """What tells this client's lists apart from all others."""
        return mark_of(self.route, self.visit)


def mark_of(route: str, visit: Visit) -> str:
    """Return what tells a list of a visitor's apart from all others."""
    narrowed = "" if visit.scope.documents is None else visit.grant.id
    return f"{route} {visit.scope.company_id} {visit.scope.client_id} {narrowed}"


@define(kw_only=True)
class StaffCall(Call):
    """A call by staff."""

    staff: Staff

    @property
    def company_id(self) -> CompanyId:
        """The company on whose behalf they ask."""
        return self.staff.company_id

    @property
    def actor(self) -> Actor:
        """Who they are, for the audit log."""
        return Actor(
            type=ActorType.STAFF,
            id=redacted(self.staff.subject),
            ip=self.address,
            user_agent=self.request.user_agent(),
        )

    @property
    def mark(self) -> str:
        """What tells this company's lists apart from all others."""
        return f"{self.route} {self.company_id}"


def repeatable(request: Incoming, body: bytes, *, company_id: CompanyId, asker: str, route: str) -> Repeatable | None:
    """Return what a request's idempotency key belongs to, or nothing when it has none."""
    key = request.idempotency_key()
    if key is None:
        return None
    owner = KeyOfAnswer(company_id=company_id, asker=asker, route=f"{request.method} {route}", key=key)
    return Repeatable(owner, hashlib.sha256(body).digest())


async def _write_once(
    runner: Runner, once: Repeatable | None, work: Callable[[Store], Answer], now: datetime
) -> Answer:
    if once is None:
        return await runner.write(work)

    def within(store: Store) -> Answer:
        kept = replay(store, once.key, once.fingerprint, now=now)
        if kept is not None:
            return Answer(kept.status, kept.body, [JSON_TYPE, (b"idempotency-replayed", b"true")])
        answer = work(store)
        body = answer.body if answer.kept is None else answer.kept
        keep_answer(
            store, once.key, KeptAnswer(fingerprint=once.fingerprint, status=answer.status, body=body, answered_at=now)
        )
        return answer

    return await runner.write(within)
