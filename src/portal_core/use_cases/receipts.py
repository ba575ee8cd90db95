"""The receipt that a client may keep of a decision."""

from datetime import datetime

from portal_core.domain.access import Visit
from portal_core.domain.documents import canonical_json
from portal_core.domain.errors import NotFound
from portal_core.domain.ids import QuoteId
from portal_core.domain.quotes import Decision
from portal_core.domain.receipts import receipt_of
from portal_core.ports import Signer, Store
from portal_core.use_cases.quotes import read_quote


def issue_receipt(store: Store, visit: Visit, quote_id: QuoteId, signer: Signer, *, now: datetime) -> str:
    """Return the signed receipt of the decision on a quote's current revision; refuse with NotFound without one."""
    return sign_receipt(read_decided(store, visit, quote_id, now=now), signer)


def read_decided(store: Store, visit: Visit, quote_id: QuoteId, *, now: datetime) -> Decision:
    """Return the decision on a quote's current revision; refuse with NotFound without one."""
    quote = read_quote(store, visit, quote_id, now=now)
    if quote.decision is None:
        raise NotFound("This quote was not answered here, so there is no receipt.")
    return quote.decision


def sign_receipt(decision: Decision, signer: Signer) -> str:
    """Return the signed receipt of a decision: the same each time, as long as the signer's key is."""
    return signer.sign(canonical_json(receipt_of(decision)))
