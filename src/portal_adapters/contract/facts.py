"""The facts of the system of record: taken in in any order, read back whole, and known by who refers to them."""

import pytest

from portal_adapters.contract.builders import (
    CLIENT,
    COMPANY,
    EUR,
    NEIGHBOUR,
    NOW,
    OTHER_CLIENT,
    OTHER_COMPANY,
    SCOPE,
    STRANGER,
    USD,
    a_client,
    a_company,
    a_credit_note,
    a_delivery,
    a_grant,
    a_payment,
    a_quote,
    a_refund,
    a_ticket,
    an_invoice,
    an_order,
    credited,
    eur,
    moment,
    paid,
)
from portal_adapters.contract.feeding import PEOPLE, feed, forget, prepare
from portal_core.domain.access import DocumentRef, DocumentType
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.errors import Busy
from portal_core.domain.ids import DeliveryId, OrderId, QuoteId
from portal_core.domain.invoices import InvoiceState
from portal_core.domain.money import Money
from portal_core.domain.payments import PaymentRecordState
from portal_core.domain.quotes import QuoteState
from portal_core.domain.records import Fact, RecordRef, RecordType, ref_of
from portal_core.ports import Kept, Transactions

OURS: tuple[Fact, ...] = (
    a_company(COMPANY),
    a_client(NEIGHBOUR),
    a_client(SCOPE),
    a_quote("B", recorded_state=QuoteState.DRAFT),
    a_quote("W", recorded_state=QuoteState.DRAFT, withdrawn=True),
    a_quote("a", order_id=OrderId("10")),
    an_order("10", quote_id=QuoteId("a")),
    an_order("9", scope=NEIGHBOUR),
    a_delivery("A", state=DeliveryState.DRAFT),
    a_delivery("_", order_id=OrderId("10"), backorder_of=DeliveryId("A")),
    a_credit_note("C1", allocations=(credited("I1", eur("1.00")),)),
    an_invoice("I1", order_id=OrderId("10")),
    an_invoice("I2", state=InvoiceState.CANCELLED),
    a_payment("P1", state=PaymentRecordState.DRAFT, allocations=(paid("I1", eur("1.00")), paid("I2", eur("1.00")))),
    a_refund("R1", allocations=(paid("C1", eur("2.00")),)),
)
THEIRS: tuple[Fact, ...] = (a_company(OTHER_COMPANY), a_client(STRANGER), a_quote("a", scope=STRANGER))

REFERRERS = {
    RecordRef(RecordType.COMPANY, COMPANY): {f"client {CLIENT}", f"client {OTHER_CLIENT}"},
    RecordRef(RecordType.CLIENT, OTHER_CLIENT): {"order 9"},
    RecordRef(RecordType.QUOTE, "a"): {"order 10"},
    RecordRef(RecordType.QUOTE, "B"): set[str](),
    RecordRef(RecordType.ORDER, "10"): {"quote a", "delivery _", "invoice I1"},
    RecordRef(RecordType.DELIVERY, "A"): {"delivery _"},
    RecordRef(RecordType.INVOICE, "I1"): {"invoice C1", "payment P1"},
    RecordRef(RecordType.INVOICE, "I2"): {"payment P1"},
    RecordRef(RecordType.INVOICE, "C1"): {"payment R1"},
    RecordRef(RecordType.PAYMENT, "P1"): set[str](),
}


