"""limits by the recipient's domain"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "domain_limit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("domains", sa.JSON(), nullable=False),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("interval_s", sa.Integer(), nullable=False),
        sa.Column("connections", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "mails >= 0 AND connections >= 0 AND mails + connections > 0 AND interval_s > 0",
            name=op.f("ck_domain_limit_sane"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domain_limit")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "receiver_share",
        sa.Column("receiver_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "sender_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("connections", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("receiver_id", "sender_id", name=op.f("pk_receiver_share")),
    )


def downgrade() -> None:
    # Rows that stand in a line are due at once where there are no lines.
    op.execute("UPDATE delivery SET due_at = changed_at WHERE due_at >= '9000-01-01 00:00:00'")
    op.execute("DELETE FROM pace_use WHERE broadcast_id < 0")
    op.drop_table("receiver_share")
    op.drop_table("domain_limit")
