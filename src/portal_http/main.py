"""The composition root: settings become ports, and ports an application.

Any ASGI server can run it: `uvicorn --factory portal_http.main:app`.
"""

import asyncio
import io
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

from attrs import evolve
from starlette.applications import Starlette

from portal_adapters.admin_jwt import AdminTokens, Algorithm, WeakKey, admin_tokens, mint_admin_token
from portal_adapters.clock import now
from portal_adapters.pdf import TypstPrinter, can_print
from portal_adapters.randomness import RandomMint, jitter, new_key
from portal_adapters.rate_limits import rate_limits
from portal_adapters.receipt_keys import (
    ForgedReceipt,
    ReceiptKeys,
    UnfitKey,
    derived_receipt_keys,
    published_keys,
    receipt_keys,
)
from portal_adapters.records.importing import import_records
from portal_adapters.records.pushing import stage_push
from portal_adapters.records.sample import CLIENT, COMPANY, sample_file
from portal_adapters.smtp import smtp_server
from portal_adapters.sqlalchemy import (
    SchemaOutdated,
    SqliteRunner,
    SqlTransactions,
    has_safe_wal,
    migrate,
    open_sqlite,
    require_current_schema,
)
from portal_adapters.sqlalchemy.migrating import current_revision
from portal_adapters.webhook_sender import LEASE, WebhookSender
from portal_core.domain.audit import COMMAND_LINE
from portal_core.domain.errors import Refusal
from portal_core.domain.outbox import STANDARD_SCHEDULE, Channel, Schedule
from portal_core.ports import Runner, Store
from portal_core.use_cases.access import IssuedLink, LinkLife, NewGrant, issue_link
from portal_http.access_log import AccessLog
from portal_http.app import create_app
from portal_http.courier import Courier
from portal_http.documentation import document_of
from portal_http.mail import MailCarrier
from portal_http.options import Options
from portal_http.outside import Carrier
from portal_http.pages.languages import languages_of
from portal_http.pages.letters import Scribe
from portal_http.pages.rendering import Templates
from portal_http.settings import Settings, load_settings

DEVELOPMENT_ISSUER = "portal-development"

MEGABYTE = 1024 * 1024

_NEEDS_KEY = (
    "PORTAL_ADMIN_JWT_KEY is not set, so that staff's tokens cannot be checked. "
    "Set it to a random secret, for example: export PORTAL_ADMIN_JWT_KEY=$(openssl rand -hex 32)"
)

__all__ = ["ForgedReceipt", "SchemaOutdated", "WiringRefused", "app", "build", "now"]


class WiringRefused(Exception):
    """The settings do not make a portal; the message is a sentence that says what to do."""


def app() -> Starlette:
    """Return the application that the environment and the TOML file describe."""
    return build(load_settings())


def build(settings: Settings, *, public_url: str | None = None) -> Starlette:
    """Return the application; refuse with WiringRefused or SchemaOutdated what is not fit to serve.

    Links begin with the settings' public address, else with the one given.
    """
    settings = evolve(settings, public_url=settings.public_url or public_url)
    admins = admins_of(settings)
    limits = rate_limits(settings.rate_limit_url)
    receipts = receipts_of(settings)
    runner, close = _runner(settings)
    courier = _courier(settings, runner) if settings.deliver else None
    access_log = AccessLog(sys.stderr, as_json=settings.log_format == "json")
    options = _options(settings, public_url_of(settings), access_log)
    printer = TypstPrinter() if can_print() else None
    application = create_app(
        runner,
        clock=now,
        admins=admins,
        limits=limits,
        options=options,
        printer=printer,
        receipts=receipts,
        stage_records=stage_push,
    )
    finish_uses = application.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: Starlette) -> AsyncGenerator[None]:
        async with finish_uses(served), _at_work(courier):
            yield
        access_log.flush()
        await limits.close()
        await close()

    application.router.lifespan_context = lifespan
    return application


async def deliver(settings: Settings, *, once: bool, lease: timedelta = LEASE) -> None:
    """Send what is to be sent, until told to stop or, once, until nothing is due; refuses with SchemaOutdated."""
    runner, close = _runner(settings)
    courier = _courier(settings, runner, lease=lease)
    try:
        if once:
            await courier.run_once()
            return
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, courier.stop)
        await courier.run()
    finally:
        await close()


@asynccontextmanager
async def _at_work(courier: Courier | None) -> AsyncGenerator[None]:
    """Let a courier work meanwhile, and finish what is under way."""
    if courier is None:
        yield
        return
    work = asyncio.create_task(courier.run())
    try:
        yield
    finally:
        courier.stop()
        await work


