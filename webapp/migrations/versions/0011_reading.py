"""how an uploaded file is read, blank rows, and the text of rows whose cells could not be told apart"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_run", sa.Column("reading", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("import_run", sa.Column("blank", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("import_issue", sa.Column("text", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("import_issue", "text")
    op.drop_column("import_run", "blank")
    op.drop_column("import_run", "reading")
