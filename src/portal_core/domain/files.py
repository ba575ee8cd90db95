"""Documents as files, as the system of record issued them."""

import hashlib
from datetime import datetime

from attrs import frozen

from portal_core.domain.access import DocumentRef
from portal_core.domain.errors import InvalidInput
from portal_core.domain.ids import ClientId, CompanyId

_BEGINNING = b"%PDF-"
_END = b"%%EOF"
_TAIL = 1024
"""So many bytes from its end a PDF says that it ends there (ISO 32000-1, annex H.3.18)."""


@frozen(kw_only=True)
class DocumentFile:
    """One document of a client's as a PDF; `sha256` is its content's, in hexadecimal."""

    company_id: CompanyId
    client_id: ClientId
    document: DocumentRef
    content: bytes
    sha256: str
    attached_at: datetime


def a_pdf(
    company_id: CompanyId, client_id: ClientId, document: DocumentRef, content: bytes, *, at: datetime
) -> DocumentFile:
    """Return a document's file; refuse with InvalidInput what is no PDF or was cut off."""
    if not content.startswith(_BEGINNING) or _END not in content[-_TAIL:]:
        raise InvalidInput.at("", "must be a whole PDF")
    return DocumentFile(
        company_id=company_id,
        client_id=client_id,
        document=document,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        attached_at=at,
    )
