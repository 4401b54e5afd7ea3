"""opens and clicks: who may count them, which mass mails do, where counted links lead, and what was counted"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def of_broadcast(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_broadcast_id_broadcast")
    return sa.ForeignKeyConstraint(["broadcast_id"], ["broadcast.id"], name=name, ondelete="CASCADE")


def upgrade() -> None:
    # On SQLite columns are only added: a table that is made anew loses its triggers.
    op.add_column("consent_settings", sa.Column("may_count", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ("counts_clicks", "counts_opens"):
        op.add_column("broadcast", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "link_target",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(12), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        of_broadcast("link_target"),
        sa.PrimaryKeyConstraint("broadcast_id", "mark", name=op.f("pk_link_target")),
        sa.UniqueConstraint("broadcast_id", "number", name=op.f("uq_link_target_broadcast_id_number")),
    )
    op.create_table(
        "mail_use",
        sa.Column("delivery_id", BIG, autoincrement=False, nullable=False),
        sa.Column("link", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("by_machine", sa.Integer(), nullable=False),
        sa.Column("first_at", INSTANT, nullable=False),
        sa.Column("last_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "link", name=op.f("pk_mail_use")),
    )
    op.create_index("ix_mail_use_first", "mail_use", ["first_at", "delivery_id"])
    op.create_table(
        "use_sum",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("link", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("readers", sa.Integer(), nullable=False),
        sa.Column("machines", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        of_broadcast("use_sum"),
        sa.PrimaryKeyConstraint("broadcast_id", "link", name=op.f("pk_use_sum")),
    )


def downgrade() -> None:
    for table in ("use_sum", "mail_use", "link_target"):
        op.drop_table(table)
    for name in ("counts_opens", "counts_clicks"):
        op.drop_column("broadcast", name)
    op.drop_column("consent_settings", "may_count")
