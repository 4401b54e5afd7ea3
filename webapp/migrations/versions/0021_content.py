"""a message per language, and its preheader"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("content") as content:
        content.add_column(sa.Column("language", sa.String(20), nullable=False, server_default=""))
        content.add_column(sa.Column("preheader", sa.Text(), nullable=False, server_default=""))
        content.drop_constraint(op.f("uq_content_broadcast_id"), type_="unique")
        content.create_unique_constraint(op.f("uq_content_broadcast_id_language"), ["broadcast_id", "language"])


def downgrade() -> None:
    op.execute("DELETE FROM content WHERE language <> ''")
    with op.batch_alter_table("content") as content:
        content.drop_constraint(op.f("uq_content_broadcast_id_language"), type_="unique")
        content.create_unique_constraint(op.f("uq_content_broadcast_id"), ["broadcast_id"])
        content.drop_column("preheader")
        content.drop_column("language")
