"""Everything that the portal keeps: facts, what is derived from them, links, and what happened."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_SORTED_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_MOMENT = sa.BigInteger()


def upgrade() -> None:
    _create_companies()
    _create_clients()
    _create_quotes()
    _create_orders()
    _create_deliveries()
    _create_invoices()
    _create_payments()
    _create_allocations()
    _create_open_amounts()
    _create_movements()
    _create_document_counts()
    _create_grants()
    _create_digests()
    _create_decisions()
    _create_tickets()
    _create_replies()
    _create_events()
    _create_answers()


def downgrade() -> None:
    for table in _TABLES:
        op.drop_table(table)


_TABLES = (
    "portal_answers",
    "portal_events",
    "portal_replies",
    "portal_tickets",
    "portal_decisions",
    "portal_digests",
    "portal_grants",
    "portal_document_counts",
    "portal_movements",
    "portal_open_amounts",
    "portal_allocations",
    "portal_payments",
    "portal_invoices",
    "portal_deliveries",
    "portal_orders",
    "portal_quotes",
    "portal_clients",
    "portal_companies",
)


def _create_companies() -> None:
    op.create_table(
        "portal_companies",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("locale", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("website", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("payment_instructions", sa.Text()),
        sa.Column("accent_colour", sa.Text()),
        sa.Column("footer", sa.Text()),
        sa.Column("logo", sa.LargeBinary()),
        sa.Column("checksum", sa.Text()),
        sa.PrimaryKeyConstraint("company_id", name="pk_portal_companies"),
    )


def _create_clients() -> None:
    op.create_table(
        "portal_clients",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("locale", sa.Text()),
        sa.Column("checksum", sa.Text()),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_clients"),
    )


def _create_quotes() -> None:
    op.create_table(
        "portal_quotes",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("number", _SORTED_TEXT, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date()),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("order_id", _ID),
        sa.Column("document_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("notes", sa.Text()),
        sa.Column("terms", sa.Text()),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text()),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_quotes"),
    )
    op.create_index("portal_quotes_by_day", "portal_quotes", ["company_id", "client_id", "issued_on", "id"])
    op.create_index("portal_quotes_by_number", "portal_quotes", ["company_id", "client_id", "number", "id"])
    op.create_index(
        "portal_quotes_of_a_state", "portal_quotes", ["company_id", "client_id", "state", "issued_on", "id"]
    )
    op.create_index(
        "portal_quotes_of_an_order",
        "portal_quotes",
        ["company_id", "order_id"],
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )


def _create_orders() -> None:
    op.create_table(
        "portal_orders",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("number", _SORTED_TEXT, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("client_reference", sa.Text()),
        sa.Column("delivery_status", sa.String(length=32), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("quote_id", _ID),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text()),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_orders"),
    )
    op.create_index("portal_orders_by_day", "portal_orders", ["company_id", "client_id", "ordered_on", "id"])
    op.create_index("portal_orders_by_number", "portal_orders", ["company_id", "client_id", "number", "id"])
    op.create_index(
        "portal_orders_of_a_quote",
        "portal_orders",
        ["company_id", "quote_id"],
        sqlite_where=sa.text("quote_id IS NOT NULL"),
        postgresql_where=sa.text("quote_id IS NOT NULL"),
    )
    op.create_index(
        "portal_orders_of_a_state", "portal_orders", ["company_id", "client_id", "state", "ordered_on", "id"]
    )


def _create_deliveries() -> None:
    op.create_table(
        "portal_deliveries",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("number", _SORTED_TEXT, nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("order_id", _ID),
        sa.Column("carrier_name", sa.Text()),
        sa.Column("tracking_number", sa.Text()),
        sa.Column("tracking_url", sa.Text()),
        sa.Column("scheduled_on", sa.Date()),
        sa.Column("shipped_at", _MOMENT),
        sa.Column("delivered_at", _MOMENT),
        sa.Column("backorder_of", _ID),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text()),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_deliveries"),
    )
    op.create_index(
        "portal_backorders_of_a_delivery",
        "portal_deliveries",
        ["company_id", "backorder_of"],
        sqlite_where=sa.text("backorder_of IS NOT NULL"),
        postgresql_where=sa.text("backorder_of IS NOT NULL"),
    )
    op.create_index("portal_deliveries_by_day", "portal_deliveries", ["company_id", "client_id", "scheduled_on", "id"])
    op.create_index("portal_deliveries_by_number", "portal_deliveries", ["company_id", "client_id", "number", "id"])
    op.create_index(
        "portal_deliveries_of_a_state", "portal_deliveries", ["company_id", "client_id", "state", "scheduled_on", "id"]
    )
    op.create_index(
        "portal_deliveries_of_an_order",
        "portal_deliveries",
        ["company_id", "order_id", "client_id"],
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )


def _create_invoices() -> None:
    op.create_table(
        "portal_invoices",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("number", _SORTED_TEXT, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("stated_payment_state", sa.String(length=32)),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("subtotal", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("amount_due", sa.BigInteger()),
        sa.Column("payment_state", sa.String(length=32)),
        sa.Column("oldest_due_on", sa.Date()),
        sa.Column("order_id", _ID),
        sa.Column("reference", sa.Text()),
        sa.Column("payment_url", sa.Text()),
        sa.Column("payment_instructions", sa.Text()),
        sa.Column("instalments", sa.Text(), nullable=False),
        sa.Column("adjustments", sa.Text(), nullable=False),
        sa.Column("lines", sa.Text(), nullable=False),
        sa.Column("checksum", sa.Text()),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_invoices"),
    )
    op.create_index("portal_invoices_by_day", "portal_invoices", ["company_id", "client_id", "issued_on", "id"])
    op.create_index("portal_invoices_by_due_day", "portal_invoices", ["company_id", "client_id", "due_on", "id"])
    op.create_index("portal_invoices_by_number", "portal_invoices", ["company_id", "client_id", "number", "id"])
    op.create_index(
        "portal_invoices_of_a_payment_state",
        "portal_invoices",
        ["company_id", "client_id", "payment_state", "issued_on", "id"],
    )
    op.create_index(
        "portal_invoices_of_an_order",
        "portal_invoices",
        ["company_id", "order_id", "client_id"],
        sqlite_where=sa.text("order_id IS NOT NULL"),
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        "portal_overdue_invoices",
        "portal_invoices",
        ["company_id", "client_id", "oldest_due_on"],
        sqlite_where=sa.text("oldest_due_on IS NOT NULL"),
        postgresql_where=sa.text("oldest_due_on IS NOT NULL"),
    )


def _create_payments() -> None:
    op.create_table(
        "portal_payments",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("number", _SORTED_TEXT, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("unallocated", sa.BigInteger()),
        sa.Column("method", sa.Text()),
        sa.Column("reference", sa.Text()),
        sa.Column("checksum", sa.Text()),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_payments"),
    )
    op.create_index("portal_payments_by_day", "portal_payments", ["company_id", "client_id", "received_on", "id"])
    op.create_index("portal_payments_by_number", "portal_payments", ["company_id", "client_id", "number", "id"])


def _create_allocations() -> None:
    op.create_table(
        "portal_allocations",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("source_type", sa.String(length=32), nullable=False),
        sa.Column("source_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("invoice_id", _ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("used_amount", sa.BigInteger()),
        sa.Column("used_currency", sa.String(length=3)),
        sa.Column("allocated_on", sa.Date()),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "source_type", "source_id", "position", name="pk_portal_allocations"),
    )
    op.create_index("portal_what_settled_an_invoice", "portal_allocations", ["company_id", "invoice_id"])


def _create_open_amounts() -> None:
    op.create_table(
        "portal_open_amounts",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("due", sa.String(length=32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "client_id", "currency", "due", name="pk_portal_open_amounts"),
        sqlite_with_rowid=False,
    )


def _create_movements() -> None:
    op.create_table(
        "portal_movements",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("moved_on", sa.Date(), nullable=False),
        sa.Column("type", _SORTED_TEXT, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "company_id", "client_id", "currency", "moved_on", "type", "id", "sequence", name="pk_portal_movements"
        ),
        sqlite_with_rowid=False,
    )


def _create_document_counts() -> None:
    op.create_table(
        "portal_document_counts",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "client_id", "type", name="pk_portal_document_counts"),
        sqlite_with_rowid=False,
    )


def _create_grants() -> None:
    op.create_table(
        "portal_grants",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("label", sa.Text()),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("documents", sa.Text()),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=False),
        sa.Column("revoked_at", _MOMENT),
        sa.Column("last_used_at", _MOMENT),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_grants"),
    )
    op.create_index("portal_grants_by_age", "portal_grants", ["company_id", "created_at", "id"])
    op.create_index("portal_grants_of_a_client", "portal_grants", ["company_id", "client_id", "created_at", "id"])


def _create_digests() -> None:
    op.create_table(
        "portal_digests",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("grant_id", _ID, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_portal_digests"),
        sqlite_with_rowid=False,
    )


def _create_decisions() -> None:
    op.create_table(
        "portal_decisions",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("quote_id", _ID, nullable=False),
        sa.Column("quote_number", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(length=32), nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.Text(), nullable=False),
        sa.Column("consent_sha256", sa.Text()),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_decisions"),
        sa.UniqueConstraint("company_id", "quote_id", "revision", name="portal_one_decision_per_revision"),
    )
    op.create_index("portal_decisions_by_age", "portal_decisions", ["company_id", "decided_at", "id"])
    op.create_index("portal_decisions_of_a_client", "portal_decisions", ["company_id", "client_id", "decided_at", "id"])


def _create_tickets() -> None:
    op.create_table(
        "portal_tickets",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("rating", sa.Integer()),
        sa.Column("document", sa.Text()),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("reply_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_tickets"),
    )
    op.create_index(
        "portal_tickets_about_a_document",
        "portal_tickets",
        ["company_id", "document"],
        sqlite_where=sa.text("document IS NOT NULL"),
        postgresql_where=sa.text("document IS NOT NULL"),
    )
    op.create_index("portal_tickets_by_age", "portal_tickets", ["company_id", "created_at", "id"])
    op.create_index("portal_tickets_of_a_client", "portal_tickets", ["company_id", "client_id", "created_at", "id"])
    op.create_index("portal_tickets_of_a_state", "portal_tickets", ["company_id", "state", "created_at", "id"])


def _create_replies() -> None:
    op.create_table(
        "portal_replies",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("ticket_id", _ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("by", sa.String(length=32), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("company_id", "ticket_id", "position", name="pk_portal_replies"),
    )


def _create_events() -> None:
    op.create_table(
        "portal_events",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", _ID, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("occurred_at", _MOMENT, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "position", name="pk_portal_events"),
        sa.UniqueConstraint("company_id", "id", name="portal_event_by_id"),
    )


def _create_answers() -> None:
    op.create_table(
        "portal_answers",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("asker", _SORTED_TEXT, nullable=False),
        sa.Column("route", _SORTED_TEXT, nullable=False),
        sa.Column("key", _SORTED_TEXT, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("company_id", "asker", "route", "key", name="pk_portal_answers"),
    )
