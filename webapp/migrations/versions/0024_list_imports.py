"""imports of lists of suppressions"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

STATES = ("uploaded", "checking", "checked", "running", "done", "failed")
KINDS = ("unsubscribed", "bounced", "complained", "by_hand", "imported")
FATES = ("new", "wider", "known", "free", "refused")
INSTANT = sa.DateTime(timezone=True)


def one_of(column: str, values: tuple[str, ...]) -> str:
    return " OR ".join(f"{column} = '{value}'" for value in values)


def upgrade() -> None:
    op.create_table(
        "list_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("stored_as", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("encoding", sa.String(20), nullable=False),
        sa.Column("delimiter", sa.String(1), nullable=False),
        sa.Column("header", sa.JSON(), nullable=False),
        sa.Column("layout", sa.JSON(), nullable=False),
        sa.Column("reading", sa.JSON(), nullable=False),
        sa.Column("otherwise", sa.String(20), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("rows_seen", sa.Integer(), nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("wider", sa.Integer(), nullable=False),
        sa.Column("known", sa.Integer(), nullable=False),
        sa.Column("free", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(320), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("beat_at", INSTANT, nullable=True),
        sa.Column("finished_at", INSTANT, nullable=True),
        sa.CheckConstraint(one_of("state", STATES), name=op.f("ck_list_import_state")),
        sa.CheckConstraint(one_of("otherwise", KINDS), name=op.f("ck_list_import_otherwise")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_import")),
    )
    op.create_table(
        "list_report",
        sa.Column("import_id", sa.Integer(), nullable=False),
        sa.Column("fate", sa.String(20), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(one_of("fate", FATES), name=op.f("ck_list_report_fate")),
        sa.ForeignKeyConstraint(
            ["import_id"], ["list_import.id"], name=op.f("fk_list_report_import_id_list_import"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "fate", "number", name=op.f("pk_list_report")),
    )


def downgrade() -> None:
    op.drop_table("list_report")
    op.drop_table("list_import")
