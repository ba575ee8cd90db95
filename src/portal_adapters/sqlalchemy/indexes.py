"""The indexes, each named after the question that it answers."""

from sqlalchemy import Index, Table

from portal_adapters.sqlalchemy.documents import constant
from portal_adapters.sqlalchemy.schema import (
    allocations,
    audit,
    decisions,
    deliveries,
    dispatches,
    grants,
    invoices,
    metadata,
    orders,
    payments,
    quotes,
    tickets,
    webhooks,
)

__all__ = ["metadata"]


def _index(question: str, table: Table, *columns: str) -> Index:
    return Index(f"portal_{question}", *(table.c[name] for name in ("company_id", *columns)))


def _where_there_is(wanted: str, question: str, table: Table, *columns: str) -> Index:
    """Return an index of the few rows that have a value in the column that is wanted."""
    there = table.c[wanted].is_not(None)
    indexed = (table.c[name] for name in ("company_id", *columns))
    return Index(f"portal_{question}", *indexed, sqlite_where=there, postgresql_where=there)


# The lists, newest first or by number; of one state, too, where states are rare.
_index("quotes_by_day", quotes, "client_id", "issued_on", "id")
_index("quotes_by_number", quotes, "client_id", "number", "id")
_index("quotes_of_a_state", quotes, "client_id", "state", "issued_on", "id")
_index("orders_by_day", orders, "client_id", "ordered_on", "id")
_index("orders_by_number", orders, "client_id", "number", "id")
_index("orders_of_a_state", orders, "client_id", "state", "ordered_on", "id")
_index("deliveries_by_day", deliveries, "client_id", "scheduled_on", "id")
_index("deliveries_by_number", deliveries, "client_id", "number", "id")
_index("deliveries_of_a_state", deliveries, "client_id", "state", "scheduled_on", "id")
_index("invoices_by_day", invoices, "client_id", "issued_on", "id")
_index("invoices_by_due_day", invoices, "client_id", "due_on", "id")
_index("invoices_by_number", invoices, "client_id", "number", "id")
_index("invoices_of_a_payment_state", invoices, "client_id", "payment_state", "issued_on", "id")
_index("payments_by_day", payments, "client_id", "received_on", "id")
_index("payments_by_number", payments, "client_id", "number", "id")

# The lists for staff.
_index("grants_by_age", grants, "created_at", "id")
_index("grants_of_a_client", grants, "client_id", "created_at", "id")
_index("decisions_by_age", decisions, "decided_at", "id")
_index("decisions_of_a_client", decisions, "client_id", "decided_at", "id")
_index("webhooks_by_age", webhooks, "created_at", "id")
_index("dispatches_by_age", dispatches, "created_at", "id")
_index("dispatches_to_a_target", dispatches, "channel", "target", "created_at", "id")
_index("tickets_by_age", tickets, "created_at", "id")
_index("tickets_of_a_client", tickets, "client_id", "created_at", "id")
_index("tickets_of_a_state", tickets, "state", "created_at", "id")
_index("audit_by_age", audit, "created_at", "id")
_index("audit_of_a_client", audit, "client_id", "created_at", "id")
_index("audit_of_an_actor", audit, "actor", "created_at", "id")
_index("audit_of_a_target", audit, "target_id", "created_at", "id")

# What belongs to, or came of, another document.
_index("what_settled_an_invoice", allocations, "invoice_id")
_where_there_is("order_id", "deliveries_of_an_order", deliveries, "order_id", "client_id")
_where_there_is("order_id", "invoices_of_an_order", invoices, "order_id", "client_id")
_where_there_is("order_id", "quotes_of_an_order", quotes, "order_id")
_where_there_is("quote_id", "orders_of_a_quote", orders, "quote_id")
_where_there_is("backorder_of", "backorders_of_a_delivery", deliveries, "backorder_of")
_where_there_is("document", "tickets_about_a_document", tickets, "document")
_where_there_is("oldest_due_on", "overdue_invoices", invoices, "client_id", "oldest_due_on")

# What is due, of whichever company: the one question that those who send ask, all the time.
_PENDING = dispatches.c.state == constant("pending")
Index("portal_dispatches_due", dispatches.c.due_at, dispatches.c.id, sqlite_where=_PENDING, postgresql_where=_PENDING)
