"""Records pushed by systems of the company: one at a time, or many as JSON Lines; none of another company's."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from http import HTTPStatus

import orjson

from portal_core.domain.documents import JSON
from portal_core.domain.errors import InvalidInput, NotFound, Problem
from portal_core.domain.records import RecordType
from portal_core.use_cases.records import LineOutcome, Outcome, pack_of
from portal_http.answers import Answer, answered, nothing
from portal_http.calls import StaffCall
from portal_http.converter import parse_object
from portal_http.endpoints import Upload
from portal_http.errors import InvalidJson, PayloadTooLarge, StillNeeded
from portal_http.present.records import pushed_lines, pushed_record
from portal_http.queries import ATOMIC

MOST_LINES = 10_000
"""How many lines are taken in one transaction at most."""

MOST_LINES_ALONE = 1_000
"""How many where each is judged by itself, which takes some ten times as long while others wait to write."""

_CLIENT: Mapping[str, JSON] = {"name": "Harbour Café", "email": "accounts@harbour.example"}
_LINE: Mapping[str, JSON] = {"type": "client", "company_id": "acme", "id": "C-1", **_CLIENT}

RECORD = Upload(
    ("application/json",), {"type": "object"}, lambda options: options.largest_records, example=dict(_CLIENT)
)
RECORDS = Upload(
    ("application/x-ndjson", "application/jsonl"),
    {"type": "string"},
    lambda options: options.largest_records,
    example=f"{orjson.dumps(_LINE).decode()}\n",
)


async def push_all(call: StaffCall, content: bytes) -> Answer:
    """Take in JSON Lines, all of them or each by itself."""
    atomic = call.query.get(ATOMIC) is not False
    most = MOST_LINES if atomic else MOST_LINES_ALONE
    if content.count(b"\n") > most:
        raise PayloadTooLarge(f"The body may have at most {most:,} lines.")
    return await _take_in(call, content, atomic=atomic, tell=lambda told: answered(pushed_lines(told)))


async def push(call: StaffCall, content: bytes) -> Answer:
    """Take in one record."""
    line = _line(_stated(call, content))

    def tell(told: Sequence[LineOutcome]) -> Answer:
        shape = pushed_record(told[0])
        created = shape["outcome"] == Outcome.CREATED
        return answered(shape, status=HTTPStatus.CREATED if created else HTTPStatus.OK)

    try:
        return await _take_in(call, line, atomic=True, tell=tell)
    except InvalidInput as wrong:
        raise InvalidInput([Problem(each.detail, pointer=each.pointer) for each in wrong.problems]) from None


async def delete(call: StaffCall) -> Answer:
    """Take one record away."""
    line = _line({**_place(call), "deleted": True})

    def tell(told: Sequence[LineOutcome]) -> Answer:
        if told[0].outcome is not Outcome.DELETED:
            raise NotFound(f"There is no {call.above_id} {call.record_id!r} here.")
        return nothing()

    try:
        return await _take_in(call, line, atomic=True, tell=tell)
    except InvalidInput as wrong:
        raise StillNeeded("; ".join(each.detail for each in wrong.problems)) from None


async def _take_in(
    call: StaffCall, content: bytes, *, atomic: bool, tell: Callable[[Sequence[LineOutcome]], Answer]
) -> Answer:
    """Read lines in a thread, and keep them in one transaction."""
    stage = call.services.way_in()
    pack = await call.read(pack_of)
    with closing(await asyncio.to_thread(stage, content, call.company_id, pack)) as shipment:
        return await call.write(
            lambda store: tell(shipment.take_in(store, atomic=atomic, by=call.actor, now=call.now)),
        )


def _place(call: StaffCall) -> dict[str, object]:
    """Return what the path says of a record; refuse with NotFound a type that there is not."""
    call.services.way_in()
    if call.above_id not in set(RecordType):
        raise NotFound(f"There are no records of the type {call.above_id!r}: there are {', '.join(RecordType)}.")
    return {"type": call.above_id, "company_id": call.company_id, "id": call.record_id}


def _stated(call: StaffCall, content: bytes) -> dict[str, object]:
    """Return a record; refuse with InvalidInput one that says something else than the path and the token."""
    place, stated = _place(call), parse_object(content)
    problems = [
        Problem(f"is not {value!r}, as the path and the token have it", pointer=f"/{name}")
        for name, value in place.items()
        if stated.get(name, value) != value
    ]
    if "deleted" in stated:
        problems.append(Problem("is not for here: DELETE takes a record away", pointer="/deleted"))
    if problems:
        raise InvalidInput(problems)
    return stated | place


def _line(record: dict[str, object]) -> bytes:
    try:
        return orjson.dumps(record)
    except TypeError:
        raise InvalidJson("The body goes too deep, or holds a number that is too large.") from None
