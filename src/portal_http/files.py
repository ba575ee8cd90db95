"""Answers that are files to be kept, and what they are called."""

import hashlib
import re
import unicodedata
from urllib.parse import quote

from portal_core.domain.files import DocumentFile
from portal_core.domain.invoices import InvoiceSummary
from portal_http.answers import Answer, Header

PDF_TYPE: Header = (b"content-type", b"application/pdf")

_LONGEST_NAME = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_UNSAFE_ANYWHERE = re.compile(r"[^\w.-]+")


def pdf(content: bytes, name: str, *, sha256: str | None = None) -> Answer:
    """Return a PDF to be kept under a name; its entity tag is the SHA-256 of its content."""
    digest = sha256 or hashlib.sha256(content).hexdigest()
    return Answer(200, content, [PDF_TYPE, attachment(f"{name}.pdf"), (b"etag", f'"{digest}"'.encode())])


def file_of_invoice(invoice: InvoiceSummary, file: DocumentFile) -> Answer:
    """Return the file of an invoice or credit note, named by its number."""
    return pdf(file.content, f"{invoice.kind.value}-{invoice.number}".replace("_", "-"), sha256=file.sha256)


def attachment(name: str) -> Header:
    """Return the field that has a file kept under a name (RFC 6266), of which what file systems dislike is left out.

    A name of other than ASCII letters is given a second time, for whoever reads RFC 8187.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    field = f'attachment; filename="{_safe(plain, _UNSAFE)}"'
    if not name.isascii():
        field += f"; filename*=UTF-8''{quote(_safe(name, _UNSAFE_ANYWHERE), safe='')}"
    return b"content-disposition", field.encode()


def _safe(name: str, unsafe: re.Pattern[str]) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{unsafe.sub('-', stem).strip('-.')[:_LONGEST_NAME] or 'file'}.{suffix}"
