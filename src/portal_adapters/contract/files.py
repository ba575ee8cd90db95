"""Documents' files: one for each document, byte for byte, and for nobody else."""

from typing import Final

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    COMPANY,
    NEIGHBOUR,
    OTHER_COMPANY,
    SCOPE,
    STRANGER,
    a_file,
    an_invoice,
    moment,
)
from portal_adapters.contract.feeding import prepare
from portal_core.domain.access import DocumentRef, DocumentType
from portal_core.domain.files import DocumentFile
from portal_core.ports import Transactions

INVOICE: Final = DocumentRef(DocumentType.INVOICE, "I1")
EVERY_BYTE: Final = b"%PDF-1.7" + bytes(range(256)) * 5_000 + b"%%EOF"


class FilesContract:
    """Documents and their attachments."""

    def test_a_file_is_kept_byte_for_byte(self, transactions: Transactions) -> None:
        file = a_file(INVOICE, content=EVERY_BYTE)

        _attach(transactions, file)

        with transactions.begin() as store:
            assert store.documents.find(SCOPE, INVOICE) == file
            assert store.documents.has(SCOPE, INVOICE)

    def test_a_document_has_no_file_until_one_is_attached(self, transactions: Transactions) -> None:
        _attach(transactions, a_file(DocumentRef(DocumentType.QUOTE, "I1")), a_file(evolve(INVOICE, id="I2")))

        with transactions.begin() as store:
            assert store.documents.find(SCOPE, INVOICE) is None
            assert not store.documents.has(SCOPE, INVOICE)

    def test_a_file_takes_the_place_of_the_one_before(self, transactions: Transactions) -> None:
        later = evolve(a_file(INVOICE, content=b"%PDF-2.0 %%EOF"), attached_at=moment(5))

        _attach(transactions, a_file(INVOICE))
        _attach(transactions, later)

        with transactions.begin() as store:
            assert store.documents.find(SCOPE, INVOICE) == later

    def test_a_file_is_for_its_client_alone(self, transactions: Transactions) -> None:
        theirs = a_file(INVOICE, scope=STRANGER, content=b"%PDF-1.4 %%EOF")

        _attach(transactions, a_file(INVOICE), theirs)

        with transactions.begin() as store:
            assert store.documents.find(NEIGHBOUR, INVOICE) is None
            assert not store.documents.has(NEIGHBOUR, INVOICE)
            assert store.documents.find(STRANGER, INVOICE) == theirs

    @pytest.mark.parametrize("kind", DocumentType)
    def test_a_narrowed_scope_shows_the_files_of_its_documents_alone(
        self, transactions: Transactions, kind: DocumentType
    ) -> None:
        covered, other = DocumentRef(kind, "A"), DocumentRef(kind, "B")
        narrowed = evolve(SCOPE, documents=frozenset({covered}))

        _attach(transactions, a_file(covered), a_file(other))

        with transactions.begin() as store:
            assert store.documents.find(narrowed, covered) == a_file(covered)
            assert store.documents.find(narrowed, other) is None
            assert [store.documents.has(narrowed, each) for each in (covered, other)] == [True, False]

    def test_removed_files_are_gone_and_unknown_ones_passed_over(self, transactions: Transactions) -> None:
        other, theirs = evolve(INVOICE, id="I2"), a_file(INVOICE, scope=STRANGER)
        _attach(transactions, a_file(INVOICE), a_file(other), theirs)

        with transactions.begin() as store:
            store.attachments.remove(COMPANY, [INVOICE, evolve(INVOICE, id="unknown")])
            store.attachments.remove(OTHER_COMPANY, [other])
            store.attachments.remove(COMPANY, [])

        with transactions.begin() as store:
            assert [store.documents.has(SCOPE, each) for each in (INVOICE, other)] == [False, True]
            assert store.documents.find(STRANGER, INVOICE) == theirs


def _attach(transactions: Transactions, *files: DocumentFile) -> None:
    prepare(transactions, an_invoice("I1"))
    with transactions.begin() as store:
        for file in files:
            store.attachments.attach(file)
