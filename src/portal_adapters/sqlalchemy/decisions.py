"""Decisions in SQL: one conditional write, and a unique key, whatever races."""

from collections.abc import Sequence
from functools import cache
from typing import Any, final

from attrs import frozen
from sqlalchemy import Connection, bindparam, select

from portal_adapters.sqlalchemy.dialects import insert_into
from portal_adapters.sqlalchemy.documents import among, constant, words
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import decisions, quotes
from portal_adapters.sqlalchemy.short_writes import run
from portal_adapters.sqlalchemy.values import dump_evidence, load_evidence
from portal_core.domain.filters import DecisionFilter
from portal_core.domain.ids import CompanyId, DecisionId
from portal_core.domain.paging import Listing, Page
from portal_core.domain.quotes import Answer, Decision, Quote
from portal_core.ports import Decisions

DECISION_COLUMNS = tuple(column.label(f"decision_{column.name}") for column in decisions.c)
"""All there is about a decision, under names that do not clash with a quote's."""

_OF_COMPANY = select(*DECISION_COLUMNS, decisions.c.id, decisions.c.decided_at.label("created_at")).where(
    decisions.c.company_id == bindparam("company_id")
)

_ONE = _OF_COMPANY.where(decisions.c.id == bindparam("decision_id"))

_LIST = ListSource(
    rows=_OF_COMPANY,
    id=decisions.c.id,
    sorts={"created_at": decisions.c.decided_at},
    conditions={
        "client_id": decisions.c.client_id == bindparam("client_id"),
        "quote_id": decisions.c.quote_id == bindparam("quote_id"),
        "answers": among(decisions.c.answer, "answers"),
    },
    selective=frozenset({"quote_id"}),
)

_DECIDED_BEFORE = (
    select(decisions.c.id)
    .where(
        decisions.c.company_id == quotes.c.company_id,
        decisions.c.quote_id == quotes.c.id,
        decisions.c.revision == quotes.c.revision,
    )
    .exists()
)

# The decision, once, if the quote still is what was judged; where rows can be locked, until the transaction ends.
_IF_UNCHANGED = (
    select(*(bindparam(f"new_{column.name}", type_=column.type) for column in decisions.c))
    .where(
        quotes.c.company_id == bindparam("company_id"),
        quotes.c.id == bindparam("quote_id"),
        quotes.c.client_id == bindparam("client_id"),
        quotes.c.state == constant("sent"),
        quotes.c.revision == bindparam("revision"),
        quotes.c.document_sha256 == bindparam("digest"),
        ~_DECIDED_BEFORE,
    )
    .with_for_update(read=True, of=quotes)
)


@final
@frozen
class SqlDecisions(Decisions):
    connection: Connection

    def record(self, quote: Quote, decision: Decision) -> bool:
        parameters = {
            "company_id": quote.company_id,
            "client_id": quote.client_id,
            "quote_id": quote.id,
            "revision": quote.revision,
            "digest": bytes.fromhex(decision.document_sha256),
            **_new(decision),
        }
        return bool(run(self.connection, _record(self.connection.dialect.name), parameters))

    def get(self, company_id: CompanyId, decision_id: DecisionId) -> Decision | None:
        row = self.connection.execute(_ONE, {"company_id": company_id, "decision_id": decision_id}).one_or_none()
        return None if row is None else decision_of(row)

    def page(self, company_id: CompanyId, listing: Listing, narrowed: DecisionFilter) -> Page[Decision]:
        asked = {
            "client_id": narrowed.client_id,
            "quote_id": narrowed.quote_id,
            "answers": words(narrowed.answers),
        }
        return read_page(
            self.connection,
            _LIST,
            listing,
            scope={"company_id": company_id},
            narrowed={name: value for name, value in asked.items() if value is not None},
            read=_decisions,
        )


def decision_of(row: AnyRow) -> Decision:
    """Return a decision with its evidence."""
    return Decision(
        id=row.decision_id,
        company_id=row.decision_company_id,
        client_id=row.decision_client_id,
        quote_id=row.decision_quote_id,
        quote_number=row.decision_quote_number,
        revision=row.decision_revision,
        answer=Answer(row.decision_answer),
        decided_at=row.decision_decided_at,
        evidence=load_evidence(row.decision_evidence),
        document=row.decision_document,
        document_sha256=row.decision_document_sha256,
        consent_sha256=row.decision_consent_sha256,
    )


@cache
def _record(dialect: str) -> Any:  # noqa: ANN401 - an insert that returns
    columns = [column.name for column in decisions.c]
    once = insert_into(decisions, dialect).from_select(columns, _IF_UNCHANGED).on_conflict_do_nothing()
    return once.returning(decisions.c.id)


def _decisions(rows: Sequence[AnyRow]) -> Sequence[Decision]:
    return [decision_of(row) for row in rows]


def _new(decision: Decision) -> dict[str, object]:
    return {
        "new_company_id": decision.company_id,
        "new_id": decision.id,
        "new_client_id": decision.client_id,
        "new_quote_id": decision.quote_id,
        "new_quote_number": decision.quote_number,
        "new_revision": decision.revision,
        "new_answer": decision.answer.value,
        "new_decided_at": decision.decided_at,
        "new_evidence": dump_evidence(decision.evidence),
        "new_document": decision.document,
        "new_document_sha256": decision.document_sha256,
        "new_consent_sha256": decision.consent_sha256,
    }
