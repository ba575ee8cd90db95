"""A decision, and with it the event and the entry of the audit log that tell of it: kept together, or not at all.

On PostgreSQL they are one statement, so that they cost one round trip.
"""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from portal_adapters.sqlalchemy.audit import entry_parameters, note, noting
from portal_adapters.sqlalchemy.dialects import insert_into, taking_turn
from portal_adapters.sqlalchemy.documents import constant
from portal_adapters.sqlalchemy.events import event_parameters, tell, telling
from portal_adapters.sqlalchemy.schema import decisions, quotes
from portal_adapters.sqlalchemy.short_way import run
from portal_adapters.sqlalchemy.values import dump_evidence
from portal_core.domain.audit import AuditEntry
from portal_core.domain.events import Event
from portal_core.domain.quotes import Decision, Quote

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


def record(connection: Connection, quote: Quote, decision: Decision, event: Event, entry: AuditEntry) -> bool:
    """Keep all three if the quote still is what was judged."""
    parameters = {
        "company_id": quote.company_id,
        "client_id": quote.client_id,
        "quote_id": quote.id,
        "revision": quote.revision,
        "digest": bytes.fromhex(decision.document_sha256),
        **_new(decision),
    }
    if connection.dialect.name == "postgresql":
        return _at_once(connection, parameters, event, entry)
    if not run(connection, _recording(connection.dialect.name), parameters):
        return False
    tell(connection, event)
    note(connection, entry)
    return True


def _at_once(connection: Connection, parameters: dict[str, Any], event: Event, entry: AuditEntry) -> bool:
    asked = {**parameters, **event_parameters(event), **entry_parameters(entry)}
    ((recorded, told),) = run(connection, _all_together(), asked)
    if recorded and not told:
        tell(connection, event)
    return bool(recorded)


@cache
def _recording(dialect: str) -> Any:  # noqa: ANN401 - an insert of either dialect's that returns
    columns = [column.name for column in decisions.c]
    once = insert_into(decisions, dialect).from_select(columns, _IF_UNCHANGED).on_conflict_do_nothing()
    return once.returning(decisions.c.company_id)


@cache
def _all_together() -> Select[int, int]:
    """Return the statement that tells how many decisions and events it has kept.

    The company's turn is taken once the quote is locked, as everybody does it, and the event numbered after that.
    """
    recorded = _recording("postgresql").cte("recorded")
    told = telling(taking_turn().select_from(recorded).cte("turn")).cte("told")
    kept, numbered = (select(func.count()).select_from(each).scalar_subquery() for each in (recorded, told))
    both = select(kept.label("recorded"), numbered.label("told"))
    return both.add_cte(noting(recorded).cte("noted"))


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
