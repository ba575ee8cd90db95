import pytest

from portal_core.domain import errors
from portal_core.domain.errors import DeadLink, InvalidInput, NarrowedLink, PermissionDenied, Problem, Refusal

CODES = {
    "AlreadyDecided": "already_decided",
    "Busy": "busy",
    "DeadLink": "not_found",
    "IdempotencyInFlight": "idempotency_in_flight",
    "IdempotencyMismatch": "idempotency_mismatch",
    "InvalidInput": "invalid_input",
    "MovedOn": "moved_on",
    "NarrowedLink": "permission_denied",
    "NotFound": "not_found",
    "NotOpen": "not_open",
    "PermissionDenied": "permission_denied",
    "Revoked": "revoked",
}


def test_a_problem_of_a_line_is_told_by_the_line() -> None:
    assert str(Problem("is not JSON", pointer="", line=3)) == "line 3: is not JSON"
    assert str(Problem("is required", pointer="/id", line=3)) == "line 3, /id: is required"


def test_every_refusal_has_the_code_of_the_contract() -> None:
    refusals = {
        name: each for name, each in vars(errors).items() if isinstance(each, type) and issubclass(each, Refusal)
    }

    codes = {name: each.code for name, each in refusals.items() if each is not Refusal}

    assert codes == CODES


def test_invalid_input_names_every_field() -> None:
    problems = [Problem("must not be empty", pointer="/subject"), Problem("must be at most 100", parameter="limit")]

    refusal = InvalidInput(problems)

    assert refusal.problems == tuple(problems)
    assert refusal.detail == "/subject: must not be empty; limit: must be at most 100"
    assert InvalidInput.at("/a", "b").problems == (Problem("b", pointer="/a"),)
    assert InvalidInput.in_parameter("a", "b").problems == (Problem("b", parameter="a"),)


def test_a_dead_link_never_says_why() -> None:
    with pytest.raises(DeadLink) as refused:
        raise DeadLink

    assert (refused.value.detail, str(refused.value)) == ("There is nothing here.", "There is nothing here.")


def test_a_link_to_single_documents_is_not_told_that_it_lacks_a_permission_it_has() -> None:
    refusal = NarrowedLink()

    said = refusal.detail, str(refusal)

    assert isinstance(refusal, PermissionDenied)
    assert all("single documents" in each for each in said)
    assert refusal.permission is None
