"""Whether the process lives, and whether its store answers."""

import logging

from portal_core.domain.errors import Busy, NotFound, Refusal
from portal_core.domain.ids import CompanyId
from portal_http.answers import Answer, bare
from portal_http.endpoints import OpenEndpoint, Result
from portal_http.services import Services
from portal_http.shapes import HealthShape

_OK: HealthShape = {"status": "ok"}

_log = logging.getLogger(__name__)


async def alive(_: Services) -> Answer:
    """Answer: the process lives."""
    return bare(_OK)


async def ready(services: Services) -> Answer:
    """Answer once the store has; refuse with Busy when it does not."""
    try:
        await services.runner.read(lambda store: store.companies.get(CompanyId("-")))
    except Refusal:
        raise
    except Exception as problem:
        _log.warning("The store does not answer: %s", type(problem).__name__)
        raise Busy("The store does not answer just now.") from problem
    return bare(_OK)


async def figures(services: Services) -> Answer:
    """Answer with the figures, where they are kept."""
    if services.metrics is None:
        raise NotFound("No figures are kept here.")
    return services.metrics.answer()


FIGURES = OpenEndpoint(
    method="GET", path="/metrics", run=figures, summary="Figures for Prometheus", result=Result("bare")
)

ENDPOINTS = (
    OpenEndpoint(
        method="GET",
        path="/healthz",
        run=alive,
        summary="Whether the process lives",
        result=Result("bare", (HealthShape,)),
    ),
    OpenEndpoint(
        method="GET",
        path="/readyz",
        run=ready,
        summary="Whether the store answers",
        result=Result("bare", (HealthShape,)),
        refusals=(Busy,),
    ),
)
