"""warnings that were weighed, which text a text part was written for, as whom a test was made, and who works on a draft"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def of(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}_{other}"), ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "preflight_tick",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=False),
        sa.Column("user_email", sa.String(320), nullable=False),
        sa.Column("ticked_at", INSTANT, nullable=False),
        of("preflight_tick", "broadcast_id", "broadcast"),
        sa.PrimaryKeyConstraint("broadcast_id", "fingerprint", name=op.f("pk_preflight_tick")),
    )
    op.create_table(
        "step_save",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("language", sa.String(20), nullable=False),
        sa.Column("user_email", sa.String(320), nullable=False),
        sa.Column("user_name", sa.String(200), nullable=False),
        sa.Column("digest", sa.String(16), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        of("step_save", "broadcast_id", "broadcast"),
        sa.PrimaryKeyConstraint("broadcast_id", "step", "language", name=op.f("pk_step_save")),
    )
    op.create_table(
        "draft_visit",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        of("draft_visit", "broadcast_id", "broadcast"),
        of("draft_visit", "user_id", "user_account"),
        sa.PrimaryKeyConstraint("broadcast_id", "user_id", name=op.f("pk_draft_visit")),
    )
    with op.batch_alter_table("content") as content:
        content.add_column(sa.Column("text_for", sa.String(16), nullable=True))
    with op.batch_alter_table("test_send") as test_send:
        test_send.add_column(sa.Column("variant", sa.String(60), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("test_send") as test_send:
        test_send.drop_column("variant")
    with op.batch_alter_table("content") as content:
        content.drop_column("text_for")
    op.drop_table("draft_visit")
    op.drop_table("step_save")
    op.drop_table("preflight_tick")
