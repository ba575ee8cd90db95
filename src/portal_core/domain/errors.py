"""The refusals: each is named by the rule that was broken."""

from collections.abc import Sequence
from typing import ClassVar

from attrs import frozen


class Refusal(Exception):
    """A rule said no.

    `code` is stable and part of the HTTP contract; `detail` is a sentence for people.
    """

    code: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@frozen
class Problem:
    """One thing wrong with an input, and where: a JSON pointer (RFC 6901) or the name of a query parameter.

    Of a body of several lines, `line` is the one that is wrong, counted from 1.
    """

    detail: str
    pointer: str | None = None
    parameter: str | None = None
    line: int | None = None

    def __str__(self) -> str:
        where = self.parameter or self.pointer
        if self.line is not None:
            where = f"line {self.line}, {where}" if where else f"line {self.line}"
        return f"{where or 'the body'}: {self.detail}"


class InvalidInput(Refusal):
    """The input breaks a rule of form; `problems` names every field."""

    code = "invalid_input"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)

    @classmethod
    def at(cls, pointer: str, detail: str) -> "InvalidInput":
        """Return the refusal of one field of a body."""
        return cls([Problem(detail, pointer=pointer)])

    @classmethod
    def in_parameter(cls, parameter: str, detail: str) -> "InvalidInput":
        """Return the refusal of one query parameter."""
        return cls([Problem(detail, parameter=parameter)])


class PermissionDenied(Refusal):
    """The link is not allowed to do this; `permission` is the first one missing, None where it is not one of them."""

    code = "permission_denied"

    def __init__(self, permission: str | None, detail: str | None = None) -> None:
        super().__init__(detail or f"This link lacks the permission {permission}.")
        self.permission = permission


class NarrowedLink(PermissionDenied):
    """The link opens single documents, and what is asked for is about all of them."""

    def __init__(self) -> None:
        super().__init__(None, "This link opens single documents only; this is about all of them.")


class NotFound(Refusal):
    """There is no such record, or it is not this client's, or not for clients to see."""

    code = "not_found"


class DeadLink(NotFound):
    """The token is unknown, malformed, expired or revoked; it is never said which."""

    def __init__(self) -> None:
        super().__init__("There is nothing here.")


class AlreadyDecided(Refusal):
    """The opposite was decided already on this revision."""

    code = "already_decided"


class NotOpen(Refusal):
    """The quote or the ticket is no longer open."""

    code = "not_open"


class Revoked(Refusal):
    """A revoked link cannot be changed."""

    code = "revoked"


class MovedOn(Refusal):
    """The revision that was seen is not the current one; `revision` is."""

    code = "moved_on"

    def __init__(self, revision: int) -> None:
        super().__init__(f"The quote has changed: its current revision is {revision}. Read it again, then decide.")
        self.revision = revision


class IdempotencyMismatch(Refusal):
    """The idempotency key was used before with another body."""

    code = "idempotency_mismatch"


class IdempotencyInFlight(Refusal):
    """A request with this idempotency key is still being answered."""

    code = "idempotency_in_flight"


class Busy(Refusal):
    """The store cannot write just now; trying again in a moment helps."""

    code = "busy"
