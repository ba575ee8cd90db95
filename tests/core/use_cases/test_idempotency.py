from datetime import timedelta

import pytest
from attrs import evolve

from portal_core.domain.errors import IdempotencyInFlight, IdempotencyMismatch
from portal_core.ports import KeptAnswer, KeyOfAnswer, Store
from portal_core.use_cases.idempotency import do_once, keep_answer, prune_answers, replay
from tests.core.samples import COMPANY, NOW

KEY = KeyOfAnswer(company_id=COMPANY.id, asker="g1", route="POST /quotes/{id}/accept", key="k")
ANSWER = KeptAnswer(fingerprint=b"body", status=200, body=b"{}", answered_at=NOW)
A_DAY = timedelta(hours=24)
A_MOMENT = timedelta(minutes=1)
TICK = timedelta(microseconds=1)


def test_the_same_request_is_given_the_same_answer_for_a_day(store: Store) -> None:
    keep_answer(store, KEY, ANSWER)

    last, later = (replay(store, KEY, b"body", now=NOW + age) for age in (A_DAY, A_DAY + TICK))

    assert (last, later) == (ANSWER, None)


def test_a_key_with_another_body_is_refused(store: Store) -> None:
    keep_answer(store, KEY, ANSWER)

    with pytest.raises(IdempotencyMismatch):
        replay(store, KEY, b"other", now=NOW)

    assert replay(store, KEY, b"other", now=NOW + A_DAY + TICK) is None


def test_a_key_belongs_to_who_used_it_and_where(store: Store) -> None:
    keep_answer(store, KEY, ANSWER)

    others = [evolve(KEY, asker="g2"), evolve(KEY, route="POST /feedback"), evolve(KEY, key="l")]

    assert [replay(store, other, b"other", now=NOW) for other in others] == [None, None, None]


def test_a_second_answer_under_one_key_is_refused_until_the_first_is_forgotten(store: Store) -> None:
    keep_answer(store, KEY, ANSWER)

    with pytest.raises(IdempotencyInFlight):
        keep_answer(store, KEY, evolve(ANSWER, body=b"again", answered_at=NOW + A_DAY))

    fresh = evolve(ANSWER, fingerprint=b"new", answered_at=NOW + A_DAY + TICK)
    keep_answer(store, KEY, fresh)
    assert replay(store, KEY, b"new", now=fresh.answered_at) == fresh


def test_pruning_forgets_what_is_too_old_to_be_given_again(store: Store) -> None:
    keep_answer(store, KEY, ANSWER)
    keep_answer(store, evolve(KEY, key="l"), evolve(ANSWER, answered_at=NOW + TICK))

    pruned = [prune_answers(store, now=NOW + age) for age in (A_DAY, A_DAY + TICK)]

    assert pruned == [0, 1]
    assert replay(store, evolve(KEY, key="l"), b"body", now=NOW + A_DAY) is not None


def test_what_is_asked_for_again_a_moment_later_is_done_once(store: Store) -> None:
    made = iter(["t1", "t2", "t3"])

    ids = [
        do_once(store, KEY, lambda: next(made), within=A_MOMENT, now=NOW + age)
        for age in (0 * TICK, A_MOMENT, A_MOMENT + TICK)
    ]

    assert ids == ["t1", "t1", "t2"]


def test_what_is_being_done_just_now_is_not_done_again(store: Store) -> None:
    def meanwhile() -> str:
        return do_once(store, KEY, lambda: "theirs", within=A_MOMENT, now=NOW)

    with pytest.raises(IdempotencyInFlight):
        do_once(store, KEY, meanwhile, within=A_MOMENT, now=NOW)
