"""The floor: what Starlette and the server cost when there is nothing to do."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route


async def hello(_: Request) -> PlainTextResponse:
    return PlainTextResponse("Hello")


app = Starlette(routes=[Route("/", hello)])
