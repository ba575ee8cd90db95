"""The tables. `company_id` leads every key and index, but where a link is looked up by its token's digest alone.

What a document is made of (lines, instalments, adjustments) is JSON within its row; what is asked for by itself
has columns. Columns and tables said to be derived are kept up to date by the intake.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, LargeBinary, MetaData, Table, UniqueConstraint, false

from portal_adapters.sqlalchemy.append_only import make_append_only
from portal_adapters.sqlalchemy.columns import (
    Moment,
    code,
    currency_code,
    id_of,
    key,
    maybe_text,
    minor_units,
    number,
    sorted_text_type,
    text,
)

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})


def _checksum() -> Column[str]:
    """Return the checksum of the record that a row came of, empty as soon as what that said may not hold any more."""
    return maybe_text("checksum")


companies = Table(
    "portal_companies",
    metadata,
    key("company_id"),
    text("name"),
    text("timezone"),
    currency_code(),
    maybe_text("locale"),
    maybe_text("email"),
    maybe_text("phone"),
    maybe_text("website"),
    maybe_text("address"),
    maybe_text("payment_instructions"),
    maybe_text("accent_colour"),
    maybe_text("footer"),
    Column("logo", LargeBinary),
    _checksum(),
)

clients = Table(
    "portal_clients",
    metadata,
    key("company_id"),
    key("id"),
    text("name"),
    maybe_text("email"),
    maybe_text("locale"),
    _checksum(),
)

quotes = Table(
    "portal_quotes",
    metadata,
    key("company_id"),
    key("id"),
    id_of("client_id"),
    number(),
    code("state"),
    Column("revision", Integer, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("valid_until", Date),
    currency_code(),
    minor_units("subtotal"),
    minor_units("tax"),
    minor_units("total"),
    id_of("order_id", nullable=True),
    # Derived: the digest of what a client agrees to.
    Column("document_sha256", LargeBinary(32), nullable=False),
    maybe_text("notes"),
    maybe_text("terms"),
    text("lines"),
    Column("withdrawn", Boolean, nullable=False, server_default=false()),
    _checksum(),
)

orders = Table(
    "portal_orders",
    metadata,
    key("company_id"),
    key("id"),
    id_of("client_id"),
    number(),
    code("state"),
    Column("ordered_on", Date, nullable=False),
    maybe_text("client_reference"),
    code("delivery_status"),
    currency_code(),
    minor_units("subtotal"),
    minor_units("tax"),
    minor_units("total"),
    id_of("quote_id", nullable=True),
    text("lines"),
    _checksum(),
)

deliveries = Table(
    "portal_deliveries",
    metadata,
    key("company_id"),
    key("id"),
    id_of("client_id"),
    number(),
    code("state"),
    id_of("order_id", nullable=True),
    maybe_text("carrier_name"),
    maybe_text("tracking_number"),
    maybe_text("tracking_url"),
    Column("scheduled_on", Date),
    Column("shipped_at", Moment),
    Column("delivered_at", Moment),
    id_of("backorder_of", nullable=True),
    text("lines"),
    _checksum(),
)

invoices = Table(
    "portal_invoices",
    metadata,
    key("company_id"),
    key("id"),
    id_of("client_id"),
    number(),
    code("kind"),
    code("state"),
    code("stated_payment_state", nullable=True),
    Column("issued_on", Date, nullable=False),
    Column("due_on", Date),
    currency_code(),
    minor_units("subtotal"),
    minor_units("tax"),
    minor_units("total"),
    # Derived; nothing until a new document is settled for the first time.
    minor_units("amount_due", nullable=True),
    code("payment_state", nullable=True),
    Column("oldest_due_on", Date),
    id_of("order_id", nullable=True),
    maybe_text("reference"),
    maybe_text("payment_url"),
    maybe_text("payment_instructions"),
    text("instalments"),
    text("adjustments"),
    text("lines"),
    _checksum(),
)

payments = Table(
    "portal_payments",
    metadata,
    key("company_id"),
    key("id"),
    id_of("client_id"),
    number(),
    code("kind"),
    code("state"),
    Column("received_on", Date, nullable=False),
    currency_code(),
    minor_units("amount"),
    # Derived; nothing until a new payment is settled for the first time.
    minor_units("unallocated", nullable=True),
    maybe_text("method"),
    maybe_text("reference"),
    _checksum(),
)

# What payments and credit notes give to invoices; `source_type` is the record's, so a credit note's is `invoice`.
allocations = Table(
    "portal_allocations",
    metadata,
    key("company_id"),
    Column("source_type", code("").type, primary_key=True),
    key("source_id"),
    Column("position", Integer, primary_key=True),
    id_of("client_id"),
    id_of("invoice_id"),
    minor_units("amount"),
    currency_code(),
    minor_units("used_amount", nullable=True),
    Column("used_currency", currency_code().type),
    Column("allocated_on", Date),
    # Derived: whether it counts, or is void because of what one of its documents is.
    Column("counts", Boolean, nullable=False),
)

# Derived: what is open, added up by the day it is due (in ISO form, empty for a credit). `parts` counts the
# documents that add to it, so that a currency in which everything is settled is still known.
open_amounts = Table(
    "portal_open_amounts",
    metadata,
    key("company_id"),
    key("client_id"),
    currency_code(primary_key=True),
    Column("due", code("").type, primary_key=True),
    minor_units("amount"),
    Column("parts", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Derived: a client's account, in the order of a statement.
movements = Table(
    "portal_movements",
    metadata,
    key("company_id"),
    key("client_id"),
    currency_code(primary_key=True),
    Column("moved_on", Date, primary_key=True),
    Column("type", sorted_text_type(), primary_key=True),
    key("id"),
    Column("sequence", Integer, primary_key=True),
    text("number"),
    minor_units("amount"),
    sqlite_with_rowid=False,
)

# Derived: how many documents of a type a client can see.
document_counts = Table(
    "portal_document_counts",
    metadata,
    key("company_id"),
    key("client_id"),
    Column("type", code("").type, primary_key=True),
    Column("documents", Integer, nullable=False),
    sqlite_with_rowid=False,
)

grants = Table(
    "portal_grants",
    metadata,
    key("company_id"),
    key("id"),
    id_of("client_id"),
    maybe_text("label"),
    text("permissions"),
    maybe_text("documents"),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("revoked_at", Moment),
    Column("last_used_at", Moment),
    Column("version", Integer, nullable=False),
    text("secrets"),
)

# Which grant a token's digest opens: the one look-up that knows no company yet.
digests = Table(
    "portal_digests",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    id_of("company_id"),
    id_of("grant_id"),
    sqlite_with_rowid=False,
)

# Documents as they were attached, as PDF; `type` is the document's.
files = Table(
    "portal_files",
    metadata,
    key("company_id"),
    Column("type", code("").type, primary_key=True),
    key("id"),
    id_of("client_id"),
    text("sha256"),
    Column("attached_at", Moment, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

decisions = Table(
    "portal_decisions",
    metadata,
    key("company_id"),
    key("id"),
    id_of("client_id"),
    id_of("quote_id"),
    text("quote_number"),
    Column("revision", Integer, nullable=False),
    code("answer"),
    Column("decided_at", Moment, nullable=False),
    text("evidence"),
    text("document"),
    text("document_sha256"),
    maybe_text("consent_sha256"),
    UniqueConstraint("company_id", "quote_id", "revision", name="portal_one_decision_per_revision"),
)

tickets = Table(
    "portal_tickets",
    metadata,
    key("company_id"),
    key("id"),
    id_of("client_id"),
    text("subject"),
    text("message"),
    code("category"),
    Column("rating", Integer),
    # "type:id" of the document that it is about.
    maybe_text("document"),
    code("state"),
    Column("created_at", Moment, nullable=False),
    Column("reply_count", Integer, nullable=False),
)

replies = Table(
    "portal_replies",
    metadata,
    key("company_id"),
    key("ticket_id"),
    Column("position", Integer, primary_key=True),
    code("by"),
    text("message"),
    Column("created_at", Moment, nullable=False),
)

# `position` counts a company's events in the order of their commits, without gaps.
events = Table(
    "portal_events",
    metadata,
    key("company_id"),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    id_of("id"),
    id_of("client_id"),
    code("type"),
    Column("occurred_at", Moment, nullable=False),
    text("data"),
    UniqueConstraint("company_id", "id", name="portal_event_by_id"),
)

audit = Table(
    "portal_audit",
    metadata,
    key("company_id"),
    key("id"),
    id_of("client_id", nullable=True),
    code("action"),
    code("actor_type"),
    text("actor"),
    maybe_text("token_hint"),
    maybe_text("ip"),
    maybe_text("user_agent"),
    code("target_type"),
    id_of("target_id"),
    Column("created_at", Moment, nullable=False),
    text("details"),
)
make_append_only(audit)

answers = Table(
    "portal_answers",
    metadata,
    key("company_id"),
    Column("asker", sorted_text_type(), primary_key=True),
    Column("route", sorted_text_type(), primary_key=True),
    Column("key", sorted_text_type(), primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("answered_at", Moment, nullable=False),
)

# `events` is a JSON list of types, null for every type; `secrets` are in clear, since messages are signed with them.
webhooks = Table(
    "portal_webhooks",
    metadata,
    key("company_id"),
    key("id"),
    text("url"),
    maybe_text("events"),
    maybe_text("description"),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    maybe_text("disabled_because"),
    text("secrets"),
    Column("version", Integer, nullable=False),
)

dispatches = Table(
    "portal_dispatches",
    metadata,
    key("company_id"),
    key("id"),
    code("channel"),
    text("target"),
    id_of("message_id"),
    code("type"),
    text("payload"),
    code("state"),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("attempted_at", Moment),
    Column("status", Integer),
    maybe_text("problem"),
    Column("version", Integer, nullable=False),
)

# How far a company's events have become dispatches.
taken_events = Table(
    "portal_taken_events",
    metadata,
    key("company_id"),
    Column("position", BigInteger, nullable=False),
)
