"""The public keys by which anybody can check what the portal signed."""

from portal_http.answers import Answer, bare
from portal_http.endpoints import OpenEndpoint, Result
from portal_http.options import KEYS_PATH
from portal_http.services import Services
from portal_http.shapes import KeySetShape


async def show(services: Services) -> Answer:
    """Answer with the keys of receipts; there may be none."""
    return bare({"keys": []} if services.receipts is None else services.receipts.jwks())


ENDPOINTS = (
    OpenEndpoint(
        method="GET",
        path=KEYS_PATH,
        run=show,
        summary="The public keys that receipts are checked with (RFC 7517)",
        result=Result("bare", (KeySetShape,)),
    ),
)
