import pytest

from portal_core.domain.ids import DeliveryId, OrderId, QuoteId
from portal_core.domain.invoices import CreditAllocation
from portal_core.domain.records import Fact, RecordRef, RecordType, client_of, ref_of, references_of
from tests.core.samples import (
    CLIENT,
    COMPANY,
    a_credit_note,
    a_delivery,
    a_payment,
    a_quote,
    an_invoice,
    an_order,
    euros,
    paying,
)

FACTS: list[Fact] = [COMPANY, CLIENT, a_quote(), an_order(), a_delivery(), an_invoice(), a_payment()]

ORDER = RecordRef(RecordType.ORDER, "o1")
INVOICE = RecordRef(RecordType.INVOICE, "i1")


def test_every_fact_has_a_type_in_the_order_of_an_export() -> None:
    refs = [ref_of(fact) for fact in FACTS]

    types = [ref.type for ref in refs]

    assert types == list(RecordType)
    assert [ref.id for ref in refs] == [fact.id for fact in FACTS]


def test_every_fact_but_a_company_is_a_clients() -> None:
    owners = [client_of(fact) for fact in FACTS]

    companys, *others = owners

    assert companys is None
    assert set(others) == {CLIENT.id}


@pytest.mark.parametrize(
    "fact, references",
    [
        (COMPANY, []),
        (CLIENT, []),
        (a_quote(), []),
        (a_quote(order_id=OrderId("o1")), [("/order_id", ORDER)]),
        (an_order(quote_id=QuoteId("q1")), [("/quote_id", RecordRef(RecordType.QUOTE, "q1"))]),
        (
            a_delivery(order_id=OrderId("o1"), backorder_of=DeliveryId("d0")),
            [("/order_id", ORDER), ("/backorder_of", RecordRef(RecordType.DELIVERY, "d0"))],
        ),
        (
            a_credit_note(
                order_id=OrderId("o1"),
                allocations=(CreditAllocation(invoice_id=an_invoice().id, amount=euros("1.00")),),
            ),
            [("/order_id", ORDER), ("/allocations/0/invoice_id", INVOICE)],
        ),
        (
            a_payment(paying(an_invoice(), euros("1.00")), paying(an_invoice(), euros("2.00"))),
            [("/allocations/0/invoice_id", INVOICE), ("/allocations/1/invoice_id", INVOICE)],
        ),
    ],
    ids=["company", "client", "quote", "quote of order", "order", "delivery", "credit note", "payment"],
)
def test_what_a_fact_names_is_told_with_the_field_that_does(
    fact: Fact, references: list[tuple[str, RecordRef]]
) -> None:
    named = list(references_of(fact))

    assert named == references
