from collections.abc import Sequence

import pytest

from portal_core.domain.access import ALL_PERMISSIONS, DocumentType, Permission
from portal_core.domain.dashboard import PagePart
from portal_core.domain.deliveries import DeliveryState
from portal_core.domain.errors import DeadLink
from portal_core.domain.ids import DeliveryId, InvoiceId, OrderId, QuoteId
from portal_core.ports import Store
from portal_core.use_cases.dashboard import read_dashboard, read_first_page
from tests.core.samples import (
    DAY,
    NOW,
    TODAY,
    a_credit_note,
    a_delivery,
    a_payment,
    a_quote,
    a_visit,
    an_invoice,
    an_order,
    euros,
    only,
    paying,
)


def fill(store: Store) -> None:
    for number in range(6):
        store.intake.save(
            [
                a_quote(id=QuoteId(f"q{number}"), issued_on=TODAY - number * DAY),
                an_order(id=OrderId(f"o{number}"), ordered_on=TODAY - number * DAY, quote_id=QuoteId("q1")),
                an_invoice(id=InvoiceId(f"i{number}"), issued_on=TODAY - number * DAY, order_id=OrderId("o1")),
                a_delivery(id=DeliveryId(f"d{number}"), scheduled_on=TODAY - number * DAY, order_id=OrderId("o1")),
            ]
        )


def test_the_newest_five_of_each_kind_are_shown(store: Store) -> None:
    fill(store)
    store.intake.save([a_credit_note(issued_on=TODAY + DAY)])

    dashboard = read_dashboard(store, a_visit(), now=NOW)

    assert [each.id for each in dashboard.quotes or ()] == ["q0", "q1", "q2", "q3", "q4"]
    assert [each.id for each in dashboard.orders or ()] == ["o0", "o1", "o2", "o3", "o4"]
    assert [each.id for each in dashboard.invoices or ()] == ["n1", "i0", "i1", "i2", "i3"]
    assert [each.delivery.id for each in dashboard.deliveries or ()] == ["d0", "d1", "d2", "d3", "d4"]


def test_the_balance_is_that_of_the_companys_day(store: Store) -> None:
    invoice = an_invoice(due_on=TODAY)
    store.intake.save([invoice, a_credit_note(), a_payment(paying(invoice, euros("50.00")))])

    before, after = (read_dashboard(store, a_visit(), now=NOW.replace(hour=hour)).balances for hour in (22, 23))

    assert before is not None
    assert after is not None
    assert (before[0].outstanding, before[0].overdue) == (euros("50.00"), euros("0.00"))
    assert (after[0].overdue, after[0].aging.days_1_30) == (euros("50.00"), euros("50.00"))
    assert (after[0].credit, after[0].net) == (euros("50.00"), euros("0.00"))


@pytest.mark.parametrize(
    "permission, hidden",
    [
        (Permission.VIEW_QUOTES, {"quotes"}),
        (Permission.ACCEPT_QUOTES, set()),
        (Permission.VIEW_ORDERS, {"orders"}),
        (Permission.VIEW_INVOICES, {"invoices", "balances"}),
        (Permission.VIEW_PAYMENTS, set()),
        (Permission.VIEW_DELIVERIES, {"deliveries"}),
        (Permission.SUBMIT_FEEDBACK, set()),
    ],
)
def test_what_a_permission_withholds_is_not_there(store: Store, permission: Permission, hidden: set[str]) -> None:
    fill(store)

    dashboard = read_dashboard(store, a_visit(permission), now=NOW)

    parts: dict[str, Sequence[object] | None] = {
        "quotes": dashboard.quotes,
        "orders": dashboard.orders,
        "invoices": dashboard.invoices,
        "deliveries": dashboard.deliveries,
        "balances": dashboard.balances,
    }
    assert {name for name, part in parts.items() if part is None} == hidden


def test_the_dashboard_needs_no_permission_but_a_living_link(store: Store) -> None:
    nothing = a_visit(*ALL_PERMISSIONS)

    dashboard = read_dashboard(store, nothing, now=NOW)

    assert (dashboard.quotes, dashboard.orders, dashboard.invoices, dashboard.deliveries) == (None,) * 4
    with pytest.raises(DeadLink):
        read_dashboard(store, a_visit(expires_at=NOW), now=NOW)


