"""A shop in FastAPI: the portal under a prefix, and an acceptance that is committed with a row of the shop's own.

`host` returns the application, which shares one engine with the portal; `uvicorn` or any other ASGI server serves it.
It needs `pip install fastapi 'customer-portal[http,postgres]'`.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime
from typing import Annotated

from attrs import frozen
from fastapi import Cookie, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.clock import now
from portal_adapters.randomness import RandomMint
from portal_adapters.rate_limits import rate_limits
from portal_adapters.sqlalchemy import SqlGlances, store_on
from portal_adapters.sqlalchemy.postgres import GreenletRunner
from portal_core import Evidence, NotFound, QuoteId, Refusal, Scope, accept_quote, visit_of_user
from portal_http.app import create_app
from portal_http.options import Options

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


def host(
    engine: AsyncEngine,
    sessions: Mapping[str, User],
    *,
    public_url: str,
    key: str,
    clock: Callable[[], datetime] = now,
) -> FastAPI:
    """Return the shop. `public_url` is its own address, and `key` what staff's tokens are signed with."""
    mint = RandomMint()
    runner = GreenletRunner(engine, mint)
    portal = create_app(
        runner,
        clock=clock,
        admins=admin_tokens(key=key, audience="portal"),
        limits=rate_limits("memory://"),
        options=Options(public_url=f"{public_url}{PREFIX}"),
        glances=SqlGlances(runner.fetch),
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        async with portal.router.lifespan_context(portal):
            yield
        await runner.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/my/quotes/{quote_id}/accept")
    async def accept(
        quote_id: str, revision: int, fitting: date, session: Annotated[str, Cookie()] = ""
    ) -> dict[str, str]:
        """Accept the revision of a quote that the user saw, and book the fitter: both, or neither."""
        user = sessions.get(session)
        if user is None:
            raise HTTPException(401, "Log in first.")

        def accepted_and_booked(ours: Session) -> str:
            store = store_on(ours.connection(), mint)
            visit = visit_of_user(store, user.scope, user.id, now=clock())
            quote = accept_quote(store, visit, QuoteId(quote_id), Evidence(name=user.name), seen=revision, now=clock())
            ours.add(Fitting(on=fitting, quote_id=quote.id))
            return quote.state(visit.today(clock())).value

        async with AsyncSession(engine) as ours, ours.begin():
            state = await ours.run_sync(accepted_and_booked)
        return {"state": state}

    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(IntegrityError, _taken)
    app.mount(PREFIX, portal)
    return app


def _refused(_: Request, refusal: Exception) -> JSONResponse:
    return JSONResponse({"error": str(refusal)}, 404 if isinstance(refusal, NotFound) else 409)


def _taken(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"error": "The fitter is with somebody else that day."}, 409)
