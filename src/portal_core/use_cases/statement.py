"""The statement of account."""

from datetime import date, datetime

from portal_core.domain.access import Permission, Visit
from portal_core.domain.errors import InvalidInput, NarrowedLink
from portal_core.domain.money import Currency
from portal_core.domain.statement import (
    DEFAULT_MONTHS,
    MOST_MOVEMENTS,
    AccountPeriod,
    Statement,
    months_before,
    running,
)
from portal_core.ports import Store


def read_statement(
    store: Store, visit: Visit, *, unit: Currency | None, since: date | None, until: date | None, now: datetime
) -> tuple[Statement, ...]:
    """Return one statement for each currency that ever moved, by code, or for the one asked for.

    Refuses with InvalidInput when the period ends before it starts or holds more than 5,000 movements, and
    with NarrowedLink for a link that is narrowed to some documents.
    """
    visit.grant.require(Permission.VIEW_INVOICES, Permission.VIEW_PAYMENTS, at=now)
    if visit.scope.documents is not None:
        raise NarrowedLink
    if since is not None and until is not None and since > until:
        raise InvalidInput.in_parameter("from", "must not be after `to`")
    if since is None and until is not None:
        since = months_before(until, DEFAULT_MONTHS)
    today = visit.today(now)
    periods = store.accounts.periods(visit.scope, unit=unit, since=since, until=until, on=today, most=MOST_MOVEMENTS)
    wants_aging = until is None or until >= today
    return tuple(_statement(period, wants_aging=wants_aging) for period in periods)


def _statement(period: AccountPeriod, *, wants_aging: bool) -> Statement:
    if len(period.movements) > MOST_MOVEMENTS:
        detail = f"the period holds more than {MOST_MOVEMENTS:,} movements; ask for a shorter one"
        raise InvalidInput.in_parameter("from", detail)
    lines = tuple(running(period.opening, period.movements))
    return Statement(
        currency=period.currency,
        since=period.since,
        until=max(period.since, period.until),
        opening=period.opening,
        closing=lines[-1].balance if lines else period.opening,
        lines=lines,
        aging=period.aging if wants_aging else None,
    )
