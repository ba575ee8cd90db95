"""Documents' files in SQL."""

from collections.abc import Collection
from typing import final

from attrs import frozen
from sqlalchemy import Connection, bindparam, delete, select

from portal_adapters.sqlalchemy.dialects import in_chunks, upsert
from portal_adapters.sqlalchemy.direct import one
from portal_adapters.sqlalchemy.documents import among
from portal_adapters.sqlalchemy.schema import files
from portal_core.domain.access import DocumentRef, DocumentType, Scope
from portal_core.domain.files import DocumentFile
from portal_core.domain.ids import CompanyId
from portal_core.ports import Attachments, Documents

_OF_CLIENT = (
    files.c.company_id == bindparam("company_id"),
    files.c.type == bindparam("type"),
    files.c.id == bindparam("id"),
    files.c.client_id == bindparam("client_id"),
)

_FIND = select(files.c.content, files.c.sha256, files.c.attached_at).where(*_OF_CLIENT)

_HAS = select(files.c.sha256).where(*_OF_CLIENT)

_REMOVE = delete(files).where(
    files.c.company_id == bindparam("company_id"), files.c.type == bindparam("type"), among(files.c.id, "ids")
)


@final
@frozen
class SqlDocuments(Documents):
    connection: Connection

    def find(self, scope: Scope, document: DocumentRef) -> DocumentFile | None:
        if not scope.covers(document.type, document.id):
            return None
        row = one(self.connection, _FIND, _parameters(scope, document))
        if row is None:
            return None
        return DocumentFile(
            company_id=scope.company_id,
            client_id=scope.client_id,
            document=document,
            content=row.content,
            sha256=row.sha256,
            attached_at=row.attached_at,
        )

    def has(self, scope: Scope, document: DocumentRef) -> bool:
        if not scope.covers(document.type, document.id):
            return False
        return one(self.connection, _HAS, _parameters(scope, document)) is not None


@final
@frozen
class SqlAttachments(Attachments):
    connection: Connection

    def attach(self, file: DocumentFile) -> None:
        columns = frozenset(column.name for column in files.c)
        self.connection.execute(
            upsert(files, self.connection.dialect.name, columns),
            {
                "company_id": file.company_id,
                "type": file.document.type.value,
                "id": file.document.id,
                "client_id": file.client_id,
                "sha256": file.sha256,
                "attached_at": file.attached_at,
                "content": file.content,
            },
        )

    def remove(self, company_id: CompanyId, documents: Collection[DocumentRef]) -> None:
        for kind in DocumentType:
            for chunk in in_chunks(each.id for each in documents if each.type is kind):
                self.connection.execute(_REMOVE, {"company_id": company_id, "type": kind.value, "ids": chunk})


def _parameters(scope: Scope, document: DocumentRef) -> dict[str, str]:
    return {
        "company_id": scope.company_id,
        "client_id": scope.client_id,
        "type": document.type.value,
        "id": document.id,
    }