def _courier(settings: Settings, runner: Runner, *, lease: timedelta = LEASE) -> Courier:
    networks = tuple(ip_network(each) for each in settings.webhook_allowed_networks)
    carriers: dict[Channel, Carrier] = {Channel.WEBHOOK: WebhookSender(allowed=networks, lease=lease)}
    if settings.smtp_url is not None:
        carriers[Channel.MAIL] = _mail_carrier(settings, settings.smtp_url, runner)
    delays = tuple(timedelta(seconds=each) for each in settings.delivery_schedule)
    return Courier(
        runner=runner,
        clock=now,
        carriers=carriers,
        jitter=jitter,
        schedule=Schedule(delays) if delays else STANDARD_SCHEDULE,
    )


def _mail_carrier(settings: Settings, url: str, runner: Runner) -> MailCarrier:
    scribe = Scribe(templates=Templates(), languages=languages_of(()), public_url=public_url_of(settings))
    return MailCarrier(runner=runner, scribe=scribe, send=smtp_server(url).send, sender=settings.mail_from)


@contextmanager
def database(settings: Settings, *, set_up: bool = True) -> Generator[SqlTransactions]:
    """Open the database; refuse with WiringRefused or SchemaOutdated one that is of no use.

    One that was never set up is, unless that is not wanted.
    """
    with _opened(settings) as transactions:
        if set_up and current_revision(transactions.engine) is None:
            migrate(transactions.engine)
        require_current_schema(transactions.engine)
        yield transactions


def migrate_database(settings: Settings) -> None:
    """Create the tables, or bring them up to date."""
    with _opened(settings) as transactions:
        migrate(transactions.engine)


@contextmanager
def _opened(settings: Settings) -> Generator[SqlTransactions]:
    transactions = _answering(settings)
    try:
        yield transactions
    finally:
        transactions.engine.dispose()


def _answering(settings: Settings) -> SqlTransactions:
    """Return the transactions of a database that answers; refuse with WiringRefused one that does not."""
    try:
        transactions = _transactions(settings.database_url)
        current_revision(transactions.engine)
    except (Refusal, WiringRefused):
        raise
    except Exception as problem:
        reason = str(problem.__cause__ or problem).strip()
        raise WiringRefused(f"PORTAL_DATABASE_URL names a database that cannot be used: {reason}") from problem
    return transactions


def _transactions(url: str) -> SqlTransactions:
    if url.startswith("postgresql"):
        from portal_adapters.sqlalchemy.postgres import open_postgres  # noqa: PLC0415 - an extra that not everybody has

        return SqlTransactions(open_postgres(url), RandomMint())
    folder = Path(url.partition("///")[2]).parent
    if not folder.is_dir():
        raise WiringRefused(f"PORTAL_DATABASE_URL names a file in {folder}, and there is no such folder.")
    return SqlTransactions(open_sqlite(url), RandomMint())


def admins_of(settings: Settings) -> AdminTokens:
    """Return the check of staff's tokens; refuse with WiringRefused to do without a strong key."""
    if settings.admin_jwt_key is None:
        raise WiringRefused(_NEEDS_KEY)
    try:
        return admin_tokens(
            key=settings.admin_jwt_key,
            algorithm=cast("Algorithm", settings.admin_jwt_algorithm),
            audience=settings.admin_jwt_audience,
            issuer=settings.admin_jwt_issuer,
        )
    except WeakKey as weak:
        raise WiringRefused(f"PORTAL_ADMIN_JWT_KEY: {weak}.") from None


def receipts_of(settings: Settings) -> ReceiptKeys | None:
    """Return the keys of receipts; none where no key was given and staff's key is not one secret to derive it from.

    Refuses with WiringRefused a key that cannot sign.
    """
    if settings.receipt_key is None:
        secret = settings.admin_jwt_key
        derivable = secret and settings.admin_jwt_algorithm == "HS256" and not secret.startswith("{")
        return derived_receipt_keys(secret) if secret and derivable else None
    try:
        keys = receipt_keys(settings.receipt_key)
    except UnfitKey as unfit:
        raise WiringRefused(f"PORTAL_RECEIPT_KEY: {unfit}.") from None
    if keys.signing is None:
        raise WiringRefused("PORTAL_RECEIPT_KEY: there is no private key, so nothing can be signed.")
    return keys


def checked_receipt(settings: Settings, receipt: str, *, published: str | None) -> tuple[str, str]:
    """Return what a receipt says and the id of the key that signed it, checked with our keys or published ones.

    Refuses with ForgedReceipt one that is not right, with WiringRefused when there is no key to check it with.
    """
    try:
        keys = receipts_of(settings) if published is None else published_keys(published)
    except UnfitKey as unfit:
        raise WiringRefused(f"--keys: {unfit}.") from None
    if keys is None:
        raise WiringRefused("There is no key to check with: give --keys, or set PORTAL_RECEIPT_KEY.")
    return keys.checked(receipt)


