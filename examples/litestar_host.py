"""A shop in Litestar: the portal under a prefix, beside a page of the shop's own.

`host` returns the application; `uvicorn` or any other ASGI server serves it. It needs `pip install litestar
'customer-portal[http]'`.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, cast

from litestar import Litestar, asgi, get
from litestar.types import Receive, Scope, Send

from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.clock import now
from portal_adapters.rate_limits import rate_limits
from portal_core import Runner
from portal_http.app import create_app
from portal_http.options import Options

PREFIX = "/clients"


def host(runner: Runner, *, public_url: str, key: str, clock: Callable[[], datetime] = now) -> Litestar:
    """Return the shop. `public_url` is its own address, and `key` what staff's tokens are signed with."""
    portal = create_app(
        runner,
        clock=clock,
        admins=admin_tokens(key=key, audience="portal"),
        limits=rate_limits("memory://"),
        options=Options(public_url=f"{public_url}{PREFIX}"),
    )

    @asgi(PREFIX, is_mount=True, copy_scope=True)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to the portal, with the path as it was: Litestar cuts the prefix off, and adds a slash."""
        root = f"{scope.get('root_path', '')}{PREFIX}"
        asked: Any = {**scope, "root_path": root, "path": root + scope["path"].removesuffix("/")}
        await portal(asked, cast("Any", receive), cast("Any", send))

    # Litestar would have the root logger tell what every library says: addresses among it, and links are keys.
    return Litestar([_welcome, mounted], logging_config=None)


@get("/", sync_to_thread=False)
def _welcome() -> str:
    return "Tables and chairs."
