from datetime import timedelta

import pytest
from attrs import evolve

from portal_adapters.contract.builders import a_dispatch, moment
from portal_core.domain.outbox import PROBLEM_LENGTH, STANDARD_SCHEDULE, Attempt, DispatchState, Schedule

FAILED = Attempt(arrived=False, status=500, problem="Internal Server Error")
TWO = Schedule((timedelta(seconds=5), timedelta(seconds=60)))


def test_what_arrived_is_delivered() -> None:
    tried = a_dispatch().tried(Attempt(arrived=True, status=204), TWO, jitter=1, at=moment(1))

    assert tried == evolve(a_dispatch(), state=DispatchState.DELIVERED, attempts=1, attempted_at=moment(1), status=204)


def test_what_failed_is_due_again_by_the_schedule_and_then_given_up() -> None:
    first = a_dispatch().tried(FAILED, TWO, jitter=1, at=moment(0))
    second = first.tried(FAILED, TWO, jitter=1.1, at=moment(5))
    third = second.tried(FAILED, TWO, jitter=1, at=moment(71))

    assert [each.due_at for each in (first, second)] == [moment(5), moment(71)]
    assert [each.state for each in (first, second, third)] == ["pending", "pending", "failed"]
    assert (third.attempts, third.status, third.problem) == (3, 500, "Internal Server Error")


def test_what_others_say_of_a_failure_is_kept_as_a_line_that_can_be_printed() -> None:
    said = "450 no \x00 nul\r\n\ud800\u202ebut Grüße 😀"

    assert Attempt(arrived=False, problem=said).problem == "450 no nul but Grüße 😀"
    assert Attempt(arrived=False, problem="x" * PROBLEM_LENGTH).problem == "x" * PROBLEM_LENGTH
    assert Attempt(arrived=False, problem="x" * 501).problem == "x" * 499 + "…"


@pytest.mark.parametrize("gone", [True, False])
def test_what_can_never_arrive_is_given_up_at_once(*, gone: bool) -> None:
    tried = a_dispatch().tried(Attempt(arrived=False, final=True, gone=gone), TWO, jitter=1, at=moment(0))

    assert (tried.state, tried.attempts) == (DispatchState.FAILED, 1)


def test_what_is_sent_again_has_every_attempt_before_it() -> None:
    given_up = a_dispatch().tried(FAILED, Schedule(()), jitter=1, at=moment(0))

    again = given_up.again(at=moment(9))

    assert (again.state, again.attempts, again.due_at) == (DispatchState.PENDING, 0, moment(9))
    assert (again.message_id, again.payload) == (given_up.message_id, given_up.payload)


def test_the_usual_schedule_is_that_of_standard_webhooks() -> None:
    waits = [STANDARD_SCHEDULE.next_after(attempts, jitter=1) for attempts in range(1, 11)]

    assert waits == [
        *(timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)),
        *(timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)),
        None,
    ]
