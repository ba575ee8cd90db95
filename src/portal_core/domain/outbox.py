"""What is on its way to the outside: each dispatch carries one message to one receiver."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self, TypeAlias

from attrs import evolve, field, frozen

from portal_core.domain.documents import JSON
from portal_core.domain.ids import CompanyId, DispatchId
from portal_core.domain.text import plain_line

PROBLEM_LENGTH = 500

TEST_MESSAGE = "webhook.test"
"""The type of the message by which staff try a webhook; no event has it."""


Receiver: TypeAlias = tuple[CompanyId, str]
"""Somebody of a company's: a webhook's id, an e-mail address, or a word that says whose."""


class Channel(StrEnum):
    """The ways out."""

    WEBHOOK = "webhook"
    MAIL = "mail"
    HOST = "host"


class DispatchState(StrEnum):
    """Whether a dispatch waits for its next attempt, has arrived, or was given up."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


def _told(problem: str | None) -> str | None:
    return None if problem is None else plain_line(problem, longest=PROBLEM_LENGTH)


@frozen(kw_only=True)
class Attempt:
    """What came of an attempt: whether it arrived, the HTTP status, and what went wrong.

    The problem, which others may have worded, becomes one printable line of at most 500 characters: a store may be
    unable to keep others. `final` says that trying again is of no use, `gone` that the receiver wants nothing again.
    """

    arrived: bool
    status: int | None = None
    problem: str | None = field(default=None, converter=_told)
    final: bool = False
    gone: bool = False


@frozen
class Schedule:
    """How long to wait before each further attempt; when there is none left, a message is given up."""

    delays: tuple[timedelta, ...]

    def next_after(self, attempts: int, *, jitter: float) -> timedelta | None:
        """Return how long to wait after so many attempts, stretched by a factor of chance, or nothing to give up."""
        return self.delays[attempts - 1] * jitter if attempts <= len(self.delays) else None


STANDARD_SCHEDULE = Schedule(
    tuple(timedelta(seconds=each) for each in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
)
"""That of Standard Webhooks: at once, then after 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours."""


@frozen(kw_only=True)
class Dispatch:
    """One message to one receiver.

    `target` is a webhook's id or an e-mail address, or says whose; `message_id` is the event's id, the same at every
    attempt. `version` is the store's, for compare-and-set: it grows when somebody claims the dispatch or settles it, so
    that who comes back from a claim that has run out changes nothing.
    """

    id: DispatchId
    company_id: CompanyId
    channel: Channel
    target: str
    message_id: str
    type: str
    payload: dict[str, JSON]
    state: DispatchState = DispatchState.PENDING
    attempts: int = 0
    created_at: datetime
    due_at: datetime
    attempted_at: datetime | None = None
    status: int | None = None
    problem: str | None = None
    version: int = 1

    @property
    def receiver(self) -> Receiver:
        """To whom of which company's this goes: by e-mail, what stands as the target is the same for many companies."""
        return self.company_id, self.target

    def tried(self, outcome: Attempt, schedule: Schedule, *, jitter: float, at: datetime) -> Self:
        """Return the dispatch after an attempt: delivered, due again, or given up."""
        tried = evolve(
            self, attempts=self.attempts + 1, attempted_at=at, status=outcome.status, problem=outcome.problem
        )
        if outcome.arrived:
            return evolve(tried, state=DispatchState.DELIVERED)
        wait = None if outcome.final else schedule.next_after(tried.attempts, jitter=jitter)
        return evolve(tried, state=DispatchState.FAILED) if wait is None else evolve(tried, due_at=at + wait)

    def put_off(self, *, until: datetime) -> Self:
        """Return the dispatch to be tried later, although nothing was tried just now."""
        return evolve(self, due_at=until)

    def again(self, *, at: datetime) -> Self:
        """Return the dispatch to be sent anew at once, with every attempt before it."""
        return evolve(self, state=DispatchState.PENDING, attempts=0, due_at=at)
