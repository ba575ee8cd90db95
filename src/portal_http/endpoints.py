"""Endpoints: what can be asked, declared once for the server and for its documentation."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Any, Generic, Literal, TypeAlias, TypeVar

from attrs import field, frozen

from portal_core.domain.access import Permission, Visit
from portal_core.domain.errors import Refusal
from portal_core.ports import Glance, Glances
from portal_http.answers import Answer
from portal_http.calls import ClientCall, StaffCall
from portal_http.options import Options
from portal_http.queries import Parameter
from portal_http.services import Services

BASE = "/api/v1/customer-portal"

B = TypeVar("B")
R = TypeVar("R")

Envelope: TypeAlias = Literal["one", "many", "either", "bare", "file", "nothing"]


@frozen
class Result:
    """What an endpoint answers when all is well: one of some shapes, and how they are wrapped.

    "one" is a record under `data`, "many" a page of them, "either" one or the other, "bare" has no envelope. A "file"
    is of a media type of its own, and to be kept; so is what has no shapes. The same may come with another status.
    """

    envelope: Envelope
    shapes: tuple[Any, ...] = ()
    status: HTTPStatus = HTTPStatus.OK
    fields: tuple[str, ...] = ()
    media_type: str = "application/json"
    else_status: HTTPStatus | None = None


def one(*shapes: Any, status: HTTPStatus = HTTPStatus.OK, fields: tuple[str, ...] = ()) -> Result:
    """Return the result of one record."""
    return Result("one", shapes, status, fields)


def many(shape: Any) -> Result:  # noqa: ANN401 - any shape at all
    """Return the result of a page of records."""
    return Result("many", (shape,))


def a_file(media_type: str, *fields: str) -> Result:
    """Return the result that is a file."""
    return Result("file", fields=("Content-Disposition", *fields), media_type=media_type)


NOTHING = Result("nothing", status=HTTPStatus.NO_CONTENT)


@frozen
class Upload:
    """What a body is that is read whole: its media types, the first of them the right one, its form and its size."""

    media_types: tuple[str, ...]
    schema: Mapping[str, object]
    most: Callable[[Options], int]
    example: object = None


PDF_UPLOAD = Upload(
    ("application/pdf", "application/octet-stream"),
    {"type": "string", "pattern": r"^%PDF-[\s\S]*%%EOF\s*$"},
    lambda options: options.largest_document,
)


@frozen(kw_only=True)
class Endpoint:
    """One method of one path. Parts of the path in braces are filled in by who asks.

    `body` is the request that JSON is read into; `upload` says what a body is that is a file instead.
    """

    method: str
    path: str
    summary: str
    result: Result
    query: Mapping[str, Parameter[Any]] = field(factory=dict[str, Parameter[Any]])
    body: Any = None
    upload: Upload | None = None
    headers: tuple[str, ...] = ()
    refusals: tuple[type[Refusal], ...] = ()

    @property
    def noun(self) -> str:
        """What the id in the path is the id of, or nothing."""
        name = self.path.rpartition("{")[2].partition("}")[0]
        return name.removesuffix("_id").replace("_", " ") if name.endswith("_id") else ""


@frozen
class Glimpse(Generic[R]):
    """The short way to an answer: how to look at link and records at once, and how to show what was seen on a day.

    It is looked by the digest of a token, and the id that the path ends with.
    """

    look: Callable[[Glances, bytes, str, datetime], Awaitable[Glance[R] | None]]
    show: Callable[[R, Visit, date], Answer]


@frozen(kw_only=True)
class ClientEndpoint(Endpoint):
    """An endpoint under a token. `whole_account` refuses links that are narrowed to some documents.

    What has a `glimpse` is read that way where nothing is asked but the path.
    """

    run: Callable[[ClientCall, Any], Awaitable[Answer]]
    glimpse: Glimpse[Any] | None = None
    permissions: tuple[Permission, ...] = ()
    whole_account: bool = False


@frozen(kw_only=True)
class StaffEndpoint(Endpoint):
    """An endpoint for staff."""

    run: Callable[[StaffCall, Any], Awaitable[Answer]]


@frozen(kw_only=True)
class OpenEndpoint(Endpoint):
    """An endpoint that anybody may ask."""

    run: Callable[[Services], Awaitable[Answer]]


def client_reads(
    path: str, run: Callable[[ClientCall], Awaitable[Answer]], summary: str, result: Result, **more: Any
) -> ClientEndpoint:
    """Return an endpoint under a token that changes nothing; the path follows `/view/{token}`."""
    return ClientEndpoint(
        method="GET", path=_under_token(path), run=lambda call, _: run(call), summary=summary, result=result, **more
    )


def client_writes(
    path: str,
    run: Callable[[ClientCall, B], Awaitable[Answer]],
    body: type[B],
    summary: str,
    result: Result,
    **more: Any,
) -> ClientEndpoint:
    """Return an endpoint under a token that takes a body."""
    return ClientEndpoint(
        method="POST", path=_under_token(path), run=run, body=body, summary=summary, result=result, **more
    )


def staff_reads(
    path: str, run: Callable[[StaffCall], Awaitable[Answer]], summary: str, result: Result, **more: Any
) -> StaffEndpoint:
    """Return an endpoint for staff that changes nothing."""
    return StaffEndpoint(
        method="GET", path=BASE + path, run=lambda call, _: run(call), summary=summary, result=result, **more
    )


def staff_writes(
    method: str,
    path: str,
    run: Callable[[StaffCall, B], Awaitable[Answer]],
    body: type[B],
    summary: str,
    result: Result,
    **more: Any,
) -> StaffEndpoint:
    """Return an endpoint for staff that takes a body."""
    return StaffEndpoint(method=method, path=BASE + path, run=run, body=body, summary=summary, result=result, **more)


def staff_uploads(
    path: str,
    run: Callable[[StaffCall, bytes], Awaitable[Answer]],
    upload: Upload,
    summary: str,
    result: Result,
    *,
    method: str = "PUT",
    **more: Any,
) -> StaffEndpoint:
    """Return an endpoint for staff that takes a file."""
    return StaffEndpoint(
        method=method, path=BASE + path, run=run, upload=upload, summary=summary, result=result, **more
    )


def staff_deletes(path: str, run: Callable[[StaffCall], Awaitable[Answer]], summary: str, **more: Any) -> StaffEndpoint:
    """Return an endpoint for staff that revokes something."""
    return StaffEndpoint(
        method="DELETE", path=BASE + path, run=lambda call, _: run(call), summary=summary, result=NOTHING, **more
    )


def _under_token(path: str) -> str:
    return f"{BASE}/view/{{token}}{path}"
