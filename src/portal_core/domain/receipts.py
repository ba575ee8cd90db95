"""The receipt of a decision: what is said in it, to be signed and checked anywhere without the portal."""

from datetime import UTC, datetime

from portal_core.domain.documents import JSON
from portal_core.domain.quotes import Decision


def receipt_of(decision: Decision) -> dict[str, JSON]:
    """Return what a receipt says: the decision with its evidence, and the digest of the document instead of itself.

    It is the same each time, whatever became of the quote, its client and company since.
    """
    evidence = decision.evidence
    return {
        "decision_id": decision.id,
        "company_id": decision.company_id,
        "client_id": decision.client_id,
        "quote_id": decision.quote_id,
        "quote_number": decision.quote_number,
        "revision": decision.revision,
        "answer": decision.answer.value,
        "decided_at": _moment(decision.decided_at),
        "name": evidence.name,
        "title": evidence.title,
        "email": evidence.email,
        "purchase_order": evidence.purchase_order,
        "comment": evidence.comment,
        "reason": evidence.reason,
        "ip": evidence.ip,
        "user_agent": evidence.user_agent,
        "token_id": evidence.grant_id,
        "token_hint": evidence.secret_hint,
        "consent_text": evidence.consent_text,
        "consent_sha256": decision.consent_sha256,
        "document_sha256": decision.document_sha256,
    }


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
