"""The one door to the clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this moment, aware, in UTC, to the microsecond."""
    return datetime.now(UTC)
