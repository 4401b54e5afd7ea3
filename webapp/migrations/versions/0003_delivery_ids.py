"""the id of a delivery is made of its broadcast and its client"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CLIENTS = 4294967296


def upgrade() -> None:
    """Number the rows of databases made before. What was unique there stays so by an index of its own, which does no harm.

    The journals of senders name rows by their ids, so none may be in a sender's hands. The Message-ID of a mail is made of it, too: who of
    an earlier broadcast got a mail that nobody knows of, and is sent it again, gets it under another.
    """
    connection = op.get_bind()
    if connection.scalar(sa.text("SELECT count(*) FROM delivery WHERE state = 'claimed'")):
        raise RuntimeError("mails are under way: let the workers finish, or pause the broadcasts, and upgrade then")
    is_sqlite = connection.dialect.name == "sqlite"
    if is_sqlite:
        op.execute("PRAGMA defer_foreign_keys = ON")
    else:
        op.drop_constraint("fk_attempt_delivery_id_delivery", "attempt", type_="foreignkey")
    op.execute(
        f"UPDATE attempt SET delivery_id = (SELECT d.broadcast_id * {CLIENTS} + d.client_id FROM delivery d "
        f"WHERE d.id = attempt.delivery_id) WHERE delivery_id < {CLIENTS}"
    )
    op.execute(f"UPDATE delivery SET id = broadcast_id * {CLIENTS} + client_id WHERE id < {CLIENTS}")
    if not is_sqlite:
        op.create_foreign_key(
            "fk_attempt_delivery_id_delivery", "attempt", "delivery", ["delivery_id"], ["id"], ondelete="CASCADE"
        )


def downgrade() -> None:
    """Any number will do."""