def test_a_link_to_single_documents_has_no_balance_and_leads_nowhere_else(store: Store) -> None:
    fill(store)
    documents = [(DocumentType.ORDER, "o2"), (DocumentType.INVOICE, "i2"), (DocumentType.DELIVERY, "d2")]

    dashboard = read_dashboard(store, a_visit(documents=only(*documents)), now=NOW)
    bare = read_dashboard(store, a_visit(*ALL_PERMISSIONS, documents=only(*documents)), now=NOW)

    assert (dashboard.balances, dashboard.quotes) == (None, ())
    assert [(each.id, each.quote_id) for each in dashboard.orders or ()] == [("o2", None)]
    assert [(each.id, each.order_id) for each in dashboard.invoices or ()] == [("i2", None)]
    assert [(each.delivery.id, each.order_number) for each in dashboard.deliveries or ()] == [("d2", None)]
    assert (bare.orders, bare.invoices, bare.deliveries) == (None, None, None)


def test_the_first_page_is_what_needs_the_client_now_and_the_newest_three(store: Store) -> None:
    fill(store)
    store.intake.save([a_quote(id=QuoteId("old"), valid_until=TODAY - DAY)])
    store.intake.save([a_delivery(id=DeliveryId("there"), state=DeliveryState.DELIVERED, scheduled_on=TODAY)])

    page = read_first_page(store, a_visit(), now=NOW)

    assert [each.id for each in page.to_answer] == ["q0", "q1", "q2", "q3", "q4"]
    assert [each.delivery.id for each in page.to_come or ()] == ["d0", "d1", "d2", "d3", "d4"]
    assert [len(part or ()) for part in (page.quotes, page.orders, page.invoices)] == [3, 3, 3]
    assert page.balances


def test_what_is_due_within_two_weeks_is_to_be_paid_the_longest_due_first(store: Store) -> None:
    store.intake.save(
        [an_invoice(id=InvoiceId(str(days)), due_on=TODAY + days * DAY) for days in (15, 14, -40, 0, -1, 30)]
    )

    page = read_first_page(store, a_visit(), now=NOW)

    assert [each.id for each in page.to_pay] == ["-40", "-1", "0", "14"]


def test_what_is_planned_for_no_day_comes_last(store: Store) -> None:
    days = {"far": TODAY + 90 * DAY, "late": TODAY - DAY, "someday": None, "tomorrow": TODAY + 2 * DAY}
    store.intake.save([a_delivery(id=DeliveryId(name), scheduled_on=day) for name, day in days.items()])

    page = read_first_page(store, a_visit(), now=NOW)

    assert [each.delivery.id for each in page.to_come or ()] == ["late", "tomorrow", "far", "someday"]


@pytest.mark.parametrize(
    "permission, hidden",
    [
        (Permission.VIEW_QUOTES, {"to_answer", "quotes"}),
        (Permission.ACCEPT_QUOTES, {"to_answer"}),
        (Permission.VIEW_ORDERS, {"orders"}),
        (Permission.VIEW_INVOICES, {"to_pay", "invoices", "balances"}),
        (Permission.VIEW_DELIVERIES, {"to_come"}),
        (Permission.SUBMIT_FEEDBACK, set()),
    ],
)
def test_what_a_permission_withholds_is_not_on_the_first_page(
    store: Store, permission: Permission, hidden: set[str]
) -> None:
    fill(store)
    store.intake.save([an_invoice(due_on=TODAY)])

    page = read_first_page(store, a_visit(permission), now=NOW)

    assert {part.value for part in PagePart if not getattr(page, part.value)} == hidden


def test_the_first_page_of_a_link_to_single_documents_leads_nowhere_else(store: Store) -> None:
    fill(store)
    store.intake.save([an_invoice(id=InvoiceId("due"), due_on=TODAY, order_id=OrderId("o1"))])
    documents = only((DocumentType.ORDER, "o2"), (DocumentType.INVOICE, "due"), (DocumentType.DELIVERY, "d2"))

    page = read_first_page(store, a_visit(documents=documents), now=NOW)

    assert (page.balances, page.quotes, page.to_answer) == (None, (), ())
    assert [(each.id, each.quote_id) for each in page.orders or ()] == [("o2", None)]
    assert [(each.id, each.order_id) for each in (*page.to_pay, *(page.invoices or ()))] == [("due", None)] * 2
    assert [(each.delivery.id, each.order_number) for each in page.to_come or ()] == [("d2", None)]


def test_the_first_page_needs_a_living_link(store: Store) -> None:
    with pytest.raises(DeadLink):
        read_first_page(store, a_visit(expires_at=NOW), now=NOW)
