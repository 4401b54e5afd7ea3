"""limits above all broadcasts"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sending_limits",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("per_second", sa.Integer(), nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.Column("connections", sa.Integer(), nullable=False),
        sa.Column("retry_minutes", sa.JSON(), nullable=False),
        sa.Column("retry_spread", sa.Integer(), nullable=False),
        sa.Column("give_up_hours", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "id = 1 AND per_second >= 0 AND per_day >= 0 AND connections >= 0", name=op.f("ck_sending_limits_sane")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sending_limits")),
    )
    with op.batch_alter_table("sender", schema=None) as batch_op:
        batch_op.add_column(sa.Column("connections", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("sender", schema=None) as batch_op:
        batch_op.alter_column("connections", server_default=None)
    with op.batch_alter_table("pace_use", schema=None) as batch_op:
        batch_op.drop_constraint("fk_pace_use_broadcast_id_broadcast", type_="foreignkey")
    with op.batch_alter_table("minute_count", schema=None) as batch_op:
        batch_op.create_index("ix_minute_count_minute", ["minute"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("minute_count", schema=None) as batch_op:
        batch_op.drop_index("ix_minute_count_minute")
    op.execute("DELETE FROM pace_use WHERE broadcast_id = 0")
    with op.batch_alter_table("pace_use", schema=None) as batch_op:
        batch_op.create_foreign_key(
            "fk_pace_use_broadcast_id_broadcast", "broadcast", ["broadcast_id"], ["id"], ondelete="CASCADE"
        )
    with op.batch_alter_table("sender", schema=None) as batch_op:
        batch_op.drop_column("connections")
    op.drop_table("sending_limits")
