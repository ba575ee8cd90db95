"""A shop in Django, in one file: the portal under a prefix, and a view that accepts a quote and notes the job it makes.

`host` returns the ASGI application, which `uvicorn` or any other ASGI server serves. It needs `pip install django
'customer-portal[http,sqlalchemy]'`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast

import django
from attrs import frozen
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.db import models
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from portal_adapters.admin_jwt import admin_tokens
from portal_adapters.clock import now
from portal_adapters.rate_limits import rate_limits
from portal_adapters.sqlalchemy import SqliteRunner, SqlTransactions
from portal_core import Evidence, NotFound, QuoteId, Refusal, Scope, accept_quote, visit_of_user
from portal_http.app import create_app
from portal_http.options import Options

PREFIX = "/clients"
DATABASE = "shop.sqlite3"

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}},
    LOGGING_CONFIG=None,
    TIME_ZONE="UTC",
)
django.setup()


class Job(models.Model):
    """Work that the shop has to do, since a client has accepted a quote."""

    quote_id: "models.CharField[str, str]" = models.CharField(max_length=128, primary_key=True)

    class Meta:
        """A model needs an app; this one is the file."""

        app_label = "shop"

    def __str__(self) -> str:
        return self.quote_id


@frozen
class User:
    """Somebody whom the shop has logged in, and whose records they may see."""

    id: str
    name: str
    scope: Scope


def host(
    runner: SqliteRunner,
    sessions: Mapping[str, User],
    *,
    public_url: str,
    key: str,
    clock: Callable[[], datetime] = now,
) -> Starlette:
    """Return the shop, whose portal is in DATABASE too.

    `public_url` is the shop's own address, and `key` what staff's tokens are signed with.
    """
    portal = create_app(
        runner,
        clock=clock,
        admins=admin_tokens(key=key, audience="portal"),
        limits=rate_limits("memory://"),
        options=Options(public_url=f"{public_url}{PREFIX}"),
    )
    transactions = SqlTransactions(runner.engine, runner.mint)

    @require_POST
    def accept(request: HttpRequest, quote_id: str) -> JsonResponse:
        """Accept the revision of a quote that the user saw, and note the job; both may be done again without harm."""
        user = sessions.get(request.COOKIES.get("session", ""))
        if user is None:
            return JsonResponse({"error": "Log in first."}, status=401)
        seen = int(request.GET["revision"])
        try:
            # Django's connection is another one: outside of `atomic`, so that neither waits for the other's lock.
            with transactions.begin() as store:
                visit = visit_of_user(store, user.scope, user.id, now=clock())
                quote = accept_quote(store, visit, QuoteId(quote_id), Evidence(name=user.name), seen=seen, now=clock())
        except Refusal as refusal:
            return JsonResponse({"error": str(refusal)}, status=404 if isinstance(refusal, NotFound) else 409)
        Job.objects.get_or_create(quote_id=quote.id)
        return JsonResponse({"state": quote.state(visit.today(clock())).value})

    settings.ROOT_URLCONF = (path("my/quotes/<str:quote_id>/accept", accept),)
    shop = cast("ASGIApp", get_asgi_application())
    return Starlette(routes=[Mount(PREFIX, portal), Mount("", shop)])
