"""Documents' files."""

from portal_core.domain.files import DocumentFile
from portal_http.present.values import document, moment
from portal_http.shapes import FileShape


def file_row(found: DocumentFile) -> FileShape:
    """Return what is known of a file."""
    return {
        "document": document(found.document),
        "sha256": found.sha256,
        "size": len(found.content),
        "attached_at": moment(found.attached_at),
    }
