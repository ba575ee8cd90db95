"""The only table from refusals to answers, as problem details (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NotRequired, TypedDict

import orjson
from attrs import frozen

from portal_core.domain.errors import (
    AlreadyDecided,
    Busy,
    IdempotencyInFlight,
    IdempotencyMismatch,
    InvalidInput,
    MovedOn,
    NotFound,
    NotOpen,
    PermissionDenied,
    Refusal,
    Revoked,
)
from portal_core.domain.errors import Problem as Fault
from portal_http.answers import Answer, Header

TYPE = "urn:customer-portal:problem:"
"""What a problem's `type` starts with; its code follows."""

MOST_FAULTS = 50
"""So many things wrong with one input are named; the rest waits until those are mended."""


class InvalidJson(Refusal):
    """The body is no JSON (RFC 8259) that can be kept exactly."""

    code = "invalid_json"


class InvalidHost(Refusal):
    """The Host field is malformed or names nobody whom this server answers for."""

    code = "invalid_host"


class Unauthorized(Refusal):
    """There is no bearer token, or it is not right; `sent` tells the two apart."""

    code = "unauthorized"

    def __init__(self, detail: str, *, sent: bool) -> None:
        super().__init__(detail)
        self.sent = sent


class MethodNotAllowed(Refusal):
    """The path is right, and takes other methods: `allowed`."""

    code = "method_not_allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"This address takes {allowed}.")
        self.allowed = allowed


class PayloadTooLarge(Refusal):
    """The body has more bytes than are read."""

    code = "payload_too_large"


class FieldsTooLarge(Refusal):
    """There are more header fields than are read, or longer ones."""

    code = "fields_too_large"


class UnsupportedMediaType(Refusal):
    """The body is not sent as JSON."""

    code = "unsupported_media_type"


class StillNeeded(Refusal):
    """A record cannot be deleted: a client decided on it, or something refers to it."""

    code = "still_needed"


class RateLimited(Refusal):
    """Too many requests in the last minute; another one is welcome after `seconds`."""

    code = "rate_limited"

    def __init__(self, seconds: int, fields: Sequence[Header] = ()) -> None:
        super().__init__(f"Too many requests. Try again in {seconds} seconds.")
        self.seconds = seconds
        self.fields = fields


class ScopeMissing(PermissionDenied):
    """Staff's token is not for this: `permission` is what it lacks."""

    def __init__(self, permission: str, detail: str) -> None:
        super().__init__(permission, detail)


class InternalError(Refusal):
    """Something that should not happen did; the log tells what."""

    code = "internal_error"

    def __init__(self) -> None:
        super().__init__("Something went wrong here. It is logged; trying again later may help.")


@frozen
class Status:
    """How a refusal is answered."""

    code: HTTPStatus
    title: str


STATUSES: Mapping[type[Refusal], Status] = {
    InvalidJson: Status(HTTPStatus.BAD_REQUEST, "Invalid JSON"),
    InvalidHost: Status(HTTPStatus.BAD_REQUEST, "Invalid host"),
    Unauthorized: Status(HTTPStatus.UNAUTHORIZED, "Unauthorized"),
    PermissionDenied: Status(HTTPStatus.FORBIDDEN, "Permission denied"),
    NotFound: Status(HTTPStatus.NOT_FOUND, "Not found"),
    MethodNotAllowed: Status(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed"),
    AlreadyDecided: Status(HTTPStatus.CONFLICT, "Already decided"),
    NotOpen: Status(HTTPStatus.CONFLICT, "Not open"),
    Revoked: Status(HTTPStatus.CONFLICT, "Revoked"),
    StillNeeded: Status(HTTPStatus.CONFLICT, "Still needed"),
    IdempotencyInFlight: Status(HTTPStatus.CONFLICT, "Still being answered"),
    MovedOn: Status(HTTPStatus.PRECONDITION_FAILED, "Moved on"),
    PayloadTooLarge: Status(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Payload too large"),
    UnsupportedMediaType: Status(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type"),
    InvalidInput: Status(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid input"),
    IdempotencyMismatch: Status(HTTPStatus.UNPROCESSABLE_ENTITY, "Idempotency key used before"),
    RateLimited: Status(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    FieldsTooLarge: Status(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "Header fields too large"),
    InternalError: Status(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error"),
    Busy: Status(HTTPStatus.SERVICE_UNAVAILABLE, "Busy"),
}


class FaultShape(TypedDict):
    """One thing wrong with an input: where (a JSON pointer of RFC 6901, or a query parameter or header) and what.

    Where several records were sent, `line` is the one that is wrong.
    """

    pointer: NotRequired[str]
    parameter: NotRequired[str]
    line: NotRequired[int]
    detail: str


class ProblemShape(TypedDict):
    """Why a request was refused (RFC 9457). `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: NotRequired[list[FaultShape]]
    permission: NotRequired[str]
    revision: NotRequired[int]


def status_of(refusal: type[Refusal]) -> Status:
    """Return how a kind of refusal is answered, or the kind that it is a special case of."""
    return next(STATUSES[kind] for kind in refusal.__mro__ if kind in STATUSES)


def problem(refusal: Refusal) -> ProblemShape:
    """Return the problem details of a refusal."""
    status = status_of(type(refusal))
    shape: ProblemShape = {
        "type": TYPE + refusal.code,
        "title": status.title,
        "status": status.code.value,
        "detail": refusal.detail,
        "code": refusal.code,
    }
    match refusal:
        case InvalidInput():
            named = refusal.problems[:MOST_FAULTS]
            shape["detail"] = "; ".join(str(fault) for fault in named)
            shape["errors"] = [_fault(fault) for fault in named]
        case PermissionDenied() if refusal.permission is not None:
            shape["permission"] = refusal.permission
        case MovedOn():
            shape["revision"] = refusal.revision
        case _:
            pass
    return shape


def refused(refusal: Refusal) -> Answer:
    """Return the answer to a request that was refused."""
    shape = problem(refusal)
    return Answer(shape["status"], orjson.dumps(shape), [PROBLEM, *_fields(refusal)])


PROBLEM: Header = (b"content-type", b"application/problem+json")


def _fault(fault: Fault) -> FaultShape:
    if fault.parameter is not None:
        return {"parameter": fault.parameter, "detail": fault.detail}
    shape: FaultShape = {"pointer": fault.pointer or "", "detail": fault.detail}
    return shape if fault.line is None else {"line": fault.line, **shape}


def _fields(refusal: Refusal) -> list[Header]:
    match refusal:
        case Unauthorized():
            return [(b"www-authenticate", b'Bearer error="invalid_token"' if refusal.sent else b"Bearer")]
        case MethodNotAllowed():
            return [(b"allow", refusal.allowed.encode())]
        case RateLimited():
            return [(b"retry-after", b"%d" % refusal.seconds), *refusal.fields]
        case Busy() | IdempotencyInFlight():
            return [(b"retry-after", b"1")]
        case _:
            return []
