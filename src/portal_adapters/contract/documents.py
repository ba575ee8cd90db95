"""Documents as their client sees them: what belongs to an order, what settled an invoice, where links lead."""

import pytest
from attrs import evolve

from portal_adapters.contract.builders import (
    NEIGHBOUR,
    SCOPE,
    STRANGER,
    TODAY,
    YESTERDAY,
    a_credit_note,
    a_delivery,
    a_payment,
    a_quote,
    a_refund,
    an_invoice,
    an_order,
    credited,
    day,
    eur,
    paid,
)
from portal_adapters.contract.feeding import feed, prepare
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.filters import DeliveryFilter, InvoiceFilter, OrderFilter, QuoteFilter
from portal_core.domain.ids import DeliveryId, InvoiceId, OrderId, PaymentId, QuoteId
from portal_core.domain.invoices import Adjustment, Invoice, InvoiceState
from portal_core.domain.ledger import Ledger
from portal_core.domain.paging import Listing
from portal_core.domain.payments import Payment, PaymentRecordState
from portal_core.domain.quotes import QuoteState
from portal_core.ports import Transactions

O1, D1, D2 = OrderId("O1"), DeliveryId("D1"), DeliveryId("D2")

INVOICES = (
    an_invoice(
        "I1",
        eur("100.00"),
        number="First",
        adjustments=(Adjustment(amount=eur("5.00"), reason="Discount", adjusted_on=YESTERDAY),),
    ),
    an_invoice("I2", eur("50.00"), number="Second"),
    an_invoice("I3", eur("50.00"), state=InvoiceState.DRAFT),
    a_credit_note(
        "C1",
        eur("30.00"),
        number="Credit",
        allocations=(credited("I1", eur("10.00"), on=TODAY), credited("I3", eur("7.00")), credited("I2", eur("1.00"))),
    ),
    a_credit_note("C2", eur("30.00"), state=InvoiceState.CANCELLED, allocations=(credited("I1", eur("30.00")),)),
)
PAYMENTS = (
    a_payment(
        "P1",
        eur("80.00"),
        number="Cheque",
        allocations=(
            paid("I2", eur("49.00")),
            paid("I3", eur("9.00")),
            paid("I1", eur("2.00"), on=TODAY),
            paid("I1", eur("3.00"), on=YESTERDAY),
        ),
    ),
    a_payment("P2", eur("80.00"), state=PaymentRecordState.DRAFT, allocations=(paid("I1", eur("80.00")),)),
    a_refund("R1", eur("20.00"), number="Back", allocations=(paid("C1", eur("19.00")),)),
)
SETTLED = Ledger(INVOICES, PAYMENTS)


