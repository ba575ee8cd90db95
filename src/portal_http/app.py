"""The ASGI application."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, final

from attrs import frozen
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from portal_core.domain.errors import Refusal
from portal_core.ports import Glances, Runner
from portal_http import documentation, health, keys
from portal_http.answers import PLAIN_FIELDS, STAFF_FIELDS, TOKEN_FIELDS, Answer, Header, send_answer
from portal_http.api.table import CLIENT_ENDPOINTS, STAFF_ENDPOINTS
from portal_http.endpoints import BASE
from portal_http.errors import InternalError, refused
from portal_http.incoming import NOBODY, Gone, Incoming, incoming
from portal_http.late import loading
from portal_http.options import Options
from portal_http.outside import AdminTokens, Printer, RateLimits, Receipts, StageRecords
from portal_http.pages import create_pages, is_page
from portal_http.pipeline import answer_to
from portal_http.printing import PrintShop
from portal_http.redact import TokenFilter, redacted
from portal_http.routing import Node, tree_of
from portal_http.seen import Seen, known_method
from portal_http.services import Services

if TYPE_CHECKING:
    from portal_http.pages.dispatch import Pages

ENDPOINTS = (*CLIENT_ENDPOINTS, *STAFF_ENDPOINTS, *health.ENDPOINTS, *keys.ENDPOINTS, *documentation.ENDPOINTS)

_log = logging.getLogger(__name__)
_log.addFilter(TokenFilter())


def create_app(  # noqa: PLR0913 - what it runs on, and what it may do without
    runner: Runner,
    *,
    clock: Callable[[], datetime],
    admins: AdminTokens,
    limits: RateLimits,
    options: Options | None = None,
    printer: Printer | None = None,
    receipts: Receipts | None = None,
    stage_records: StageRecords | None = None,
    glances: Glances | None = None,
) -> Starlette:
    """Return the portal as an ASGI application, to be served or mounted under any prefix.

    A host that mounts it may run its lifespan (`app.router.lifespan_context(app)`), so that the last uses of links are
    still noted when it stops. Without a printer there is no PDF but those that the store has, and without keys for
    receipts there are none. Records are pushed where `stage_records` reads them (`portal_adapters.records.pushing` has
    one); without it those calls answer 404. `glances` at the runner's own store, where it has them, are a short way to
    the hottest reads. Raises ValueError when a trusted proxy is no address or network.
    """
    services = Services(
        runner=runner,
        clock=clock,
        admins=admins,
        limits=limits,
        options=options or Options(),
        shop=None if printer is None else PrintShop(printer),
        receipts=receipts,
        stage_records=stage_records,
        glances=glances,
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        async with loading("portal_http.pages.dispatch"):
            yield
        await services.uses.finish()

    app = _Application(lifespan=lifespan)
    app.router.redirect_slashes = False
    endpoints = (*ENDPOINTS, health.FIGURES) if services.metrics else ENDPOINTS
    app.router.default = Portal(services, tree_of(endpoints))
    return app


@final
class _Application(Starlette):
    """Starlette without its layers for errors, to all of which `Portal` has an answer, unless a host adds its own."""

    def build_middleware_stack(self) -> ASGIApp:
        if self.user_middleware or self.exception_handlers:
            return super().build_middleware_stack()
        return self.router


@final
@frozen
class Portal:
    """Answers every path, so that no request waits for a list of routes to be tried."""

    services: Services
    tree: Node

    @cached_property
    def pages(self) -> "Pages":
        """The pages, made when the first one is asked for."""
        return create_pages(self.services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
            return
        started = perf_counter()
        request, root = incoming(scope, receive), scope.get("root_path", "")
        try:
            answer = await self._answer(request, root)
        except Gone:
            return
        await send_answer(send, answer, with_body=request.method != "HEAD")
        who = NOBODY if answer.afterwards is None else answer.afterwards()
        if self.services.watchers:
            self._tell(request, answer.status, who, perf_counter() - started)

    async def _answer(self, request: Incoming, root: str) -> Answer:
        to_people = is_page(request.path)
        try:
            request.require_bounds()
            if to_people:
                return await self.pages.answer(request, root=root)
            answer = await answer_to(request, self.services, self.tree)
        except Gone:
            raise
        except Refusal as refusal:
            answer = self._refused(request, refusal, root)
        except Exception:  # noqa: BLE001 - whatever it is, there is an answer to it
            _log.exception("%s %s failed", request.method, redacted(request.path))
            answer = self._refused(request, InternalError(), root)
        if not to_people:
            answer.headers += _fields_of(request.path)
        return answer

    def _refused(self, request: Incoming, refusal: Refusal, root: str) -> Answer:
        return self.pages.refuse(request, refusal, root=root) if is_page(request.path) else refused(refusal)

    def _tell(self, request: Incoming, status: int, who: str, seconds: float) -> None:
        seen = Seen(
            at=self.services.clock(),
            method=known_method(request.method),
            route=_route_of(request),
            status=status,
            who=request.who if who == NOBODY else who,
            seconds=seconds,
        )
        for watcher in self.services.watchers:
            watcher(seen)


def _route_of(request: Incoming) -> str:
    if not is_page(request.path):
        return request.route
    from portal_http.page_routes import page_route  # noqa: PLC0415 - loaded by then, with the pages

    return page_route(request.path)


def _fields_of(path: str) -> tuple[Header, ...]:
    if path.startswith(f"{BASE}/view/"):
        return TOKEN_FIELDS
    return STAFF_FIELDS if path.startswith(BASE) else PLAIN_FIELDS
