"""pictures and attachments of mails"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "media_file",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(48), nullable=False),
        sa.Column("is_picture", sa.Boolean(), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Integer(), nullable=True),
        sa.Column("replaced_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["user_account.id"],
            name=op.f("fk_media_file_created_by_user_account"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["replaced_by"], ["media_file.id"], name=op.f("fk_media_file_replaced_by_media_file"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_file")),
        sa.UniqueConstraint("name", name=op.f("uq_media_file_name")),
    )
    op.create_index("ix_media_file_digest", "media_file", ["digest"])
    op.create_index("ix_media_file_created_at", "media_file", ["created_at"])
    op.create_table(
        "media_bytes",
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["file_id"], ["media_file.id"], name=op.f("fk_media_bytes_file_id_media_file"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", name=op.f("pk_media_bytes")),
    )
    op.create_table(
        "attachment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_attachment_content_id_content"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["media_file.id"], name=op.f("fk_attachment_file_id_media_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
        sa.UniqueConstraint("content_id", "file_id", name=op.f("uq_attachment_content_id_file_id")),
    )
    op.create_index("ix_attachment_file_id", "attachment", ["file_id"])
    op.create_table(
        "own_files",
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("when_missing", sa.String(20), nullable=False),
        sa.CheckConstraint("when_missing = 'skip' OR when_missing = 'send'", name=op.f("ck_own_files_when_missing")),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_own_files_content_id_content"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("content_id", name=op.f("pk_own_files")),
    )
    op.create_table(
        "own_file",
        sa.Column("content_id", sa.Integer(), nullable=False),
        sa.Column("client_number", sa.String(64), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_id"], ["content.id"], name=op.f("fk_own_file_content_id_content"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["media_file.id"], name=op.f("fk_own_file_file_id_media_file")),
        sa.PrimaryKeyConstraint("content_id", "client_number", name=op.f("pk_own_file")),
    )
    op.create_index("ix_own_file_file_id", "own_file", ["file_id"])


def downgrade() -> None:
    for table in ("own_file", "own_files", "attachment", "media_bytes", "media_file"):
        op.drop_table(table)
