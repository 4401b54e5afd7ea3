"""notices: who hears of what, and what of it leaves by mail or webhook"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0008"
branch_labels = None
depends_on = None

KINDS = ("paused_itself", "needs_decision", "missed_start", "waits_for_relay", "no_worker", "finished")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("occasion", sa.String(80), nullable=False),
        sa.Column("broadcast_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("happened_at", INSTANT, nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        _one_of("notice", "kind", KINDS),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_notice_broadcast_id_broadcast"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("kind", "occasion", name=op.f("uq_notice_kind_occasion")),
    )
    op.create_index("ix_notice_broadcast", "notice", ["broadcast_id", "kind"])
    op.create_table(
        "notice_receipt",
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("read_at", INSTANT, nullable=True),
        _of("notice_receipt", "notice"),
        _of("notice_receipt", "user_account", "user_id"),
        sa.PrimaryKeyConstraint("notice_id", "user_id", name=op.f("pk_notice_receipt")),
    )
    op.create_index("ix_notice_receipt_new", "notice_receipt", ["user_id", "read_at", "notice_id"])
    op.create_table(
        "notice_dispatch",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("taken_until", INSTANT, nullable=True),
        sa.Column("tried_at", INSTANT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        _one_of("notice_dispatch", "channel", ("mail", "webhook")),
        _one_of("notice_dispatch", "state", ("waiting", "done", "given_up", "dropped")),
        sa.CheckConstraint("(channel = 'mail') = (user_id IS NOT NULL)", name=op.f("ck_notice_dispatch_receiver")),
        _of("notice_dispatch", "notice"),
        _of("notice_dispatch", "user_account", "user_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_dispatch")),
    )
    op.create_index(op.f("ix_notice_dispatch_notice_id"), "notice_dispatch", ["notice_id"])
    op.create_index("ix_notice_dispatch_due", "notice_dispatch", ["state", "due_at"])
    op.create_table(
        "notice_choice",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("by_mail", sa.Boolean(), nullable=False),
        sa.Column("scope", sa.String(20), nullable=False),
        _one_of("notice_choice", "scope", ("own", "all")),
        _of("notice_choice", "user_account", "user_id"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notice_choice")),
    )
    watch = op.create_table(
        "notice_watch",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("looked_at", INSTANT, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_notice_watch_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_watch")),
    )
    op.create_table(
        "webhook",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("secret", sa.String(100), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("old_secret", sa.String(100), nullable=True),
        sa.Column("old_until", INSTANT, nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_webhook_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook")),
    )
    # What had happened before there were notices is no news: nobody is mailed about the mass mails of past years.
    now = datetime.now(UTC)
    now = now.replace(tzinfo=None) if op.get_bind().dialect.name == "sqlite" else now
    op.bulk_insert(watch, [{"id": 1, "since": now, "looked_at": now}])


def downgrade() -> None:
    for table in ("webhook", "notice_watch", "notice_choice", "notice_dispatch", "notice_receipt", "notice"):
        op.drop_table(table)


def _one_of(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(
        " OR ".join(f"{column} = '{value}'" for value in values), name=op.f(f"ck_{table}_{column}")
    )


def _of(table: str, parent: str, column: str = "notice_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"{parent}.id"], name=op.f(f"fk_{table}_{column}_{parent}"), ondelete="CASCADE"
    )
