import pytest

from portal_core.domain.access import DocumentRef, DocumentType, Permission, Visit
from portal_core.ports import Store
from portal_core.use_cases.sight import can_see
from tests.core.samples import STRANGER, a_delivery, a_payment, a_quote, a_visit, an_invoice, an_order, only

OWN = {
    DocumentType.QUOTE: (Permission.VIEW_QUOTES, "q1"),
    DocumentType.ORDER: (Permission.VIEW_ORDERS, "o1"),
    DocumentType.INVOICE: (Permission.VIEW_INVOICES, "i1"),
    DocumentType.PAYMENT: (Permission.VIEW_PAYMENTS, "p1"),
    DocumentType.DELIVERY: (Permission.VIEW_DELIVERIES, "d1"),
}


def seen(store: Store, visit: Visit) -> set[DocumentType]:
    return {kind for kind, (_, document_id) in OWN.items() if can_see(store, visit, DocumentRef(kind, document_id))}


@pytest.mark.parametrize("kind", list(OWN))
def test_a_client_sees_what_the_link_permits_and_covers(store: Store, kind: DocumentType) -> None:
    store.intake.save([a_quote(), an_order(), an_invoice(), a_payment(), a_delivery()])
    permission, document_id = OWN[kind]

    everything, without, alone = (
        seen(store, visit) for visit in (a_visit(), a_visit(permission), a_visit(documents=only((kind, document_id))))
    )

    assert everything == set(OWN)
    assert without == set(OWN) - {kind}
    assert alone == {kind}


def test_nobody_sees_the_documents_of_others(store: Store) -> None:
    others = [each(client_id=STRANGER.id) for each in (a_quote, an_order, an_invoice, a_payment, a_delivery)]
    store.intake.save(others)

    found = seen(store, a_visit())

    assert found == set()
