"""the relay's health, what it was learned to take, and refusals that the evidence decides"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOVES = {
    "sqlite": "CREATE TRIGGER delivery_moves BEFORE UPDATE OF state ON delivery WHEN NEW.state <> OLD.state AND (NOT ((OLD.state = 'pending' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'suppressed')) OR (OLD.state = 'claimed' AND (NEW.state = 'accepted' OR NEW.state = 'deferred' OR NEW.state = 'failed' OR NEW.state = 'held' OR NEW.state = 'pending' OR NEW.state = 'uncertain')) OR (OLD.state = 'deferred' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'held' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'deferred' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'uncertain' AND (NEW.state = 'accepted' OR NEW.state = 'cancelled' OR NEW.state = 'failed' OR NEW.state = 'pending')) OR (OLD.state = 'failed' AND (NEW.state = 'held' OR NEW.state = 'pending')))) BEGIN SELECT RAISE(ABORT, 'illegal transition of delivery.state'); END",
    "postgresql": "CREATE TRIGGER delivery_moves BEFORE UPDATE OF state ON delivery FOR EACH ROW WHEN (NEW.state <> OLD.state AND (NOT ((OLD.state = 'pending' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'suppressed')) OR (OLD.state = 'claimed' AND (NEW.state = 'accepted' OR NEW.state = 'deferred' OR NEW.state = 'failed' OR NEW.state = 'held' OR NEW.state = 'pending' OR NEW.state = 'uncertain')) OR (OLD.state = 'deferred' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'held' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'deferred' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'uncertain' AND (NEW.state = 'accepted' OR NEW.state = 'cancelled' OR NEW.state = 'failed' OR NEW.state = 'pending')) OR (OLD.state = 'failed' AND (NEW.state = 'held' OR NEW.state = 'pending'))))) EXECUTE FUNCTION delivery_refuse()",
}
MOVES_BEFORE = {
    "sqlite": "CREATE TRIGGER delivery_moves BEFORE UPDATE OF state ON delivery WHEN NEW.state <> OLD.state AND (NOT ((OLD.state = 'pending' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'suppressed')) OR (OLD.state = 'claimed' AND (NEW.state = 'accepted' OR NEW.state = 'deferred' OR NEW.state = 'failed' OR NEW.state = 'held' OR NEW.state = 'pending' OR NEW.state = 'uncertain')) OR (OLD.state = 'deferred' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'held' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'uncertain' AND (NEW.state = 'accepted' OR NEW.state = 'cancelled' OR NEW.state = 'failed' OR NEW.state = 'pending')) OR (OLD.state = 'failed' AND (NEW.state = 'pending')))) BEGIN SELECT RAISE(ABORT, 'illegal transition of delivery.state'); END",
    "postgresql": "CREATE TRIGGER delivery_moves BEFORE UPDATE OF state ON delivery FOR EACH ROW WHEN (NEW.state <> OLD.state AND (NOT ((OLD.state = 'pending' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'suppressed')) OR (OLD.state = 'claimed' AND (NEW.state = 'accepted' OR NEW.state = 'deferred' OR NEW.state = 'failed' OR NEW.state = 'held' OR NEW.state = 'pending' OR NEW.state = 'uncertain')) OR (OLD.state = 'deferred' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'held' AND (NEW.state = 'cancelled' OR NEW.state = 'claimed' OR NEW.state = 'failed' OR NEW.state = 'pending' OR NEW.state = 'suppressed')) OR (OLD.state = 'uncertain' AND (NEW.state = 'accepted' OR NEW.state = 'cancelled' OR NEW.state = 'failed' OR NEW.state = 'pending')) OR (OLD.state = 'failed' AND (NEW.state = 'pending'))))) EXECUTE FUNCTION delivery_refuse()",
}


def upgrade() -> None:
    op.create_table(
        "relay",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probe_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("connections", sa.Integer(), nullable=True),
        sa.Column("connections_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("per_connection", sa.Integer(), nullable=True),
        sa.Column("per_connection_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("behind_dot", sa.Boolean(), nullable=False),
        sa.Column("behind_dot_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("per_minute", sa.Integer(), nullable=True),
        sa.Column("per_minute_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state = 'well' OR state = 'waiting' OR state = 'refusing'", name=op.f("ck_relay_state")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_relay")),
    )
    op.create_table(
        "domain_rest",
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_domain_rest")),
    )
    op.create_table(
        "open_refusal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("is_parked", sa.Boolean(), nullable=False),
        sa.Column("is_final", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_open_refusal_broadcast_id_broadcast"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_refusal")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_open_refusal_delivery_id")),
    )
    op.create_index("ix_open_refusal_broadcast", "open_refusal", ["broadcast_id", "id"])
    op.add_column("sender", sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sending_limits", sa.Column("wait_minutes", sa.Integer(), nullable=False, server_default="720"))
    op.add_column("broadcast", sa.Column("heeds_content", sa.Boolean(), nullable=False, server_default=sa.true()))
    _replace_moves(MOVES)


def downgrade() -> None:
    _replace_moves(MOVES_BEFORE)
    op.drop_column("broadcast", "heeds_content")
    op.drop_column("sending_limits", "wait_minutes")
    op.drop_column("sender", "taken_at")
    for table in ("open_refusal", "domain_rest", "relay"):
        op.drop_table(table)


def _replace_moves(moves: dict[str, str]) -> None:
    """The trigger that refuses illegal changes of a delivery's state, by another table of them."""
    dialect = op.get_bind().dialect.name
    op.execute("DROP TRIGGER delivery_moves" + ("" if dialect == "sqlite" else " ON delivery"))
    op.execute(moves[dialect])
