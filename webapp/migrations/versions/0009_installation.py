"""uploads in the database, machines known by an id, and what this installation is"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "upload",
        sa.Column("id", BigId, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
        sa.UniqueConstraint("name", name=op.f("uq_upload_name")),
    )
    op.create_table(
        "upload_chunk",
        sa.Column("upload_id", BigId, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["upload.id"], name=op.f("fk_upload_chunk_upload_id_upload"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", "number", name=op.f("pk_upload_chunk")),
    )
    installation = op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("database_id", sa.String(32), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_kind", sa.String(20), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_by", sa.String(300), nullable=False),
        sa.Column("held_reason", sa.Text(), nullable=False),
        sa.Column("marker_generation", sa.BigInteger(), nullable=False),
        sa.Column("marker_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released", sa.JSON(), nullable=False),
        sa.Column("restores", sa.JSON(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_single")),
        sa.CheckConstraint("(held_kind IS NULL) = (held_at IS NULL)", name=op.f("ck_installation_held")),
        sa.CheckConstraint("held_kind = 'by_hand' OR held_kind = 'restored'", name=op.f("ck_installation_held_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    row = {"id": 1, "database_id": uuid4().hex, "generation": 0, "marker_generation": 0}
    op.bulk_insert(installation, [{**row, "held_by": "", "held_reason": "", "released": [], "restores": []}])
    op.add_column("sender", sa.Column("machine", sa.String(32), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("sender", "machine")
    op.drop_table("installation")
    op.drop_table("upload_chunk")
    op.drop_table("upload")
