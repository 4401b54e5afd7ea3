"""what a person says about a file, what a look at all its rows told, what an import changes, and what is remembered of a header"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("import_run", sa.Column("answers", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("import_run", sa.Column("findings", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "import_change",
        sa.Column("id", BigId, nullable=False),
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("field", sa.String(40), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_change")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.id"], name=op.f("fk_import_change_import_id_import_run"), ondelete="CASCADE"
        ),
    )
    op.create_index("ix_import_change_import", "import_change", ["import_id", "line"])
    op.create_table(
        "import_memory",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("header_key", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("mapping", sa.JSON(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_memory")),
        sa.UniqueConstraint("header_key", name=op.f("uq_import_memory_header_key")),
        sa.CheckConstraint(
            "kind = 'clients' OR kind = 'services' OR kind = 'addons'", name=op.f("ck_import_memory_kind")
        ),
    )


def downgrade() -> None:
    op.drop_table("import_memory")
    op.drop_index("ix_import_change_import", "import_change")
    op.drop_table("import_change")
    op.drop_column("import_run", "findings")
    op.drop_column("import_run", "answers")
