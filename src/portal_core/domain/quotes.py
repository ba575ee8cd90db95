"""Quotes: an offer, its revisions, and the one decision that each may get."""

from datetime import date, datetime
from enum import StrEnum

from attrs import evolve, frozen

from portal_core.domain.documents import JSON, canonical_json, money_json, sha256_of
from portal_core.domain.errors import AlreadyDecided, MovedOn, NotOpen
from portal_core.domain.ids import ClientId, CompanyId, DecisionId, GrantId, OrderId, QuoteId
from portal_core.domain.lines import Line
from portal_core.domain.money import Money


class QuoteState(StrEnum):
    """The state of a quote. `expired` is only ever shown, never recorded."""

    DRAFT = "draft"
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


SHOWN_QUOTE_STATES = frozenset(QuoteState) - {QuoteState.DRAFT}


class Answer(StrEnum):
    """What a client decided."""

    ACCEPTED = "accepted"
    DECLINED = "declined"


@frozen(kw_only=True)
class Evidence:
    """Who decided and how it came in, as far as it is known.

    `consent_text` is the sentence that was agreed to, None when nothing was.
    """

    name: str | None = None
    title: str | None = None
    email: str | None = None
    purchase_order: str | None = None
    comment: str | None = None
    reason: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    consent_text: str | None = None
    grant_id: GrantId | None = None
    secret_hint: str | None = None


@frozen(kw_only=True)
class Decision:
    """A client's answer to one revision of a quote. It is never changed and never removed.

    `document` is the canonical JSON (RFC 8785) of exactly what was shown; the digests are SHA-256 in hexadecimal.
    """

    id: DecisionId
    company_id: CompanyId
    client_id: ClientId
    quote_id: QuoteId
    quote_number: str
    revision: int
    answer: Answer
    decided_at: datetime
    evidence: Evidence
    document: str
    document_sha256: str
    consent_sha256: str | None


@frozen(kw_only=True)
class QuoteBrief:
    """What tells one quote from another, and where it stands. `answer` is that of the decision on this revision."""

    id: QuoteId
    number: str
    recorded_state: QuoteState
    issued_on: date
    valid_until: date | None = None
    total: Money
    answer: Answer | None = None

    def state(self, on: date) -> QuoteState:
        """Return the state shown on a day of the company's; the last day of validity still counts."""
        if self.recorded_state is QuoteState.CANCELLED:
            return QuoteState.CANCELLED
        if self.answer is not None:
            return QuoteState(self.answer.value)
        if self.recorded_state is QuoteState.SENT and self.valid_until is not None and self.valid_until < on:
            return QuoteState.EXPIRED
        return self.recorded_state


@frozen(kw_only=True)
class QuoteSummary(QuoteBrief):
    """A quote as a list shows it. `decided_at` is that of the decision on this revision."""

    revision: int = 1
    subtotal: Money
    tax: Money
    decided_at: datetime | None = None


@frozen(kw_only=True)
class Quote(QuoteSummary):
    """An offer of prices to a client, open until it is decided, cancelled or expired.

    `withdrawn` tells of a draft that this very revision of it was shown before.
    """

    company_id: CompanyId
    client_id: ClientId
    lines: tuple[Line, ...]
    notes: str | None = None
    terms: str | None = None
    order_id: OrderId | None = None
    decision: Decision | None = None
    withdrawn: bool = False

    def document(self) -> dict[str, JSON]:
        """Return what a client agrees to, as the contract's JSON: the quote without its state, decision and order."""
        return {
            "id": self.id,
            "number": self.number,
            "revision": self.revision,
            "issued_on": self.issued_on.isoformat(),
            "valid_until": None if self.valid_until is None else self.valid_until.isoformat(),
            "currency": self.total.currency.code,
            "subtotal": money_json(self.subtotal),
            "tax": money_json(self.tax),
            "total": money_json(self.total),
            "lines": [line.as_json() for line in self.lines],
            "notes": self.notes,
            "terms": self.terms,
        }

    def document_sha256(self) -> str:
        """Return the SHA-256 of the canonical document: it differs as soon as anything agreed to does."""
        return sha256_of(canonical_json(self.document()))

    def decided(self, decision: Decision) -> "Quote":
        """Return the quote with a decision on its current revision."""
        return evolve(self, answer=decision.answer, decided_at=decision.decided_at, decision=decision)

    def require_seen(self, revision: int | None) -> None:
        """Refuse with MovedOn when the revision that was seen is not the current one; None stands for the current."""
        if revision is not None and revision != self.revision:
            raise MovedOn(self.revision)

    def decide(
        self, answer: Answer, evidence: Evidence, *, decision_id: DecisionId, at: datetime, on: date
    ) -> Decision:
        """Return the decision on this revision.

        Refuses with AlreadyDecided when this revision has a decision, with NotOpen when the quote is not shown as sent.
        """
        if self.answer is not None:
            raise AlreadyDecided(f"This quote was {self.answer.value} before; that cannot be changed here.")
        if self.state(on) is not QuoteState.SENT:
            raise NotOpen(f"This quote is {self.state(on).value} and can no longer be answered.")
        document = canonical_json(self.document())
        return Decision(
            id=decision_id,
            company_id=self.company_id,
            client_id=self.client_id,
            quote_id=self.id,
            quote_number=self.number,
            revision=self.revision,
            answer=answer,
            decided_at=at,
            evidence=evidence,
            document=document,
            document_sha256=sha256_of(document),
            consent_sha256=None if evidence.consent_text is None else sha256_of(evidence.consent_text),
        )

    def succeed(self, earlier: "Quote", *, revision_stated: bool) -> "Quote":
        """Return this record as the successor of an earlier one, its revision raised where it was not stated.

        Raises ValueError when it states a lower revision, or the same one for other content. What is
        agreed to counts as content; the state and the order that came of the quote do not. A draft may
        change as it likes, unless its revision was shown before it was made a draft again.
        """
        same = evolve(self, revision=earlier.revision)
        changed = earlier.was_shown and same.document() != earlier.document()
        revision = self.revision if revision_stated else earlier.revision + changed
        if revision < earlier.revision:
            raise ValueError(f"the revision moved back: it is {earlier.revision}, and {revision} was stated")
        if revision == earlier.revision and changed:
            raise ValueError(f"the content changed, so the revision must be more than {earlier.revision}")
        return evolve(
            self,
            revision=revision,
            withdrawn=self.is_draft and earlier.was_shown and revision == earlier.revision,
        )

    @property
    def is_draft(self) -> bool:
        """Whether the record is not for the client to see yet."""
        return self.recorded_state is QuoteState.DRAFT

    @property
    def was_shown(self) -> bool:
        """Whether this revision is shown to the client, or was: what it offers is settled then."""
        return self.withdrawn or not self.is_draft


def standard_consent(quote: Quote) -> str:
    """Return the sentence that an acceptance by the API agrees to, unless the caller showed another."""
    return f"I accept quote {quote.number}, revision {quote.revision}, for {quote.total}."
