"""Drafts that were shown before are marked: what their revision offers can no longer change."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_QUOTES = sa.table(
    "portal_quotes",
    sa.column("company_id"),
    sa.column("id"),
    sa.column("state"),
    sa.column("revision"),
    sa.column("withdrawn", sa.Boolean),
)
_DECISIONS = sa.table("portal_decisions", sa.column("company_id"), sa.column("quote_id"), sa.column("revision"))


def upgrade() -> None:
    op.add_column("portal_quotes", sa.Column("withdrawn", sa.Boolean, nullable=False, server_default=sa.false()))
    decided = sa.exists().where(
        _DECISIONS.c.company_id == _QUOTES.c.company_id,
        _DECISIONS.c.quote_id == _QUOTES.c.id,
        _DECISIONS.c.revision == _QUOTES.c.revision,
    )
    op.execute(_QUOTES.update().where(_QUOTES.c.state == "draft", decided).values(withdrawn=sa.true()))


def downgrade() -> None:
    op.drop_column("portal_quotes", "withdrawn")
