"""The audit log, which only grows."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.String(128).with_variant(sa.String(128, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "portal_audit",
        sa.Column("company_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("client_id", _ID),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("actor_type", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("token_hint", sa.Text()),
        sa.Column("ip", sa.Text()),
        sa.Column("user_agent", sa.Text()),
        sa.Column("target_type", sa.String(length=32), nullable=False),
        sa.Column("target_id", _ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "id", name="pk_portal_audit"),
    )
    op.create_index("portal_audit_by_age", "portal_audit", ["company_id", "created_at", "id"])
    op.create_index("portal_audit_of_a_client", "portal_audit", ["company_id", "client_id", "created_at", "id"])
    op.create_index("portal_audit_of_an_actor", "portal_audit", ["company_id", "actor", "created_at", "id"])
    op.create_index("portal_audit_of_a_target", "portal_audit", ["company_id", "target_id", "created_at", "id"])
    for statement in _TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    op.drop_table("portal_audit")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION portal_audit_refuses()")


_TRIGGERS = {
    "sqlite": (
        (
            "CREATE TRIGGER portal_audit_never_changes BEFORE UPDATE ON portal_audit "
            "BEGIN SELECT RAISE(ABORT, 'portal_audit is append-only'); END"
        ),
        (
            "CREATE TRIGGER portal_audit_never_shrinks BEFORE DELETE ON portal_audit "
            "BEGIN SELECT RAISE(ABORT, 'portal_audit is append-only'); END"
        ),
    ),
    "postgresql": (
        (
            "CREATE FUNCTION portal_audit_refuses() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION 'portal_audit is append-only'; END$$"
        ),
        (
            "CREATE TRIGGER portal_audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON portal_audit "
            "FOR EACH STATEMENT EXECUTE FUNCTION portal_audit_refuses()"
        ),
    ),
}