class FactsContract:
    """Intake and outlet."""

    @pytest.mark.parametrize("facts", [(*OURS, *THEIRS), (*THEIRS[::-1], *OURS[::-1])], ids=["in order", "reversed"])
    def test_facts_are_taken_in_in_any_order_and_come_out_in_one(
        self, transactions: Transactions, facts: tuple[Fact, ...]
    ) -> None:
        with transactions.begin() as store:
            feed(store, *facts)

        with transactions.begin() as store:
            assert list(store.facts.each()) == [*OURS, *THEIRS]

    def test_the_facts_of_one_company_or_one_client_come_alone(self, transactions: Transactions) -> None:
        prepare(transactions, *OURS, *THEIRS)

        with transactions.begin() as store:
            ours = list(store.facts.each(COMPANY))
            theirs = list(store.facts.each(OTHER_COMPANY))
            neighbours = list(store.facts.each(COMPANY, OTHER_CLIENT))

        assert ours == [*OURS]
        assert theirs == [*THEIRS]
        assert neighbours == [OURS[0], OURS[1], an_order("9", scope=NEIGHBOUR)]

    def test_records_are_found_whosever_they_are_but_in_no_other_company(self, transactions: Transactions) -> None:
        prepare(transactions, *OURS, *THEIRS)
        refs = [*map(ref_of, OURS), RecordRef(RecordType.ORDER, "a"), RecordRef(RecordType.COMPANY, OTHER_COMPANY)]

        with transactions.begin() as store:
            ours = store.facts.find(COMPANY, refs)
            theirs = store.facts.find(OTHER_COMPANY, refs)
            none = store.facts.find(COMPANY, [])

        assert dict(ours) == {ref_of(fact): fact for fact in OURS}
        assert dict(theirs) == {ref_of(fact): fact for fact in THEIRS}
        assert not none

    def test_many_records_are_found_at_once(self, transactions: Transactions) -> None:
        orders = [an_order(f"O{place}") for place in range(2_500)]
        prepare(transactions, *orders)

        with transactions.begin() as store:
            found = store.facts.find(COMPANY, [ref_of(order) for order in orders])

        assert dict(found) == {ref_of(order): order for order in orders}

    @pytest.mark.parametrize("ref", REFERRERS, ids=lambda ref: f"{ref.type.value}-{ref.id}")
    def test_what_refers_to_a_record_is_known(self, transactions: Transactions, ref: RecordRef) -> None:
        prepare(transactions, *OURS, *THEIRS)

        with transactions.begin() as store:
            assert set(store.facts.referrers(COMPANY, ref)) == REFERRERS[ref]

    def test_tickets_and_links_refer_to_their_document_and_client(self, transactions: Transactions) -> None:
        document = DocumentRef(DocumentType.QUOTE, "Q1")
        alike = DocumentRef(DocumentType.PAYMENT, "quote:Q1")
        prepare(transactions, a_quote("Q1"), an_order("Q1"))
        with transactions.begin() as store:
            store.tickets.add(a_ticket("T1", document=document))
            store.tickets.add(a_ticket("T2"))
            store.tickets.add(a_ticket("T3", scope=STRANGER, document=document))
            store.grants.add(a_grant("G1", documents=frozenset({document}), expires_at=moment(-1)))
            store.grants.add(a_grant("G2"))
            store.grants.add(a_grant("G3", documents=frozenset({document}), revoked_at=NOW))
            store.grants.add(a_grant("G4", documents=frozenset({DocumentRef(DocumentType.QUOTE, "Q10"), alike})))

        with transactions.begin() as store:
            of_quote = set(store.facts.referrers(COMPANY, RecordRef(RecordType.QUOTE, "Q1")))
            of_order = set(store.facts.referrers(COMPANY, RecordRef(RecordType.ORDER, "Q1")))
            of_client = set(store.facts.referrers(COMPANY, RecordRef(RecordType.CLIENT, CLIENT)))

        assert of_quote == {"feedback T1", "token G1"}
        assert of_order == set()
        assert of_client == {"quote Q1", "order Q1", "feedback T1", "feedback T2", "token G1", "token G2", "token G4"}

    def test_a_record_is_never_taken_over_by_another_client(self, transactions: Transactions) -> None:
        prepare(transactions, an_invoice("I1"))

        with pytest.raises(Busy), transactions.begin() as store:
            store.intake.save([an_invoice("I1", scope=NEIGHBOUR)])

        with transactions.begin() as store:
            assert store.facts.kept(COMPANY, [ref_of(an_invoice("I1"))]) == {ref_of(an_invoice("I1")): Kept(CLIENT)}

    def test_removed_facts_are_gone_and_unknown_ones_passed_over(self, transactions: Transactions) -> None:
        prepare(transactions, *OURS, *THEIRS)
        documents = [fact for fact in OURS if fact not in PEOPLE]

        with transactions.begin() as store:
            forget(store, COMPANY, *map(ref_of, documents), RecordRef(RecordType.QUOTE, "unknown"))

        with transactions.begin() as store:
            assert list(store.facts.each(COMPANY)) == [*OURS[:3]]
            assert list(store.facts.each(OTHER_COMPANY)) == [*THEIRS]
            forget(store, COMPANY, RecordRef(RecordType.CLIENT, CLIENT), RecordRef(RecordType.CLIENT, OTHER_CLIENT))
            forget(store, COMPANY, RecordRef(RecordType.COMPANY, COMPANY))

        with transactions.begin() as store:
            assert list(store.facts.each()) == [*THEIRS]
            assert store.companies.get(COMPANY) is None
            assert store.clients.get(COMPANY, CLIENT) is None

    def test_what_moved_on_an_account_is_known(self, transactions: Transactions) -> None:
        dollars = an_invoice("I9", Money(500, USD))
        prepare(
            transactions,
            *OURS,
            *THEIRS,
            dollars,
            a_payment("P9", allocations=(paid("I9", Money(500, USD), using=eur("4.00")),)),
        )
        prepare(transactions, an_invoice("I3", scope=NEIGHBOUR))

        with transactions.begin() as store:
            ours = store.facts.moved(COMPANY, CLIENT)
            theirs = store.facts.moved(OTHER_COMPANY, CLIENT)

        assert dict(ours) == {EUR: 4 * 11_900 + 400, USD: 1_000}
        assert not theirs

    def test_a_ledger_is_right_about_what_it_was_asked_for(self, transactions: Transactions) -> None:
        other = an_invoice("I3", scope=NEIGHBOUR)
        prepare(transactions, *OURS, *THEIRS, other)

        with transactions.begin() as store:
            ledger = store.intake.ledger(COMPANY, CLIENT, [RecordRef(RecordType.PAYMENT, "R1")])
            note = ledger.invoices[a_credit_note("C1").id]
            invoices = store.intake.ledger(COMPANY, CLIENT, [RecordRef(RecordType.INVOICE, "I1")])
            nothing = store.intake.ledger(COMPANY, CLIENT, [])

        assert ledger.amount_due(note) == eur("116.00")
        assert invoices.amount_due(invoices.invoices[an_invoice("I1").id]) == eur("118.00")
        assert other.id not in {*ledger.invoices, *invoices.invoices, *nothing.invoices}

    def test_ledgers_of_several_clients_are_those_of_each(self, transactions: Transactions) -> None:
        other = an_invoice("I3", scope=NEIGHBOUR)
        prepare(transactions, *OURS, *THEIRS, other)
        around = {
            CLIENT: [RecordRef(RecordType.INVOICE, "I1"), RecordRef(RecordType.INVOICE, "I3")],
            NEIGHBOUR.client_id: [RecordRef(RecordType.INVOICE, "I3")],
            STRANGER.client_id: [RecordRef(RecordType.PAYMENT, "P1")],
        }

        with transactions.begin() as store:
            together = store.intake.ledgers(COMPANY, around)
            alone = {each: store.intake.ledger(COMPANY, each, refs) for each, refs in around.items()}

        assert together.keys() == around.keys()
        for client_id, ledger in together.items():
            assert ledger.invoices == alone[client_id].invoices
            assert ledger.payments == alone[client_id].payments
        assert other.id not in together[CLIENT].invoices
