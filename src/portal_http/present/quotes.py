"""Quotes and the decisions on them."""

from datetime import date
from typing import cast

from portal_core.domain.quotes import Decision, Quote, QuoteSummary
from portal_http.present.values import moment, money
from portal_http.shapes import DecisionShape, EvidenceShape, QuoteDetailShape, QuoteShape


def quote_row(quote: QuoteSummary, on: date) -> QuoteShape:
    """Return a quote as a list shows it."""
    return {
        "id": quote.id,
        "number": quote.number,
        "state": quote.state(on),
        "revision": quote.revision,
        "issued_on": quote.issued_on,
        "valid_until": quote.valid_until,
        "currency": quote.total.currency.code,
        "subtotal": money(quote.subtotal),
        "tax": money(quote.tax),
        "total": money(quote.total),
        "decided_at": moment(quote.decided_at),
    }


def quote_detail(quote: Quote, on: date) -> QuoteDetailShape:
    """Return a quote: the document that is agreed to, and four fields that are not part of it."""
    shape = {
        **quote.document(),
        "state": quote.state(on),
        "decided_at": moment(quote.decided_at),
        "decision": None if quote.decision is None else decision(quote.decision),
        "order_id": quote.order_id,
    }
    return cast("QuoteDetailShape", cast("object", shape))


def decision(value: Decision) -> DecisionShape:
    """Return a decision as the client sees it."""
    evidence = value.evidence
    return {
        "answer": value.answer,
        "revision": value.revision,
        "decided_at": moment(value.decided_at),
        "name": evidence.name,
        "title": evidence.title,
        "email": evidence.email,
        "purchase_order": evidence.purchase_order,
        "comment": evidence.comment,
        "reason": evidence.reason,
        "document_sha256": value.document_sha256,
    }


def decision_with_evidence(value: Decision) -> EvidenceShape:
    """Return a decision as staff see it."""
    evidence = value.evidence
    return {
        **decision(value),
        "id": value.id,
        "client_id": value.client_id,
        "quote_id": value.quote_id,
        "quote_number": value.quote_number,
        "token_id": evidence.grant_id,
        "token_hint": evidence.secret_hint,
        "ip": evidence.ip,
        "user_agent": evidence.user_agent,
        "consent_text": evidence.consent_text,
        "consent_sha256": value.consent_sha256,
        "document": value.document,
    }
