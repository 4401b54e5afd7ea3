"""errors of the relay in a row, from one sending process to the next"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default stays: to take it away SQLite would make the table anew, and lose its triggers.
    op.add_column("broadcast", sa.Column("relay_errors", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("broadcast", "relay_errors")
