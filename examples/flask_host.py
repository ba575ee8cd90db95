"""A shop in Flask: the portal under a prefix, and an acceptance that is committed with a row of the shop's own.

`host` returns the shop, which keeps its rows beside the portal's in one SQLite file; any WSGI server serves its `app`.
It needs `pip install flask a2wsgi 'customer-portal[http,sqlalchemy]'`.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, cast

from a2wsgi import ASGIMiddleware
from a2wsgi.asgi_typing import ASGIApp
from attrs import frozen
from flask import Flask, abort, request
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette.applications import Starlette
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.clock import now
from portal_adapters.rate_limits import rate_limits
from portal_adapters.sqlalchemy import SqliteRunner, store_on
from portal_core import Evidence, NotFound, QuoteId, Refusal, Scope, accept_quote, visit_of_user
from portal_http.app import create_app
from portal_http.options import Options

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PREFIX = "/clients"


class Base(DeclarativeBase):
    """The shop's own tables."""


class Fitting(Base):
    """A day on which the shop's fitter comes: there is one fitter, who visits one client a day."""

    __tablename__ = "fittings"

    on: Mapped[date] = mapped_column(primary_key=True)
    quote_id: Mapped[str]


@frozen
class User:
    """Somebody whom the shop has logged in, and whose records they may see."""

    id: str
    name: str
    scope: Scope


@frozen
class Shop:
    """The WSGI application, and what is to be called when a worker of its server ends, for WSGI has no lifespan."""

    app: Flask
    close: Callable[[], None]


def host(
    runner: SqliteRunner,
    sessions: Mapping[str, User],
    *,
    public_url: str,
    key: str,
    clock: Callable[[], datetime] = now,
) -> Shop:
    """Return the shop. `public_url` is its own address, and `key` what staff's tokens are signed with."""
    portal = create_app(
        runner,
        clock=clock,
        admins=admin_tokens(key=key, audience="portal"),
        limits=rate_limits("memory://"),
        options=Options(public_url=f"{public_url}{PREFIX}"),
    )
    app = Flask(__name__)

    @app.post("/my/quotes/<quote_id>/accept")
    def accept(quote_id: str) -> dict[str, str]:
        """Accept the revision of a quote that the user saw, and book the fitter: both, or neither."""
        user = sessions.get(request.cookies.get("session", ""))
        if user is None:
            abort(401)
        seen, fitting = int(request.args["revision"]), date.fromisoformat(request.args["fitting"])
        with Session(runner.engine) as ours, ours.begin():
            store = store_on(ours.connection(), runner.mint)
            visit = visit_of_user(store, user.scope, user.id, now=clock())
            quote = accept_quote(store, visit, QuoteId(quote_id), Evidence(name=user.name), seen=seen, now=clock())
            ours.add(Fitting(on=fitting, quote_id=quote.id))
            return {"state": quote.state(visit.today(clock())).value}

    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(IntegrityError, _taken)
    # One event loop, in a thread of its own, answers all that lies under the prefix.
    mounted = ASGIMiddleware(cast("ASGIApp", portal))
    mounts = {PREFIX: cast("WSGIApplication", mounted)}
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, mounts)  # type: ignore[method-assign]

    def close() -> None:
        asyncio.run_coroutine_threadsafe(_end(portal), mounted.loop).result()
        runner.close()

    return Shop(app, close)


async def _end(portal: Starlette) -> None:
    """Do what the portal does at the end of its lifespan: note the last uses of links."""
    async with portal.router.lifespan_context(portal):
        pass


def _refused(refusal: Refusal) -> tuple[dict[str, str], int]:
    return {"error": str(refusal)}, 404 if isinstance(refusal, NotFound) else 409


def _taken(_: IntegrityError) -> tuple[dict[str, str], int]:
    return {"error": "The fitter is with somebody else that day."}, 409
