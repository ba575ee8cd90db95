"""Nobody sees what is not theirs."""

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    NEIGHBOUR,
    SCOPE,
    STRANGER,
    a_delivery,
    a_payment,
    a_quote,
    an_event,
    an_invoice,
)
from portal_adapters.contract.feeding import prepare
from portal_adapters.contract.lists import DOCUMENT_LISTS, ENTRIES, LISTS, Entry, Listed, name_of
from portal_core.domain.access import DocumentRef, DocumentType, Scope
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.ids import EventId
from portal_core.domain.invoices import InvoiceState
from portal_core.domain.payments import PaymentRecordState
from portal_core.domain.quotes import QuoteState
from portal_core.domain.records import Fact
from portal_core.ports import Transactions

every_list = pytest.mark.parametrize("listed", LISTS, ids=name_of)
every_document_list = pytest.mark.parametrize("listed", DOCUMENT_LISTS, ids=name_of)

HIDDEN: tuple[tuple[DocumentType, Fact], ...] = (
    (DocumentType.QUOTE, a_quote("x", recorded_state=QuoteState.DRAFT)),
    (DocumentType.DELIVERY, a_delivery("x", state=DeliveryState.DRAFT)),
    (DocumentType.INVOICE, an_invoice("x", state=InvoiceState.DRAFT)),
    (DocumentType.INVOICE, an_invoice("x", state=InvoiceState.CANCELLED)),
    (DocumentType.PAYMENT, a_payment("x", state=PaymentRecordState.DRAFT)),
    (DocumentType.PAYMENT, a_payment("x", state=PaymentRecordState.CANCELLED)),
)


class ScopingContract:
    """Other clients, other companies, narrowed links, and what is not for clients to see."""

    @every_list
    def test_another_clients_records_are_in_no_page(self, transactions: Transactions, listed: Listed) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, ENTRIES)

        with transactions.begin() as store:
            pages = [listed.page(store, scope, listed.newest()) for scope in (NEIGHBOUR, STRANGER)]

        assert [(page.items, page.total, page.next) for page in pages] == [((), 0, None)] * 2

    @every_document_list
    def test_another_clients_document_is_not_there(self, transactions: Transactions, listed: Listed) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, [Entry(id="x")])

        with transactions.begin() as store:
            found = [listed.get(store, scope, "x") for scope in (SCOPE, NEIGHBOUR, STRANGER)]

        assert [each is not None for each in found] == [True, False, False]

    @every_list
    def test_another_companys_record_is_not_there(self, transactions: Transactions, listed: Listed) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, [Entry(id="x")])

        with transactions.begin() as store:
            found = [listed.get(store, scope, record_id) for scope, record_id in ((STRANGER, "x"), (SCOPE, "y"))]

        assert found == [None, None]

    @every_list
    def test_equal_ids_in_two_companies_are_two_records(self, transactions: Transactions, listed: Listed) -> None:
        ours, theirs = (Entry(id="x", number="ours"), Entry(id="z")), (Entry(id="x", number="theirs"),)
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, ours)
            listed.fill(store, STRANGER, theirs)

        with transactions.begin() as store:
            pages = [listed.page(store, scope, listed.newest()) for scope in (SCOPE, STRANGER)]
            found = [listed.get(store, scope, "x") for scope in (SCOPE, STRANGER)]

        assert [listed.ids(page) for page in pages] == [["z", "x"], ["x"]]
        assert [page.total for page in pages] == [2, 1]
        assert None not in found
        assert found[0] != found[1]

    @every_document_list
    def test_a_narrowed_scope_shows_its_documents_alone(self, transactions: Transactions, listed: Listed) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, ENTRIES)
        narrowed = _narrowed(listed, "a", "g", "unknown")

        with transactions.begin() as store:
            page = listed.page(store, narrowed, listed.newest(sort="number", descending=False))
            found = {each.id for each in ENTRIES if listed.get(store, narrowed, each.id) is not None}

        assert listed.ids(page) == ["a", "g"]
        assert page.total == 2
        assert found == {"a", "g"}

    @every_document_list
    def test_a_scope_narrowed_to_other_types_shows_nothing(self, transactions: Transactions, listed: Listed) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, ENTRIES)
        others = {DocumentRef(kind, "a") for kind in DocumentType if kind is not listed.document}

        with transactions.begin() as store:
            scopes = [evolve(SCOPE, documents=frozenset(documents)) for documents in (others, ())]
            pages = [listed.page(store, scope, listed.newest()) for scope in scopes]
            found = [listed.get(store, scope, "a") for scope in scopes]

        assert [(page.items, page.total) for page in pages] == [((), 0)] * 2
        assert found == [None, None]

    @every_document_list
    def test_a_narrowed_scope_opens_no_document_of_another_client(
        self, transactions: Transactions, listed: Listed
    ) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            listed.fill(store, NEIGHBOUR, [Entry(id="a")])
            listed.fill(store, STRANGER, [Entry(id="a")])

        with transactions.begin() as store:
            page = listed.page(store, _narrowed(listed, "a"), listed.newest())
            found = listed.get(store, _narrowed(listed, "a"), "a")

        assert (page.items, page.total, found) == ((), 0, None)

    @pytest.mark.parametrize("kind, fact", HIDDEN)
    def test_what_is_not_for_clients_is_not_there(
        self, transactions: Transactions, kind: DocumentType, fact: Fact
    ) -> None:
        prepare(transactions, fact)
        listed = next(each for each in DOCUMENT_LISTS if each.document is kind)
        with transactions.begin() as store:
            listed.fill(store, SCOPE, [Entry(id="shown")])

        with transactions.begin() as store:
            page = listed.page(store, SCOPE, listed.newest())
            found = listed.get(store, SCOPE, fact.id)

        assert listed.ids(page) == ["shown"]
        assert page.total == 1
        assert found is None

    def test_another_companys_events_are_not_read(self, transactions: Transactions) -> None:
        prepare(transactions)
        with transactions.begin() as store:
            store.events.append(an_event("E1"))

        with transactions.begin() as store:
            page = store.events.page(STRANGER.company_id, after=None, limit=10)
            after = store.events.page(STRANGER.company_id, after=EventId("E1"), limit=10)

        assert page is not None
        assert (page.items, page.total) == ((), 0)
        assert after is None


def _narrowed(listed: Listed, *ids: str) -> Scope:
    assert listed.document is not None
    return Scope(SCOPE.company_id, SCOPE.client_id, frozenset(DocumentRef(listed.document, each) for each in ids))
