"""a broadcast's texts in other languages: which there are, who gets which, and what of the original each was translated from"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("broadcast", sa.Column("main_language", sa.String(20), nullable=False, server_default=""))
    op.add_column("broadcast", sa.Column("other_languages", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "ALTER TABLE broadcast ADD COLUMN without_text VARCHAR(20) DEFAULT 'stop' NOT NULL "
        "CONSTRAINT ck_broadcast_without_text "
        "CHECK (without_text = 'main' OR without_text = 'skip' OR without_text = 'stop')"
    )
    op.add_column("content", sa.Column("translated_from", sa.JSON(), nullable=True))
    op.add_column("delivery", sa.Column("language", sa.String(20), nullable=True))


def downgrade() -> None:
    op.drop_column("delivery", "language")
    op.drop_column("content", "translated_from")
    for name in ("without_text", "other_languages", "main_language"):
        op.drop_column("broadcast", name)
