"""failed mails are sent again, also of a broadcast that was finished"""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0010"
branch_labels = None
depends_on = None

MOVES = {
    "draft": ("cancelled", "scheduled"),
    "scheduled": ("cancelled", "draft", "sending"),
    "sending": ("cancelled", "finished", "needs_attention", "paused"),
    "paused": ("cancelled", "sending"),
    "needs_attention": ("cancelled", "finished", "sending"),
}
"""The moves of a broadcast's state that the database allowed before."""


def upgrade() -> None:
    # On SQLite columns are only added: a table that is made anew loses its triggers.
    op.add_column("broadcast", sa.Column("resends", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("delivery", sa.Column("again_at", sa.DateTime(timezone=True), nullable=True))
    replace_moves("broadcast", {**MOVES, "finished": ("sending",)})


def downgrade() -> None:
    replace_moves("broadcast", MOVES)
    op.drop_column("delivery", "again_at")
    op.drop_column("broadcast", "resends")


def replace_moves(table: str, moves: Mapping[str, tuple[str, ...]]) -> None:
    """Have the database allow exactly these moves of `table`.state. The other triggers of the table stay."""
    targets = {old: " OR ".join(f"NEW.state = '{one}'" for one in new) for old, new in moves.items()}
    legal = " OR ".join(f"(OLD.state = '{old}' AND ({new}))" for old, new in targets.items())
    illegal = f"NEW.state <> OLD.state AND (NOT ({legal}))"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {table}_moves")
        op.execute(
            f"CREATE TRIGGER {table}_moves BEFORE UPDATE OF state ON {table} WHEN {illegal} "
            f"BEGIN SELECT RAISE(ABORT, 'illegal transition of {table}.state'); END"
        )
    else:
        op.execute(f"DROP TRIGGER {table}_moves ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_moves BEFORE UPDATE OF state ON {table} FOR EACH ROW "
            f"WHEN ({illegal}) EXECUTE FUNCTION {table}_refuse()"
        )
