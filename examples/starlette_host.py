"""A shop in Starlette: the portal under a prefix for who has a link, and a call of the shop's own for who is logged in.

`host` returns the application; `uvicorn` or any other ASGI server serves it. It needs `pip install
'customer-portal[http]'`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from attrs import frozen
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.clock import now
from portal_adapters.rate_limits import rate_limits
from portal_core import Evidence, NotFound, QuoteId, Refusal, Scope, Store, Transactions, accept_quote, visit_of_user
from portal_http.app import create_app
from portal_http.options import Options
from portal_http.runners import InlineRunner

PREFIX = "/clients"


@frozen
class User:
    """Somebody whom the shop has logged in, and whose records they may see."""

    id: str
    name: str
    scope: Scope


def host(
    transactions: Transactions,
    sessions: Mapping[str, User],
    *,
    public_url: str,
    key: str,
    clock: Callable[[], datetime] = now,
) -> Starlette:
    """Return the shop. `public_url` is its own address, and `key` what staff's tokens are signed with."""
    portal = create_app(
        InlineRunner(transactions),
        clock=clock,
        admins=admin_tokens(key=key, audience="portal"),
        limits=rate_limits("memory://"),
        options=Options(public_url=f"{public_url}{PREFIX}"),
    )

    async def accept(request: Request) -> JSONResponse:
        """Accept the revision of a quote that the user saw who is logged in: by the portal's rules, without a link."""
        user = sessions.get(request.cookies.get("session", ""))
        if user is None:
            return JSONResponse({"error": "Log in first."}, 401)
        seen = int(request.query_params["revision"])

        def accepted(store: Store) -> str:
            visit = visit_of_user(store, user.scope, user.id, now=clock())
            quote_id = QuoteId(request.path_params["quote_id"])
            quote = accept_quote(store, visit, quote_id, Evidence(name=user.name), seen=seen, now=clock())
            return quote.state(visit.today(clock())).value

        try:
            with transactions.begin() as store:
                return JSONResponse({"state": accepted(store)})
        except Refusal as refusal:
            return JSONResponse({"error": str(refusal)}, 404 if isinstance(refusal, NotFound) else 409)

    return Starlette(routes=[Route("/my/quotes/{quote_id}/accept", accept, methods=["POST"]), Mount(PREFIX, portal)])
