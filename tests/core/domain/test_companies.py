from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tests.core.samples import COMPANY


@pytest.mark.parametrize(
    "zone, moment, day",
    [
        ("Europe/Berlin", datetime(2026, 11, 23, 22, 59, 59, tzinfo=UTC), date(2026, 11, 23)),
        ("Europe/Berlin", datetime(2026, 11, 23, 23, tzinfo=UTC), date(2026, 11, 24)),
        ("Europe/Berlin", datetime(2026, 7, 1, 22, tzinfo=UTC), date(2026, 7, 2)),
        ("Pacific/Kiritimati", datetime(2026, 1, 1, 10, tzinfo=UTC), date(2026, 1, 2)),
        ("Pacific/Pago_Pago", datetime(2026, 1, 1, 10, 59, tzinfo=UTC), date(2025, 12, 31)),
    ],
)
def test_the_day_changes_at_midnight_where_the_company_is(zone: str, moment: datetime, day: date) -> None:
    company = evolve(COMPANY, timezone=ZoneInfo(zone))

    today = company.today(moment)

    assert today == day


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.integers(-12, 14))  # noqa: DTZ001 - bounds
def test_the_zone_in_which_a_moment_is_told_does_not_matter(moment: datetime, hours: int) -> None:
    here = moment.replace(tzinfo=UTC)

    there = here.astimezone(timezone(timedelta(hours=hours)))

    assert COMPANY.today(here) == COMPANY.today(there)
