"""A write that is asked for twice with one key is done once, and answered alike."""

from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus

from portal_core.domain.errors import IdempotencyInFlight, IdempotencyMismatch
from portal_core.ports import KeptAnswer, KeyOfAnswer, Store

KEPT_FOR = timedelta(hours=24)


def replay(store: Store, key: KeyOfAnswer, fingerprint: bytes, *, now: datetime) -> KeptAnswer | None:
    """Return the answer that was given under the key, or nothing; refuse with IdempotencyMismatch for another body."""
    kept = store.answers.find(key, since=now - KEPT_FOR)
    if kept is not None and kept.fingerprint != fingerprint:
        raise IdempotencyMismatch(
            "This Idempotency-Key was used before with another body. Use a fresh key for a new request."
        )
    return kept


def keep_answer(store: Store, key: KeyOfAnswer, answer: KeptAnswer) -> None:
    """Keep an answer in the transaction of its write; refuse with IdempotencyInFlight if another one is being kept."""
    if not store.answers.keep(key, answer, since=answer.answered_at - KEPT_FOR):
        raise IdempotencyInFlight("A request with this Idempotency-Key is still being answered. Ask again in a moment.")


def do_once(store: Store, key: KeyOfAnswer, work: Callable[[], str], *, within: timedelta, now: datetime) -> str:
    """Return the id of what `work` makes; or of what it made for the same key a while ago, without doing it again.

    Refuses with IdempotencyInFlight while the same is being made.
    """
    since = now - within
    kept = store.answers.find(key, since=since)
    if kept is not None:
        return kept.body.decode()
    made = work()
    answer = KeptAnswer(fingerprint=b"", status=HTTPStatus.SEE_OTHER, body=made.encode(), answered_at=now)
    if not store.answers.keep(key, answer, since=since):
        raise IdempotencyInFlight("The same is being done just now. Ask again in a moment.")
    return made


def prune_answers(store: Store, *, now: datetime) -> int:
    """Forget the answers that are too old to be given again; return how many."""
    return store.answers.prune(before=now - KEPT_FOR)
