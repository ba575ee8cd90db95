"""Dictionaries that remember how to take back what was written to them."""

from collections.abc import Hashable, MutableMapping
from typing import Any, Final, TypeVar

from attrs import define, field

from portal_core.domain.access import DocumentRef, Grant
from portal_core.domain.audit import AuditEntry
from portal_core.domain.companies import Client, Company
from portal_core.domain.events import Event
from portal_core.domain.feedback import Ticket
from portal_core.domain.files import DocumentFile
from portal_core.domain.ids import (
    AuditEntryId,
    ClientId,
    CompanyId,
    DispatchId,
    EventId,
    GrantId,
    QuoteId,
    TicketId,
    WebhookId,
)
from portal_core.domain.ledger import Ledger
from portal_core.domain.outbox import Dispatch
from portal_core.domain.quotes import Decision
from portal_core.domain.records import Document, RecordRef
from portal_core.domain.webhooks import Webhook
from portal_core.ports import KeptAnswer, KeyOfAnswer

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

_MISSING: Final = object()


@define(eq=False)
class Tables:
    """Everything kept, each table by its key, and the journal of the transaction under way."""

    companies: dict[CompanyId, Company] = field(factory=dict[CompanyId, Company])
    clients: dict[tuple[CompanyId, ClientId], Client] = field(factory=dict[tuple[CompanyId, ClientId], Client])
    documents: dict[tuple[CompanyId, ClientId], dict[RecordRef, Document]] = field(
        factory=dict[tuple[CompanyId, ClientId], dict[RecordRef, Document]]
    )
    owners: dict[tuple[CompanyId, RecordRef], ClientId] = field(factory=dict[tuple[CompanyId, RecordRef], ClientId])
    decisions: dict[tuple[CompanyId, QuoteId, int], Decision] = field(
        factory=dict[tuple[CompanyId, QuoteId, int], Decision]
    )
    files: dict[tuple[CompanyId, DocumentRef], DocumentFile] = field(
        factory=dict[tuple[CompanyId, DocumentRef], DocumentFile]
    )
    grants: dict[tuple[CompanyId, GrantId], Grant] = field(factory=dict[tuple[CompanyId, GrantId], Grant])
    digests: dict[bytes, tuple[CompanyId, GrantId]] = field(factory=dict[bytes, tuple[CompanyId, GrantId]])
    tickets: dict[tuple[CompanyId, TicketId], Ticket] = field(factory=dict[tuple[CompanyId, TicketId], Ticket])
    events: dict[tuple[CompanyId, EventId], Event] = field(factory=dict[tuple[CompanyId, EventId], Event])
    audit: dict[tuple[CompanyId, AuditEntryId], AuditEntry] = field(
        factory=dict[tuple[CompanyId, AuditEntryId], AuditEntry]
    )
    webhooks: dict[tuple[CompanyId, WebhookId], Webhook] = field(factory=dict[tuple[CompanyId, WebhookId], Webhook])
    dispatches: dict[tuple[CompanyId, DispatchId], Dispatch] = field(
        factory=dict[tuple[CompanyId, DispatchId], Dispatch]
    )
    taken: dict[CompanyId, int] = field(factory=dict[CompanyId, int])
    answers: dict[KeyOfAnswer, KeptAnswer] = field(factory=dict[KeyOfAnswer, KeptAnswer])
    _ledgers: dict[tuple[CompanyId, ClientId], Ledger] = field(
        factory=dict[tuple[CompanyId, ClientId], Ledger], init=False
    )
    _journal: list[tuple[MutableMapping[Any, Any], Any, Any]] = field(
        factory=list[tuple[MutableMapping[Any, Any], Any, Any]], init=False
    )

    def put(self, table: MutableMapping[K, V], key: K, value: V) -> None:
        """Write one entry, so that it can be taken back."""
        self._journal.append((table, key, table.get(key, _MISSING)))
        table[key] = value

    def drop(self, table: MutableMapping[K, V], key: K) -> None:
        """Remove one entry, if it is there, so that it can be put back."""
        if key in table:
            self._journal.append((table, key, table.pop(key)))

    def documents_of(self, company_id: CompanyId, client_id: ClientId) -> dict[RecordRef, Document]:
        """Return a client's documents by type and id."""
        return self.documents.setdefault((company_id, client_id), {})

    def ledger_of(self, company_id: CompanyId, client_id: ClientId) -> Ledger:
        """Return the ledger of all of a client's documents, made once until they change."""
        if (ledger := self._ledgers.get((company_id, client_id))) is None:
            ledger = Ledger.of(self.documents_of(company_id, client_id).values())
            self._ledgers[company_id, client_id] = ledger
        return ledger

    def forget_ledger(self, company_id: CompanyId, client_id: ClientId) -> None:
        """Note that a client's documents have changed."""
        self._ledgers.pop((company_id, client_id), None)

    def commit(self) -> None:
        """Keep what was written."""
        self._journal.clear()

    def roll_back(self) -> None:
        """Take back what was written since the last commit, the last first."""
        while self._journal:
            table, key, before = self._journal.pop()
            if before is _MISSING:
                table.pop(key, None)
            else:
                table[key] = before
        self._ledgers.clear()
