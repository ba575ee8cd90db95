"""Whether all servers give the same answers: nothing is timed before they do."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from benchmarks.databases import Databases
from benchmarks.servers import OTHERS, OURS, Server, Subject, served

DOCUMENTS = 200


class AnswersDiffer(Exception):
    """Two servers say different things; the message names the path and both digests."""


def digest(body: bytes) -> str:
    """Return the SHA-256 of what an answer holds under `data`, whatever the order of its keys."""
    canonical = json.dumps(json.loads(body)["data"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def paths(server: Server, databases: Databases) -> Iterator[str]:
    """Yield what is compared: for each of some clients the dashboard, a page, and an invoice of that page."""
    tokens = databases.usual_tokens()
    for place in range(0, len(tokens), max(1, len(tokens) * 3 // DOCUMENTS)):
        yield f"/view/{tokens[place]}/dashboard"
        yield f"/view/{tokens[place]}/invoices"
        shown = json.loads(server.get(f"/view/{tokens[place]}/invoices"))["data"]
        invoices = [each["id"] for each in shown if each["kind"] == "invoice"]
        yield f"/view/{tokens[place]}/invoices/{quote(invoices[place % len(invoices)])}"


def compare(databases: Databases, subjects: Sequence[Subject] = (*OURS, *OTHERS)) -> int:
    """Return how many documents all servers gave alike; raise AnswersDiffer for the first that they did not."""
    first, *others = subjects
    with served(first, databases) as server:
        expected = {path: digest(server.get(path)) for path in paths(server, databases)}
    for subject in others:
        with served(subject, databases) as server:
            require_same(server, expected)
    return len(expected)


def require_same(server: Server, expected: dict[str, str]) -> None:
    """Raise AnswersDiffer for the first path whose answer has another digest than is expected."""
    for path, wanted in expected.items():
        found = digest(server.get(path))
        if found != wanted:
            what = path.partition("/view/")[2].partition("/")[2]
            raise AnswersDiffer(f"{server.subject.name} answers {what} differently: {found}, not {wanted}")
