"""The geometry of the drawings; what they show is beside them in words."""

from itertools import accumulate, pairwise

from attrs import frozen

from portal_core.domain.balance import AGING_BUCKETS, Aging
from portal_core.domain.money import Money
from portal_core.domain.statement import Statement

BAR_WIDTH, THINNEST = 1000, 4
CURVE_WIDTH, CURVE_HEIGHT = 400, 100


@frozen
class Segment:
    """One part of a bar, from 0 to BAR_WIDTH, and the amount that it stands for."""

    bucket: str
    start: int
    width: int
    amount: Money


def aging_bar(aging: Aging) -> tuple[Segment, ...]:
    """Return the parts of what is outstanding, side by side; nothing when nothing is."""
    amounts = [(bucket, getattr(aging, bucket)) for bucket in AGING_BUCKETS]
    whole = sum(amount.minor for _, amount in amounts)
    if whole <= 0:
        return ()
    ends = [end * BAR_WIDTH // whole for end in accumulate(amount.minor for _, amount in amounts)]
    parts = zip(amounts, [0, *ends], ends, strict=False)
    return tuple(_segment(bucket, start, end, amount) for (bucket, amount), start, end in parts if amount)


def _segment(bucket: str, start: int, end: int, amount: Money) -> Segment:
    """Return a part that is wide enough to be seen."""
    width = max(end - start, THINNEST)
    return Segment(bucket, min(start, BAR_WIDTH - width), width, amount)


@frozen
class Curve:
    """A running balance as the path of a line, the same closed to an area, and where zero is."""

    line: str
    area: str
    zero: int


def balance_curve(statement: Statement) -> Curve | None:
    """Return the running balance as steps over the days of the period; nothing without movements."""
    if not statement.lines:
        return None
    days = max((statement.until - statement.since).days, 1)
    moves = [((line.on - statement.since).days * CURVE_WIDTH // days, line.balance.minor) for line in statement.lines]
    points = [(0, statement.opening.minor), *sorted(dict(moves).items()), (CURVE_WIDTH, statement.closing.minor)]
    low, high = min(0, *(minor for _, minor in points)), max(0, *(minor for _, minor in points))
    height = (high - low) or 1
    scaled = [(across, CURVE_HEIGHT - (minor - low) * CURVE_HEIGHT // height) for across, minor in points]
    zero = CURVE_HEIGHT + low * CURVE_HEIGHT // height
    steps = "".join(f"H{after[0]}V{after[1]}" for _, after in pairwise(scaled))
    line = f"M0 {scaled[0][1]}{steps}"
    return Curve(line, f"{line}V{zero}H0Z", zero)