class DocumentsContract:
    """Details, summaries, and the links between documents."""

    def test_a_list_shows_a_quote_as_its_detail_does(self, transactions: Transactions) -> None:
        prepare(transactions, a_quote("Q1", valid_until=TODAY, revision=4))

        with transactions.begin() as store:
            quote = store.quotes.get(SCOPE, QuoteId("Q1"))
            listed = store.quotes.page(SCOPE, Listing(sort="number"), QuoteFilter(), on=TODAY).items

        assert quote is not None
        names = ("id", "number", "recorded_state", "revision", "issued_on", "valid_until", "subtotal", "tax", "total")
        assert [[getattr(each, name) for name in names] for each in listed] == [
            [getattr(quote, name) for name in names]
        ]

    def test_an_order_shows_its_deliveries_and_invoices_oldest_first(self, transactions: Transactions) -> None:
        prepare(
            transactions,
            an_order("O1"),
            an_order("O2"),
            a_delivery("D4", order_id=O1, scheduled_on=None),
            a_delivery("D3", order_id=O1, scheduled_on=None),
            a_delivery("D2", order_id=O1, scheduled_on=day(1)),
            a_delivery("D1", order_id=O1, scheduled_on=day(2)),
            a_delivery("D5", order_id=O1, scheduled_on=day(1)),
            a_delivery("draft", order_id=O1, state=DeliveryState.DRAFT),
            a_delivery("other", order_id=OrderId("O2")),
            an_invoice("I2", order_id=O1, issued_on=day(2)),
            an_invoice("I3", order_id=O1, issued_on=day(1)),
            a_credit_note("I1", order_id=O1, issued_on=day(2)),
            an_invoice("draft", order_id=O1, state=InvoiceState.DRAFT),
            an_invoice("other"),
        )

        with transactions.begin() as store:
            detail = store.orders.get(SCOPE, O1)

        assert detail is not None
        assert [view.delivery.id for view in detail.deliveries] == ["D2", "D5", "D1", "D3", "D4"]
        assert {view.order_number for view in detail.deliveries} == {"N-O1"}
        assert [invoice.id for invoice in detail.invoices or ()] == ["I3", "I1", "I2"]

    def test_an_orders_documents_are_those_of_its_own_client(self, transactions: Transactions) -> None:
        prepare(transactions, an_order("O1"), an_order("O1", scope=STRANGER))
        prepare(transactions, a_delivery("D1", order_id=O1), an_invoice("I1", order_id=O1, scope=STRANGER))
        prepare(transactions, a_delivery("D2", order_id=O1, scope=NEIGHBOUR))

        with transactions.begin() as store:
            ours, theirs = store.orders.get(SCOPE, O1), store.orders.get(STRANGER, O1)

        assert ours is not None
        assert theirs is not None
        assert ([view.delivery.id for view in ours.deliveries], ours.invoices) == (["D1"], ())
        assert ([invoice.id for invoice in theirs.invoices or ()], theirs.deliveries) == (["I1"], ())

    def test_a_link_to_a_draft_leads_nowhere(self, transactions: Transactions) -> None:
        draft = a_quote("Q1", recorded_state=QuoteState.DRAFT)
        prepare(transactions, draft, an_order("O1", quote_id=draft.id))
        prepare(transactions, a_delivery("D1", state=DeliveryState.DRAFT), a_delivery("D2", backorder_of=D1))

        with transactions.begin() as store:
            order = store.orders.get(SCOPE, O1)
            orders = store.orders.page(SCOPE, Listing(sort="number"), OrderFilter()).items
            view = store.deliveries.get(SCOPE, D2)
            views = store.deliveries.page(SCOPE, Listing(sort="number"), DeliveryFilter()).items

        assert order is not None
        assert (order.order.quote_id, [each.quote_id for each in orders]) == (None, [None])
        assert view is not None
        assert (view.backorder_of, [each.backorder_of for each in views]) == (None, [None])

    def test_a_link_to_what_is_shown_leads_there(self, transactions: Transactions) -> None:
        prepare(transactions, a_quote("Q1"), an_order("O1", number="Order 1", quote_id=QuoteId("Q1")))
        prepare(transactions, a_delivery("D1"), a_delivery("D2", backorder_of=D1, order_id=O1))

        with transactions.begin() as store:
            order = store.orders.get(SCOPE, O1)
            orders = store.orders.page(SCOPE, Listing(sort="number"), OrderFilter()).items
            view = store.deliveries.get(SCOPE, D2)

        assert order is not None
        assert (order.order.quote_id, [each.quote_id for each in orders]) == ("Q1", ["Q1"])
        assert view is not None
        assert (view.backorder_of, view.order_number) == ("D1", "Order 1")

    @pytest.mark.parametrize("invoice", [each for each in INVOICES if each.is_posted], ids=lambda each: each.id)
    def test_an_invoice_shows_what_settled_it(self, transactions: Transactions, invoice: Invoice) -> None:
        prepare(transactions, *INVOICES, *PAYMENTS)

        with transactions.begin() as store:
            detail = store.invoices.get(SCOPE, invoice.id)
            listed = store.invoices.page(SCOPE, Listing(sort="number"), InvoiceFilter(), on=TODAY).items

        assert detail == SETTLED.detail(invoice)
        assert [each for each in listed if each.id == invoice.id] == [SETTLED.summary(invoice)]

    @pytest.mark.parametrize("payment", [each for each in PAYMENTS if each.is_shown], ids=lambda each: each.id)
    def test_a_payment_shows_what_it_paid_and_what_is_left_of_it(
        self, transactions: Transactions, payment: Payment
    ) -> None:
        prepare(transactions, *INVOICES, *PAYMENTS)

        with transactions.begin() as store:
            view = store.payments.get(SCOPE, payment.id)
            listed = store.payments.page(SCOPE, Listing(sort="number")).items

        assert view == SETTLED.payment_view(payment)
        assert [each for each in listed if each.payment.id == payment.id] == [SETTLED.payment_view(payment)]

    def test_a_new_number_is_shown_wherever_the_document_is_named(self, transactions: Transactions) -> None:
        prepare(transactions, *INVOICES, *PAYMENTS, an_order("O1"), a_delivery("D1", order_id=O1))

        with transactions.begin() as store:
            feed(store, *(evolve(each, number=f"{each.number} again") for each in (*INVOICES, *PAYMENTS)))
            feed(store, an_order("O1", number="renamed"))

        with transactions.begin() as store:
            first = store.invoices.get(SCOPE, InvoiceId("I1"))
            cheque = store.payments.get(SCOPE, PaymentId("P1"))
            view = store.deliveries.get(SCOPE, D1)
        assert first is not None
        assert [each.source_number for each in first.settlements or ()] == [
            "Discount",
            "Cheque again",
            "Credit again",
            "Cheque again",
        ]
        assert cheque is not None
        assert [each.invoice_number for each in cheque.allocations] == ["Second again", "First again", "First again"]
        assert view is not None
        assert view.order_number == "renamed"
