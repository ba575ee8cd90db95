"""The courier that sends what the settings let it: to webhooks always, by e-mail where there is a server for it."""

import asyncio
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from ipaddress import ip_network

from portal_adapters.clock import now
from portal_adapters.randomness import jitter
from portal_adapters.webhook_sender import LEASE, WebhookSender
from portal_core.domain.outbox import STANDARD_SCHEDULE, Channel, Schedule
from portal_core.ports import Runner
from portal_http.courier import Courier
from portal_http.outside import Carrier
from portal_http.settings import Settings
from portal_http.wiring.databases import served_from
from portal_http.wiring.links import public_url_of


async def deliver(settings: Settings, *, once: bool, lease: timedelta = LEASE) -> None:
    """Send what is to be sent, until told to stop or, once, until nothing is due; refuses with SchemaOutdated."""
    served = served_from(settings)
    courier = courier_of(settings, served.runner, lease=lease)
    try:
        if once:
            await courier.run_once()
            return
        for each in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(each, courier.stop)
        await courier.run()
    finally:
        await served.close()


def courier_of(settings: Settings, runner: Runner, *, lease: timedelta = LEASE) -> Courier:
    """Return a courier that works on what a runner reaches."""
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


@asynccontextmanager
async def at_work(courier: Courier | None) -> AsyncGenerator[None]:
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


def _mail_carrier(settings: Settings, url: str, runner: Runner) -> Carrier:
    from portal_adapters.smtp import smtp_server  # noqa: PLC0415 - not everybody sends mail
    from portal_http.mail import MailCarrier  # noqa: PLC0415 - as above
    from portal_http.pages.languages import languages_of  # noqa: PLC0415 - as above
    from portal_http.pages.letters import Scribe  # noqa: PLC0415 - as above
    from portal_http.pages.rendering import Templates  # noqa: PLC0415 - as above

    scribe = Scribe(templates=Templates(), languages=languages_of(()), public_url=public_url_of(settings))
    return MailCarrier(runner=runner, scribe=scribe, send=smtp_server(url).send, sender=settings.mail_from)
