"""what was found about domains that mails come from, how mails leave, and our keys that sign for them"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "domain_check",
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("selectors", sa.JSON(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_domain_check")),
    )
    op.create_table(
        "mail_route",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("leaves_from", sa.JSON(), nullable=False),
        sa.Column("spf_include", sa.String(253), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_mail_route_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_route")),
    )
    op.create_table(
        "dkim_key",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("domain", sa.String(253), nullable=False),
        sa.Column("selector", sa.String(63), nullable=False),
        sa.Column("algorithm", sa.String(20), nullable=False),
        sa.Column("private", sa.Text(), nullable=True),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signs_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signs_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "algorithm = 'rsa-sha256' OR algorithm = 'ed25519-sha256'", name=op.f("ck_dkim_key_algorithm")
        ),
        sa.CheckConstraint("private IS NOT NULL OR retired_at IS NOT NULL", name=op.f("ck_dkim_key_private")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dkim_key")),
        sa.UniqueConstraint("domain", "selector", name=op.f("uq_dkim_key_domain_selector")),
    )
    op.create_index("ix_dkim_key_domain_retired_at", "dkim_key", ["domain", "retired_at"])


def downgrade() -> None:
    op.drop_table("dkim_key")
    op.drop_table("mail_route")
    op.drop_table("domain_check")
