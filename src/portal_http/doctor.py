"""Whether settings, database and machine are fit to serve, and what to do about what is not."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from attrs import evolve, frozen

from portal_core.domain.access import Scope
from portal_core.domain.balance import balances_of
from portal_core.domain.companies import Client, Company
from portal_core.domain.errors import Refusal
from portal_core.domain.filters import InvoiceFilter
from portal_core.domain.invoices import Invoice
from portal_core.domain.ledger import Ledger
from portal_core.domain.paging import INVOICE_SORTS, every
from portal_core.domain.payments import Payment
from portal_core.ports import Store
from portal_http.settings import Settings, SettingsRefused
from portal_http.wiring import WiringRefused
from portal_http.wiring.databases import SchemaOutdated, has_safe_wal, reading_of
from portal_http.wiring.keys import admins_of, receipts_of
from portal_http.wiring.limits import ping_limits
from portal_http.wiring.links import public_url_of

_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


@frozen
class Finding:
    """What was looked at, whether it is fine, and a sentence."""

    fine: bool
    subject: str
    detail: str


def examine(load: Callable[[], Settings], at: datetime) -> Iterator[Finding]:
    """Yield what was found about everything that can be looked at."""
    try:
        settings = load()
    except SettingsRefused as refused:
        yield from (Finding(fine=False, subject="settings", detail=each) for each in refused.sentences)
        return
    yield Finding(fine=True, subject="settings", detail="are valid")
    yield _key(settings)
    yield _receipts(settings)
    yield _address(settings)
    yield _limits(settings)
    yield _mail(settings)
    yield _time_zones()
    yield _sqlite(settings)
    yield from _database(settings, at)


def _key(settings: Settings) -> Finding:
    try:
        admins_of(settings)
    except WiringRefused as refused:
        return Finding(fine=False, subject="staff's key", detail=str(refused))
    return Finding(fine=True, subject="staff's key", detail=f"is strong enough for {settings.admin_jwt_algorithm}")


def _receipts(settings: Settings) -> Finding:
    try:
        keys = receipts_of(settings)
    except WiringRefused as refused:
        return Finding(fine=False, subject="receipts", detail=str(refused))
    if keys is None:
        detail = "are not signed; set PORTAL_RECEIPT_KEY if clients are to have them"
    elif settings.receipt_key is None:
        detail = "are signed with a key derived from PORTAL_ADMIN_JWT_KEY; set PORTAL_RECEIPT_KEY to change one alone"
    else:
        detail = f"are signed, and checked with {len(keys.known)} keys"
    return Finding(fine=True, subject="receipts", detail=detail)


def _address(settings: Settings) -> Finding:
    url = public_url_of(settings)
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname in _LOCAL:
        local = " (this machine; set PORTAL_PUBLIC_URL before you send links)" if settings.public_url is None else ""
        return Finding(fine=True, subject="links", detail=f"begin with {url}{local}")
    detail = f"begin with {url}: without https, whoever is on the way can read the links"
    return Finding(fine=False, subject="links", detail=detail)


def _limits(settings: Settings) -> Finding:
    if settings.rate_limit_url.startswith("memory"):
        return Finding(fine=True, subject="rate limits", detail="are counted in memory, which does for one process")
    problem = ping_limits(settings)
    detail = "are counted in Redis, which answers" if problem is None else f"Redis does not answer: {problem}"
    return Finding(fine=problem is None, subject="rate limits", detail=detail)


def _mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        return Finding(fine=True, subject="e-mail", detail="is not sent; set PORTAL_SMTP_URL if links are to be sent")
    sender = f"{settings.mail_from} where a company has no address" if settings.mail_from else "each company's address"
    return Finding(
        fine=True, subject="e-mail", detail=f"is sent by {urlsplit(settings.smtp_url).hostname}, from {sender}"
    )


def _time_zones() -> Finding:
    known = len(available_timezones())
    try:
        ZoneInfo("Pacific/Kiritimati")
    except OSError:
        return Finding(fine=False, subject="time zones", detail="there is no database of them: pip install tzdata")
    return Finding(fine=True, subject="time zones", detail=f"{known} are known")


def _sqlite(settings: Settings) -> Finding:
    version = sqlite3.sqlite_version
    if not settings.database_url.startswith("sqlite"):
        return Finding(fine=True, subject="SQLite", detail="is not used")
    if has_safe_wal():
        return Finding(fine=True, subject="SQLite", detail=f"{version}, with the write-ahead log")
    detail = f"{version} has the WAL-reset bug (3.7.0 to 3.51.2), so the slower rollback journal is used"
    return Finding(fine=True, subject="SQLite", detail=detail)


def _database(settings: Settings, at: datetime) -> Iterator[Finding]:
    try:
        with reading_of(settings) as store:
            yield Finding(fine=True, subject="database", detail="answers, and its schema is current")
            yield from _totals(store, at)
    except (WiringRefused, SchemaOutdated) as refused:
        yield Finding(fine=False, subject="database", detail=str(refused))
    except Refusal as refusal:
        yield Finding(fine=False, subject="database", detail=refusal.detail)


def _totals(store: Store, at: datetime) -> Iterator[Finding]:
    """Compare what is derived ahead of being asked for with what the facts come to."""
    clients = wrong = 0
    company: Company | None = None
    for fact in store.facts.each():
        if isinstance(fact, Company):
            company = fact
        elif isinstance(fact, Client) and company is not None:
            clients += 1
            disagreement = _disagreement(store, Scope(fact.company_id, fact.id), company, at)
            if disagreement is not None:
                wrong += 1
                whose = f"client {fact.id} of company {fact.company_id}"
                detail = f"{whose}: {disagreement}. Export, and import into a new database, to derive them anew"
                yield Finding(fine=False, subject="totals", detail=detail)
    if not wrong:
        yield Finding(fine=True, subject="totals", detail=f"of {clients} clients agree with their documents")


def _ledger(store: Store, scope: Scope) -> Ledger:
    invoices: list[Invoice] = []
    payments: list[Payment] = []
    for fact in store.facts.each(scope.company_id, scope.client_id):
        if isinstance(fact, Invoice):
            invoices.append(evolve(fact, lines=()))
        elif isinstance(fact, Payment):
            payments.append(fact)
    return Ledger(invoices, payments)


def _disagreement(store: Store, scope: Scope, company: Company, at: datetime) -> str | None:
    ledger = _ledger(store, scope)
    today = company.today(at)
    if store.balances.get(scope, on=today) != balances_of(ledger.open_amounts(), today):
        return "the balance differs from its documents"
    shown = every(lambda listing: store.invoices.page(scope, listing, InvoiceFilter(), on=today), sort=INVOICE_SORTS[0])
    wrong = next((each.id for each in shown if each != ledger.summary(ledger.invoices[each.id])), None)
    return None if wrong is None else f"invoice {wrong} differs from its settlements"
