"""what was reported of mails after the relay took them"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

KINDS = (
    *("bounced", "soft_bounced", "delayed", "complained", "unsubscribed"),
    *("delivered", "challenged", "answered", "other"),
)
FACTS = ("bounced", "complained", "delivered")
INSTANT = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def one_of(column: str, values: tuple[str, ...]) -> str:
    return " OR ".join(f"{column} = '{value}'" for value in values)


def upgrade() -> None:
    op.create_table(
        "delivery_event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("delivery_id", BIG, nullable=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("fact", sa.String(20), nullable=True),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("event_key", sa.String(200), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("address_key", sa.String(320), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(one_of("kind", KINDS), name=op.f("ck_delivery_event_kind")),
        sa.CheckConstraint(one_of("fact", FACTS), name=op.f("ck_delivery_event_fact")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_event")),
        sa.UniqueConstraint("source", "event_key", name=op.f("uq_delivery_event_source_event_key")),
        sa.UniqueConstraint("fact", "delivery_id", name=op.f("uq_delivery_event_fact_delivery_id")),
    )
    op.create_index("ix_delivery_event_delivery", "delivery_event", ["delivery_id"])
    op.create_index("ix_delivery_event_address", "delivery_event", ["address_key", "kind", "received_at"])
    op.create_index("ix_delivery_event_received", "delivery_event", ["received_at"])
    op.create_table(
        "event_count",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("fact", sa.String(20), nullable=False),
        sa.Column("minute", INSTANT, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.CheckConstraint(one_of("fact", FACTS), name=op.f("ck_event_count_fact")),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_event_count_broadcast_id_broadcast"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "fact", "minute", name=op.f("pk_event_count")),
    )
    op.create_table(
        "brake",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_brake_broadcast_id_broadcast"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("broadcast_id", name=op.f("pk_brake")),
    )
    op.create_table(
        "mailbox_position",
        sa.Column("mailbox", sa.String(400), nullable=False),
        sa.Column("uid_validity", BIG, nullable=False),
        sa.Column("last_uid", BIG, nullable=False),
        sa.Column("read_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("mailbox", name=op.f("pk_mailbox_position")),
    )


def downgrade() -> None:
    for table in ("mailbox_position", "brake", "event_count", "delivery_event"):
        op.drop_table(table)
