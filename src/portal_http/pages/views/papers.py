"""Documents as PDF, to be kept or printed."""

from portal_core.domain.errors import NotFound
from portal_http.answers import Answer
from portal_http.pages.asked import Asked
from portal_http.pages.desk import Desk
from portal_http.pages.views.statement import asked_period


async def quote(asked: Asked, document_id: str) -> Answer:
    """Answer with a quote."""
    return await _desk(asked).quote(document_id)


async def receipt(asked: Asked, document_id: str) -> Answer:
    """Answer with the receipt of the decision on a quote."""
    if asked.signer is None:
        raise NotFound("No receipts are signed here.")
    return await _desk(asked).receipt(document_id, asked.signer, asked.keys_address)


async def order(asked: Asked, document_id: str) -> Answer:
    """Answer with an order."""
    return await _desk(asked).order(document_id)


async def delivery(asked: Asked, document_id: str) -> Answer:
    """Answer with a delivery note."""
    return await _desk(asked).delivery(document_id)


async def statement(asked: Asked) -> Answer:
    """Answer with the statement of a period."""
    return await _desk(asked).statement(*asked_period(asked))


def _desk(asked: Asked) -> Desk:
    return Desk(read=asked.read, visit=asked.visit, now=asked.now, voice=asked.voice, shop=asked.shop)
