"""The commands that serve the portal and send what is to be sent."""

import asyncio

import click

from portal_adapters.clock import now
from portal_http.cli.common import refusals
from portal_http.settings import load_settings


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0 takes any free port.")
def demo(port: int) -> None:
    """Serve a sample company on this machine and print a link that works.

    Its data is kept in a temporary file and is gone when you stop it with Ctrl+C.
    """
    from portal_http.demo import serve_demo

    with refusals():
        serve_demo(port, at=now(), say=click.echo)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="How many processes.")
def serve(host: str, port: int, workers: int) -> None:
    """Serve the portal. It needs PORTAL_ADMIN_JWT_KEY, and a database that `portal migrate` prepared."""
    from portal_http.collecting import nothing_to_collect

    with nothing_to_collect():
        from portal_http.serving import serve as run

    with refusals():
        run(load_settings(), host=host, port=port, workers=workers)


@click.command()
@click.option("--once", is_flag=True, help="Send what is due now, and end.")
def deliver(*, once: bool) -> None:
    """Send what is to be sent to webhooks, until stopped. Several may run at a time, beside `portal serve` too."""
    from portal_http.wiring.couriers import deliver as run

    with refusals():
        asyncio.run(run(load_settings(), once=once))
