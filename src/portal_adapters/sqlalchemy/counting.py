"""The numbers of documents that clients can see, kept beside them."""

from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from portal_adapters.sqlalchemy.bulk import execute_many
from portal_adapters.sqlalchemy.dialects import add_up
from portal_adapters.sqlalchemy.schema import document_counts
from portal_core.domain.ids import CompanyId
from portal_core.domain.records import RecordType

HIDDEN: Mapping[RecordType, frozenset[str]] = {
    RecordType.QUOTE: frozenset({"draft"}),
    RecordType.ORDER: frozenset(),
    RecordType.DELIVERY: frozenset({"draft"}),
    RecordType.INVOICE: frozenset({"draft", "cancelled"}),
    RecordType.PAYMENT: frozenset({"draft", "cancelled"}),
}
"""The states in which clients do not see documents, of each type that is counted."""

_COUNTED = ("company_id", "client_id", "type", "documents")


def count_shown(
    connection: Connection,
    company_id: CompanyId,
    kind: RecordType,
    *,
    before: Iterable[tuple[str, str]],
    now: Iterable[tuple[str, str]],
) -> None:
    """Keep the numbers of documents that clients can see, as some of them are replaced; each by client and state."""
    change = _shown(kind, now)
    change.subtract(_shown(kind, before))
    rows = [(company_id, client_id, kind.value, more) for client_id, more in sorted(change.items()) if more]
    execute_many(connection, add_up(document_counts, connection.dialect.name, "documents"), _COUNTED, rows)


def _shown(kind: RecordType, documents: Iterable[tuple[str, str]]) -> Counter[str]:
    hidden = HIDDEN.get(kind, frozenset[str]())
    return Counter(client_id for client_id, state in documents if state not in hidden)
