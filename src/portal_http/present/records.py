"""What became of records that were pushed."""

from collections import Counter
from collections.abc import Sequence

from portal_core.use_cases.records import LineOutcome, Outcome
from portal_http.shapes import PushedLineShape, PushedLinesShape, PushedRecordShape


def pushed_record(told: LineOutcome) -> PushedRecordShape:
    """Return what became of one record, which was not refused."""
    ref = told.ref
    assert ref is not None  # noqa: S101 - what is no record is refused
    return {"type": ref.type, "id": ref.id, "outcome": told.outcome or Outcome.UNCHANGED}


def pushed_lines(told: Sequence[LineOutcome]) -> PushedLinesShape:
    """Return what became of every line."""
    counts: dict[str, dict[str, int]] = {}
    counted = Counter((each.ref.type, each.outcome) for each in told if each.ref and each.outcome)
    for (kind, outcome), count in sorted(counted.items()):
        counts.setdefault(kind.value, {})[outcome.value] = count
    return {
        "counts": counts,
        "refused": sum(each.outcome is None for each in told),
        "lines": [_pushed_line(each) for each in told],
    }


def _pushed_line(told: LineOutcome) -> PushedLineShape:
    return {
        "line": told.line,
        "type": None if told.ref is None else told.ref.type,
        "id": None if told.ref is None else told.ref.id,
        "outcome": told.outcome,
        "errors": [{"pointer": each.pointer or "", "detail": each.detail} for each in told.problems],
    }
