"""The composition root: settings become ports, and ports an application."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from attrs import evolve
from starlette.applications import Starlette

from portal_adapters.clock import now
from portal_adapters.pdf import TypstPrinter, can_print
from portal_adapters.rate_limits import rate_limits
from portal_core.domain.ids import CompanyId
from portal_core.ports import Pack
from portal_http.access_log import AccessLog
from portal_http.app import create_app
from portal_http.late import loading
from portal_http.options import Options
from portal_http.outside import Shipment
from portal_http.settings import Settings
from portal_http.wiring.couriers import at_work, courier_of
from portal_http.wiring.databases import served_from
from portal_http.wiring.keys import admins_of, served_receipts_of
from portal_http.wiring.links import life_of, public_url_of

MEGABYTE = 1024 * 1024

# What staff's calls and receipts need; the application itself sees to its pages.
_LATE = ("jwt", "portal_adapters.receipt_keys", "portal_adapters.records.pushing")


def application_of(settings: Settings, *, public_url: str | None = None) -> Starlette:
    """Return the application; refuse with WiringRefused or SchemaOutdated what is not fit to serve.

    Links begin with the settings' public address, else with the one given.
    """
    settings = evolve(settings, public_url=settings.public_url or public_url)
    admins = admins_of(settings)
    limits = rate_limits(settings.rate_limit_url)
    receipts = served_receipts_of(settings)
    served = served_from(settings)
    courier = courier_of(settings, served.runner) if settings.deliver else None
    access_log = AccessLog(sys.stderr, as_json=settings.log_format == "json")
    options = _options(settings, access_log)
    printer = TypstPrinter() if can_print() else None
    application = create_app(
        served.runner,
        clock=now,
        admins=admins,
        limits=limits,
        options=options,
        printer=printer,
        receipts=receipts,
        stage_records=_stage,
        glances=served.glances,
    )
    finish_uses = application.router.lifespan_context

    @asynccontextmanager
    async def lifespan(running: Starlette) -> AsyncGenerator[None]:
        async with finish_uses(running), at_work(courier), loading(*_LATE):
            yield
        access_log.flush()
        await limits.close()
        await served.close()

    application.router.lifespan_context = lifespan
    return application


def _stage(content: bytes, company_id: CompanyId, pack: Pack | None) -> Shipment:
    from portal_adapters.records.pushing import stage_push  # noqa: PLC0415 - not everybody pushes records

    return stage_push(content, company_id, pack)


def _options(settings: Settings, access_log: AccessLog) -> Options:
    return Options(
        public_url=public_url_of(settings),
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
