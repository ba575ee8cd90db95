"""Ports for documents as files: reading them, and keeping those that are attached."""

from abc import abstractmethod
from collections.abc import Collection
from typing import Protocol

from portal_core.domain.access import DocumentRef, Scope
from portal_core.domain.files import DocumentFile
from portal_core.domain.ids import CompanyId


class Documents(Protocol):
    """Documents as files. An invoice's is a legal document of the system of record: nobody else makes one.

    A host that has such files answers for them by itself, for documents of any type: its file of a quote takes the
    place of the one that the portal would make. Asked is only for documents that were read before, so that one that is
    not for clients need not be hidden here.
    """

    __slots__ = ()

    @abstractmethod
    def find(self, scope: Scope, document: DocumentRef) -> DocumentFile | None:
        """Return the file, or nothing if there is none or the document is not that client's."""

    @abstractmethod
    def has(self, scope: Scope, document: DocumentRef) -> bool:
        """Tell whether `find` would return a file."""


class Attachments(Protocol):
    """Files that are kept here."""

    __slots__ = ()

    @abstractmethod
    def attach(self, file: DocumentFile) -> None:
        """Keep a file, in the place of any that the document had before."""

    @abstractmethod
    def remove(self, company_id: CompanyId, documents: Collection[DocumentRef]) -> None:
        """Remove the files of documents; those that have none are passed over."""