def development_token(settings: Settings, company_ids: Sequence[str], *, scope: str, subject: str, at: datetime) -> str:
    """Return a token of staff's for trying the API; refuse with WiringRefused unless the key is an HS256 secret."""
    admins_of(settings)
    if settings.admin_jwt_algorithm != "HS256":
        raise WiringRefused("Tokens for development are signed with HS256 only: ask your identity provider for one.")
    return mint_admin_token(
        key=settings.admin_jwt_key or "",
        audience=settings.admin_jwt_audience,
        issuer=settings.admin_jwt_issuer or DEVELOPMENT_ISSUER,
        subject=subject,
        company_ids=company_ids,
        scope=scope,
        now=at,
    )


def openapi_document(settings: Settings) -> bytes:
    """Return the API's description."""
    return document_of(public_url_of(settings))


def public_url_of(settings: Settings, *, port: int = 8000) -> str:
    """Return what links begin with."""
    return settings.public_url or f"http://127.0.0.1:{port}"


def life_of(settings: Settings) -> LinkLife:
    """Return how long links live."""
    return LinkLife(usual=timedelta(days=settings.token_days), longest=timedelta(days=settings.token_max_days))


def demo_settings(folder: Path, public_url: str) -> Settings:
    """Return settings for a portal that lasts as long as it is looked at, with a key that nobody has."""
    database = folder / "demo.sqlite3"
    return Settings(database_url=f"sqlite:///{database}", admin_jwt_key=new_key(), public_url=public_url)


def furnish(settings: Settings, *, at: datetime) -> IssuedLink:
    """Fill a database with the sample company and return a link of its busiest client's."""
    with database(settings) as transactions:
        import_records(transactions, [("sample", io.BytesIO(sample_file(at)))], by=COMMAND_LINE)
        with transactions.begin() as store:
            asked = NewGrant(client_id=CLIENT, label="Demonstration")
            return issue_link(store, COMPANY, asked, life_of(settings), now=at, by=COMMAND_LINE)


@contextmanager
def reading_of(settings: Settings) -> Generator[Store]:
    """Return a store to read from; refuse with SchemaOutdated unless its schema is current."""
    with database(settings, set_up=False) as transactions, transactions.read() as store:
        yield store


def ping_limits(settings: Settings) -> str | None:
    """Return why the limits' Redis does not answer, or nothing if it does."""
    from redis import Redis, RedisError  # noqa: PLC0415 - an extra that not everybody has

    try:
        connect = cast("Callable[..., Any]", Redis.from_url)  # pyright: ignore[reportUnknownMemberType] - no types
        with connect(settings.rate_limit_url, socket_connect_timeout=2, socket_timeout=2) as client:
            client.ping()
    except (RedisError, ValueError) as problem:
        return str(problem)
    return None


def sqlite_has_safe_wal() -> bool:
    """Tell whether this machine's SQLite is free of the WAL-reset race."""
    return has_safe_wal()


def _runner(settings: Settings) -> tuple[Runner, Callable[[], Awaitable[None]]]:
    """Return the way to run use cases, and what lets go of the database in the end."""
    if settings.database_url.startswith("postgresql"):
        from portal_adapters.sqlalchemy.postgres import (  # noqa: PLC0415 - an extra that not everybody has
            GreenletRunner,
            open_postgres_async,
        )

        with database(settings, set_up=False):
            served = GreenletRunner(open_postgres_async(settings.database_url), RandomMint())
        return served, served.close
    with database(settings, set_up=False) as transactions:
        runner = SqliteRunner(transactions.engine, RandomMint())

    async def close() -> None:
        runner.close()

    return runner, close


def _options(settings: Settings, public_url: str, access_log: AccessLog) -> Options:
    return Options(
        public_url=public_url,
        allowed_hosts=settings.allowed_hosts,
        trusted_proxies=settings.trusted_proxies,
        link_life=life_of(settings),
        reads_per_minute=settings.reads_per_minute,
        writes_per_minute=settings.writes_per_minute,
        guesses_per_minute=settings.guesses_per_minute,
        largest_document=settings.document_max_mb * MEGABYTE,
        largest_records=settings.records_max_bytes,
        support_text=settings.support_text,
        templates=settings.templates,
        mail=settings.smtp_url is not None,
        watchers=(access_log,),
        metrics=settings.metrics,
    )
