"""sign-ins that can be shown and ended, networks that are known, and a record of test sends"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("user_account", sa.Column("used_at", INSTANT, nullable=True))
    # Who of them ever signed in was not kept. To take all for used keeps others from making links to them.
    op.execute("UPDATE user_account SET used_at = created_at")
    op.add_column("sign_in", sa.Column("sets_password_until", INSTANT, nullable=True))
    op.add_column("sign_in", sa.Column("browser", sa.String(120), nullable=False, server_default=""))
    op.add_column("sign_in", sa.Column("network", sa.String(64), nullable=False, server_default=""))
    # Links of before could be several for one user; they would have ended within half an hour.
    op.execute("DELETE FROM sign_in_link")
    op.create_table(
        "known_network",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("network", sa.String(64), nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_known_network_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "network", name=op.f("pk_known_network")),
    )
    op.create_table(
        "test_send",
        sa.Column("id", BIG, nullable=False),
        sa.Column("broadcast_id", sa.Integer(), nullable=True),
        sa.Column("broadcast_name", sa.String(300), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("user_email", sa.String(320), nullable=False),
        sa.Column("sender", sa.String(600), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("is_accepted", sa.Boolean(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_test_send_broadcast_id_broadcast"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_test_send_user_id_user_account"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_send")),
    )
    op.create_index("ix_test_send_sent_at", "test_send", ["sent_at"])
    op.create_index("ix_test_send_broadcast_id", "test_send", ["broadcast_id"])


def downgrade() -> None:
    op.drop_table("test_send")
    op.drop_table("known_network")
    for column in ("network", "browser", "sets_password_until"):
        op.drop_column("sign_in", column)
    op.drop_column("user_account", "used_at")
