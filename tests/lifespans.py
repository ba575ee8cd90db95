"""How an application ends in a test."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette

from portal_adapters.sqlalchemy.postgres import GreenletRunner


def close_after(app: Starlette, runner: GreenletRunner) -> None:
    """Let go of the runner's connections once the application has ended: until then it still notes uses of links."""
    of_the_app = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(served: Starlette) -> AsyncGenerator[None]:
        async with of_the_app(served):
            yield
        await runner.close()

    app.router.lifespan_context = lifespan
