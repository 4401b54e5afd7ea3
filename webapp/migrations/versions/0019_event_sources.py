"""relays that report to us, and what they reported lately"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PROVIDERS = ("ses", "mailgun", "postmark", "sendgrid", "brevo")
KINDS = (
    *("bounced", "soft_bounced", "delayed", "complained", "unsubscribed"),
    *("delivered", "challenged", "answered", "other"),
)
BECAME = ("recorded", "no_mail", "ignored")


def one_of(table: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    text = " OR ".join(f"{column} = '{value}'" for value in values)
    return sa.CheckConstraint(text, name=op.f(f"ck_{table}_{column}"))


def upgrade() -> None:
    op.create_table(
        "event_source",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False),
        sa.Column("secret_hash", sa.String(64), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("old_secret_hash", sa.String(64), nullable=True),
        sa.Column("old_key", sa.Text(), nullable=True),
        sa.Column("old_until", INSTANT, nullable=True),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("adds_header", sa.Boolean(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=True),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("repeats", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("refused_at", INSTANT, nullable=True),
        sa.Column("refused_why", sa.String(200), nullable=False),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.Column("ended_at", INSTANT, nullable=True),
        one_of("event_source", "provider", PROVIDERS),
        sa.CheckConstraint("(old_secret_hash IS NULL) = (old_until IS NULL)", name=op.f("ck_event_source_old")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_source")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_event_source_secret_hash")),
        sa.UniqueConstraint("old_secret_hash", name=op.f("uq_event_source_old_secret_hash")),
    )
    op.create_table(
        "received_event",
        sa.Column("id", BIG, nullable=False),
        sa.Column("source_id", sa.Integer(), nullable=False),
        sa.Column("event_key", sa.String(200), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("became", sa.String(20), nullable=False),
        sa.Column("words", sa.String(500), nullable=False),
        sa.Column("delivery_id", BIG, nullable=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        one_of("received_event", "kind", KINDS),
        one_of("received_event", "became", BECAME),
        sa.ForeignKeyConstraint(
            ["source_id"],
            ["event_source.id"],
            name=op.f("fk_received_event_source_id_event_source"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_received_event")),
        sa.UniqueConstraint("source_id", "event_key", name=op.f("uq_received_event_source_id_event_key")),
    )
    op.create_index("ix_received_event_received_at", "received_event", ["received_at"])


def downgrade() -> None:
    op.drop_table("received_event")
    op.drop_table("event_source")
