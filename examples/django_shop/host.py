"""The shop on ASGI: the portal under a prefix, and a view that accepts a quote and books the fitter."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import cast

from attrs import frozen
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import IntegrityError
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from examples.django_shop.models import Fitting
from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.clock import now
from portal_adapters.rate_limits import rate_limits
from portal_adapters.sqlalchemy.django import DjangoRunner
from portal_core import Evidence, NotFound, QuoteId, Refusal, Scope, accept_quote, visit_of_user
from portal_http.app import create_app
from portal_http.options import Options

PREFIX = "/clients"


@frozen
class User:
    """Somebody whom the shop has logged in, and whose records they may see."""

    id: str
    name: str
    scope: Scope


def host(
    runner: DjangoRunner,
    sessions: Mapping[str, User],
    *,
    public_url: str,
    key: str,
    clock: Callable[[], datetime] = now,
) -> Starlette:
    """Return the shop: `runner` is one over DjangoTransactions with `shop_store`.

    `public_url` is the shop's own address, and `key` what staff's tokens are signed with.
    """
    portal = create_app(
        runner,
        clock=clock,
        admins=admin_tokens(key=key, audience="portal"),
        limits=rate_limits("memory://"),
        options=Options(public_url=f"{public_url}{PREFIX}"),
    )

    @require_POST
    def accept(request: HttpRequest, quote_id: str) -> JsonResponse:
        """Accept the revision of a quote that the user saw, and book the fitter: both, or neither.

        A project has `CsrfViewMiddleware` in its settings, which refuses what another site has the user's browser post.
        """
        user = sessions.get(request.COOKIES.get("session", ""))
        if user is None:
            return JsonResponse({"error": "Log in first."}, status=401)
        try:
            seen, fitting = int(request.GET["revision"]), date.fromisoformat(request.GET["fitting"])
        except (KeyError, ValueError):
            return JsonResponse({"error": "Say which revision you saw, and a day for the fitting."}, status=400)
        try:
            with runner.transactions.begin() as store:
                visit = visit_of_user(store, user.scope, user.id, now=clock())
                quote = accept_quote(store, visit, QuoteId(quote_id), Evidence(name=user.name), seen=seen, now=clock())
                Fitting.objects.create(on=fitting, quote_id=quote.id)
        except Refusal as refusal:
            return JsonResponse({"error": str(refusal)}, status=404 if isinstance(refusal, NotFound) else 409)
        except IntegrityError:
            return JsonResponse({"error": "The fitter is with somebody else that day."}, status=409)
        return JsonResponse({"state": quote.state(visit.today(clock())).value})

    settings.ROOT_URLCONF = (path("my/quotes/<str:quote_id>/accept", accept),)
    shop = cast("ASGIApp", get_asgi_application())
    return Starlette(routes=[Mount(PREFIX, portal), Mount("", shop)])
