"""Documents' files in memory."""

from collections.abc import Collection
from typing import final

from attrs import frozen

from portal_adapters.memory.tables import Tables
from portal_core.domain.access import DocumentRef, Scope
from portal_core.domain.files import DocumentFile
from portal_core.domain.ids import CompanyId
from portal_core.ports import Attachments, Documents


@final
@frozen
class MemoryDocuments(Documents):
    tables: Tables

    def find(self, scope: Scope, document: DocumentRef) -> DocumentFile | None:
        found = self.tables.files.get((scope.company_id, document))
        shown = found is not None and found.client_id == scope.client_id and scope.covers(document.type, document.id)
        return found if shown else None

    def has(self, scope: Scope, document: DocumentRef) -> bool:
        return self.find(scope, document) is not None


@final
@frozen
class MemoryAttachments(Attachments):
    tables: Tables

    def attach(self, file: DocumentFile) -> None:
        self.tables.put(self.tables.files, (file.company_id, file.document), file)

    def remove(self, company_id: CompanyId, documents: Collection[DocumentRef]) -> None:
        for document in documents:
            self.tables.drop(self.tables.files, (company_id, document))
