"""Decisions in SQL: one conditional write, and a unique key, whatever races."""

from collections.abc import Sequence
from typing import final

from attrs import frozen
from sqlalchemy import Connection, bindparam, select

from portal_adapters.sqlalchemy.deciding import record
from portal_adapters.sqlalchemy.direct import one
from portal_adapters.sqlalchemy.documents import among, words
from portal_adapters.sqlalchemy.keyset import ListSource, read_page
from portal_adapters.sqlalchemy.records import AnyRow
from portal_adapters.sqlalchemy.schema import decisions
from portal_adapters.sqlalchemy.values import load_evidence
from portal_core.domain.audit import AuditEntry
from portal_core.domain.events import Event
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


@final
@frozen
class SqlDecisions(Decisions):
    connection: Connection

    def record(self, quote: Quote, decision: Decision, event: Event, entry: AuditEntry) -> bool:
        return record(self.connection, quote, decision, event, entry)

    def get(self, company_id: CompanyId, decision_id: DecisionId) -> Decision | None:
        row = one(self.connection, _ONE, {"company_id": company_id, "decision_id": decision_id})
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


def _decisions(rows: Sequence[AnyRow]) -> Sequence[Decision]:
    return [decision_of(row) for row in rows]
