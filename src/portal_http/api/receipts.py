"""Receipts of decisions."""

from portal_core.domain.ids import QuoteId
from portal_core.use_cases.receipts import issue_receipt
from portal_http.answers import Answer, signed
from portal_http.calls import ClientCall


async def read_one(call: ClientCall) -> Answer:
    """Return the receipt of the decision on a quote."""
    signer, quote_id = call.services.signer(), QuoteId(call.record_id)
    return signed(await call.read(lambda store: issue_receipt(store, call.visit, quote_id, signer, now=call.now)))
