"""Webhooks, what is on its way to them and to others, and how far events have been taken."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")
_MOMENT = sa.BigInteger()


def upgrade() -> None:
    _create_webhooks()
    _create_dispatches()
    _create_taken_events()


def downgrade() -> None:
    for table in ("portal_taken_events", "portal_dispatches", "portal_webhooks"):
        op.drop_table(table)


def _create_webhooks() -> None:
    op.create_table(
        "portal_webhooks",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text()),
        sa.Column("description", sa.Text()),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("disabled_at", _MOMENT),
        sa.Column("disabled_because", sa.Text()),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_webhooks"),
    )
    op.create_index("portal_webhooks_by_age", "portal_webhooks", ["company_id", "created_at", "id"])


def _create_dispatches() -> None:
    op.create_table(
        "portal_dispatches",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("message_id", _ID, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("attempted_at", _MOMENT),
        sa.Column("status", sa.Integer()),
        sa.Column("problem", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_dispatches"),
    )
    op.create_index("portal_dispatches_by_age", "portal_dispatches", ["company_id", "created_at", "id"])
    op.create_index(
        "portal_dispatches_due",
        "portal_dispatches",
        ["due_at", "id"],
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(
        "portal_dispatches_to_a_target",
        "portal_dispatches",
        ["company_id", "channel", "target", "created_at", "id"],
    )


def _create_taken_events() -> None:
    op.create_table(
        "portal_taken_events",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", name="pk_portal_taken_events"),
    )
