"""links from a pattern, which are tags"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "tag_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("label", sa.String(80), nullable=False),
        sa.Column("pattern", sa.String(1000), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_link")),
    )
    open_ones = sa.text("ended_at IS NULL")
    op.create_index(
        "uq_tag_link_name", "tag_link", ["name"], unique=True, sqlite_where=open_ones, postgresql_where=open_ones
    )


def downgrade() -> None:
    op.drop_table("tag_link")
