"""how long personal data is kept, and when a broadcast's values were removed"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention_settings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uploads_days", sa.Integer(), nullable=False),
        sa.Column("values_days", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1 AND uploads_days > 0 AND values_days > 0", name=op.f("ck_retention_settings_sane")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_settings")),
    )
    op.add_column("broadcast", sa.Column("values_removed_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("broadcast", "values_removed_at")
    op.drop_table("retention_settings")
